"""Logos and saliency maps: letters of the right height at the right place."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from sknn import SequenceCNNClassifier
from sknn.datasets import make_motif_sequences
from sknn.inspection import MotifLogoDisplay, SaliencyMapDisplay
from sknn.motifs import Motif
from sknn.preprocessing import DNAOneHotEncoder


def boxes(collections):
    """Return letter -> boxes (x0, y0, x1, y1) of its shapes."""
    return {
        c.get_label(): [tuple(p.get_extents().extents) for p in c.get_paths()] for c in collections
    }


def test_letters_of_a_logo_stand_on_each_other_the_largest_on_top():
    motif = Motif("m", [[30, 10, 0, 0], [0, 0, 40, 0]], 40, pseudocount=0.0)
    drawn = boxes(MotifLogoDisplay(motif).plot().letters_[0])
    assert set(drawn) == {"A", "C", "G"}
    (small,), (large,) = drawn["C"], drawn["A"]
    information = motif.information
    assert small[1] == pytest.approx(0)
    assert large[1] == pytest.approx(small[3])
    assert large[3] == pytest.approx(information[0])
    assert large[3] - large[1] == pytest.approx(0.75 * information[0])
    assert drawn["G"][0][3] == pytest.approx(2.0)
    assert 0.5 < drawn["G"][0][0] < drawn["G"][0][2] < 1.5


def test_saliency_is_the_height_of_a_letter_below_the_line_too():
    scores = np.zeros((1, 3, 4))
    scores[0, 0, 3], scores[0, 2, 1] = 0.8, -0.5
    display = SaliencyMapDisplay(scores, names=["mine"]).plot()
    drawn = boxes(display.letters_[0])
    assert set(drawn) == {"C", "T"}
    assert drawn["T"][0][1::2] == pytest.approx((0, 0.8))
    assert drawn["C"][0][1::2] == pytest.approx((-0.5, 0))
    low, high = display.ax_.get_ylim()
    assert low < -0.5
    assert high > 0.8
    assert display.ax_.get_title() == "mine"


def test_displays_look_into_pipelines():
    X, y, _ = make_motif_sequences(60, length=30, random_state=0)
    cnn = SequenceCNNClassifier(n_filters=4, max_iter=2, random_state=0)
    model = make_pipeline(DNAOneHotEncoder(), cnn).fit(X, y)
    display = SaliencyMapDisplay.from_estimator(model, X[:2], target=1)
    np.testing.assert_allclose(display.scores, clone(cnn).fit(X, y).saliency(X[:2], 1), rtol=1e-5)
    logos = MotifLogoDisplay.from_estimator(model, X, n_motifs=2)
    assert len(logos.axes_) == len(logos.motifs) <= 2


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match=r"shape \(n_sequences, length, 4\).*got shape \(3, 4\)"):
        SaliencyMapDisplay(np.zeros((3, 4)))
    with pytest.raises(ValueError, match="Expected 2 names of sequences, got 1"):
        SaliencyMapDisplay(np.zeros((2, 3, 4)), names=["a"])
    with pytest.raises(ValueError, match="There is no motif to draw"):
        MotifLogoDisplay([])
    assert plt.get_fignums() == []


def test_protein_letters_have_a_colour_and_narrow_ones_stay_narrow():
    motif = Motif("p", np.eye(20)[[7, 18]] * 20, 20, alphabet="ACDEFGHIKLMNPQRSTVWY")
    drawn = boxes(MotifLogoDisplay(motif).plot().letters_[0])
    (narrow, *_), (wide, *_) = drawn["I"], drawn["W"]
    assert narrow[2] - narrow[0] < 0.8 * (wide[2] - wide[0])

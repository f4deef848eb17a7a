"""Filters, motifs and attributions of fitted networks for sequences."""

import numpy as np
import pytest
import torch

from sknn import SequenceCNNClassifier, SequenceCNNRegressor
from sknn.datasets import make_motif_sequences
from sknn.genomics import modisco_arrays
from sknn.motifs import Motif
from sknn.motifs._merge import align_motifs

MOTIF = "CGACCGAACTCC"
OTHER = "GGAGTTCGGTCG"


@pytest.fixture(scope="module")
def data():
    return make_motif_sequences(1000, random_state=0)


@pytest.fixture(scope="module")
def model(data):
    X, y, _ = data
    return SequenceCNNClassifier(32, 12, random_state=0).fit(X, y)


def test_the_planted_motif_is_read_from_a_filter(model, data):
    X, y, _ = data
    motifs = model.motifs(X, y)
    found = {motif.consensus for motif in motifs}
    assert found & {MOTIF, OTHER}
    importance = [motif.importance for motif in motifs]
    assert importance == sorted(importance, reverse=True)
    assert motifs[0].information_content > 15


def test_untrained_motifs_say_little_beside_the_trained_ones(model, data):
    X = data[0]
    control = model.untrained_motifs(X, min_sites=5)
    assert len(control) > 20
    assert max(m.information_content for m in control) < 15
    assert model.filters_.max() == model.module_.bank.weight.max().item()  # it stays trained


def test_saliency_lies_on_the_planted_motif(model, data):
    X, y, positions = data
    rows = np.flatnonzero(y == 1)[:100]
    scores = model.saliency(X[rows]).sum(axis=2)
    windows = np.lib.stride_tricks.sliding_window_view(scores, 12, axis=1).sum(axis=2)
    assert (windows.argmax(axis=1) == positions[rows]).mean() > 0.9


def test_mutations_in_the_motif_cost_most_and_agree_with_predictions(model, data):
    X, y, positions = data
    row = int(np.flatnonzero(y == 1)[0])
    effects = model.in_silico_mutagenesis(X[[row]])[0]
    place = positions[row] + 4
    mutant = X[row][:place] + "T" + X[row][place + 1 :]
    change = np.diff(model.decision_function([X[row], mutant]))[0]
    assert effects[place, "ACGT".index("T")] == pytest.approx(change, abs=1e-4)
    inside = np.zeros(50, bool)
    inside[positions[row] : positions[row] + 12] = True
    assert effects.min(axis=1)[inside].mean() < effects.min(axis=1)[~inside].mean()


@pytest.mark.parametrize("unknown", ["zero", "uniform"])
def test_exchanges_of_unknown_letters_are_those_of_predictions(data, unknown):
    X, y, _ = data
    model = SequenceCNNClassifier(n_filters=4, max_iter=2, unknown=unknown, random_state=0).fit(
        X[:100], y[:100]
    )
    for place in (0, 10, 39):  # the ends too, of a string shorter than those in fit
        masked = X[0][:place] + "N" + X[0][place + 1 : 40]
        others = [masked[:place] + letter + masked[place + 1 :] for letter in "ACGT"]
        change = model.decision_function(others) - model.decision_function([masked])
        effects = model.in_silico_mutagenesis([masked])[0]
        np.testing.assert_allclose(effects[place], change, atol=1e-5)
        assert not effects[40:].any()


def test_the_other_class_has_the_opposite_saliency(model, data):
    X = data[0][:5]
    np.testing.assert_array_equal(model.saliency(X, target=0), -model.saliency(X, target=1))
    np.testing.assert_array_equal(model.saliency(X), model.saliency(X, target=[1] * 5))
    with pytest.raises(ValueError, match=r"target must be among \[0, 1\]; got 7"):
        model.saliency(X, target=7)


def test_saliency_of_several_classes_is_that_of_the_predicted_one(data):
    X = data[0][:60]
    labels = np.array(["a", "b", "c"] * 20)
    three = SequenceCNNClassifier(n_filters=8, max_iter=2, random_state=0).fit(X, labels)
    np.testing.assert_array_equal(three.saliency(X), three.saliency(X, target=three.predict(X)))
    total = sum(three.saliency(X, target=label) for label in "abc")
    assert np.abs(total).max() > 0


def test_transform_is_the_largest_activation_along_the_sequence(model, data):
    X = data[0][:4]
    found = model.transform(X)
    filters, bank = model.filters_, model.module_.bank
    one_hot = (np.array([list(s) for s in X])[:, :, None] == list("ACGT")).astype(float)
    windows = np.lib.stride_tricks.sliding_window_view(one_hot, 12, axis=1)
    bias = bank.bias.detach().numpy()
    places = bank.position_bias.detach().numpy()
    values = [
        np.einsum("nwck,fkc->nwf", windows, turned) + bias + places[i]
        for i, turned in enumerate([filters, filters[:, ::-1, ::-1]])
    ]
    expected = np.maximum(np.maximum(*values).max(axis=1), 0)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert list(model.get_feature_names_out()[:2]) == ["filter_0", "filter_1"]
    named = model.set_output(transform="pandas").transform(X)
    model.set_output(transform="default")
    assert list(named.columns) == list(model.get_feature_names_out())


def test_importance_is_zero_for_a_filter_that_never_fires(data):
    X, y, _ = data
    own = SequenceCNNClassifier(n_filters=4, max_iter=2, random_state=0).fit(X[:60], y[:60])
    own.module_.bank.bias.data[2] = -1e3
    importance = own.filter_importance(X[:60])
    assert importance[2] == 0
    assert importance[[0, 1, 3]].min() > 0


def test_motifs_of_a_regressor_come_from_large_values(data):
    X, y, _ = data
    own = SequenceCNNRegressor(n_filters=16, kernel_size=12, max_iter=30, random_state=0)
    own.fit(X, 10.0 * y)
    assert {m.consensus for m in own.motifs(X, 10.0 * y)} & {MOTIF, OTHER}


def test_motifs_need_letters_and_sequences_that_are_judged_rightly(model, data):
    X, y, _ = data
    numbers = np.random.RandomState(0).normal(size=(30, 12))
    own = SequenceCNNClassifier(n_filters=4, max_iter=1).fit(numbers, [0, 1] * 15)
    for read in (own.motifs, own.in_silico_mutagenesis, own.untrained_motifs):
        with pytest.raises(ValueError, match="The channels of X have no letters"):
            read(numbers)
    with pytest.raises(ValueError, match="No sequence is left to read motifs from"):
        model.motifs(X[y == 0], np.zeros(int((y == 0).sum()), int))


def test_motifs_that_are_one_are_merged(model, data):
    X, y, _ = data
    apart, merged = model.motifs(X, y, merge=False), model.motifs(X, y)
    assert len(merged) < len(apart)
    planted = [m for m in merged if m.information_content > 12 and align(m, MOTIF) > 0.7]
    assert len(planted) == 1
    assert sum(align(m, MOTIF) > 0.7 for m in apart) > 3  # filters that are one motif
    assert sum(m.importance for m in merged) == pytest.approx(sum(m.importance for m in apart))


def align(motif, consensus):
    counts = np.eye(4)[["ACGT".index(letter) for letter in consensus]] * 30
    return align_motifs(motif, Motif("planted", counts, 30)).similarity


def test_the_module_with_channels_first_gives_logits_and_the_mutations_of_others(model, data):
    """As tangermeme's saturation mutagenesis does: every exchange goes through the module."""
    X = data[0][:2]
    module = model.channels_first_module()
    one_hot = torch.from_numpy(model.encode(X)).transpose(1, 2)
    assert one_hot.shape == (2, 4, 50)
    with torch.no_grad():
        before = module(one_hot)
        np.testing.assert_allclose(before[:, 0], model.decision_function(X), rtol=1e-5)
        effects = np.zeros((2, 50, 4), np.float32)
        for place in range(50):
            for letter in range(4):
                mutated = one_hot.clone()
                mutated[:, :, place] = torch.eye(4)[letter]
                effects[:, place, letter] = (module(mutated) - before)[:, 0]
    np.testing.assert_allclose(model.in_silico_mutagenesis(X), effects, atol=1e-5)
    with pytest.raises(ValueError, match=r"shape \(n, 4, 50\), channels first; got \(2, 50, 4\)"):
        module(one_hot.transpose(1, 2))


def test_saturation_mutagenesis_of_tangermeme_gives_our_mutations(model, data):
    saturation = pytest.importorskip(
        "tangermeme.saturation_mutagenesis", reason="tangermeme is not installed"
    )
    X = data[0][:3]
    module, ours = model.channels_first_module(), model.in_silico_mutagenesis(X)
    one_hot = torch.from_numpy(model.encode(X)).transpose(1, 2).contiguous()
    mutate = saturation.saturation_mutagenesis
    before, after, *_ = mutate(module, one_hot, raw_outputs=True, device="cpu")
    effects = after[..., 0] - before[:, :, None]
    np.testing.assert_allclose(effects.numpy().transpose(0, 2, 1), ours, atol=1e-5)
    attributed = mutate(module, one_hot, hypothetical=True, device="cpu").numpy()
    centred = ours - ours.mean(axis=2, keepdims=True)  # of each position
    np.testing.assert_allclose(attributed.transpose(0, 2, 1), centred, atol=1e-5)


def test_arrays_for_modisco_are_one_hot_letters_and_contributions_of_all_letters(model, data):
    X = data[0][:5]
    one_hot, contributions = modisco_arrays(model, X)
    assert one_hot.shape == contributions.shape == (5, 4, 50)
    np.testing.assert_array_equal(one_hot.argmax(axis=1), [["ACGT".index(c) for c in s] for s in X])
    np.testing.assert_allclose(contributions.sum(axis=1), 0, atol=1e-5)
    saliency = model.saliency(X).transpose(0, 2, 1)
    np.testing.assert_allclose(contributions * one_hot, saliency, atol=1e-6)

"""The detector of anomalies: its scores, its offset, its neighbours, and what it refuses."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import AutoencoderOutlierDetector, AutoencoderTransformer
from sknn.deep.autoencoder._neighbors import fit_references

RNG = np.random.default_rng(0)
#: two features that follow from two others, and noise
HIDDEN = RNG.normal(size=(400, 2))
NORMAL = np.column_stack([HIDDEN, HIDDEN[:, 0] - HIDDEN[:, 1], np.tanh(HIDDEN[:, 0])])
NORMAL = NORMAL + 0.05 * RNG.normal(size=NORMAL.shape)
#: each feature as before, but independent of the others
ODD = np.column_stack([RNG.permutation(column) for column in NORMAL.T])[:100]


@pytest.mark.parametrize("criterion", ["both", "reconstruction", "distance"])
def test_samples_that_break_the_dependence_are_anomalies(criterion):
    detector = AutoencoderOutlierDetector(criterion=criterion, random_state=0).fit(NORMAL[:300])
    X, labels = np.vstack([NORMAL[300:], ODD]), np.repeat([1, 0], 100)
    assert roc_auc_score(labels, detector.score_samples(X)) > 0.9
    decisions = detector.decision_function(X)
    np.testing.assert_allclose(decisions, detector.score_samples(X) - detector.offset_)
    assert np.array_equal(detector.predict(X), np.where(decisions >= 0, 1, -1))
    assert (detector.predict(NORMAL[300:]) == 1).mean() > 0.9


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5])
def test_contamination_is_the_share_of_anomalies_among_the_training_samples(share):
    detector = AutoencoderOutlierDetector(contamination=share, max_iter=5, random_state=0)
    assert (detector.fit_predict(NORMAL) == -1).mean() == pytest.approx(share, abs=0.003)


def test_automatic_offset_is_tukeys_fence():
    detector = AutoencoderOutlierDetector(max_iter=5, random_state=0).fit(NORMAL)
    low, high = np.percentile(detector.score_samples(NORMAL), [25, 75])
    assert detector.offset_ == pytest.approx(low - 1.5 * (high - low))


def test_distances_are_those_to_the_nearest_other_samples():
    X = NORMAL[:40]
    references = fit_references(X, 3, 0.0)
    whitened = X @ references.whitening
    for i, sample in enumerate(X):
        others = np.delete(np.arange(len(X)), i)
        city = np.sort(np.abs(X[others] - sample).sum(axis=1))[:3]
        straight = np.sort(np.linalg.norm(whitened[others] - whitened[i], axis=1))[:3]
        expected = [
            np.log(distances + floor).mean()
            for distances, floor in zip((city, straight), references.floors, strict=True)
        ]
        np.testing.assert_allclose(references.measure(X[i : i + 1])[0], expected)


def test_whitening_gives_uncorrelated_columns_of_equal_variance():
    X = RNG.normal(size=(5000, 3)) @ [[1, 0.5, 0], [0, 1, 0], [0, 0, 2]]
    references = fit_references(X, 5, 0.0)
    np.testing.assert_allclose(np.cov((X @ references.whitening).T), np.eye(3), atol=0.05)


def test_a_small_cluster_of_anomalies_does_not_vouch_for_itself():
    cluster = np.array([4.0, -4.0, 4.0, -4.0]) + 0.01 * RNG.normal(size=(10, 4))
    X = np.vstack([NORMAL, cluster])
    trimmed = AutoencoderOutlierDetector(criterion="distance", max_iter=1, random_state=0).fit(X)
    whole = AutoencoderOutlierDetector(
        criterion="distance", trim_fraction=0.0, max_iter=1, random_state=0
    ).fit(X)
    labels = np.repeat([1, 0], [400, 10])
    assert roc_auc_score(labels, trimmed.score_samples(X)) == 1.0
    assert roc_auc_score(labels, whole.score_samples(X)) < 0.5


def test_reconstruction_alone_scores_as_the_transformer_does():
    params = {"kind": "denoising", "noise": 1.0, "max_iter": 5, "random_state": 0}
    detector = AutoencoderOutlierDetector(
        (16,), n_components=2, criterion="reconstruction", learning_rate="constant", **params
    ).fit(NORMAL)
    transformer = AutoencoderTransformer(2, (16,), learning_rate_init=0.002, tol=0.0, **params)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        transformer.fit(NORMAL)
    np.testing.assert_allclose(detector.score_samples(ODD), transformer.score_samples(ODD))


def test_tables_with_categories_and_missing_values_are_judged():
    level = RNG.choice(["a", "b"], 300)
    frame = pd.DataFrame({"level": level, "number": np.where(level == "a", -2.0, 2.0)})
    frame["number"] += 0.1 * RNG.normal(size=300)
    frame.loc[::10, "number"] = np.nan
    detector = AutoencoderOutlierDetector(random_state=0).fit(frame)
    new = pd.DataFrame({"level": ["a", "a"], "number": [-2.0, 2.0]})
    normal, odd = detector.score_samples(new)
    assert normal > odd
    assert np.isfinite(detector.score_samples(frame)).all()


def test_equal_seeds_give_equal_scores_and_files_keep_them():
    one, other = (
        AutoencoderOutlierDetector(max_iter=3, random_state=0).fit(NORMAL) for _ in range(2)
    )
    scores = one.score_samples(ODD)
    assert np.array_equal(other.score_samples(ODD), scores)
    assert np.array_equal(one.score_samples(ODD), scores)
    assert np.array_equal(pickle.loads(pickle.dumps(one)).score_samples(ODD), scores)


def test_new_samples_are_judged_in_a_pipeline():
    X, y = load_breast_cancer(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), AutoencoderOutlierDetector(random_state=0))
    pipeline.fit(X[y == 1][:200])
    assert roc_auc_score(y, pipeline.score_samples(X)) > 0.93


def test_sparse_samples_give_what_dense_ones_do():
    dense, rare = AutoencoderOutlierDetector(max_iter=2, random_state=0), NORMAL * (NORMAL > 0)
    expected = dense.fit(rare).score_samples(rare)
    model = AutoencoderOutlierDetector(max_iter=2, random_state=0).fit(sparse.csr_matrix(rare))
    np.testing.assert_array_equal(model.score_samples(sparse.csr_matrix(rare)), expected)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n_samples", [1, 2])
def test_few_samples_are_enough(n_samples):
    detector = AutoencoderOutlierDetector(max_iter=2, random_state=0).fit(NORMAL[:n_samples])
    assert np.isfinite(detector.score_samples(NORMAL[:5])).all()

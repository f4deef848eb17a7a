"""No rule that looks at the number of samples or columns costs accuracy where it sets in."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_wine,
    make_friedman1,
)
from sklearn.model_selection import ShuffleSplit, cross_val_predict

from sknn import (
    DeepMLPClassifier,
    SequenceCNNClassifier,
    TabularMLPClassifier,
    TabularMLPRegressor,
)
from sknn.datasets import make_motif_sequences
from sknn.deep.sequence._network import MANY_SAMPLES
from sknn.deep.tabular._ensemble import FEW_SAMPLES, MOST_EMBEDDED, SAMPLES_FOR_FLOAT32

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
TABLES = {
    "cancer": (TabularMLPClassifier(n_members=4), load_breast_cancer),
    "wine": (TabularMLPClassifier(n_members=4), load_wine),
    "diabetes": (TabularMLPRegressor(n_members=4), load_diabetes),
    "digits": (TabularMLPClassifier(n_members=1, max_iter=4), load_digits),
}


def score_with(model, X, y, n_samples, n_seeds=3):
    """Return the mean score on held-out samples of fits on `n_samples`, drawn anew each time.

    Fewer samples are some of more, and those held out are the same.
    """
    scores = []
    for seed in range(n_seeds):
        order = np.random.RandomState(seed).permutation(len(y))
        train, test = order[:n_samples], order[-len(y) // 3 :]
        fitted = clone(model).set_params(random_state=seed).fit(X[train], y[train])
        scores.append(fitted.score(X[test], y[test]))
    return np.mean(scores)


@pytest.mark.parametrize("name", ["cancer", "wine", "diabetes"])
def test_held_out_samples_cost_nothing_where_they_begin(name):
    model, load = TABLES[name]
    X, y = load(return_X_y=True)
    before, after = (score_with(model, X, y, FEW_SAMPLES + d) for d in (-1, 0))
    assert after > before - 0.02


def test_a_sample_more_changes_the_dtype_and_not_the_score():
    model, load = TABLES["digits"]
    X, y = load(return_X_y=True)
    scores = {}
    for n_samples, dtype in (
        (SAMPLES_FOR_FLOAT32 - 1, "float64"),
        (SAMPLES_FOR_FLOAT32, "float32"),
    ):
        scores[dtype] = score_with(model, X, y, n_samples, 1)
        fitted = clone(model).set_params(max_iter=1).fit(X[:n_samples], y[:n_samples])
        assert str(next(fitted.module_.parameters()).dtype) == f"torch.{dtype}"
    assert scores["float32"] > scores["float64"] - 0.02


def test_the_size_of_batches_doubles_and_the_score_stays():
    model, load = TABLES["digits"]
    X, y = load(return_X_y=True)
    # Where 40 batches an epoch are as far from 32 samples as from 64, by their ratio.
    n_samples = int(40 * 32 * 2**0.5)
    X, y = np.tile(X, (2, 1)), np.tile(y, 2)
    before, after = (score_with(model, X, y, n_samples + d, 1) for d in (-1, 2))
    assert after > before - 0.02


@pytest.mark.parametrize("name", ["digits", "friedman"])
def test_a_column_more_than_have_embeddings_costs_no_more_than_another_column_of_noise(name):
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        noise = RNG.permuted(np.tile(X, (1, 4)), axis=0)
        wide = np.hstack([X, noise])[:, : MOST_EMBEDDED + 1]
        model, n_samples = TabularMLPClassifier(n_members=1, max_iter=8), 300
    else:  # with embeddings R² is .2 larger than without
        wide, y = make_friedman1(900, MOST_EMBEDDED + 1, noise=1.0, random_state=0)
        model, n_samples = TabularMLPRegressor(n_members=1, max_iter=15), 500
    tables = (wide[:, : MOST_EMBEDDED + n_more] for n_more in (0, 1))
    before, after = (score_with(model, table, y, n_samples, 1) for table in tables)
    assert after > before - 0.03


def test_early_stopping_of_networks_for_sequences_costs_nothing_where_it_begins():
    X, y, _ = make_motif_sequences(3600, length=30, motif="CGACCGA", random_state=0)
    model = SequenceCNNClassifier(n_filters=8, kernel_size=9, max_iter=12)
    before, after = (score_with(model, X, y, MANY_SAMPLES + d, 1) for d in (-1, 0))
    fitted = clone(model).set_params(max_iter=1, random_state=0)
    assert fitted.fit(X[:MANY_SAMPLES], y[:MANY_SAMPLES]).validation_scores_ is not None
    assert fitted.fit(X[: MANY_SAMPLES - 1], y[: MANY_SAMPLES - 1]).validation_scores_ is None
    assert after > before - 0.03


@pytest.mark.parametrize(
    "model",
    [
        DeepMLPClassifier((8,), max_iter=5, early_stopping=True, random_state=0),
        TabularMLPClassifier(n_members=2, max_iter=5, random_state=0),
        SequenceCNNClassifier(n_filters=4, kernel_size=5, max_iter=3, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_cross_validation_trains_the_model_that_a_refit_trains(model):
    if isinstance(model, SequenceCNNClassifier):
        X, y, _ = make_motif_sequences(150, length=20, motif="CGACCGA", random_state=0)
    else:
        X, y = load_wine(return_X_y=True)
    train, test = next(ShuffleSplit(1, test_size=0.3, random_state=0).split(X))
    every = [(train, test), (test, train)]
    predicted = cross_val_predict(model, X, y, cv=every, method="predict_proba")
    refit = clone(model).fit(X[train], y[train])
    np.testing.assert_array_equal(refit.predict_proba(X[test]), predicted[test])
    of_all = clone(model).fit(X, y)  # decides as on a part whether to hold out, and what to build
    for name in ("runner_", "n_layers_"):
        assert getattr(of_all, name) == getattr(refit, name)
    assert (of_all.validation_scores_ is None) == (refit.validation_scores_ is None)

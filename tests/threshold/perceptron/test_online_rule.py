"""Units of the online rule in several threads."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_digits

from sknn import PerceptronClassifier
from sknn.threshold._linear_base import make_training_set
from sknn.threshold.perceptron._monitor import WeightHistory
from sknn.threshold.perceptron._online_blocks import BlockEpochs
from sknn.threshold.perceptron._online_epochs import CompiledEpochs
from sknn.threshold.perceptron._online_rule import UnitGroups
from sknn.threshold.perceptron._state import PerceptronState, make_config

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, y = load_digits(return_X_y=True)
X, y = X[:300] / 16, y[:300]


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize(
    "params", [{}, {"average": True}, {"penalty": "l2"}, {"early_stopping": True}], ids=str
)
def test_threads_change_nothing(params, container):
    def fit(n_jobs):
        model = PerceptronClassifier(
            update="online", max_iter=4, random_state=0, n_jobs=n_jobs, **params
        )
        return model.fit(container(X), y)

    alone, together = fit(None), fit(3)
    np.testing.assert_allclose(together.coef_, alone.coef_, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(together.intercept_, alone.intercept_, rtol=1e-10)
    np.testing.assert_array_equal(together.n_updates_, alone.n_updates_)
    assert together.errors_curve_ == alone.errors_curve_


@pytest.mark.parametrize(("n_jobs", "n_groups"), [(1, 1), (4, 4), (99, 10)])
def test_units_are_shared_among_so_many_groups(n_jobs, n_groups):
    training = make_training_set(X, y, None, None)
    config = make_config({**PerceptronClassifier(update="online").get_params(), "n_jobs": n_jobs})
    state, history = PerceptronState.start(10, X.shape[1]), WeightHistory()
    groups = UnitGroups(BlockEpochs, training, state, config, history)
    assert len(groups.groups) == n_groups
    assert np.concatenate(groups.members).tolist() == list(range(10))


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("params", [{}, {"average": True}, {"fit_intercept": False}], ids=str)
def test_compiled_passes_are_those_in_blocks(params, container):
    pytest.importorskip("numba", reason="numba is not installed")
    weights = np.random.default_rng(0).uniform(0.5, 2, len(y))
    training = make_training_set(container(X), y, weights, None)
    config = make_config(PerceptronClassifier(update="online", **params).get_params())
    states, losses = [], []
    for kind in (CompiledEpochs, BlockEpochs):
        random_state = np.random.RandomState(0)
        epochs = kind(training, PerceptronState.start(10, X.shape[1]), config, WeightHistory())
        losses.append([epochs.run(None)])
        for _ in range(3):
            losses[-1].append(epochs.run(random_state.permutation(len(y))))
            epochs.active = epochs.active & (np.arange(10) != 4)
        states.append(epochs.get_state())
    one, other = states
    np.testing.assert_allclose(*losses, rtol=1e-9)
    np.testing.assert_array_equal(one.n_updates, other.n_updates)
    np.testing.assert_array_equal(one.n_steps, other.n_steps)
    for mine, theirs in zip((one.units, one.total), (other.units, other.total), strict=True):
        np.testing.assert_allclose(mine.coef, theirs.coef, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(mine.intercept, theirs.intercept, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_passes_over_many_samples_are_compiled(container):
    pytest.importorskip("numba", reason="numba is not installed")
    config = make_config(PerceptronClassifier(update="online").get_params())
    small = make_training_set(container(X), y, None, None)
    large = make_training_set(container(np.vstack([X] * 4)), np.tile(y, 4), None, None)
    assert not CompiledEpochs.supports(small, config)
    assert CompiledEpochs.supports(large, config)
    turned = make_training_set(np.asfortranarray(np.vstack([X] * 4)), np.tile(y, 4), None, None)
    assert not CompiledEpochs.supports(turned, config)
    recorded = PerceptronClassifier(update="online", record_weights="update").get_params()
    assert not CompiledEpochs.supports(large, make_config(recorded))


def test_partial_fit_goes_on_in_threads():
    model = PerceptronClassifier(update="online", shuffle=False, n_jobs=2)
    for _ in range(3):
        model.partial_fit(X, y, classes=np.arange(10))
    whole = PerceptronClassifier(update="online", shuffle=False, max_iter=3, tol=None).fit(X, y)
    np.testing.assert_allclose(model.coef_, whole.coef_, rtol=1e-10, atol=1e-12)

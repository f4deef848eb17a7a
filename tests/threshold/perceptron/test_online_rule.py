"""Units of the online rule in several threads."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_digits

from sknn import PerceptronClassifier
from sknn.threshold._linear_base import make_training_set
from sknn.threshold.perceptron._monitor import WeightHistory
from sknn.threshold.perceptron._online_blocks import BlockEpochs
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


def test_partial_fit_goes_on_in_threads():
    model = PerceptronClassifier(update="online", shuffle=False, n_jobs=2)
    for _ in range(3):
        model.partial_fit(X, y, classes=np.arange(10))
    whole = PerceptronClassifier(update="online", shuffle=False, max_iter=3, tol=None).fit(X, y)
    np.testing.assert_allclose(model.coef_, whole.coef_, rtol=1e-10, atol=1e-12)

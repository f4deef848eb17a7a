"""Fits in several threads are to the bit those in one, however many threads torch has."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from sknn import TabularMLPClassifier, TabularMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 6))
NUMBERS = X[:, 0] * 2 + np.sin(X[:, 1])


@pytest.fixture(params=[1, 2])
def torch_threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("make", "y"), [(TabularMLPRegressor, NUMBERS), (TabularMLPClassifier, NUMBERS > 0)]
)
def test_networks_for_tables_do_not_depend_on_threads(make, y, torch_threads):
    def fit_and_predict(seed):
        model = make(n_members=4, hidden_width=64, max_iter=2, random_state=seed).fit(X, y)
        return model.predict(X) if make is TabularMLPRegressor else model.predict_proba(X)

    expected = [fit_and_predict(seed) for seed in range(3)]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(fit_and_predict, range(3)))
    np.testing.assert_array_equal(found, expected)
    assert torch.get_num_threads() == torch_threads

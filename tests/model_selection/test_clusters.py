"""Searches whose candidates are evaluated by other processes: loky's, Dask's and Ray's workers."""

import os
import signal
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pytest
from joblib.parallel import BACKENDS
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import DeepMLPClassifier
from sknn.model_selection import (
    BatchedGridSearchCV,
    BatchedHalvingGridSearchCV,
    batched_cross_validate,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_digits(return_X_y=True)
X, Y = X[:200] / 16, Y[:200] % 3
MLP = DeepMLPClassifier((6,), batch_size=20, max_iter=3, random_state=0)
GRID = {"learning_rate_init": [0.001, 0.01, 0.05], "alpha": [0.0, 0.1], "beta_1": [0.9, 0.5]}


class Counted(np.ndarray):
    """An array that counts how often it is pickled, and is a plain one elsewhere."""

    n_times = 0

    def __reduce_ex__(self, protocol):
        Counted.n_times += 1
        return np.array(self).__reduce_ex__(protocol)


def loky():
    yield partial(joblib.parallel_config, "loky", n_jobs=2)


def dask():
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with (
        distributed.LocalCluster(host="127.0.0.1", **options) as cluster,
        distributed.Client(cluster),
    ):
        yield partial(joblib.parallel_config, "dask")


def ray():
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=2, include_dashboard=False)
    from ray.util.joblib import register_ray

    register_ray()
    try:
        yield partial(joblib.parallel_config, "ray", n_jobs=2)
    finally:
        ray.shutdown()


CLUSTERS = {"loky": loky, "dask": dask, "ray": ray}


@pytest.fixture(scope="module")
def use():
    """Return a function of a cluster's name, whose context sends calls there.

    Processes take seconds to start, so that all tests share a cluster.
    """
    started = {}
    with ExitStack() as stack:

        def use_cluster(name):
            if name not in started:
                started[name] = stack.enter_context(contextmanager(CLUSTERS[name])())
            return started[name]()

        yield use_cluster


def assert_same_results(ours, theirs):
    assert ours["params"] == theirs["params"]
    for key in ours:
        if key.startswith(("split", "mean_test", "mean_train", "rank")):
            np.testing.assert_allclose(ours[key], theirs[key], rtol=0, atol=1e-12, err_msg=key)


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_same_results_from_a_cluster_and_samples_are_sent_once(use, cluster):
    counted = X.view(Counted)
    pipeline = make_pipeline(StandardScaler(), MLP)
    weight = np.linspace(0.5, 2, len(X))
    fits = [
        lambda X: BatchedGridSearchCV(MLP, GRID, cv=3, return_train_score=True).fit(X, Y),
        lambda X: BatchedGridSearchCV(
            pipeline, {"deepmlpclassifier__alpha": [0.0, 0.5]}, cv=3, refit=False
        ).fit(X, Y, deepmlpclassifier__sample_weight=weight),
        lambda X: BatchedGridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=3).fit(X, Y),
        lambda X: BatchedHalvingGridSearchCV(MLP, GRID, cv=3, random_state=0).fit(X, Y),
    ]
    alone = [fit(X).cv_results_ for fit in fits]
    scores = batched_cross_validate(MLP, X, Y, cv=4)["test_score"]
    with use(cluster):
        for fit, expected in zip(fits, alone, strict=True):
            Counted.n_times = 0
            assert_same_results(fit(counted).cv_results_, expected)
            assert Counted.n_times == 1
        others = batched_cross_validate(MLP, X, Y, cv=4)["test_score"]
        np.testing.assert_allclose(others, scores, atol=1e-12)


class CountingBackend(BACKENDS["loky"]):
    """loky's backend, which notes how many calls each of its tasks has."""

    def __init__(self):
        super().__init__()
        self.tasks = []

    def submit(self, func, callback=None):
        self.tasks.append(len(func.items))
        return super().submit(func, callback)


def test_a_task_is_a_group_of_several_candidates():
    backend = CountingBackend()
    with joblib.parallel_config(backend, n_jobs=2):
        BatchedGridSearchCV(MLP, GRID, cv=5, refit=False).fit(X, Y)
    assert set(backend.tasks) == {1}
    assert 4 <= len(backend.tasks) <= 20  # of 60 fits


class KillsWorker(LogisticRegression):
    """Kills the process that fits it first, if that is not the one that made it."""

    def __init__(self, path=None, C=1.0):
        super().__init__(C=C)
        self.path = path

    def fit(self, X, y):
        path = Path(self.path)
        if self.C == 0.5 and int(path.read_text() or 0) > 0:
            path.write_text(str(int(path.read_text()) - 1))
            os.kill(os.getpid(), signal.SIGKILL)
        return super().fit(X, y)


@pytest.mark.parametrize("cluster", ["loky", "dask"])
def test_a_worker_that_is_killed_costs_a_group_which_is_repeated(use, cluster, tmp_path):
    path = tmp_path / "lives"
    path.write_text("1")
    grid = {"C": [0.1, 0.2, 0.3, 0.5, 0.7, 1.0]}
    expected = GridSearchCV(LogisticRegression(), grid, cv=3, refit=False).fit(X, Y).cv_results_
    search = BatchedGridSearchCV(KillsWorker(str(path)), grid, cv=3, refit=False)
    told = pytest.warns(UserWarning, match=r"A worker was lost \(Term.*evaluated again, \d+ fits")
    with use(cluster), told if cluster == "loky" else nullcontext():
        assert_same_results(search.fit(X, Y).cv_results_, expected)
    assert path.read_text() == "0"


@pytest.mark.filterwarnings("ignore:A worker was lost")
@pytest.mark.full
@pytest.mark.parametrize("cluster", ["loky", "dask"])
def test_a_candidate_that_kills_every_worker_ends_the_search(use, cluster, tmp_path):
    path = tmp_path / "lives"
    path.write_text("1000")
    search = BatchedGridSearchCV(KillsWorker(str(path)), {"C": [0.5]}, cv=2, refit=False)
    with use(cluster), pytest.raises(Exception, match=r"terminated|died|Attempted"):
        search.fit(X, Y)


@pytest.mark.full
@pytest.mark.parametrize("cluster", ["loky", "dask"])
def test_errors_of_candidates_come_back_as_they_are(use, cluster):
    search = BatchedGridSearchCV(MLP, {"alpha": [0.1, -1.0]}, cv=3, error_score="raise")
    with use(cluster), pytest.raises(ValueError, match="The 'alpha' parameter"):
        search.fit(X, Y)

"""A search whose process ends goes on from its checkpoint: what was finished is not done again."""

import signal
import warnings

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ParameterGrid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import DeepMLPClassifier
from sknn.model_selection import (
    BatchedGridSearchCV,
    BatchedHalvingGridSearchCV,
    BatchedRandomizedSearchCV,
    batched_cross_validate,
)
from tests import apart
from tests.deep.test_checkpoint import PowerCut, assert_same, cut_after

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = make_classification(200, 8, random_state=0)
MLP = DeepMLPClassifier((9,), max_iter=4, tol=0, n_iter_no_change=99, random_state=0)
ALPHAS = [1e-4, 1e-2, 1.0]


class Counted(LogisticRegression):
    """Counts its fits, and fails at one of them as a killed process would."""

    fits: list = []  # noqa: RUF012 - for all clones
    fails_at = None

    def fit(self, X, y):
        type(self).fits.append(self.C)
        if len(type(self).fits) == type(self).fails_at:
            raise PowerCut
        return super().fit(X, y)


@pytest.fixture
def counted():
    Counted.fits, Counted.fails_at = [], None
    return Counted()


def assert_same_results(one, other):
    for name, values in other.cv_results_.items():
        if "time" not in name:
            np.testing.assert_array_equal(one.cv_results_[name], values, err_msg=name)
    assert one.best_params_ == other.best_params_


def test_any_estimator_is_fitted_once_on_each_fold(counted, tmp_path):
    search = BatchedGridSearchCV(counted, {"C": ALPHAS}, cv=3, error_score="raise")
    whole = clone(search).fit(X, Y)
    search.set_params(checkpoint=tmp_path)
    Counted.fits, Counted.fails_at = [], 6
    with pytest.raises(PowerCut):
        clone(search).fit(X, Y)
    Counted.fits, Counted.fails_at = [], None
    part = clone(search).fit(X, Y)
    assert len(Counted.fits) == 4 + 1  # those that are left, and the best on all samples
    assert_same_results(part, whole)
    assert [path.suffix for path in tmp_path.iterdir()] == [".checkpoint"]
    assert part.get_params()["checkpoint"] == tmp_path


def test_a_larger_grid_keeps_what_is_finished(counted, tmp_path):
    search = BatchedGridSearchCV(counted, {"C": ALPHAS[:2]}, cv=3, checkpoint=tmp_path, refit=False)
    clone(search).fit(X, Y)
    Counted.fits = []
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "checkpoint=")
        clone(search).set_params(param_grid={"C": ALPHAS}).fit(X, Y)
    assert Counted.fits == [1.0] * 3
    Counted.fits = []
    clone(search).set_params(cv=2).fit(X, Y)
    assert len(Counted.fits) == 4
    with pytest.warns(UserWarning, match="estimator__fit_intercept was True and is False now"):
        clone(search).set_params(estimator__fit_intercept=False).fit(X, Y)
    assert len(Counted.fits) == 4 + 6


@pytest.mark.parametrize("steps", [False, True])
def test_networks_go_on_with_their_epochs(steps, tmp_path):
    rows = []
    model = make_pipeline(StandardScaler(), MLP) if steps else MLP
    prefix = "deepmlpclassifier__" if steps else ""
    search = BatchedRandomizedSearchCV(
        model, {f"{prefix}alpha": ALPHAS}, n_iter=3, cv=2, error_score="raise", random_state=0
    ).set_params(**{f"estimator__{prefix}dropout": 0.1})  # so that they are trained one by one
    whole = clone(search).fit(X, Y)
    search.set_params(checkpoint=tmp_path)
    cut = {f"estimator__{prefix}callbacks": [cut_after(4 * 2 + 3)]}
    with pytest.raises(PowerCut):
        clone(search).set_params(**cut).fit(X, Y)
    look = {f"estimator__{prefix}callbacks": [rows.append]}
    part = clone(search).set_params(**look).fit(X, Y)
    assert len(rows) == (6 - 2) * 4 + 4  # of six folds two are finished; then the best
    assert_same_results(part, whole)
    best, other = part.best_estimator_, whole.best_estimator_
    assert_same(*((best[-1], other[-1], best[:-1].transform(X)) if steps else (best, other, X)))
    assert [path.suffix for path in tmp_path.iterdir()] == [".checkpoint"]


def test_halving_repeats_no_round(counted, tmp_path):
    search = BatchedHalvingGridSearchCV(counted, {"C": ALPHAS}, cv=2, random_state=0)
    whole = clone(search).fit(X, Y)
    n_fits = len(Counted.fits)
    search.set_params(checkpoint=tmp_path, error_score="raise")
    Counted.fits, Counted.fails_at = [], n_fits - 2
    with pytest.raises(PowerCut):
        clone(search).fit(X, Y)
    Counted.fits, Counted.fails_at = [], None
    part = clone(search).fit(X, Y)
    assert len(Counted.fits) == 3
    assert_same_results(part, whole)


def test_workers_results_are_kept(counted, tmp_path):
    search = BatchedGridSearchCV(MLP, {"alpha": ALPHAS}, cv=2, checkpoint=tmp_path, refit=False)
    whole = clone(search).set_params(checkpoint=None).fit(X, Y)
    with parallel_config("loky", n_jobs=2):
        first = clone(search).fit(X, Y)
        second = clone(search).fit(X, Y)
    np.testing.assert_allclose(
        first.cv_results_["mean_test_score"], whole.cv_results_["mean_test_score"]
    )
    assert_same_results(second, first)
    assert list(second.cv_results_["mean_fit_time"]) == list(first.cv_results_["mean_fit_time"])


def test_each_candidate_has_a_name_of_its_own(tmp_path, counted):
    grid = {"C": [1.0, 1, 2.0], "class_weight": [None, {0: 1, 1: 2}], "tol": [1e-4, 1e-3]}
    search = BatchedGridSearchCV(counted, grid, cv=2, checkpoint=tmp_path, refit=False)
    first, second = clone(search).fit(X, Y), clone(search).fit(X, Y)
    assert len(Counted.fits) == 2 * len(ParameterGrid(grid))
    assert_same_results(second, first)


@pytest.mark.parametrize("steps", [False, True])
def test_the_fit_of_the_best_candidate_goes_on_too(steps, tmp_path):
    rows = []
    model = make_pipeline(StandardScaler(), MLP) if steps else MLP
    prefix = "deepmlpclassifier__" if steps else ""
    search = BatchedGridSearchCV(model, {f"{prefix}alpha": ALPHAS}, cv=2, error_score="raise")
    whole = clone(search).set_params(**{f"estimator__{prefix}callbacks": [rows.append]}).fit(X, Y)
    assert len(rows) == 7 * 4
    search.set_params(checkpoint=tmp_path, **{f"estimator__{prefix}checkpoint_every": 1})
    cut = {f"estimator__{prefix}callbacks": [cut_after(6 * 4 + 3)]}
    with pytest.raises(PowerCut):
        clone(search).set_params(**cut).fit(X, Y)
    rows.clear()
    look = {f"estimator__{prefix}callbacks": [rows.append]}
    part = clone(search).set_params(**look).fit(X, Y)
    assert 1 <= len(rows) <= 2  # the cut may come before the third epoch is written
    best, other = part.best_estimator_, whole.best_estimator_
    assert_same(*((best[-1], other[-1], best[:-1].transform(X)) if steps else (best, other, X)))
    assert (best[-1] if steps else best).checkpoint is None
    assert [path.suffix for path in tmp_path.iterdir()] == [".checkpoint"]
    assert "_folder_of_best" not in vars(part)


def test_cross_validation_goes_on(counted, tmp_path):
    options = {"cv": 5, "return_train_score": True, "params": {}}
    whole = batched_cross_validate(counted, X, Y, **options)
    Counted.fits, Counted.fails_at = [], 4
    with pytest.raises(PowerCut):
        batched_cross_validate(counted, X, Y, checkpoint=tmp_path, **options, error_score="raise")
    Counted.fits, Counted.fails_at = [], None
    part = batched_cross_validate(
        counted, X, Y, checkpoint=tmp_path, **options, error_score="raise"
    )
    assert len(Counted.fits) == 2
    for name in ("test_score", "train_score"):
        np.testing.assert_array_equal(part[name], whole[name])
    with pytest.warns(UserWarning, match="scoring was None and is 'roc_auc' now"):
        batched_cross_validate(counted, X, Y, checkpoint=tmp_path, scoring="roc_auc", **options)


def test_cross_validation_keeps_no_estimators(tmp_path):
    with pytest.raises(ValueError, match="keeps scores and no fitted estimators; got return_est"):
        batched_cross_validate(MLP, X, Y, checkpoint=tmp_path, return_estimator=True)
    assert not list(tmp_path.iterdir())


KILLED = """
import os, signal, sys, warnings
from tests.model_selection.test_search_checkpoint import make_long_search, X, Y

warnings.simplefilter("ignore")
n_epochs, left = int(sys.argv[2]), int(sys.argv[2])

def kill(row):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

make_long_search(sys.argv[1], kill).fit(X, Y)
"""


def make_long_search(folder, look):
    """Return a halving search of networks, 3 and then 1, whose epochs are looked at."""
    model = clone(MLP).set_params(callbacks=[look], checkpoint_every=1, dropout=0.1)
    return BatchedHalvingGridSearchCV(
        model, {"alpha": ALPHAS}, cv=2, random_state=0, checkpoint=folder
    )


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL on Windows")
def test_a_halving_search_that_is_killed_twice_ends_at_the_same_model(tmp_path):
    whole = make_long_search(tmp_path / "whole", len).fit(X, Y)
    left = [*whole.cv_results_["mean_test_score"]]
    assert whole.n_candidates_ == [3, 1]
    assert len(left) == 4
    for n_epochs in (15, 19):  # of 9 fits of 4 epochs: once among candidates, once in the last
        ended = apart.run(KILLED, tmp_path / "killed", n_epochs)
        assert ended.returncode == -signal.SIGKILL, ended.stderr
    seen = []
    search = make_long_search(tmp_path / "killed", seen.append).fit(X, Y)
    assert len(seen) < 36 - 20
    assert_same_results(search, whole)
    assert_same(search.best_estimator_, whole.best_estimator_, X)

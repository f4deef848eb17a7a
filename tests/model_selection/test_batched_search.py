"""Batched searches give what scikit-learn's searches give."""

import gc
import inspect
import pickle
import re
import weakref
from pathlib import Path

import numpy as np
import pytest
import sklearn
from scipy import sparse
from scipy.stats import loguniform
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import FitFailedWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    KFold,
    RandomizedSearchCV,
    ShuffleSplit,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KernelCenterer,
    MinMaxScaler,
    StandardScaler,
)

from sknn import DeepMLPClassifier, DeepMLPRegressor, TabularMLPClassifier
from sknn.deep.parts._preparation import FitData
from sknn.engine import train, train_many
from sknn.losses import CLASS_LOSSES
from sknn.model_selection import (
    BatchedGridSearchCV,
    BatchedHalvingGridSearchCV,
    BatchedHalvingRandomSearchCV,
    BatchedRandomizedSearchCV,
    DeepEnsembleClassifier,
    batched_cross_validate,
)
from sknn.model_selection._fits import Fits
from sknn.model_selection._gathering import GatheringBackend
from sknn.model_selection._tasks import FitTask
from tests.helpers import interrupt_after

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:The scoring:UserWarning"
)

X, Y = load_digits(return_X_y=True)
X, Y = X[:150] / 16, Y[:150] % 3
GROUPS = np.arange(150) // 10
WEIGHT = np.random.RandomState(0).uniform(0.5, 2, 150)
MLP = DeepMLPClassifier((6,), batch_size=20, max_iter=4, random_state=0)
GRID = {"learning_rate_init": [0.001, 0.01, 0.05], "alpha": [0.0, 0.1], "beta_1": [0.9, 0.5]}
SMALL = {"learning_rate_init": [0.001, 0.05]}
PIPELINE = Pipeline([("scale", StandardScaler()), ("pca", PCA(random_state=0)), ("mlp", MLP)])


def assert_same_results(ours, theirs):
    """Compare all of cv_results_ but the times."""
    assert list(ours) == list(theirs) or set(ours) == set(theirs)
    assert ours["params"] == theirs["params"]
    for key in set(ours) - {"params"}:
        if "_time" in key:
            continue
        if key.startswith(("split", "mean", "std")):
            np.testing.assert_allclose(ours[key], theirs[key], atol=1e-6, err_msg=key)
        else:
            assert np.array_equal(ours[key], theirs[key]), key


def best_index(results):
    return int(np.argmax(results["mean_test_score"]))


CASES = {
    "twelve candidates": (MLP, GRID, {}, {}),
    "widths": (MLP, {"hidden_layer_sizes": [(6,), (4,), (5, 3)], **SMALL}, {}, {}),
    "activations and solvers": (
        MLP,
        [{"activation": ["tanh", "gelu"]}, {"solver": ["lbfgs", "sgd"]}],
        {},
        {},
    ),
    "several metrics": (
        MLP,
        SMALL,
        {"scoring": ["accuracy", "neg_log_loss"], "refit": "neg_log_loss"},
        {},
    ),
    "refit by a function": (MLP, SMALL, {"refit": best_index}, {}),
    "no refit": (MLP, SMALL, {"refit": False}, {}),
    "train scores": (MLP, SMALL, {"return_train_score": True}, {}),
    "weights": (MLP, SMALL, {}, {"sample_weight": WEIGHT}),
    "weights of zero": (MLP, SMALL, {}, {"sample_weight": np.where(WEIGHT > 1, WEIGHT, 0)}),
    "groups": (MLP, SMALL, {"cv": GroupKFold(3)}, {"groups": GROUPS}),
    "unequal folds": (MLP, SMALL, {"cv": KFold(4)}, {}),
    "random folds": (MLP, SMALL, {"cv": ShuffleSplit(2, random_state=0)}, {}),
    "early stopping": (
        clone(MLP).set_params(early_stopping=True, n_iter_no_change=1, max_iter=30),
        SMALL,
        {},
        {},
    ),
    "early stopping, weights of zero": (
        clone(MLP).set_params(early_stopping=True),
        SMALL,
        {},
        {"sample_weight": np.where(WEIGHT > 1, WEIGHT, 0)},
    ),
    "encoders": (MLP, {"scale": [None, "standard", "robust"], **SMALL}, {}, {}),
    "validation rows": (MLP, SMALL, {}, {"X_val": X[::5], "y_val": Y[::5]}),
    "losses and schedules": (
        MLP,
        [{"loss": ["focal"], **SMALL}, {"learning_rate": ["plateau", "cosine"], **SMALL}],
        {},
        {},
    ),
    "threads": (MLP, {"alpha": np.logspace(-4, 0, 5)}, {"n_jobs": 2}, {}),
    "float32": (MLP, {"dtype": ["float32", "float64"]}, {}, {}),
    "pipeline": (
        PIPELINE,
        {"pca__n_components": [4, 6], "mlp__alpha": [0.0, 0.1]},
        {"return_train_score": True},
        {},
    ),
    "steps that are searched for": (
        PIPELINE,
        {
            "scale": [MinMaxScaler(), "passthrough", StandardScaler()],
            "pca": [PCA(3, random_state=0), FunctionTransformer()],
            "mlp": [MLP, clone(MLP).set_params(alpha=0.5)],
        },
        {},
        {},
    ),
    "weights through a pipeline": (
        PIPELINE,
        {"mlp__alpha": [0, 1]},
        {},
        {"mlp__sample_weight": WEIGHT},
    ),
    "values that cannot be hashed": (
        MLP,
        {"hidden_layer_sizes": [[4], [6], np.array([5])]},
        {},
        {},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_same_as_grid_search(case):
    estimator, grid, options, fit_params = CASES[case]
    options = {"cv": 3, **options}
    before = str(estimator.get_params())
    ours = BatchedGridSearchCV(estimator, grid, **options).fit(X, Y, **fit_params)
    theirs = GridSearchCV(estimator, grid, **{**options, "n_jobs": 1}).fit(X, Y, **fit_params)
    assert_same_results(ours.cv_results_, theirs.cv_results_)
    assert str(estimator.get_params()) == before
    assert ours.get_params().keys() == {*theirs.get_params(), "checkpoint"}
    fitted = {name for name in vars(theirs) if name.endswith("_")}
    assert fitted == {name for name in vars(ours) if name.endswith("_")}
    assert ours.n_splits_ == theirs.n_splits_
    if options.get("refit", True):
        assert ours.best_index_ == theirs.best_index_
        assert str(ours.best_params_) == str(theirs.best_params_)
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)
        assert str(ours.best_estimator_) == str(theirs.best_estimator_)
        assert "fit" not in vars(ours.best_estimator_)


IS_THIRD = np.arange(150) % 3 == 0
SCORED = {
    "masks": (MLP, X, Y, {"cv": [(~IS_THIRD, IS_THIRD), (IS_THIRD, ~IS_THIRD)]}),
    "label sets": (MLP, X, np.eye(3, dtype=int)[Y] | (np.arange(150) % 2)[:, None], {"cv": 2}),
    "several outputs": (
        DeepMLPRegressor(hidden_layer_sizes=(6,), max_iter=4, random_state=0),
        X,
        np.column_stack([X.sum(axis=1), X[:, 20]]),
        {"cv": 2, "scoring": ["r2", "neg_mean_absolute_error"], "refit": False},
    ),
    "a column for each training sample": (
        Pipeline([("kernel", KernelCenterer()), ("mlp", MLP)]),
        X @ X.T,
        Y,
        {"cv": 2},
    ),
}


@pytest.mark.parametrize("case", SCORED)
def test_scores_of_test_samples_that_are_cut_out_once(case):
    estimator, X, y, options = SCORED[case]
    grid = {("mlp__" if isinstance(estimator, Pipeline) else "") + "alpha": [0.0, 0.1]}
    ours, theirs = (
        s(estimator, grid, **options).fit(X, y) for s in (BatchedGridSearchCV, GridSearchCV)
    )
    assert_same_results(ours.cv_results_, theirs.cv_results_)


def test_folds_with_the_same_training_samples_have_test_samples_of_their_own():
    train = np.arange(40)
    folds = [(train, np.arange(40, 60)), (train, np.arange(60, 65)), (train, np.arange(65, 100))]
    ours, theirs = (
        s(MLP, SMALL, cv=folds).fit(X[:100], Y[:100]) for s in (BatchedGridSearchCV, GridSearchCV)
    )
    assert_same_results(ours.cv_results_, theirs.cv_results_)


def test_a_score_that_fails_is_an_error_score():
    def scorer(estimator, X, y):
        raise ValueError("no score")

    for search in (BatchedGridSearchCV, GridSearchCV):
        unfitted = search(MLP, SMALL, cv=2, scoring=scorer, error_score=0.5, refit=False)
        with pytest.warns(UserWarning, match="Scoring failed"):
            fitted = unfitted.fit(X, Y)
        np.testing.assert_array_equal(fitted.cv_results_["mean_test_score"], 0.5)


@pytest.mark.parametrize("kind", ["DataFrame", "list", "csr", "float32", "ints"])
def test_kinds_of_samples(kind):
    if kind == "DataFrame":
        rows = pytest.importorskip("pandas").DataFrame(X, columns=[f"p{i}" for i in range(64)])
    else:
        rows = {
            "list": X.tolist(),
            "csr": sparse.csr_matrix(X),
            "float32": X.astype("float32"),
            "ints": (16 * X).astype(int),
        }[kind]
    ours = BatchedGridSearchCV(MLP, SMALL, cv=3).fit(rows, Y)
    theirs = GridSearchCV(MLP, SMALL, cv=3).fit(rows, Y)
    assert_same_results(ours.cv_results_, theirs.cv_results_)
    assert hasattr(ours, "feature_names_in_") == (kind == "DataFrame")


def test_regression_and_its_default_folds():
    mlp = DeepMLPRegressor(hidden_layer_sizes=(6,), max_iter=3, random_state=0)
    ours = BatchedGridSearchCV(mlp, SMALL).fit(X, Y.astype(float))
    theirs = GridSearchCV(mlp, SMALL).fit(X, Y.astype(float))
    assert ours.n_splits_ == 5
    assert_same_results(ours.cv_results_, theirs.cv_results_)


def test_folds_that_can_be_read_only_once():
    splits = list(KFold(3).split(X))
    masks = [(np.isin(np.arange(150), a), b) for a, b in splits]
    for folds in (iter(splits), splits, iter(masks)):
        ours = BatchedGridSearchCV(MLP, SMALL, cv=folds).fit(X, Y)
        theirs = GridSearchCV(MLP, SMALL, cv=splits).fit(X, Y)
        assert_same_results(ours.cv_results_, theirs.cv_results_)


def test_same_as_randomized_search():
    drawn = {"learning_rate_init": loguniform(1e-3, 1e-1), "alpha": [0.0, 0.1]}
    ours = BatchedRandomizedSearchCV(MLP, drawn, n_iter=5, cv=3, random_state=4).fit(X, Y)
    theirs = RandomizedSearchCV(MLP, drawn, n_iter=5, cv=3, random_state=4).fit(X, Y)
    assert_same_results(ours.cv_results_, theirs.cv_results_)
    assert ours.best_params_ == theirs.best_params_


@pytest.mark.parametrize(
    "options", [{}, {"resource": "max_iter", "max_resources": 9}], ids=["rows", "epochs"]
)
@pytest.mark.parametrize(
    ("batched", "usual", "candidates"),
    [
        (BatchedHalvingGridSearchCV, HalvingGridSearchCV, GRID),
        (
            BatchedHalvingRandomSearchCV,
            HalvingRandomSearchCV,
            {"learning_rate_init": loguniform(1e-3, 1e-1)},
        ),
    ],
)
def test_same_as_halving_searches(batched, usual, candidates, options):
    options = {"cv": 3, "random_state": 1, "min_resources": 6, **options}
    if "resource" in options:
        options["min_resources"] = 1
    ours = batched(MLP, candidates, **options).fit(X, Y)
    theirs = usual(MLP, candidates, **options).fit(X, Y)
    assert_same_results(ours.cv_results_, theirs.cv_results_)
    assert ours.n_resources_ == theirs.n_resources_
    assert ours.best_score_ == pytest.approx(theirs.best_score_)


@pytest.mark.parametrize(
    ("batched", "usual"),
    [
        (BatchedGridSearchCV, GridSearchCV),
        (BatchedRandomizedSearchCV, RandomizedSearchCV),
        (BatchedHalvingGridSearchCV, HalvingGridSearchCV),
        (BatchedHalvingRandomSearchCV, HalvingRandomSearchCV),
    ],
)
def test_constructors_are_scikit_learns(batched, usual):
    own = dict(inspect.signature(batched).parameters)
    assert own.pop("checkpoint").kind is inspect.Parameter.KEYWORD_ONLY
    assert list(map(str, own.values())) == list(
        map(str, inspect.signature(usual).parameters.values())
    )
    described = inspect.getdoc(batched).partition("Attributes\n")[0]
    for name, parameter in inspect.signature(batched).parameters.items():
        if parameter.default is inspect.Parameter.empty:
            assert f"\n{name} : " in described, name
        else:
            default = "np.nan" if parameter.default is np.nan else repr(parameter.default)
            assert re.search(rf"\n{name} : .*, default={re.escape(default)}\n", described), name


def test_networks_of_one_shape_are_trained_together():
    seen = []
    scoring = {"runner": lambda model, X, y: seen.append(model[-1].runner_) or 0.0}
    grid = {"mlp__alpha": [0, 1]}
    BatchedGridSearchCV(PIPELINE, grid, cv=3, scoring=scoring, refit=False).fit(X, Y)
    assert seen == ["stacked"] * 6


class Noting(TransformerMixin, BaseEstimator):
    """Passes rows on and notes how many it was fitted on."""

    noted: list = []  # noqa: RUF012 - clones shall share it

    def __init__(self, power=1):
        self.power = power

    def fit(self, X, y=None):
        self.noted.append((self.power, len(X)))
        return self

    def transform(self, X):
        return X**self.power


def test_first_steps_are_fitted_once_a_fold_on_training_samples():
    model = Pipeline([("note", Noting()), ("mlp", MLP)])
    grid = {"note__power": [1, 2], "mlp__alpha": [0.0, 0.1, 1.0], "mlp__beta_1": [0.5, 0.9]}
    Noting.noted.clear()
    BatchedGridSearchCV(model, grid, cv=3, refit=False).fit(X, Y)
    assert sorted(Noting.noted) == [(1, 100)] * 3 + [(2, 100)] * 3


def test_first_steps_that_fail_are_scored_like_scikit_learns():
    grid = {"pca__n_components": [4, 1000], "mlp__alpha": [0.0, 0.1]}
    results = []
    for search in (BatchedGridSearchCV, GridSearchCV):
        with pytest.warns(FitFailedWarning, match=r"6 fits failed out of a total of 12"):
            results.append(search(PIPELINE, grid, cv=3, error_score=-1.0).fit(X, Y).cv_results_)
    assert_same_results(*results)


def test_diverging_candidate_gets_the_error_score_and_harms_no_other():
    mlp = DeepMLPRegressor(
        hidden_layer_sizes=(6,), solver="sgd", max_iter=20, batch_size=20, random_state=0
    )
    grid = {"learning_rate_init": [0.001, 1e10, 0.01]}
    y = Y.astype(float)
    with pytest.warns(FitFailedWarning, match=r"NonFiniteLossError: Solver produced non-finite"):
        ours = BatchedGridSearchCV(mlp, grid, cv=3, error_score=-7.0).fit(X, y)
    with pytest.warns(FitFailedWarning):
        theirs = GridSearchCV(mlp, grid, cv=3, error_score=-7.0).fit(X, y)
    assert ours.cv_results_["mean_test_score"][1] == -7.0
    assert_same_results(ours.cv_results_, theirs.cv_results_)
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        BatchedGridSearchCV(mlp, grid, cv=3, error_score="raise").fit(X, y)


@pytest.mark.parametrize("search", [BatchedGridSearchCV, GridSearchCV])
def test_unknown_parameter_is_an_error(search):
    with pytest.raises(ValueError, match=r"Invalid parameter 'layers' for estimator DeepMLP"):
        search(MLP, {"layers": [1, 2]}, cv=3).fit(X, Y)


@pytest.mark.parametrize("search", [BatchedGridSearchCV, GridSearchCV])
def test_wrong_value_fails_the_fit(search):
    with pytest.warns(FitFailedWarning, match=r"The 'alpha' parameter of DeepMLPClassifier"):
        scores = search(MLP, {"alpha": [0.1, -1.0]}, cv=3).fit(X, Y).cv_results_
    assert np.isnan(scores["mean_test_score"]).tolist() == [False, True]


@pytest.mark.parametrize("search", [BatchedGridSearchCV, GridSearchCV])
def test_argument_that_fit_does_not_know_fails_all_fits(search):
    with pytest.raises(ValueError, match=r"unexpected keyword argument 'speed'|argument 'speed'"):
        search(MLP, SMALL, cv=3).fit(X, Y, speed=3)


@pytest.mark.parametrize("X", [Path("a.parquet"), "a.parquet", lambda: iter([np.zeros((4, 2))])])
def test_sources_are_refused(X):
    search = BatchedGridSearchCV(DeepMLPClassifier(), {"alpha": [0.1, 1.0]})
    with pytest.raises(TypeError, match=r"BatchedGridSearchCV\.fit takes samples in memory.* Read"):
        search.fit(X, [0, 1, 0, 1])
    with pytest.raises(TypeError, match=r"batched_cross_validate takes samples in memory"):
        batched_cross_validate(DeepMLPClassifier(), X, [0, 1, 0, 1])


def test_a_memory_map_is_searched_as_an_array(tmp_path):
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    search = BatchedGridSearchCV(MLP, SMALL, cv=3, refit=False)
    assert_same_results(search.fit(mapped, Y).cv_results_, search.fit(X, Y).cv_results_)


def test_empty_grid_is_the_usual_error():
    with pytest.raises(ValueError, match="empty"):
        BatchedGridSearchCV(MLP, {"alpha": []}).fit(X, Y)


OTHERS = {
    "no network": (LogisticRegression(), {"C": [0.1, 1.0]}),
    "pipeline": (
        Pipeline([("scale", StandardScaler()), ("pca", PCA())]),
        {"pca__n_components": [2, 3]},
    ),
    "mixed last steps": (
        PIPELINE,
        [{"mlp": [MLP, LogisticRegression()]}, {"mlp__alpha": [0.0, 0.5]}],
    ),
    "mixed networks": (
        Pipeline([("model", MLP)]),
        {"model": [TabularMLPClassifier(max_iter=1, random_state=0), MLP, LogisticRegression()]},
    ),
    "steps": (PIPELINE, {"steps": [[("mlp", MLP)], [("logistic", LogisticRegression())]]}),
    "pipeline in a pipeline": (Pipeline([("inner", PIPELINE)]), {"inner__mlp__alpha": [0.0, 0.5]}),
}


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("case", OTHERS)
def test_other_estimators_are_fitted_one_by_one_in_the_same_call(case, n_jobs):
    estimator, grid = OTHERS[case]
    ours = BatchedGridSearchCV(estimator, grid, cv=3, n_jobs=n_jobs).fit(X, Y)
    theirs = GridSearchCV(estimator, grid, cv=3).fit(X, Y)
    scores = [search.cv_results_["mean_test_score"] for search in (ours, theirs)]
    np.testing.assert_allclose(*scores, atol=1e-6)
    assert ours.best_index_ == theirs.best_index_
    assert (ours.cv_results_["mean_fit_time"] > 0).all()


def test_wrong_settings_are_scikit_learns_errors():
    with pytest.raises(ValueError, match="'refit' parameter"):
        BatchedGridSearchCV(MLP, SMALL, refit=3).fit(X, Y)


def search_and_watch(model, grid, X=X, memory=None):
    """Return the results of a search, and the plans that were trained together each time."""
    calls_of_training = []

    def train(plans, **options):
        calls_of_training.append(plans)
        return train_many(plans, **options)

    def run(calls, workers):
        tasks, results = {i: FitTask(call) for i, call in enumerate(calls)}, {}
        for task in tasks.values():
            assert task.takes_candidate()
        Fits(tasks, workers.n_jobs, memory=memory, train=train).run(results.__setitem__)
        return [results[i] for i in range(len(calls))]

    search = GridSearchCV(model, grid, cv=3, return_train_score=True, refit=False)
    with GatheringBackend(run).activate():
        search.fit(X, Y)
    return search.cv_results_, calls_of_training


def test_candidates_that_do_not_fit_memory_are_trained_in_turn():
    ours, calls = search_and_watch(MLP, GRID, memory=0)
    theirs = GridSearchCV(MLP, GRID, cv=3, return_train_score=True, refit=False).fit(X, Y)
    assert [len(plans) for plans in calls] == [3] * 12
    assert_same_results(ours, theirs.cv_results_)


def test_folds_and_candidates_share_one_array(tmp_path):
    np.save(tmp_path / "X.npy", X)
    from_file = np.load(tmp_path / "X.npy", mmap_mode="r")
    _, (plans,) = search_and_watch(MLP, GRID, from_file)
    assert len(plans) == 36
    assert len({id(plan.X) for plan in plans}) == 1
    _, (plans,) = search_and_watch(MLP, GRID)
    assert len(plans) == 36
    assert len({id(plan.X) for plan in plans}) <= 3
    _, (plans,) = search_and_watch(PIPELINE, {"mlp__alpha": [0, 1, 2]})
    assert len({id(plan.X) for plan in plans}) == 3


@pytest.mark.parametrize("scale", [None, "standard"])
def test_candidates_share_what_is_held_out(scale):
    model = clone(MLP).set_params(early_stopping=True, scale=scale)
    _, (seen,) = search_and_watch(model, GRID)
    assert len({id(plan.validation.X) for plan in seen}) == 3
    assert len({id(plan.X) for plan in seen}) <= 3
    for plan in seen:
        assert plan.select_own_samples().X.shape == (90, 64)
        assert plan.validation.X.shape == (10, 64)


@pytest.mark.parametrize(
    ("params", "grid", "n_prepared"),
    [
        ({}, GRID, 3),
        ({}, {"alpha": [0.0, 0.1], "hidden_layer_sizes": [(6,), (7,)]}, 6),
        ({}, {"alpha": [0.0, 0.1], "random_state": [0, 1]}, 6),
        ({"early_stopping": True}, {"alpha": [0.0, 0.1]}, 3),
        ({"random_state": None}, {"alpha": [0.0, 0.1]}, 6),
        ({"class_weight": {0: 2.0}}, {"alpha": [0.0, 0.1]}, 6),
    ],
)
def test_what_candidates_of_a_fold_have_in_common_is_prepared_once(params, grid, n_prepared):
    calls = []

    class Counted(DeepMLPClassifier):
        def _prepare(self, *args, **options):
            calls.append(self)
            return super()._prepare(*args, **options)

    model = Counted(**{**MLP.get_params(), **params})
    BatchedGridSearchCV(model, grid, cv=3, refit=False).fit(X, Y)
    assert len(calls) == n_prepared


@pytest.mark.parametrize("scoring", [None, "loss", "neg_log_loss"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_plan_after_another_is_as_if_it_were_the_first(early_stopping, scoring):
    first, second, alone = (
        clone(MLP).set_params(early_stopping=early_stopping, scoring=scoring) for _ in range(3)
    )
    for model in (second, alone):
        model.set_params(alpha=0.3, learning_rate_init=np.float64(0.1), max_iter=7)
    before = first._prepare(FitData(X, Y, WEIGHT))
    plan, expected = second._prepare_like(first, before), alone._prepare(FitData(X, Y, WEIGHT))
    assert plan.config == expected.config
    assert plan.config != before.config
    assert plan.random_state.randint(2**31) == expected.random_state.randint(2**31)
    for p, q, r in zip(*(x.module.parameters() for x in (plan, expected, before)), strict=True):
        assert p.equal(q)
        assert p.data_ptr() != r.data_ptr()
    assert set(vars(second)) == set(vars(alone))
    output = np.random.RandomState(0).normal(size=(len(plan.y), 3))
    assert plan.score(plan.y, output, None) == expected.score(plan.y, output, None)
    for model, made in ((second, plan), (alone, expected)):
        model._finish(made, train(made))
    np.testing.assert_array_equal(second.predict_proba(X), alone.predict_proba(X))


def test_candidates_that_callbacks_watch_are_fitted_by_scikit_learn():
    callback = pytest.importorskip("sklearn.callback")
    pytest.importorskip("pandas")
    results, n_epochs = [], []
    for search in (BatchedGridSearchCV, GridSearchCV):
        monitor = callback.ScoringMonitor(scoring="accuracy")
        watched = clone(MLP).set_callbacks(monitor)
        results.append(search(watched, SMALL, cv=3, refit=False).fit(X, Y).cv_results_)
        runs = monitor.get_logs(select="all")
        n_epochs.append(sum((run.data_as_pandas["task_name"] == "epoch").sum() for run in runs))
    assert n_epochs == [2 * 3 * MLP.max_iter] * 2
    assert_same_results(*results)
    assert (results[0]["mean_fit_time"] > 0).all()


def test_callbacks_of_a_search_see_its_training_samples():
    callback = pytest.importorskip("sklearn.callback")
    pytest.importorskip("pandas")

    class Watcher:
        def __init__(self):
            self.shapes = []

        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context, *, X=None, **others):
            self.shapes.append(None if X is None else X.shape)

        def on_fit_task_end(self, estimator, context, *, X=None, **others):
            self.shapes.append(None if X is None else X.shape)

    assert isinstance(Watcher(), callback.FitCallback)
    seen = []
    for search in (BatchedGridSearchCV, GridSearchCV):
        watcher = Watcher()
        search(MLP, SMALL, cv=3, refit=False).set_callbacks(watcher).fit(X, Y)
        seen.append(sorted(map(str, watcher.shapes)))
    assert seen[0] == seen[1]
    assert "(100, 64)" in seen[0]


def interrupted(n_epochs):
    """Return a network with Ctrl-C after so many epochs of a stack: 100 samples in 5 batches."""
    return clone(MLP).set_params(loss=interrupt_after(5 * n_epochs, CLASS_LOSSES["log_loss"]))


def test_ctrl_c_keeps_finished_candidates_without_refit():
    grid = {"max_iter": [2, 6, 20]}
    theirs = GridSearchCV(MLP, {"max_iter": [2, 6]}, cv=3, refit=False).fit(X, Y)
    with pytest.warns(UserWarning, match=r"2 of 3 candidates had finished all folds; cv_results_"):
        ours = BatchedGridSearchCV(interrupted(10), grid, cv=3, refit=False).fit(X, Y)
    assert_same_results(ours.cv_results_, theirs.cv_results_)


@pytest.mark.filterwarnings("ignore:Training interrupted")
@pytest.mark.parametrize(
    ("options", "n_epochs"), [({"refit": True}, 10), ({"refit": False}, 1)], ids=["refit", "none"]
)
def test_ctrl_c_is_an_error_otherwise(options, n_epochs):
    search = BatchedGridSearchCV(interrupted(n_epochs), {"max_iter": [2, 6, 20]}, cv=3, **options)
    with pytest.raises(KeyboardInterrupt, match=r"of 3 candidates had finished all folds; nothing"):
        search.fit(X, Y)
    assert not hasattr(search, "cv_results_")


@pytest.mark.filterwarnings("ignore:Training interrupted")
def test_ctrl_c_ends_halving():
    search = BatchedHalvingGridSearchCV(interrupted(1), GRID, cv=3, refit=False, min_resources=6)
    with pytest.raises(KeyboardInterrupt, match="The search was interrupted"):
        search.fit(X, Y)


def test_times_are_shares_of_the_time_of_all():
    ours = BatchedGridSearchCV(MLP, {"max_iter": [2, 8]}, cv=3, n_jobs=1).fit(X, Y)
    few, many = ours.cv_results_["mean_fit_time"]
    assert 0 < few < many
    assert many / few == pytest.approx(4)
    assert ours.cv_results_["std_fit_time"] == pytest.approx([0, 0], abs=few)


def test_search_can_be_cloned_pickled_and_fitted_again():
    search = BatchedGridSearchCV(MLP, SMALL, cv=3)
    assert clone(search).get_params().keys() == search.get_params().keys()
    search.fit(X, Y)
    again = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(again.predict(X), search.predict(X))
    first = search.cv_results_["mean_test_score"]
    np.testing.assert_array_equal(search.fit(X, Y).cv_results_["mean_test_score"], first)
    assert clone(search.scorer_._estimator).fit(X, Y).n_iter_ == 4


def test_bar_is_shown(capsys):
    pytest.importorskip("rich")
    BatchedGridSearchCV(MLP, SMALL, cv=3, verbose=1, refit=False).fit(X, Y)
    printed = capsys.readouterr().out
    assert "24/24" in printed
    assert "Fitting 3 folds for each of 2 candidates, totalling 6 fits" in printed


def test_routed_weights_and_groups():
    with sklearn.config_context(enable_metadata_routing=True):
        mlp = clone(MLP).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        params = {"sample_weight": WEIGHT, "groups": GROUPS}
        searches = [
            search(mlp, SMALL, cv=GroupKFold(3)).fit(X, Y, **params).cv_results_
            for search in (BatchedGridSearchCV, GridSearchCV)
        ]
    assert_same_results(*searches)
    plain = BatchedGridSearchCV(MLP, SMALL, cv=GroupKFold(3)).fit(X, Y, groups=GROUPS)
    weighted = searches[0]["mean_test_score"]
    assert not np.allclose(plain.cv_results_["mean_test_score"], weighted)


def test_a_search_inside_a_pipeline_and_cross_validation():
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(StandardScaler(), BatchedGridSearchCV(MLP, SMALL, cv=2))
    other = make_pipeline(StandardScaler(), GridSearchCV(MLP, SMALL, cv=2))
    np.testing.assert_allclose(
        cross_val_score(model, X, Y, cv=2), cross_val_score(other, X, Y, cv=2)
    )


def test_scorers_see_the_estimator_itself_and_it_is_the_network_of_a_fit_alone():
    seen = []

    def scorer(estimator, X, y):
        seen.append(estimator)
        return estimator.score(X, y)

    folds = [(np.arange(100), np.arange(100, 150))]
    search = BatchedGridSearchCV(MLP, {"alpha": [0.1, 0.2]}, cv=folds, scoring=scorer, refit=False)
    search.fit(X, Y)
    alone = clone(MLP).set_params(alpha=0.1).fit(X[:100], Y[:100])
    together = seen[0]
    assert type(together) is DeepMLPClassifier
    assert "fit" not in vars(together)
    assert together.runner_ == "stacked"
    np.testing.assert_allclose(together.coefs_[0], alone.coefs_[0], atol=1e-12)
    assert together.n_iter_ == alone.n_iter_


@pytest.mark.parametrize("epochs", [2, 100])
def test_networks_are_dropped_once_they_are_scored(epochs):
    seen, alive = [], []

    def scorer(estimator, X, y):
        gc.collect()
        alive.append(sum(network() is not None for network in seen))
        seen.append(weakref.ref(estimator.net_))
        return estimator.score(X, y)

    model = clone(MLP).set_params(max_iter=epochs, n_iter_no_change=epochs)
    grid = {"alpha": np.logspace(-6, -3, 6)}
    BatchedGridSearchCV(model, grid, cv=2, scoring=scorer, refit=False).fit(X, Y)
    assert len(alive) == 12
    assert max(alive) <= 1


def test_quantiles_and_tables_are_calibrated_as_by_a_fit_alone():
    X = np.random.RandomState(0).randn(120, 3)
    value, label = X[:, 0] + np.random.RandomState(1).randn(120), X[:, 0] > 0
    quantiles = DeepMLPRegressor(
        loss="quantile", quantile=0.8, early_stopping=True, max_iter=4, random_state=0
    )
    table = TabularMLPClassifier(max_iter=2, random_state=0)
    for model, y in ((quantiles, value), (table, label)):
        grid = {"max_iter": [2, 3]}
        batched = BatchedGridSearchCV(model, grid, cv=2).fit(X, y)
        alone = GridSearchCV(model, grid, cv=2).fit(X, y)
        scores = alone.cv_results_["mean_test_score"]
        np.testing.assert_allclose(batched.cv_results_["mean_test_score"], scores, rtol=1e-6)
        both = (s.best_estimator_ for s in (batched, alone))
        np.testing.assert_allclose(*(fitted.predict(X) for fitted in both), rtol=1e-6)
    members = DeepEnsembleClassifier(table, n_members=2, random_state=0).fit(X, label)
    assert all(float(m.module_.temperature) != 1 for m in members.estimators_)
    assert all(m.feature_importances_.sum() == pytest.approx(1) for m in members.estimators_)


@pytest.mark.filterwarnings("ignore:Training interrupted")
def test_ctrl_c_while_the_best_candidate_is_fitted_is_an_error():
    n_epochs = 2 * 3 * MLP.max_iter + 2
    seen = []

    def interrupt(row):
        seen.append(row)
        if len(seen) == n_epochs:
            raise KeyboardInterrupt

    search = BatchedGridSearchCV(clone(MLP).set_params(callbacks=[interrupt]), SMALL, cv=3)
    with pytest.raises(KeyboardInterrupt, match="Training interrupted by user"):
        search.fit(X, Y)
    assert not hasattr(search, "cv_results_")


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_networks_that_are_trained_in_threads_are_those_of_fits_alone(n_jobs):
    pytest.importorskip("numba")
    model = clone(MLP).set_params(max_iter=50, n_iter_no_change=100, dropout=0.1)
    grid = {
        "alpha": [0.0, 0.1, 1.0],
        "solver": ["adam", "adamw"],
        "hidden_layer_sizes": [6, (5, 3)],
    }
    options = {"cv": 3, "return_train_score": True, "refit": False}
    ours = BatchedGridSearchCV(model, grid, n_jobs=n_jobs, **options).fit(X, Y)
    theirs = GridSearchCV(model, grid, **options).fit(X, Y)
    assert_same_results(ours.cv_results_, theirs.cv_results_)
    seen = []
    scoring = {"runner": lambda model, X, y: seen.append(model.runner_) or 0.0}
    BatchedGridSearchCV(model, grid, n_jobs=n_jobs, cv=3, scoring=scoring, refit=False).fit(X, Y)
    assert set(seen) == {"compiled"}

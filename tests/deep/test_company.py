"""Deep estimators in the company of scikit-learn's tools."""

import warnings
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import loguniform, randint
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning, UnsetMetadataPassedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFECV, SequentialFeatureSelector
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    HalvingRandomSearchCV,
    KFold,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    learning_curve,
    validation_curve,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

import sknn
from sknn import (
    DeepMLPClassifier,
    DeepMLPRegressor,
    SequenceCNNClassifier,
    ThresholdLogicClassifier,
)
from tests.helpers import assert_same_weights, has_same_weights

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

rng_ = np.random.default_rng(0)
X = rng_.normal(size=(120, 4))
y = (X[:, 0] + 0.5 * X[:, 1] > 0).astype(int)
y3 = np.digitize(X[:, 0] + 0.5 * X[:, 1], [-0.6, 0.6])
t = X[:, 0] + 0.5 * X[:, 1]


QUICK = {"hidden_layer_sizes": (8,), "random_state": 0}
classifier = partial(
    DeepMLPClassifier, **QUICK, max_iter=12, learning_rate_init=0.02, batch_size=20
)
regressor = partial(DeepMLPRegressor, **QUICK, max_iter=25, learning_rate_init=0.03)


def another(name):
    """Return one of the estimators without a network, made as small as it comes."""
    return getattr(sknn, name)()


ALL_CLASSIFIERS = ["DeepMLPClassifier", "PerceptronClassifier", "ThresholdLogicClassifier"]


# --- pipelines -----------------------------------------------------------------------------


def test_a_pipeline_is_its_steps_done_by_hand():
    pipeline = make_pipeline(StandardScaler(), classifier()).fit(5 * X + 3, y3)
    scaler = StandardScaler().fit(5 * X + 3)
    alone = classifier().fit(scaler.transform(5 * X + 3), y3)
    assert_array_equal(
        pipeline.predict_proba(5 * X + 3), alone.predict_proba(scaler.transform(5 * X + 3))
    )
    assert_array_equal(pipeline.classes_, [0, 1, 2])
    assert pipeline.score(5 * X + 3, y3) > 0.8


@pytest.mark.parametrize("name", ALL_CLASSIFIERS)
def test_every_classifier_works_in_a_pipeline_and_in_cross_validation(name):
    estimator = classifier() if name == "DeepMLPClassifier" else another(name)
    pipeline = make_pipeline(StandardScaler(), estimator)
    scores = cross_val_score(pipeline, X, y, cv=3, error_score="raise")
    assert scores.mean() > 0.75


@pytest.mark.parametrize("name", ALL_CLASSIFIERS)
def test_text_labels_go_through_every_classifier(name):
    labels = np.where(y, "spam", "ham")
    estimator = classifier() if name == "DeepMLPClassifier" else another(name)
    estimator.fit(X, labels)
    assert set(estimator.predict(X)) == {"ham", "spam"}
    assert accuracy_score(labels, estimator.predict(X)) > 0.75


def test_parameters_of_a_step_can_be_set_and_seen():
    pipeline = Pipeline([("scale", StandardScaler()), ("mlp", classifier())])
    pipeline.set_params(mlp__hidden_layer_sizes=(3, 2), mlp__alpha=0.5).fit(X, y)
    assert [c.shape[1] for c in pipeline["mlp"].coefs_] == [3, 2, 1]
    assert "alpha=0.5" in repr(pipeline)
    assert "hidden_layer_sizes" in pipeline._repr_html_()


def test_a_sparse_step_feeds_the_network():
    frame = pd.DataFrame({"letter": list("abc") * 40})
    labels = np.tile([0, 1, 1], 40)
    model = make_pipeline(OneHotEncoder(sparse_output=True), classifier(learning_rate_init=0.1))
    assert model.fit(frame, labels).score(frame, labels) == 1


# --- searches ------------------------------------------------------------------------------

GRID = {"hidden_layer_sizes": [(), 3, (6,), (4, 3)], "alpha": [1e-4, 10.0]}


def test_a_grid_search_in_parallel_is_the_same_bit_for_bit():
    searches = [
        GridSearchCV(classifier(), GRID, cv=3, n_jobs=n_jobs, error_score="raise").fit(X, y3)
        for n_jobs in (1, 2)
    ]
    for name in ("mean_test_score", "split0_test_score", "split2_test_score", "rank_test_score"):
        one, two = (search.cv_results_[name] for search in searches)
        assert_array_equal(one, two)
    assert searches[0].best_params_ == searches[1].best_params_
    assert_same_weights(searches[0].best_estimator_, searches[1].best_estimator_)
    assert_array_equal(searches[0].predict_proba(X), searches[1].predict_proba(X))


def test_a_grid_search_scores_what_a_loop_scores():
    search = GridSearchCV(regressor(), {"alpha": [1e-4, 100.0]}, cv=KFold(3)).fit(X, t)
    for alpha, score in zip([1e-4, 100.0], search.cv_results_["mean_test_score"], strict=True):
        loop = [
            regressor(alpha=alpha).fit(X[train], t[train]).score(X[test], t[test])
            for train, test in KFold(3).split(X)
        ]
        assert_allclose(score, np.mean(loop), rtol=1e-12)
    assert search.best_params_ == {"alpha": 1e-4}
    assert_same_weights(search.best_estimator_, regressor().fit(X, t))


def test_a_random_search_draws_layer_sizes():
    space = {"hidden_layer_sizes": randint(2, 9), "learning_rate_init": loguniform(1e-3, 0.1)}
    search = RandomizedSearchCV(classifier(), space, n_iter=4, cv=2, random_state=0)
    search.fit(X, y)
    sizes = [params["hidden_layer_sizes"] for params in search.cv_results_["params"]]
    assert isinstance(sizes[0], np.integer | int)
    assert not np.isnan(search.cv_results_["mean_test_score"]).any()
    assert search.best_estimator_.coefs_[0].shape == (4, search.best_params_["hidden_layer_sizes"])


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_numpy_numbers_are_numbers(solver):
    # As np.arange, np.logspace and scipy.stats give them to a search.
    params = {"batch_size": 16, "max_iter": 4, "n_iter_no_change": 2, "max_fun": 50, "verbose": 0}
    shares = {"alpha": 0.5, "learning_rate_init": 0.25, "momentum": 0.5, "tol": 0.125}
    shares.update(power_t=0.5, validation_fraction=0.25, beta_1=0.5, beta_2=0.75, epsilon=2.0**-20)
    plain = classifier(**params, **shares, solver=solver, early_stopping=True).fit(X, y3)
    params = {name: np.int64(value) for name, value in params.items()}
    shares = {name: np.float32(value) for name, value in shares.items()}
    flag = np.bool_(True)
    model = classifier(**params, **shares, solver=solver, early_stopping=flag, shuffle=flag)
    assert_same_weights(model.fit(X, y3), plain)


def test_a_random_search_draws_batch_sizes():
    space = {"batch_size": randint(10, 40), "max_iter": randint(2, 5)}
    search = RandomizedSearchCV(
        classifier(), space, n_iter=3, cv=2, random_state=0, error_score="raise"
    ).fit(X, y)
    assert 10 <= search.best_params_["batch_size"] < 40


def test_a_halving_search_takes_epochs_as_its_resource():
    search = HalvingRandomSearchCV(
        classifier(max_iter=1),
        {"hidden_layer_sizes": randint(2, 9), "alpha": loguniform(1e-4, 1)},
        resource="max_iter",
        min_resources=2,
        max_resources=18,
        cv=2,
        random_state=0,
    ).fit(X, y)
    assert search.best_estimator_.max_iter == 18
    assert search.best_estimator_.n_iter_ == 18
    assert not np.isnan(search.cv_results_["mean_test_score"]).any()


def test_a_bad_candidate_does_not_stop_a_search():
    grid = {"hidden_layer_sizes": [(3,), (3, -1)]}
    with pytest.warns(FitFailedWarning, match="2 fits failed out of a total of 4"):
        search = GridSearchCV(classifier(), grid, cv=2).fit(X, y)
    assert np.isnan(search.cv_results_["mean_test_score"][1])
    assert search.best_params_ == {"hidden_layer_sizes": (3,)}


# --- ensembles -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["DeepMLPClassifier", "PerceptronClassifier"])
def test_adaboost_passes_its_weights(name):
    estimator = classifier(max_iter=5) if name == "DeepMLPClassifier" else another(name)
    boosted = AdaBoostClassifier(estimator, n_estimators=4, random_state=0).fit(X, y3)
    assert boosted.score(X, y3) > 0.6


def test_adaboost_weights_change_the_networks():
    boosted = AdaBoostClassifier(classifier(max_iter=5), n_estimators=3, random_state=0).fit(X, y3)
    first, second = boosted.estimators_[:2]
    # Equal seeds and equal weights would be equal networks.
    plain = clone(second).fit(X, y3, sample_weight=np.full(120, 1 / 120))
    assert not any(has_same_weights(second, plain))
    assert_same_weights(first, clone(first).fit(X, y3, sample_weight=np.full(120, 1 / 120)))


def test_adaboost_of_regressors():
    boosted = AdaBoostRegressor(regressor(), n_estimators=3, random_state=0).fit(X, t)
    assert boosted.score(X, t) > 0.7


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_bagging_is_the_mean_of_its_networks(n_jobs):
    bag = BaggingClassifier(classifier(), n_estimators=3, random_state=0, n_jobs=n_jobs).fit(X, y3)
    mean = np.mean([each.predict_proba(X) for each in bag.estimators_], axis=0)
    assert_allclose(bag.predict_proba(X), mean, rtol=1e-10)
    assert bag.score(X, y3) > 0.75
    again = BaggingClassifier(classifier(), n_estimators=3, random_state=0).fit(X, y3)
    assert_array_equal(again.predict_proba(X), bag.predict_proba(X))


def test_bagging_of_regressors():
    bag = BaggingRegressor(regressor(), n_estimators=3, random_state=0).fit(X, 1e4 + 100 * t)
    assert bag.score(X, 1e4 + 100 * t) > 0.85


def test_stacking_in_parallel_is_the_same_as_one_by_one():
    members = [
        ("mlp", classifier()),
        ("lbfgs", classifier(solver="lbfgs")),
        ("lr", LogisticRegression()),
    ]
    stacks = [StackingClassifier(members, cv=3, n_jobs=n_jobs).fit(X, y3) for n_jobs in (1, 2)]
    assert_array_equal(*(stack.predict_proba(X) for stack in stacks))
    assert stacks[0].score(X, y3) > 0.85
    regressors = [("mlp", regressor()), ("ridge", Ridge())]
    assert StackingRegressor(regressors, cv=3).fit(X, t).score(X, t) > 0.9


@pytest.mark.parametrize("voting", ["hard", "soft"])
def test_voting(voting):
    members = [
        ("a", classifier()),
        ("b", classifier(activation="tanh")),
        ("c", LogisticRegression()),
    ]
    vote = VotingClassifier(members, voting=voting).fit(X, np.array(["x", "y", "z"])[y3])
    if voting == "soft":
        mean = np.mean([each.predict_proba(X) for each in vote.estimators_], axis=0)
        assert_allclose(vote.predict_proba(X), mean, rtol=1e-12)
    assert vote.score(X, np.array(["x", "y", "z"])[y3]) > 0.8
    values = VotingRegressor([("a", regressor()), ("b", Ridge())]).fit(X, t)
    mean = np.mean([each.predict(X) for each in values.estimators_], axis=0)
    assert_allclose(values.predict(X), mean, rtol=1e-12)


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
@pytest.mark.parametrize("labels", [y, y3], ids=["binary", "multiclass"])
def test_calibration(labels, method):
    model = CalibratedClassifierCV(classifier(), method=method, cv=3).fit(X, labels)
    assert_allclose(model.predict_proba(X).sum(axis=1), 1)
    assert model.score(X, labels) > 0.75


def test_self_training_finds_the_labels_of_most_samples():
    labels = np.where(np.arange(120) < 60, y, -1)
    model = SelfTrainingClassifier(classifier(), threshold=0.8, max_iter=3).fit(X, labels)
    assert (model.transduction_[60:] == -1).sum() < 50
    assert accuracy_score(y[60:], model.predict(X[60:])) > 0.8


# --- other wrappers ------------------------------------------------------------------------


@pytest.mark.parametrize("wrapper", [OneVsRestClassifier, OneVsOneClassifier])
@pytest.mark.parametrize("name", ["DeepMLPClassifier", "PerceptronClassifier"])
def test_one_against_others(wrapper, name):
    estimator = classifier() if name == "DeepMLPClassifier" else another(name)
    model = wrapper(estimator).fit(X, y3)
    assert len(model.estimators_) == 3
    assert model.score(X, y3) > 0.7


def test_several_outputs_each_have_their_own_network():
    Y = np.c_[y, X[:, 2] > 0, np.arange(120) % 3].astype(int)
    model = MultiOutputClassifier(classifier()).fit(X, Y)
    assert_same_weights(model.estimators_[0], classifier().fit(X, y))
    assert model.predict(X).shape == (120, 3)
    chain = ClassifierChain(classifier(), order=[1, 0]).fit(X, Y[:, :2])
    assert (chain.predict(X) == Y[:, :2]).mean() > 0.8
    values = MultiOutputRegressor(regressor()).fit(X, np.c_[t, 1e5 * t])
    assert values.score(X, np.c_[t, 1e5 * t]) > 0.85


def test_multioutput_partial_fit():
    Y = np.c_[y, X[:, 2] > 0].astype(int)
    model = MultiOutputClassifier(classifier())
    for _ in range(3):
        model.partial_fit(X, Y, classes=[[0, 1], [0, 1]])
    alone = classifier()
    for _ in range(3):
        alone.partial_fit(X, y, classes=[0, 1])
    assert_same_weights(model.estimators_[0], alone)


def test_a_transformed_target():
    counts = np.exp(3 * t)
    model = TransformedTargetRegressor(regressor(), func=np.log, inverse_func=np.exp).fit(X, counts)
    assert_allclose(model.predict(X), np.exp(regressor().fit(X, 3 * t).predict(X)), rtol=1e-6)


def permutation_on_probes(model):
    """Return the loss of accuracy on the model's own labels when a column is shuffled.

    RFECV hands over the fitted model alone, without the columns it was fitted on.
    """
    probes = np.random.default_rng(0).normal(size=(150, model.n_features_in_))
    labels = model.predict(probes)
    return permutation_importance(
        model, probes, labels, n_repeats=2, random_state=0
    ).importances_mean


def test_recursive_elimination_keeps_the_columns_that_matter():
    model = RFECV(classifier(), cv=3, importance_getter=permutation_on_probes).fit(X, y)
    assert model.support_[:2].all()
    assert model.score(X, y) > 0.85
    one = RFECV(classifier(), cv=3, importance_getter=permutation_on_probes, step=3).fit(X, y)
    assert one.ranking_[0] == 1


def test_sequential_selection_finds_the_column_that_matters():
    selector = SequentialFeatureSelector(classifier(), n_features_to_select=1, cv=2).fit(X, y)
    assert selector.get_support(indices=True).tolist() == [0]


def test_cross_val_predict_gives_probabilities_of_samples_not_seen():
    proba = cross_val_predict(classifier(), X, y3, cv=KFold(3), method="predict_proba")
    train, test = next(iter(KFold(3).split(X)))
    assert_array_equal(proba[test], classifier().fit(X[train], y3[train]).predict_proba(X[test]))
    assert_allclose(proba.sum(axis=1), 1)
    assert roc_auc_score(y3, proba, multi_class="ovr") > 0.85
    decision = cross_val_predict(classifier(), X, y, cv=3, method="decision_function")
    assert decision.shape == (120,)
    assert roc_auc_score(y, decision) > 0.85


def test_permutation_importance_ranks_the_columns():
    model = classifier(max_iter=40).fit(X, y)
    result = permutation_importance(model, X, y, n_repeats=5, random_state=0)
    order = np.argsort(-result.importances_mean)
    assert order[:2].tolist() == [0, 1]


def test_learning_and_validation_curves():
    sizes, train, test = learning_curve(
        classifier(), X, y, cv=3, train_sizes=[20, 80], error_score="raise"
    )
    assert_array_equal(sizes, [20, 80])
    assert train.shape == test.shape == (2, 3)
    assert test[1].mean() > 0.75
    train, test = validation_curve(
        classifier(), X, y, param_name="alpha", param_range=[1e-4, 1e5], cv=3
    )
    assert test[0].mean() > test[1].mean() + 0.1


def test_an_incremental_learning_curve_uses_partial_fit():
    _, _, test = learning_curve(
        classifier(learning_rate_init=0.1),
        X,
        y,
        cv=KFold(3),
        train_sizes=[20, 80],
        exploit_incremental_learning=True,
        error_score="raise",
    )
    model = classifier(learning_rate_init=0.1)
    train, held = next(iter(KFold(3).split(X)))
    for step, rows in enumerate([train[:20], train[20:]]):
        model.partial_fit(X[rows], y[rows], classes=[0, 1])
        assert test[step, 0] == model.score(X[held], y[held])


def test_partial_dependence_is_steep_where_it_should_be():
    model = regressor(max_iter=60).fit(X, t)
    rise = [np.ptp(partial_dependence(model, X, [j], kind="average")["average"]) for j in range(4)]
    assert rise[0] > rise[1] > max(rise[2:])


# --- noise ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("solver", "warm_start"), [("adam", True), ("lbfgs", True), ("lbfgs", False)]
)
def test_cross_validation_on_noise_stays_at_chance_after_an_earlier_fit(solver, warm_start):
    rng = np.random.default_rng(3)
    noise, labels = rng.normal(size=(200, 20)), np.tile([0, 1], 100)
    params = {"solver": solver, "warm_start": warm_start, "hidden_layer_sizes": (30,)}
    model = classifier(**params, max_iter=60).fit(noise, labels)
    assert model.score(noise, labels) > 0.95  # it knows all rows by heart
    scores = cross_val_score(model, noise, labels, cv=5)
    assert 0.35 < scores.mean() < 0.65
    fresh = cross_val_score(classifier(**params, max_iter=60), noise, labels, cv=5)
    assert_array_equal(scores, fresh)
    assert_array_equal(cross_val_score(model, noise, labels, cv=5, n_jobs=2), fresh)


def test_a_score_on_held_out_noise_is_chance_with_early_stopping():
    rng = np.random.default_rng(4)
    noise, values = rng.normal(size=(200, 20)), rng.normal(size=200)
    scores = cross_val_score(regressor(early_stopping=True), noise, values, cv=5)
    assert scores.mean() < 0.1


# --- frames --------------------------------------------------------------------------------

FRAME = pd.DataFrame(X, columns=["a", "b", "c", "d"])


def test_a_frame_gives_the_model_of_its_array_and_feature_names():
    model = classifier().fit(FRAME, pd.Series(y, name="label"))
    assert_array_equal(model.feature_names_in_, ["a", "b", "c", "d"])
    assert model.n_features_in_ == 4
    assert_same_weights(model, classifier().fit(X, y))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        assert_array_equal(model.predict(FRAME), classifier().fit(X, y).predict(X))


def test_a_polars_frame_gives_the_model_of_the_pandas_frame():
    frame = pl.DataFrame({name: FRAME[name].to_numpy() for name in FRAME})
    model = classifier().fit(frame, y)
    assert_same_weights(model, classifier().fit(FRAME, y))
    assert_array_equal(model.predict_proba(frame), classifier().fit(FRAME, y).predict_proba(FRAME))
    if hasattr(model, "feature_names_in_"):
        assert_array_equal(model.feature_names_in_, ["a", "b", "c", "d"])


def test_a_polars_series_is_a_target():
    assert_same_weights(regressor().fit(X, pl.Series("t", t)), regressor().fit(X, t))
    labels = np.where(y, "b", "a")
    assert_same_weights(
        classifier().fit(X, pl.Series("y", labels.tolist())), classifier().fit(X, labels)
    )


@pytest.mark.parametrize("make", [classifier, regressor])
@pytest.mark.parametrize("method", ["predict", "score", "partial_fit"])
def test_names_are_watched_as_scikit_learn_watches_them(make, method):
    model = make().fit(FRAME, y)
    args = (y,) if method != "predict" else ()
    with pytest.warns(UserWarning, match="X does not have valid feature names, but DeepMLP"):
        getattr(model, method)(X, *args)
    with pytest.raises(ValueError, match="Feature names must be in the same order as they were"):
        getattr(model, method)(FRAME[["b", "a", "c", "d"]], *args)
    with pytest.raises(ValueError, match="Feature names unseen at fit time:\n- e"):
        getattr(model, method)(FRAME.rename(columns={"a": "e"}), *args)
    nameless = make().fit(X, y)
    with pytest.warns(UserWarning, match="X has feature names, but DeepMLP.* was fitted without"):
        getattr(nameless, method)(FRAME, *args)


def test_a_column_transformer_feeds_the_network():
    frame = FRAME.assign(colour=np.where(y, "red", "blue"), noise=0.0)
    columns = ColumnTransformer(
        [("scale", StandardScaler(), ["a", "b"]), ("onehot", OneHotEncoder(), ["colour"])]
    )
    model = make_pipeline(columns, classifier(learning_rate_init=0.1)).fit(frame, y)
    assert model.score(frame, y) > 0.95
    assert model[-1].n_features_in_ == 4
    assert list(model[:-1].get_feature_names_out()) == [
        "scale__a",
        "scale__b",
        "onehot__colour_blue",
        "onehot__colour_red",
    ]


@pytest.mark.parametrize("output", ["pandas", "polars"])
def test_set_output_brings_the_names_to_the_network(output):
    pipeline = make_pipeline(
        StandardScaler(), PolynomialFeatures(2, include_bias=False), regressor()
    )
    pipeline.set_output(transform=output).fit(FRAME, t)
    names = list(pipeline[:-1].get_feature_names_out())
    assert len(names) == 14
    # Whether a frame's names are seen depends on scikit-learn's release, and is its own business.
    reference = Ridge().fit(pipeline[:-1].transform(FRAME), t)
    assert hasattr(pipeline[-1], "feature_names_in_") == hasattr(reference, "feature_names_in_")
    if output == "pandas" or hasattr(reference, "feature_names_in_"):
        assert_array_equal(pipeline[-1].feature_names_in_, names)
    plain = make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False), regressor())
    assert_allclose(pipeline.predict(FRAME), plain.fit(X, t).predict(X), rtol=1e-9)


TEXTS = pd.DataFrame(
    {"a": X[:, 0], "text": [f"a house of {i % 7} rooms and of {i} doors" for i in range(120)]}
)
LETTERS = ["ACGT"[i % 4] * 3 + "GATTACA"[: 2 + i % 5] + "ACGT" * 2 for i in range(120)]
TRANSFORMING_INSIDE = {
    "text": (classifier, TEXTS),
    "sequences": (partial(SequenceCNNClassifier, 4, kernel_size=3, max_iter=2), LETTERS),
    "errors": (partial(ThresholdLogicClassifier, max_iter=2), FRAME[["a", "b"]]),
}


@pytest.mark.parametrize("output", ["pandas", "polars"])
@pytest.mark.parametrize("kind", TRANSFORMING_INSIDE)
def test_what_transformers_are_asked_for_changes_no_network(kind, output):
    make, samples = TRANSFORMING_INSIDE[kind]
    expected = make(random_state=0).fit(samples, y).predict_proba(samples)
    with sklearn.config_context(transform_output=output):
        found = make(random_state=0).fit(samples, y).predict_proba(samples)
    assert_array_equal(found, expected)


# --- metadata routing ----------------------------------------------------------------------

WEIGHTS = np.random.default_rng(5).uniform(0.1, 4, size=120)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_weights_are_routed_through_a_pipeline(solver):
    with sklearn.config_context(enable_metadata_routing=True):
        asking = classifier(solver=solver).set_fit_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        weighted = make_pipeline(scaler, asking).fit(X, y, sample_weight=WEIGHTS)
        weighing = StandardScaler().set_fit_request(sample_weight=True)
        refusing = classifier(solver=solver).set_fit_request(sample_weight=False)
        unweighted = make_pipeline(weighing, refusing).fit(X, y, sample_weight=WEIGHTS)
    scaled = StandardScaler().fit_transform(X)
    assert_same_weights(weighted[-1], classifier(solver=solver).fit(scaled, y, WEIGHTS))
    assert not any(has_same_weights(weighted[-1], classifier(solver=solver).fit(scaled, y)))
    scaled = StandardScaler().fit(X, sample_weight=WEIGHTS).transform(X)
    assert_same_weights(unweighted[-1], classifier(solver=solver).fit(scaled, y))


def test_weights_are_routed_through_a_search():
    with sklearn.config_context(enable_metadata_routing=True):
        asking = classifier().set_fit_request(sample_weight=True)
        asking.set_score_request(sample_weight=True)
        search = GridSearchCV(asking, {"alpha": [1e-4, 1.0]}, cv=KFold(2), error_score="raise")
        search.fit(X, y, sample_weight=WEIGHTS)
    train, test = next(iter(KFold(2).split(X)))
    model = classifier(alpha=1.0).fit(X[train], y[train], WEIGHTS[train])
    score = model.score(X[test], y[test], sample_weight=WEIGHTS[test])
    assert_allclose(search.cv_results_["split0_test_score"][1], score, rtol=1e-12)
    best = classifier(**search.best_params_).fit(X, y, WEIGHTS)
    assert_same_weights(search.best_estimator_, best)


def test_weights_that_nobody_asked_for_are_an_error():
    with (
        sklearn.config_context(enable_metadata_routing=True),
        pytest.raises(UnsetMetadataPassedError, match="sample_weight"),
    ):
        make_pipeline(classifier()).fit(X, y, sample_weight=WEIGHTS)


def test_weights_reach_the_last_step_by_its_name():
    pipeline = make_pipeline(StandardScaler(), regressor())
    pipeline.fit(X, t, deepmlpregressor__sample_weight=WEIGHTS)
    alone = regressor().fit(StandardScaler().fit_transform(X), t, WEIGHTS)
    assert_same_weights(pipeline[-1], alone)


def test_partial_fit_requests_can_be_set():
    with sklearn.config_context(enable_metadata_routing=True):
        model = classifier().set_partial_fit_request(sample_weight=True, classes=True)
        requests = model.get_metadata_routing().partial_fit.requests
    validation = dict.fromkeys(["X_val", "y_val", "sample_weight_val"])
    assert requests == {"sample_weight": True, "classes": True, **validation}


# --- in place of scikit-learn's ------------------------------------------------------------


def test_it_can_take_the_place_of_scikit_learns_anywhere():
    params = {"hidden_layer_sizes": (5,), "max_iter": 8, "random_state": 0}
    ours, theirs = (
        cross_val_predict(
            make_pipeline(StandardScaler(), model(**params)), X, y3, cv=3, method="predict_proba"
        )
        for model in (DeepMLPClassifier, MLPClassifier)
    )
    assert_allclose(ours, theirs, rtol=1e-9)

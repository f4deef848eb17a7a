"""Deep ensembles are the mean of networks fitted one by one."""

import numpy as np
import pytest
from scipy import sparse
from scipy.special import logit
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import d2_pinball_score

from sknn import DeepMLPClassifier, DeepMLPRegressor
from sknn.engine.compiled._runner import CompiledRunner
from sknn.model_selection import DeepEnsembleClassifier, DeepEnsembleRegressor
from sknn.model_selection._members import plan_members

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_iris(return_X_y=True)
X_NUMBERS, Y_NUMBERS = (part[:120] for part in load_diabetes(return_X_y=True))
WEIGHT = np.random.RandomState(0).randint(0, 3, len(X)).astype(float)
MLP = DeepMLPClassifier((6,), batch_size=20, max_iter=15, learning_rate_init=0.02)
REGRESSOR = DeepMLPRegressor(
    hidden_layer_sizes=(6,), batch_size=20, max_iter=15, learning_rate_init=0.02
)


def seeds(n_members, random_state=0):
    state = np.random.RandomState(random_state)
    return [state.randint(np.iinfo(np.int32).max) for _ in range(n_members)]


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
@pytest.mark.parametrize("y", [Y, Y > 0, np.stack([Y > 0, Y > 1], 1).astype(int)])
def test_probabilities_are_the_mean_of_networks_fitted_alone(y, weight):
    ensemble = DeepEnsembleClassifier(MLP, n_members=3, random_state=0).fit(X, y, weight)
    alone = [clone(MLP).set_params(random_state=s).fit(X, y, weight) for s in seeds(3)]
    mean = np.mean([member.predict_proba(X) for member in alone], axis=0)
    np.testing.assert_allclose(ensemble.predict_proba(X), mean, atol=1e-9)
    np.testing.assert_allclose(ensemble.predict_log_proba(X), np.log(mean), atol=1e-6)
    if y.ndim == 2:
        np.testing.assert_array_equal(ensemble.predict(X), (mean > 0.5).astype(int))
        np.testing.assert_allclose(ensemble.decision_function(X), logit(mean), atol=1e-6)
    else:
        np.testing.assert_array_equal(ensemble.predict(X), np.unique(y)[mean.argmax(axis=1)])
    if mean.shape[1] == 2 and y.ndim == 1:
        np.testing.assert_allclose(ensemble.decision_function(X), logit(mean[:, 1]), atol=1e-6)


def test_numbers_are_the_mean_of_networks_fitted_alone():
    ensemble = DeepEnsembleRegressor(REGRESSOR, n_members=3, random_state=0)
    mean, std = ensemble.fit(X_NUMBERS, Y_NUMBERS).predict(X_NUMBERS, return_std=True)
    alone = [clone(REGRESSOR).set_params(random_state=s) for s in seeds(3)]
    values = [member.fit(X_NUMBERS, Y_NUMBERS).predict(X_NUMBERS) for member in alone]
    np.testing.assert_allclose(mean, np.mean(values, axis=0))
    np.testing.assert_allclose(std, np.std(values, axis=0), rtol=1e-6)
    np.testing.assert_array_equal(ensemble.predict(X_NUMBERS), mean)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
def test_bootstrap_draws_samples_for_each_member(weight):
    ensemble = DeepEnsembleClassifier(MLP, n_members=2, bootstrap=True, random_state=0)
    ensemble.fit(X, Y, weight)
    kept = np.arange(len(X)) if weight is None else np.flatnonzero(weight)
    state = np.random.RandomState(0)
    for member in ensemble.estimators_:
        alone = clone(MLP).set_params(random_state=state.randint(np.iinfo(np.int32).max))
        rows = kept[state.randint(len(kept), size=len(kept))]
        alone.fit(X[rows], Y[rows], None if weight is None else weight[rows])
        np.testing.assert_allclose(member.predict_proba(X), alone.predict_proba(X), atol=1e-9)


def test_members_differ_and_the_whole_is_reproducible():
    one, other = (DeepEnsembleClassifier(MLP, random_state=3).fit(X, Y) for _ in range(2))
    assert len(one.estimators_) == 5
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))
    first = {member.coefs_[0][0, 0] for member in one.estimators_}
    assert len(first) == 5
    assert one.score(X, Y) > 0.9


def test_sparse_samples():
    dense = DeepEnsembleClassifier(MLP, n_members=2, random_state=0).fit(X, Y)
    other = DeepEnsembleClassifier(MLP, n_members=2, random_state=0).fit(sparse.csr_matrix(X), Y)
    np.testing.assert_allclose(other.predict_proba(X), dense.predict_proba(X), atol=1e-6)


def test_names_of_columns_are_those_of_the_last_fit():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcd"))
    ensemble = DeepEnsembleClassifier(MLP, n_members=2).fit(frame, Y)
    assert ensemble.feature_names_in_.tolist() == list("abcd")
    assert not hasattr(ensemble.fit(X, Y), "feature_names_in_")


def test_poisson_wants_positive_numbers():
    poisson = DeepEnsembleRegressor(DeepMLPRegressor(loss="poisson"))
    assert poisson.__sklearn_tags__().target_tags.positive_only
    assert not DeepEnsembleRegressor().__sklearn_tags__().target_tags.positive_only


@pytest.mark.parametrize(
    ("ensemble", "estimator", "wanted"),
    [
        (DeepEnsembleClassifier, REGRESSOR, "DeepMLPClassifier"),
        (DeepEnsembleClassifier, LogisticRegression(), "DeepMLPClassifier"),
        (DeepEnsembleRegressor, MLP, "DeepMLPRegressor"),
    ],
)
def test_other_estimators_are_refused(ensemble, estimator, wanted):
    with pytest.raises(
        TypeError, match=rf"estimator must be a {wanted}; got (.|\n)*in front of the"
    ):
        ensemble(estimator).fit(X, Y)


def test_frames_reach_the_members_as_they_are():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcd"))
    frame["kind"] = pd.Categorical(np.array(["x", "y", "z"])[(10 * X[:, 0]).astype(int) % 3])
    network = clone(MLP).set_params(categorical_features="from_dtype", scale="standard")
    ensemble = DeepEnsembleClassifier(network, n_members=2, random_state=0).fit(frame, Y)
    alone = [clone(network).set_params(random_state=s).fit(frame, Y) for s in seeds(2)]
    mean = np.mean([member.predict_proba(frame) for member in alone], axis=0)
    np.testing.assert_allclose(ensemble.predict_proba(frame), mean, atol=1e-9)
    assert list(ensemble.feature_names_in_) == [*"abcd", "kind"]


@pytest.mark.parametrize("scale", [None, "standard"])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
def test_each_member_holds_out_samples_of_its_own(weight, scale):
    network = clone(MLP).set_params(early_stopping=True, scale=scale)
    ensemble = DeepEnsembleClassifier(network, n_members=3, random_state=0).fit(X, Y, weight)
    alone = [clone(network).set_params(random_state=s).fit(X, Y, weight) for s in seeds(3)]
    for member, other in zip(ensemble.estimators_, alone, strict=True):
        np.testing.assert_allclose(member.validation_scores_, other.validation_scores_)
        np.testing.assert_allclose(member.coefs_[0], other.coefs_[0], atol=1e-9)
    assert len({tuple(member.validation_loss_curve_) for member in alone}) == 3


def test_bootstrap_draws_from_the_samples_that_are_not_held_out():
    networks = [clone(MLP).set_params(early_stopping=True)] * 2
    random_state = np.random.RandomState(0)
    _, plans = plan_members(networks, (X, Y, None), random_state, bootstrap=True)
    assert not np.array_equal(plans[0].numbers, plans[1].numbers)
    for plan in plans:
        assert plan.X is X
        np.testing.assert_array_equal(Y[plan.numbers], plan.y)
        drawn = {row.tobytes() for row in X[plan.numbers]}
        held_out = {row.tobytes() for row in plan.validation.X}
        twice = len(X) - len(np.unique(X, axis=0))  # rows of the data set that are equal
        assert len(drawn & held_out) <= twice


def test_members_do_not_call_scikit_learns_callbacks():
    callback = pytest.importorskip("sklearn.callback")
    watched = clone(MLP).set_callbacks(callback.ProgressBar())
    with pytest.raises(ValueError, match=r"Call set_callbacks\(\) without arguments"):
        DeepEnsembleClassifier(watched).fit(X, Y)


def interrupt_at(n_epochs):
    """Return a callback that is Ctrl-C in an epoch, counted over all networks."""
    seen = []

    def callback(row):
        seen.append(row)
        if len(seen) == n_epochs:
            raise KeyboardInterrupt

    return callback


@pytest.mark.filterwarnings("ignore:Training interrupted")
def test_ctrl_c_ends_an_ensemble_and_leaves_it_as_it_was():
    mlp = DeepMLPClassifier((4,), max_iter=3, random_state=0, n_iter_no_change=10)
    ensemble = DeepEnsembleClassifier(mlp, n_members=3, random_state=0).fit(X, Y)
    members, before = ensemble.estimators_, ensemble.predict_proba(X)
    ensemble.set_params(estimator__callbacks=[interrupt_at(5)])
    with pytest.raises(KeyboardInterrupt, match="interrupted before all members were trained"):
        ensemble.fit(X[:, :2], Y)
    assert ensemble.estimators_ is members
    np.testing.assert_array_equal(ensemble.predict_proba(X), before)


@pytest.mark.parametrize("y", ["two", "three", "sets"])
def test_members_without_probabilities_average_their_logits(y):
    X, classes = load_iris(return_X_y=True)
    y = {"two": classes == 0, "three": classes, "sets": np.eye(3, dtype=int)[classes]}[y]
    member = DeepMLPClassifier((8,), loss="hinge", learning_rate_init=0.05, random_state=0)
    model = DeepEnsembleClassifier(member, n_members=2, random_state=0).fit(X, y)
    scores = np.mean([m.decision_function(X) for m in model.estimators_], axis=0)
    np.testing.assert_allclose(model.decision_function(X), scores)
    assert model.score(X, y) > 0.9
    assert not hasattr(model, "predict_proba")
    with pytest.raises(AttributeError, match="has no attribute"):
        model.predict_proba(X)


def test_decisions_of_one_class_are_finite():
    X, _ = load_iris(return_X_y=True)
    model = DeepEnsembleClassifier(DeepMLPClassifier((4,), max_iter=2), n_members=2, random_state=0)
    model.fit(X, np.zeros(150))
    assert np.isfinite(model.decision_function(X)).all()
    np.testing.assert_array_equal(model.predict_proba(X), np.ones((150, 1)))


@pytest.mark.parametrize("quantile", [0.3, (0.1, 0.5, 0.9)])
@pytest.mark.parametrize("n_columns", [1, 2])
def test_the_score_of_quantiles_is_that_of_members(quantile, n_columns):
    y = np.stack([X[:, 0] + 3, X[:, 1] * 40], axis=1)[:, :n_columns].squeeze()
    member = DeepMLPRegressor(loss="quantile", quantile=quantile, max_iter=20)
    ensemble = DeepEnsembleRegressor(member, n_members=2, random_state=0).fit(X, y)
    alone = DeepEnsembleRegressor(member, n_members=1, random_state=0).fit(X, y)
    weight = np.linspace(0.5, 2, len(X))
    expected = alone.estimators_[0].score(X, y, weight)
    assert alone.score(X, y, weight) == pytest.approx(expected, abs=1e-9)
    levels, columns = np.atleast_1d(quantile), y.reshape(len(y), -1)
    predicted = ensemble.predict(X).reshape(*columns.shape, len(levels))
    expected = np.mean(
        [d2_pinball_score(columns, predicted[..., k], alpha=a) for k, a in enumerate(levels)]
    )
    assert ensemble.score(X, y) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_members_that_are_trained_in_threads_are_those_of_fits_alone(n_jobs):
    pytest.importorskip("numba")
    n_epochs = CompiledRunner.min_steps // 8 + 1  # of 8 steps: so many are worth compiling
    network = clone(MLP).set_params(max_iter=n_epochs, n_iter_no_change=n_epochs, dropout=0.1)
    ensemble = DeepEnsembleClassifier(network, n_members=3, n_jobs=n_jobs, random_state=0)
    alone = [clone(network).set_params(random_state=s).fit(X, Y) for s in seeds(3)]
    for member, other in zip(ensemble.fit(X, Y).estimators_, alone, strict=True):
        assert member.runner_ == "compiled"
        np.testing.assert_array_equal(member.coefs_[0], other.coefs_[0])


def test_an_error_in_a_thread_is_that_of_the_ensemble():
    pytest.importorskip("numba")
    n_epochs = CompiledRunner.min_steps // 8 + 1
    network = clone(MLP).set_params(max_iter=n_epochs, solver="sgd", learning_rate_init=1e300)
    with pytest.raises(ValueError, match="not finite"):
        DeepEnsembleClassifier(network, n_members=2, random_state=0).fit(1e200 * X, Y)

"""The same seed gives the same model, and it is scikit-learn's."""

# ruff: noqa: NPY002 - the global generators are what some of these tests are about

import warnings
from itertools import product

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from sknn import DeepMLPClassifier, DeepMLPRegressor
from tests.helpers import assert_same_weights, has_same_weights

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SOLVERS = ("adam", "sgd", "lbfgs")
SCHEDULES = ("constant", "invscaling", "adaptive")


def make_data(n_classes=2, n_rows=70, n_features=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_features))
    score = X[:, 0] - X[:, 1] * X[:, 2] + 0.3 * rng.normal(size=n_rows)
    edges = np.quantile(score, np.arange(1, n_classes) / n_classes)
    return X, np.digitize(score, edges)


def make_numbers(n_outputs=1, n_rows=70, n_features=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_features))
    y = np.sin(X[:, :1]) + X[:, 1:2] * np.arange(1, n_outputs + 1) + 0.1
    return X, y.ravel() if n_outputs == 1 else y


def classifiers(**params):
    params = {"hidden_layer_sizes": (6, 5), "max_iter": 12, "random_state": 3, **params}
    return DeepMLPClassifier(**params), MLPClassifier(**params)


def regressors(**params):
    params = {"hidden_layer_sizes": (6, 5), "max_iter": 12, "random_state": 3, **params}
    return DeepMLPRegressor(**params, standardize_target=False), MLPRegressor(**params)


def assert_same_training(ours, theirs, tolerance=1e-9):
    assert_same_weights(ours, theirs, tolerance)
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert_allclose(ours.loss_, theirs.loss_, rtol=tolerance)
    if hasattr(theirs, "loss_curve_"):  # scikit-learn has none for lbfgs
        assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=tolerance)
        for name in ("best_loss_", "validation_scores_", "best_validation_score_"):
            mine, other = getattr(ours, name), getattr(theirs, name)
            assert (mine is None) == (other is None), name
            if other is not None:
                assert_allclose(mine, other, rtol=tolerance, err_msg=name)


# --- equality with scikit-learn ------------------------------------------------------------


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_classifier_equals_scikit_learn(solver, activation, n_classes):
    X, y = make_data(n_classes)
    # Long line searches meet probabilities so near 0 that scikit-learn clips them; ours are exact.
    X = X / 2 if solver == "lbfgs" else X
    ours, theirs = classifiers(solver=solver, activation=activation)
    assert_same_training(ours.fit(X, y), theirs.fit(X, y), 1e-4 if solver == "lbfgs" else 1e-9)
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-5, atol=1e-9)
    assert_array_equal(ours.predict(X), theirs.predict(X))


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_regressor_equals_scikit_learn(solver, activation, loss):
    X, y = make_numbers()
    y = np.floor(np.exp(y)) if loss == "poisson" else y
    ours, theirs = regressors(solver=solver, activation=activation, loss=loss)
    assert_same_training(ours.fit(X, y), theirs.fit(X, y), 1e-4 if solver == "lbfgs" else 1e-9)
    assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("schedule", "batch_size", "shuffle", "early_stopping"),
    list(product(SCHEDULES, ["auto", 16], [True, False], [True, False])),
)
@pytest.mark.parametrize("pair", [classifiers, regressors])
def test_sgd_equals_scikit_learn(pair, schedule, batch_size, shuffle, early_stopping):
    X, y = make_data() if pair is classifiers else make_numbers()
    ours, theirs = pair(
        solver="sgd",
        learning_rate=schedule,
        learning_rate_init=0.05,
        batch_size=batch_size,
        shuffle=shuffle,
        early_stopping=early_stopping,
        validation_fraction=0.2,
        n_iter_no_change=2,
        tol=0.01,
        max_iter=20,
    )
    assert_same_training(ours.fit(X, y), theirs.fit(X, y))


@pytest.mark.parametrize(
    ("batch_size", "shuffle", "early_stopping"),
    list(product(["auto", 16], [True, False], [True, False])),
)
@pytest.mark.parametrize("pair", [classifiers, regressors])
def test_adam_equals_scikit_learn(pair, batch_size, shuffle, early_stopping):
    X, y = make_data() if pair is classifiers else make_numbers()
    ours, theirs = pair(
        learning_rate_init=0.02,
        batch_size=batch_size,
        shuffle=shuffle,
        early_stopping=early_stopping,
        n_iter_no_change=2,
        tol=0.01,
        max_iter=20,
    )
    assert_same_training(ours.fit(X, y), theirs.fit(X, y))


@pytest.mark.parametrize(
    "params",
    [
        {"beta_1": 0.5},
        {"beta_2": 0.9},
        {"beta_1": 0.0, "beta_2": 0.0},
        {"epsilon": 0.1},
        {"epsilon": 1e-3, "beta_2": 0.5},
    ],
    ids=str,
)
def test_adams_parameters_mean_what_they_mean_in_scikit_learn(params):
    X, y = make_data()
    ours, theirs = classifiers(solver="adam", batch_size=16, **params)
    assert_same_training(ours.fit(X, y), theirs.fit(X, y))


@pytest.mark.parametrize("nesterovs_momentum", [True, False])
@pytest.mark.parametrize("momentum", [0, 0.5, 0.9, 1])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_momentum_equals_scikit_learn(momentum, nesterovs_momentum, schedule):
    X, y = make_data()
    ours, theirs = classifiers(
        solver="sgd",
        learning_rate=schedule,
        momentum=momentum,
        nesterovs_momentum=nesterovs_momentum,
        batch_size=16,
        n_iter_no_change=1,
        tol=0.05,
    )
    assert_same_training(ours.fit(X, y), theirs.fit(X, y))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("alpha", [0, 1e-4, 1.0])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("pair", [classifiers, regressors])
def test_penalty_and_weights_equal_scikit_learn(pair, solver, alpha, weighted, rng):
    X, y = make_data() if pair is classifiers else make_numbers()
    sample_weight = rng.uniform(0.1, 3, size=len(y)) if weighted else None
    ours, theirs = pair(solver=solver, alpha=alpha, batch_size=16 if solver != "lbfgs" else "auto")
    ours.fit(X, y, sample_weight=sample_weight)
    theirs.fit(X, y, sample_weight=sample_weight)
    assert_same_training(ours, theirs, 1e-4 if solver == "lbfgs" else 1e-9)


@pytest.mark.parametrize("pair", [classifiers, regressors])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_weighted_early_stopping_equals_scikit_learn(pair, solver, rng):
    X, y = make_data() if pair is classifiers else make_numbers()
    sample_weight = rng.uniform(0.1, 3, size=len(y))
    ours, theirs = pair(
        solver=solver, early_stopping=True, validation_fraction=0.3, learning_rate_init=0.05
    )
    ours.fit(X, y, sample_weight=sample_weight)
    theirs.fit(X, y, sample_weight=sample_weight)
    assert_same_training(ours, theirs)


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_sparse_samples_equal_scikit_learn_and_dense_samples(container, solver, early_stopping):
    X, y = make_data()
    X[np.abs(X) < 0.7] = 0
    ours, theirs = classifiers(solver=solver, batch_size=16, early_stopping=early_stopping)
    ours.fit(container(X), y)
    tolerance = 1e-4 if solver == "lbfgs" else 1e-9
    assert_same_training(ours, theirs.fit(container(X), y), tolerance)
    assert_allclose(ours.predict_proba(container(X)), ours.predict_proba(X), rtol=1e-12)
    dense = classifiers(solver=solver, batch_size=16, early_stopping=early_stopping)[0].fit(X, y)
    for mine, theirs in zip(ours.coefs_, dense.coefs_, strict=True):  # sums in another order
        assert_allclose(mine, theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("sparse_y", [False, True])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_multilabel_equals_scikit_learn(solver, early_stopping, sparse_y):
    X, _ = make_data()
    Y = (X[:, :3] + X[:, 1:4] > 0).astype(int)
    Y = sparse.csr_matrix(Y) if sparse_y else Y
    ours, theirs = classifiers(
        solver=solver, early_stopping=early_stopping, learning_rate_init=0.05, batch_size=16
    )
    if sparse_y and early_stopping:  # scikit-learn's cannot; ours is the same as from dense y
        theirs.fit(X, Y.toarray())
    else:
        theirs.fit(X, Y)
    ours.fit(X, Y)
    assert_same_training(ours, theirs)
    assert sparse.issparse(ours.predict(X)) == sparse_y
    mine, other = (
        Z.toarray() if sparse.issparse(Z) else Z for Z in map(_predict(X), (ours, theirs))
    )
    assert_array_equal(mine, other)
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-7)


def _predict(X):
    return lambda estimator: estimator.predict(X)


@pytest.mark.parametrize("solver", SOLVERS)
def test_several_outputs_have_scikit_learns_weights_and_the_sum_of_losses(solver):
    X, y = make_numbers(n_outputs=3)
    ours, theirs = regressors(solver=solver, tol=0, alpha=0, max_iter=8)
    ours.fit(X, y)
    if solver == "lbfgs":  # scikit-learn minimises the mean with the gradient of the sum
        loss = 0.5 * np.square(y - ours.predict(X)).sum(axis=1).mean()
        assert_allclose(ours.loss_, loss, rtol=1e-9)
        return
    theirs.fit(X, y)
    assert_same_weights(ours, theirs, 1e-9)
    assert_allclose(np.array(ours.loss_curve_), 3 * np.array(theirs.loss_curve_), rtol=1e-9)


@pytest.mark.parametrize("hidden", [(), 5, (5,), [5, 4, 3], np.array([4, 3])])
def test_hidden_layer_sizes_mean_what_they_mean_in_scikit_learn(hidden):
    X, y = make_data()
    ours, theirs = classifiers(hidden_layer_sizes=hidden)
    assert_same_training(ours.fit(X, y), theirs.fit(X, y))


@pytest.mark.parametrize("pair", [classifiers, regressors])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_float32_follows_scikit_learn_within_its_rounding(pair, solver):
    X, y = make_data() if pair is classifiers else make_numbers()
    X = X.astype(np.float32)
    y = y.astype(np.float32) if pair is regressors else y
    ours, theirs = pair(solver=solver, max_iter=5)
    ours.fit(X, y)
    assert ours.coefs_[0].dtype == np.float32
    assert_same_weights(ours, theirs.fit(X, y), 1e-4)


def test_a_random_state_instance_is_advanced_as_by_scikit_learn():
    X, y = make_data()
    mine, other = np.random.RandomState(7), np.random.RandomState(7)
    params = {"max_iter": 4, "early_stopping": True, "hidden_layer_sizes": (3,)}
    ours = DeepMLPClassifier(**params, random_state=mine).fit(X, y)
    theirs = MLPClassifier(**params, random_state=other).fit(X, y)
    assert_same_training(ours, theirs)
    assert mine.randint(2**31) == other.randint(2**31)


# --- steps, schedules and stopping ---------------------------------------------------------


def test_one_sgd_step_equals_the_worked_example():
    # The numbers are those of test_fit in sklearn/neural_network/tests/test_mlp.py:
    #   h1 = g(0.6 0.1 + 0.8 0.3 + 0.7 0.5 + 0.1) = 0.6792,  h2 = g(0.3) = 0.5744
    #   o = g(0.1 h1 + 0.2 h2 + 1) = 0.7654, and so on through one step back.
    X, y = np.array([[0.6, 0.8, 0.7]]), np.array([0])
    mlp = DeepMLPClassifier(
        solver="sgd",
        learning_rate_init=0.1,
        alpha=0.1,
        activation="logistic",
        random_state=1,
        hidden_layer_sizes=2,
        momentum=0,
    )
    mlp.partial_fit(X, y, classes=[0, 1])
    W1 = np.array([[0.1, 0.2], [0.3, 0.1], [0.5, 0.0]])
    W2 = np.array([[0.1], [0.2]])
    mlp.coefs_ = [W1, W2]
    mlp.intercepts_ = [np.array([0.1, 0.1]), np.array([1.0])]
    mlp.partial_fit(X, y)

    expected_W1 = [[0.098, 0.195756], [0.2956664, 0.096008], [0.4939998, -0.002244]]
    assert_allclose(mlp.coefs_[0], expected_W1, atol=1.5e-3)
    assert_allclose(mlp.coefs_[1], [[0.04706], [0.154089]], atol=1.5e-3)
    assert_allclose(mlp.intercepts_[0], [0.098333, 0.09626], atol=1.5e-3)
    assert_allclose(mlp.intercepts_[1], [0.9235], atol=1.5e-3)
    assert_allclose(mlp.predict_proba(X)[0, 1], 0.739, atol=1.5e-3)

    # The same without rounding to three digits.
    x, g = X[0], lambda t: 1 / (1 + np.exp(-t))
    h = g(x @ W1 + 0.1)
    o = g(h @ W2[:, 0] + 1)
    d2 = o - 0
    d1 = h * (1 - h) * d2 * W2[:, 0]
    assert_allclose(mlp.coefs_[0], W1 - 0.1 * (np.outer(x, d1) + 0.1 * W1), rtol=1e-12)
    assert_allclose(mlp.coefs_[1], W2 - 0.1 * (d2 * h[:, None] + 0.1 * W2), rtol=1e-12)
    assert_allclose(mlp.intercepts_[0], 0.1 - 0.1 * d1, rtol=1e-12)
    assert_allclose(mlp.intercepts_[1], [1 - 0.1 * d2], rtol=1e-12)


@pytest.mark.parametrize("call", ["warm_start", "partial_fit", "both"])
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("momentum", [0, 0.9])
@pytest.mark.parametrize("pair", [classifiers, regressors])
def test_learning_rate_schedules_go_on_as_in_scikit_learn(pair, momentum, schedule, call):
    X, y = make_data() if pair is classifiers else make_numbers()
    ours, theirs = pair(
        solver="sgd",
        learning_rate=schedule,
        learning_rate_init=0.3 if schedule == "invscaling" else 0.05,
        momentum=momentum,
        warm_start=True,
        max_iter=3,
        batch_size=32,
        n_iter_no_change=1,
        tol=0.05,
        power_t=0.4,
    )
    for turn in range(7):
        partial = call == "partial_fit" or (call == "both" and turn % 3 > 0)
        for model in (ours, theirs):
            if partial and pair is classifiers:
                model.partial_fit(X, y, classes=[0, 1])
            elif partial:
                model.partial_fit(X, y)
            else:
                model.fit(X, y)
        assert_same_training(ours, theirs)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_warm_start_with_early_stopping_goes_on_as_in_scikit_learn(solver):
    X, y = make_data()
    ours, theirs = classifiers(
        solver=solver, learning_rate_init=0.01, warm_start=True, early_stopping=True, max_iter=2
    )
    n_equal = 0
    for _ in range(12):
        before = [c.copy() for c in ours.coefs_] if n_equal else None
        ours.fit(X, y)
        theirs.fit(X, y)
        if ours.best_iter_ == 0:
            # No epoch was better than those of the calls before: their weights stay. In
            # scikit-learn the best weights share memory with the present ones and are lost.
            for mine, kept in zip(ours.coefs_, before, strict=True):
                assert_array_equal(mine, kept)
            break
        assert_same_training(ours, theirs)
        n_equal += 1
    assert 1 <= n_equal < 12


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_partial_fit_on_new_batches_equals_scikit_learn(solver, rng):
    X, y = make_data(3, n_rows=90)
    ours, theirs = classifiers(solver=solver)
    for rows in np.split(rng.permutation(90), 6):
        sample_weight = rng.uniform(0.5, 2, size=len(rows))
        for model in (ours, theirs):
            model.partial_fit(X[rows], y[rows], sample_weight, classes=[0, 1, 2])
        assert_same_training(ours, theirs)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("n_iter_no_change", [1, 4, np.inf])
@pytest.mark.parametrize("tol", [0, 0.01, 0.5])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_training_stops_in_the_same_epoch_as_scikit_learn(
    solver, tol, n_iter_no_change, early_stopping
):
    X, y = make_data()
    ours, theirs = classifiers(
        solver=solver,
        hidden_layer_sizes=(4,),
        learning_rate_init=0.2,
        n_iter_no_change=n_iter_no_change,
        tol=tol,
        early_stopping=early_stopping,
        max_iter=25,
    )
    warned = []
    for model in (ours, theirs):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(X, y)
        warned.append([str(w.message) for w in caught if w.category is ConvergenceWarning])
    assert ours.n_iter_ == theirs.n_iter_ == len(ours.loss_curve_)
    assert warned[0] == warned[1]
    assert len(warned[0]) == (ours.n_iter_ == 25)
    assert_same_training(ours, theirs)


def test_training_that_stops_early_is_among_the_cases():
    # So that the equality above is not one of runs that all reach max_iter.
    X, y = make_data()
    stop = classifiers(n_iter_no_change=1, tol=0.5, max_iter=25)[0].fit(X, y)
    go_on = classifiers(n_iter_no_change=np.inf, tol=0.5, max_iter=25)[0].fit(X, y)
    assert stop.n_iter_ < 25
    assert go_on.n_iter_ == 25


# --- our own reproducibility ---------------------------------------------------------------

MODELS = [
    (DeepMLPClassifier, lambda: make_data(3)),
    (DeepMLPRegressor, make_numbers),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("seed", [int, np.random.RandomState])
@pytest.mark.parametrize(("model", "data"), MODELS)
def test_same_seed_gives_the_same_model_bit_for_bit(model, data, seed, solver, dtype):
    X, y = data()
    params = {"solver": solver, "dtype": dtype, "hidden_layer_sizes": (8,), "max_iter": 6}
    params["early_stopping"] = solver == "adam"
    one = model(**params, random_state=seed(5)).fit(X, y)
    other = model(**params, random_state=seed(5)).fit(X, y)
    assert_same_weights(one, other)
    assert_array_equal(one.loss_curve_, other.loss_curve_)
    assert_array_equal(one.predict(X), other.predict(X))
    assert not any(has_same_weights(one, model(**params, random_state=seed(6)).fit(X, y)))


@pytest.mark.parametrize(("model", "data"), MODELS)
def test_fitting_again_gives_the_same_model_bit_for_bit(model, data):
    X, y = data()
    once = model(hidden_layer_sizes=(8,), max_iter=6, random_state=0).fit(X, y)
    twice = model(hidden_layer_sizes=(8,), max_iter=6, random_state=0).fit(X[:30], y[:30])
    assert_same_weights(once, twice.fit(X, y))
    assert once.loss_curve_ == twice.loss_curve_


@pytest.mark.parametrize(("model", "data"), MODELS)
def test_without_a_seed_every_fit_is_new(model, data):
    X, y = data()
    estimator = model(hidden_layer_sizes=(8,), max_iter=2, random_state=None)
    np.random.seed(0)
    one = [np.array(c) for c in estimator.fit(X, y).coefs_]
    np.random.seed(0)  # must not matter
    other = estimator.fit(X, y).coefs_
    assert not any(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("random_state", [None, 0])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("model", "data"), MODELS)
def test_global_random_states_stay_as_they_were(model, data, solver, random_state):
    X, y = data()
    np.random.seed(1)
    torch.manual_seed(1)
    before, torch_before = np.random.get_state(), torch.get_rng_state()
    estimator = model(
        solver=solver, random_state=random_state, max_iter=2, early_stopping=solver == "adam"
    )
    estimator.fit(X, y)
    estimator.predict(X)
    estimator.score(X, y)
    if solver != "lbfgs":
        estimator.set_params(early_stopping=False).partial_fit(X, y)
    after = np.random.get_state()
    assert_array_equal(before[1], after[1])
    assert before[2:] == after[2:]
    assert torch.equal(torch_before, torch.get_rng_state())


@pytest.mark.parametrize("solver", SOLVERS)
def test_global_seeds_do_not_change_a_seeded_model(solver):
    X, y = make_data()
    models = []
    for seed in (0, 1):
        np.random.seed(seed)
        torch.manual_seed(seed)
        models.append(DeepMLPClassifier(solver=solver, random_state=0, max_iter=3).fit(X, y))
    assert_same_weights(*models)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_partial_fits_repeat_bit_for_bit(solver):
    X, y = make_data(3)
    models = []
    for _ in range(2):
        model = DeepMLPClassifier(solver=solver, random_state=0, hidden_layer_sizes=(8,))
        for rows in (slice(0, 30), slice(30, 70), slice(10, 50)):
            model.partial_fit(X[rows], y[rows], classes=[0, 1, 2])
        models.append(model)
    assert_same_weights(*models)


@pytest.mark.parametrize("order", ["F", "reversed", "read-only", "integer"])
def test_memory_layout_of_the_input_does_not_matter(order):
    X, y = make_data()
    X = np.round(4 * X)
    plain = DeepMLPClassifier(random_state=0, max_iter=3).fit(X, y)
    other = {
        "F": np.asfortranarray(X),
        "reversed": np.ascontiguousarray(X[::-1, ::-1])[::-1, ::-1],
        "read-only": X.copy(),
        "integer": X.astype(int),
    }[order]
    if order == "read-only":
        other.flags.writeable = False
    again = DeepMLPClassifier(random_state=0, max_iter=3).fit(other, y)
    assert_same_weights(plain, again)
    assert_allclose(plain.predict_proba(X), again.predict_proba(other), rtol=1e-14)


@pytest.mark.parametrize(("model", "data"), MODELS)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_input_is_never_changed(model, data, early_stopping):
    X, y = data()
    X_before, y_before = X.copy(), y.copy()
    sample_weight = np.linspace(0, 2, len(y))
    weight_before = sample_weight.copy()
    estimator = model(max_iter=3, early_stopping=early_stopping, random_state=0)
    estimator.fit(X, y, sample_weight=sample_weight)
    estimator.predict(X)
    assert_array_equal(X, X_before)
    assert_array_equal(y, y_before)
    assert_array_equal(sample_weight, weight_before)

"""Every error and warning, and the estimator as it was before after each of them."""

import pickle
from functools import partial

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils._param_validation import InvalidParameterError

from sknn import DeepMLPClassifier, DeepMLPRegressor
from sknn._validation import check_layer_sizes, check_weights, make_local_random_state
from sknn.architectures import MLP
from sknn.engine import Net, resolve_device
from sknn.engine._lbfgs import HandwrittenObjective
from sknn.engine.backprop._mlp import MLPPass
from sknn.exceptions import NonFiniteLossError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng_ = np.random.default_rng(0)
X = rng_.normal(size=(40, 3))
y = (X[:, 0] > 0).astype(int)
Y = (X[:, :2] > 0).astype(int)
t = X[:, 0] - X[:, 1]
ROW = np.arange(40)


QUICK = {"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0}
classifier = partial(DeepMLPClassifier, **QUICK)
regressor = partial(DeepMLPRegressor, **QUICK)


def with_one(value, like):
    like = like.astype(complex if isinstance(value, complex) else float)
    like[1, 0] = value
    return like


# --- X -------------------------------------------------------------------------------------

BAD_X = {
    "inf": (with_one(np.inf, X), "Input X contains infinity"),
    "minus inf": (with_one(-np.inf, X), "Input X contains infinity"),
    "sparse nan": (sparse.csr_matrix(with_one(np.nan, X)), "Input X contains NaN"),
    "no rows": (X[:0], r"Found array with 0 sample\(s\)"),
    "no columns": (X[:, :0], r"Found array with 0 feature\(s\)"),
    "1-D": (X[:, 0], "Expected 2D array, got 1D array instead"),
    "3-D": (X[:, :, None], "dim 3"),
    "complex": (with_one(1j, X), "Complex data not supported"),
    "text": (np.full(X.shape, "a"), "Column 0 .* text .*'a'"),
    "None": (None, "Expected 2D array, got scalar array instead"),
    "ragged": ([[1, 2], [3]], "inhomogeneous|setting an array element"),
}


@pytest.mark.parametrize("call", ["fit", "partial_fit"])
@pytest.mark.parametrize("case", BAD_X)
@pytest.mark.parametrize("make", [classifier, regressor])
def test_bad_x_cannot_be_fitted(make, case, call):
    bad, match = BAD_X[case]
    n_rows = 0 if case == "no rows" else 2 if case == "ragged" else 40
    target = (y if make is classifier else t)[:n_rows]
    args = {"classes": [0, 1]} if make is classifier and call == "partial_fit" else {}
    estimator = make()
    before = dict(vars(estimator))
    with pytest.raises(ValueError, match=match):
        getattr(estimator, call)(bad, target, **args)
    assert vars(estimator) == before


@pytest.mark.parametrize("case", sorted(set(BAD_X) - {"no columns"}))
@pytest.mark.parametrize("make", [classifier, regressor])
def test_bad_x_gets_no_prediction(make, case):
    bad, match = BAD_X[case]
    estimator = make().fit(X, y)
    with pytest.raises(ValueError, match=match):
        estimator.predict(bad)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function", "partial_fit"])
@pytest.mark.parametrize("width", [2, 4])
def test_wrong_width_is_an_error(method, width):
    estimator = classifier().fit(X, y)
    wide = np.ones((40, width))
    args = (wide, y) if method == "partial_fit" else (wide,)
    message = f"X has {width} features, but DeepMLPClassifier is expecting 3 features as input"
    with pytest.raises(ValueError, match=message):
        getattr(estimator, method)(*args)


def test_a_number_too_large_for_float32_is_an_error_not_a_nan_prediction():
    estimator = classifier(dtype="float32").fit(X, y)
    with pytest.raises(ValueError, match=r"too large|infinity"):
        estimator.predict_proba(1e39 * X)


@pytest.mark.parametrize(
    "method", ["predict", "predict_proba", "predict_log_proba", "decision_function"]
)
def test_an_unfitted_classifier_says_so(method):
    with pytest.raises(NotFittedError, match="This DeepMLPClassifier instance is not fitted yet"):
        getattr(classifier(), method)(X)


@pytest.mark.parametrize(
    "name", ["coefs_", "intercepts_", "module_", "device_", "net_", "loss_curve_", "n_iter_"]
)
def test_fitted_attributes_are_absent_before_fit(name):
    assert not hasattr(regressor(), name)


@pytest.mark.parametrize("name", ["coefs_", "intercepts_"])
def test_reading_or_setting_weights_before_fit_says_not_fitted(name):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(classifier(), name)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        setattr(classifier(), name, [np.ones((3, 4))])


# --- y -------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("bad", "match"),
    [
        (None, "requires y to be passed, but the target y is None"),
        (t, "Unknown label type: continuous"),
        (
            np.c_[y + 1, 2 * y],
            "Multioutput target data is not supported|Unknown label type|multiclass-multioutput",
        ),
        (y[:-1], r"inconsistent numbers of samples: \[40, 39\]"),
        (np.where(y, np.nan, 1.0), "Input y contains NaN"),
        (np.where(y, np.inf, 1.0), "Input y contains infinity"),
        (np.array([None, 1] * 20, dtype=object), "y holds None in sample 0, which is no label"),
        (np.zeros((40, 2, 2)), "dim 3"),
    ],
    ids=["None", "continuous", "multioutput", "length", "nan", "inf", "object None", "3-D"],
)
def test_bad_labels_cannot_be_fitted(bad, match, call):
    args = {} if call == "fit" else {"classes": [0, 1, 2]}
    estimator = classifier()
    before = dict(vars(estimator))
    with pytest.raises(ValueError, match=match):
        getattr(estimator, call)(X, bad, **args)
    assert vars(estimator) == before


@pytest.mark.parametrize("call", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("bad", "match"),
    [
        (None, "requires y to be passed, but the target y is None"),
        (t[:-1], r"inconsistent numbers of samples: \[40, 39\]"),
        (np.where(y, np.nan, t), "Input y contains NaN"),
        (np.where(y, np.inf, t), "Input y contains infinity"),
        (t + 1j, "Complex data not supported"),
        (np.array(["a"] * 40), "y holds the text 'a' in sample 0"),
        (np.zeros((40, 2, 2)), "dim 3"),
        (np.zeros((40, 0)), r"0 feature\(s\)"),
    ],
    ids=["None", "length", "nan", "inf", "complex", "text", "3-D", "no columns"],
)
def test_bad_numbers_cannot_be_fitted(bad, match, call):
    estimator = regressor()
    before = dict(vars(estimator))
    with pytest.raises(ValueError, match=match):
        getattr(estimator, call)(X, bad)
    assert vars(estimator) == before


def test_a_column_vector_warns_and_is_used():
    with pytest.warns(UserWarning, match="A column-vector y was passed when a 1d array was"):
        column = classifier().fit(X, y[:, None])
    assert_array_equal(column.predict(X), classifier().fit(X, y).predict(X))


def test_a_negative_count_is_out_of_range_of_poisson():
    counts = np.arange(40.0)
    counts[3] = -2.5
    estimator = regressor(loss="poisson")
    with pytest.raises(ValueError, match=r"valid range of the loss 'poisson'.*is -2\.5\."):
        estimator.fit(X, counts)
    estimator.fit(X, np.arange(40))
    with pytest.raises(ValueError, match="valid range of the loss 'poisson'"):
        estimator.partial_fit(X, counts)


# --- partial_fit and warm_start ------------------------------------------------------------


def test_the_first_partial_fit_needs_the_classes():
    estimator = classifier()
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        estimator.partial_fit(X, y)
    assert not hasattr(estimator, "classes_")
    estimator.partial_fit(X, y, classes=[0, 1])


def test_a_failed_first_partial_fit_does_not_fix_the_classes():
    estimator = classifier()
    with pytest.raises(ValueError, match="contains infinity"):
        estimator.partial_fit(with_one(np.inf, X), y, classes=[0, 1])
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        estimator.partial_fit(X, y)
    estimator.partial_fit(X, y + 5, classes=[5, 6])
    assert_array_equal(estimator.classes_, [5, 6])


@pytest.mark.parametrize("labels", [y + 1, np.where(y, "a", "b"), y - 1], ids=["2", "text", "-1"])
def test_an_unseen_class_is_an_error(labels):
    with pytest.raises(ValueError, match=r"`y` has classes not in `self\.classes_`"):
        classifier().partial_fit(X, labels, classes=[0, 1])
    estimator = classifier().fit(X, y)
    with pytest.raises(ValueError, match=r"`y` has classes not in `self\.classes_`"):
        estimator.partial_fit(X, labels)


@pytest.mark.parametrize("first", ["fit", "partial_fit"])
def test_changed_classes_are_an_error(first):
    estimator = classifier()
    if first == "fit":
        estimator.fit(X, y)
    else:
        estimator.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match=r"`classes=\[0, 1, 2\]` is not the same as on last call"):
        estimator.partial_fit(X, y, classes=[0, 1, 2])


def test_continuous_labels_in_a_later_partial_fit_are_an_error():
    estimator = classifier().fit(X, y)
    with pytest.raises(ValueError, match="Unknown label type"):
        estimator.partial_fit(X, t)


@pytest.mark.parametrize("call", ["warm_start", "partial_fit"])
@pytest.mark.parametrize(
    ("first", "then"),
    [
        (y, Y),
        (y, sparse.csr_matrix(Y)),
        (np.digitize(t, [-0.5, 0.5]), np.eye(3, dtype=int)[y]),
        (Y, y),
        (Y, np.c_[Y, y]),
        (Y, Y[:, :1]),
    ],
    ids=[
        "binary, then label sets",
        "binary, then sparse label sets",
        "multiclass, then label sets",
        "label sets, then binary",
        "label sets, then more of them",
        "label sets, then one column",
    ],
)
@pytest.mark.filterwarnings("ignore:A column-vector y was passed")
def test_another_kind_of_labels_is_an_error(first, then, call):
    estimator = classifier(warm_start=call == "warm_start").fit(X, first)
    with pytest.raises(
        ValueError, match=r"y must be|indicator|same classes|multilabel|classes not in"
    ):
        (estimator.fit if call == "warm_start" else estimator.partial_fit)(X, then)


@pytest.mark.parametrize("call", ["warm_start", "partial_fit"])
def test_another_number_of_outputs_is_an_error(call):
    estimator = regressor(warm_start=True).fit(X, X[:, :2])
    with pytest.raises(ValueError, match="y has 1 columns, but 2 in the first call to fit"):
        (estimator.fit if call == "warm_start" else estimator.partial_fit)(X, t)


@pytest.mark.parametrize("labels", [y + 1, np.arange(40) % 3, np.zeros(40, dtype=int)])
def test_warm_start_with_other_classes_is_an_error_in_scikit_learns_words(labels):
    estimator = classifier(warm_start=True).fit(X, y)
    message = (
        "warm_start can only be used where `y` has the same classes as in the previous call to "
        r"fit. Previously got \[0 1\], `y` has "
    )
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, labels)


@pytest.mark.parametrize("call", ["warm_start", "partial_fit"])
@pytest.mark.parametrize(
    ("name", "was", "now"),
    [
        ("hidden_layer_sizes", "(4,)", (5,)),
        ("hidden_layer_sizes", "(4,)", (4, 4)),
        ("activation", "'relu'", "tanh"),
        ("dtype", "'auto'", "float32"),
        ("device", "'auto'", "cpu"),
        ("loss", "'squared_error'", "poisson"),
        ("standardize_target", "True", False),
    ],
)
def test_a_network_that_exists_keeps_its_shape(name, was, now, call):
    estimator = regressor(warm_start=call == "warm_start").fit(X, np.abs(t))
    before = estimator.predict(X)
    estimator.set_params(**{name: now})
    message = f"{name} was {was} and is {now!r} now".replace("(", r"\(").replace(")", r"\)")
    with pytest.raises(ValueError, match=message):
        (estimator.fit if call == "warm_start" else estimator.partial_fit)(X, np.abs(t))
    assert_array_equal(estimator.predict(X), before)
    estimator.set_params(warm_start=False).fit(X, np.abs(t))


def test_the_same_hidden_layers_in_other_words_are_no_change():
    estimator = classifier(warm_start=True, hidden_layer_sizes=4).fit(X, y)
    for same in [(4,), [4], np.array([4]), np.int64(4)]:
        estimator.set_params(hidden_layer_sizes=same).fit(X, y)
    assert len(estimator.loss_curve_) == 15


SOLVERS = ("adam", "sgd", "lbfgs")
#: one activation that is trained by steps written out by hand, and one by autograd
BOTH_PATHS = ("relu", "gelu")


@pytest.mark.parametrize("then", SOLVERS)
@pytest.mark.parametrize("first", SOLVERS)
def test_warm_start_can_go_on_with_another_solver(first, then):
    estimator = regressor(warm_start=True, solver=first).fit(X, t)
    loss = estimator.loss_
    estimator.set_params(solver=then, max_iter=30).fit(X, t)
    assert estimator.loss_ < loss
    fresh = regressor(warm_start=True, solver=then).fit(X, t)
    fresh.coefs_, fresh.intercepts_ = (
        regressor(solver=first).fit(X, t).coefs_,
        (regressor(solver=first).fit(X, t).intercepts_),
    )
    fresh.set_params(max_iter=30).fit(X, t)
    assert_allclose(estimator.predict(X), fresh.predict(X), rtol=1e-6, atol=1e-9)


def test_partial_fit_after_lbfgs_has_the_momentum_of_sgd():
    lbfgs = regressor(solver="lbfgs").fit(X, t)
    sgd = regressor(solver="sgd").partial_fit(X, t)
    sgd.coefs_, sgd.intercepts_ = lbfgs.coefs_, lbfgs.intercepts_
    sgd = pickle.loads(pickle.dumps(sgd)).set_params(warm_start=True, max_iter=1).fit(X, t)
    lbfgs.set_params(solver="sgd")
    lbfgs.partial_fit(X, t)
    for _ in range(2):
        assert_allclose(lbfgs.coefs_[0], sgd.coefs_[0], rtol=1e-12)
        lbfgs.partial_fit(X, t)
        sgd.partial_fit(X, t)


@pytest.mark.parametrize("make", [classifier, regressor])
def test_partial_fit_has_no_early_stopping(make):
    args = {"classes": [0, 1]} if make is classifier else {}
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        make(early_stopping=True).partial_fit(X, y, **args)


@pytest.mark.parametrize("make", [classifier, regressor])
def test_lbfgs_has_no_partial_fit(make):
    estimator = make(solver="lbfgs")
    assert not hasattr(estimator, "partial_fit")
    with pytest.raises(AttributeError, match="has no attribute 'partial_fit'") as caught:
        estimator.partial_fit(X, y)
    assert "lbfgs is not stochastic" in str(caught.value.__cause__)
    assert hasattr(estimator.set_params(solver="sgd"), "partial_fit")


# --- sample weights ------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("weights", "match"),
    [
        (np.where(ROW == 3, -1.0, 1.0), "Negative values in data passed to `sample_weight`"),
        (np.zeros(40), "Sample weights must contain at least one non-zero number"),
        (0, "Sample weights must contain at least one non-zero number"),
        (np.ones(39), r"sample_weight\.shape == \(39,\), expected \(40,\)"),
        (np.where(ROW == 3, np.nan, 1.0), "Input sample_weight contains NaN"),
        (np.where(ROW == 3, np.inf, 1.0), "Input sample_weight contains infinity"),
        (np.ones((40, 1)), "Sample weights must be 1D array or scalar"),
        (np.array(["a"] * 40), "sample_weight holds the text .* at position 0"),
    ],
    ids=["negative", "zero", "scalar zero", "length", "nan", "inf", "2-D", "text"],
)
@pytest.mark.parametrize("make", [classifier, regressor])
def test_bad_weights_are_an_error(make, weights, match, call):
    args = {"classes": [0, 1]} if make is classifier and call == "partial_fit" else {}
    estimator = make()
    before = dict(vars(estimator))
    with pytest.raises(ValueError, match=match):
        getattr(estimator, call)(X, y, sample_weight=weights, **args)
    assert vars(estimator) == before
    with pytest.raises(ValueError, match=match):
        check_weights(weights, X)


def test_equal_weights_that_would_vanish_in_float32_do_what_none_do():
    model = classifier(dtype="float32", alpha=0)
    expected = model.fit(X, y).predict_proba(X)
    assert_allclose(model.fit(X, y, np.full(40, 1e-60)).predict_proba(X), expected, rtol=1e-5)


def test_good_weights_come_back():
    assert check_weights(None, X) is None
    assert_array_equal(check_weights(2, X), np.full(40, 2.0))
    assert_array_equal(check_weights(list(range(40)), X), np.arange(40.0))


def test_rows_of_weight_zero_are_left_out():
    weights = np.where(ROW < 30, 1.0, 0.0)
    weighted = classifier().fit(X, y, weights)
    without = classifier().fit(X[:30], y[:30], weights[:30])
    assert_array_equal(weighted.coefs_[0], without.coefs_[0])


# --- parameters ----------------------------------------------------------------------------

OUT_OF_RANGE = {
    "hidden_layer_sizes": [0, -3, None, "abc", 2.5, {"a": 3}.items],
    "activation": ["rely", None, 3],
    "l1_ratio": [-0.1, 1.1, None],
    "weight_decay": [-0.1, None],
    "warmup_epochs": [-1, None],
    "max_grad_norm": [0, -1, "1"],
    "n_hidden_layers": [-1, 2.5],
    "hidden_width": [0, 2.5],
    "dropout": [-0.1, 1.0, None],
    "normalization": ["group", 1],
    "residual": [None, "yes"],
    "initializer": ["xavier", None],
    "module": ["MLP", 3],
    "scoring": [3],
    "callbacks": ["bar", 3],
    "categorical_features": ["all", 3],
    "text_features": ["all", 3],
    "pretrained": ["autoencoder", 3],
    "freeze_epochs": [-1, 2.5, None],
    "scale": ["minmax", 3],
    "compile": [None, "yes"],
    "solver": ["adamax", None],
    "alpha": [-1e-9, "0", None],
    "batch_size": [0, -1, 0.5, "all", None],
    "learning_rate": ["slow", 0.1, None],
    "learning_rate_init": [0, -0.1, "0.1", None],
    "power_t": [-0.5, None],
    "max_iter": [0, -1, 2.5, None],
    "shuffle": [None, "yes"],
    "random_state": [-1, "0", 0.5],
    "tol": [-1e-9, None, "1"],
    "checkpoint": [1, True],
    "checkpoint_every": [0, 1.5],
    "n_processes": [0, 1.5, "all"],
    "verbose": [-1, "yes", None],
    "warm_start": [None, "no"],
    "momentum": [-0.1, 1.1, None],
    "nesterovs_momentum": [None, 2.5],
    "early_stopping": [None, "auto"],
    "validation_fraction": [-0.1, 1.0, 1.5, None],
    "beta_1": [-0.1, 1.0, None],
    "beta_2": [-0.1, 1.0, None],
    "epsilon": [0, -1e-8, None],
    "n_iter_no_change": [0, -1, 2.5, -np.inf, None],
    "max_fun": [0, 1.5, None],
    "device": [None, 0],
    "dtype": ["float16", None, np.float32],
}
CLASSIFIER_ONLY = {
    "loss": ["squared_error", None],
    "label_smoothing": [-0.1, 1.0, None],
    "class_weight": ["fair", 3],
}
REGRESSOR_ONLY = {
    "loss": ["log_loss", None],
    "quantile": [0, 1.0, "median"],
    "standardize_target": [None, "yes"],
}
BAD_PARAMETERS = [
    (make, name, value)
    for make in (classifier, regressor)
    for name, values in {
        **OUT_OF_RANGE,
        **(REGRESSOR_ONLY if make is regressor else CLASSIFIER_ONLY),
    }.items()
    for value in values
]


@pytest.mark.parametrize(("make", "name", "value"), BAD_PARAMETERS)
def test_a_parameter_out_of_range_is_named(make, name, value):
    estimator = make(**{name: value})
    before = dict(vars(estimator))
    message = f"The '{name}' parameter of {type(estimator).__name__} must be"
    with pytest.raises(InvalidParameterError, match=message):
        estimator.fit(X, y)
    args = {"classes": [0, 1]} if make is classifier else {}
    if name != "solver":
        with pytest.raises(InvalidParameterError, match=message):
            estimator.partial_fit(X, y, **args)
    assert vars(estimator) == before


@pytest.mark.parametrize("make", [classifier, regressor])
def test_every_parameter_is_in_the_table_of_bad_ones(make):
    names = {name for maker, name, _ in BAD_PARAMETERS if maker is make}
    assert names == set(make().get_params())


@pytest.mark.parametrize(
    ("sizes", "match"),
    [
        ((10, -1), r"hidden_layer_sizes must be > 0, got \[10, -1\]"),
        ((10, 0), r"hidden_layer_sizes must be > 0, got \[10, 0\]"),
        (np.array([3, 0]), "hidden_layer_sizes must be > 0"),
        ((10.5,), r"hidden_layer_sizes must be whole numbers.*got 10\.5 in \(10\.5,\)"),
        ((10.0,), r"must be whole numbers.*got 10\.0"),
        (((3, 4),), r"must be whole numbers.*got \(3, 4\) in \(\(3, 4\),\)"),
        (((3, 4), 5), "hidden_layer_sizes must be whole numbers"),
        (("3",), "must be whole numbers.*got '3'"),
        ((None,), "must be whole numbers.*got None"),
        ((3, True), "must be whole numbers.*got True"),
        ([[3, 4], [5, 6]], r"must be whole numbers.*got \[3, 4\]"),
        (np.ones((2, 2), dtype=int), "must be whole numbers"),
        (np.array([2.0, 3.0]), "must be whole numbers"),
        (np.array(5), "hidden_layer_sizes"),
    ],
    ids=str,
)
def test_bad_layer_sizes_are_named(sizes, match):
    with pytest.raises(ValueError, match=match):
        check_layer_sizes(sizes)
    estimator = classifier(hidden_layer_sizes=sizes)
    before = dict(vars(estimator))
    with pytest.raises(ValueError, match=match):
        estimator.fit(X, y)
    assert all(vars(estimator)[name] is value for name, value in before.items())
    assert set(vars(estimator)) == set(before)


@pytest.mark.parametrize("sizes", [5, np.int32(5), (5,), [5], np.array([5]), range(5, 6)])
def test_good_layer_sizes_become_a_tuple(sizes):
    assert check_layer_sizes(sizes) == (5,)
    assert check_layer_sizes(()) == ()


def test_a_random_state_is_never_the_global_one():
    assert make_local_random_state(None) is not np.random.mtrand._rand
    own = np.random.RandomState(0)
    assert make_local_random_state(own) is own
    with pytest.raises(ValueError, match="cannot be used to seed"):
        make_local_random_state("seed")


@pytest.mark.parametrize("name", ["heaviside", "sign", "rely"])
def test_an_architecture_refuses_an_activation_without_gradient(name):
    with pytest.raises(ValueError, match=f"activation must be one of .*'relu'.*; got '{name}'"):
        MLP([2, 3, 1], activation=name)


# --- device --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "", "cpu:", "CUDA"])
def test_an_unknown_device_is_an_error_that_lists_known_ones(name):
    with pytest.raises(ValueError, match=f"'cpu', 'cuda', 'cuda:1' or 'mps'; got '{name}'"):
        classifier(device=name).fit(X, y)


@pytest.mark.parametrize("name", ["xpu", "meta", "hpu", "vulkan", "mtia", "xla"])
def test_a_device_that_torch_knows_but_cannot_use_here_is_an_error_that_names_it(name):
    if name == "xpu" and torch.xpu.is_available():
        pytest.skip("there is one")
    with pytest.raises(ValueError, match=f"device.*'{name}'"):
        classifier(device=name).fit(X, y)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
@pytest.mark.parametrize("name", ["cuda", "cuda:1"])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_cuda_is_an_error_where_there_is_none(name, solver):
    estimator = classifier(device=name, solver=solver)
    before = dict(vars(estimator))
    with pytest.raises(ValueError, match=f"device='{name}' was asked for, .* cannot use it here"):
        estimator.fit(X, y)
    assert vars(estimator) == before


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="there is one")
def test_mps_is_an_error_where_there_is_none():
    with pytest.raises(ValueError, match=r"device='mps' was asked for, .* cannot use it here"):
        classifier(device="mps", dtype="float32").fit(X, y)


def test_mps_has_no_float64():
    with pytest.raises(ValueError, match=r"device='mps' has no float64\. Set dtype='float32'"):
        classifier(device="mps").fit(X, y)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_number_beyond_the_last_is_an_error():
    name = f"cuda:{torch.cuda.device_count()}"
    with pytest.raises(ValueError, match=f"device='{name}' was asked for"):
        classifier(device=name).fit(X, y)


@pytest.mark.parametrize(
    ("cuda", "mps", "dtype", "chosen"),
    [
        (True, True, "float32", "cuda"),
        (True, False, "float64", "cuda"),
        (False, True, "float32", "mps"),
        (False, True, "float64", "cpu"),
        (False, False, "float32", "cpu"),
    ],
)
def test_auto_takes_the_best_device(monkeypatch, cuda, mps, dtype, chosen):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert resolve_device("auto", dtype) == chosen


# --- validation rows, batches, max_iter ----------------------------------------------------


def test_too_few_validation_rows_are_an_error():
    estimator = regressor(early_stopping=True, validation_fraction=0.02)
    with pytest.raises(
        ValueError, match=r"The validation set is too small\. Increase 'validation_f"
    ):
        estimator.fit(X, t)
    assert not hasattr(estimator, "net_")


@pytest.mark.parametrize("make", [classifier, regressor])
@pytest.mark.parametrize("fraction", [0, 0.0])
def test_early_stopping_without_validation_rows_is_an_error(make, fraction):
    with pytest.raises(ValueError, match=r"validation_fraction|test_size"):
        make(early_stopping=True, validation_fraction=fraction).fit(X, y)
    make(early_stopping=False, validation_fraction=fraction).fit(X, y)


def test_a_class_of_one_row_cannot_be_divided():
    labels = (ROW == 0).astype(int)
    with pytest.raises(ValueError, match=r"early_stopping cannot hold out .* of the rarest class"):
        classifier(early_stopping=True).fit(X, labels)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_batch_larger_than_the_data_is_cut_with_a_warning(early_stopping):
    estimator = classifier(batch_size=1000, early_stopping=early_stopping)
    with pytest.warns(UserWarning, match="larger than sample size. It is going to be clipped"):
        estimator.fit(X, y)
    n_rows = 36 if early_stopping else 40
    again = classifier(batch_size=n_rows, early_stopping=early_stopping).fit(X, y)
    assert_array_equal(estimator.coefs_[0], again.coefs_[0])


@pytest.mark.parametrize("solver", SOLVERS)
def test_max_iter_reached_is_a_convergence_warning(solver):
    match = {
        "lbfgs": "lbfgs failed to converge",
    }.get(solver, r"Stochastic Optimizer: Maximum iterations \(2\) reached")
    with pytest.warns(ConvergenceWarning, match=match):
        regressor(solver=solver, max_iter=2).fit(X, t)


# --- training that diverges ----------------------------------------------------------------

DIVERGING = {
    "solver": "sgd",
    "learning_rate_init": 1e6,
    "max_iter": 120,
    "n_iter_no_change": np.inf,
    "alpha": 1.0,  # without which the log loss grows, but stays finite
}
HUGE = 1.7e308 * (X / np.abs(X).max())


@pytest.mark.parametrize("activation", ["relu", "identity"])
@pytest.mark.parametrize("make", [classifier, regressor])
def test_training_that_diverges_is_an_error_that_names_likely_causes(make, activation):
    estimator = make(**DIVERGING, activation=activation)
    before = dict(vars(estimator))
    with pytest.raises(NonFiniteLossError) as caught:
        estimator.fit(1e3 * X, y)
    message = str(caught.value)
    assert "Solver produced non-finite parameter weights" in message  # scikit-learn's words
    for cause in ("X is not scaled", "StandardScaler", "learning_rate_init=1000000.0", "y or"):
        assert cause in message
    assert isinstance(caught.value, ValueError)
    assert vars(estimator) == before


@pytest.mark.parametrize("solver", SOLVERS)
def test_numbers_that_overflow_are_an_error(solver):
    estimator = regressor(solver=solver, standardize_target=False)
    with pytest.raises(NonFiniteLossError, match="Likely causes"):
        estimator.fit(X, 1e200 * t)
    assert not hasattr(estimator, "net_")


def test_diverging_with_early_stopping_keeps_the_best_weights():
    # The step grows with the weights: fine for some epochs, then it explodes.
    params = {
        "solver": "sgd",
        "activation": "identity",
        "momentum": 0,
        "learning_rate_init": 0.9,
        "early_stopping": True,
        "validation_fraction": 0.5,
        "n_iter_no_change": np.inf,
        "max_iter": 400,
    }
    estimator = regressor(**params, alpha=0)
    with pytest.warns(ConvergenceWarning, match=r"not finite after epoch \d+; the weights of epoc"):
        estimator.fit(3 * X, t)
    best = estimator.best_iter_
    assert 1 <= best < estimator.n_iter_
    scores = estimator.validation_scores_
    assert scores[best - 1] == max(s for s in scores if np.isfinite(s))
    assert estimator.best_validation_score_ == scores[best - 1]
    assert np.isfinite(estimator.predict(X)).all()
    short = regressor(**{**params, "max_iter": best}, alpha=0).fit(3 * X, t)
    # The shorter fit may be computed in another way, which sums in another order.
    np.testing.assert_allclose(short.coefs_[0], estimator.coefs_[0], rtol=1e-12)


def test_diverging_in_the_first_epoch_with_early_stopping_is_an_error():
    estimator = regressor(
        solver="sgd", learning_rate_init=1e300, early_stopping=True, validation_fraction=0.3
    )
    with pytest.raises(NonFiniteLossError, match="Likely causes"):
        estimator.fit(1e200 * X, t)
    assert not hasattr(estimator, "net_")


# --- after an error everything is as before ------------------------------------------------


def _state(estimator):
    net = estimator.net_
    optimizer = net.optimizer_.state_dict()
    return {
        "weights": [p.detach().clone() for p in net.module_.parameters()],
        "momentum": [
            value.clone()
            for state in optimizer["state"].values()
            for value in state.values()
            if isinstance(value, torch.Tensor)
        ],
        "rate": optimizer["param_groups"][0]["lr"],
        "history": len(net.history),
        "curve": list(estimator.loss_curve_),
        "scores": estimator.validation_scores_ and list(estimator.validation_scores_),
    }


def _params(estimator):
    return set(estimator.get_params())


def _fitted(estimator):
    return {k: v for k, v in vars(estimator).items() if k not in _params(estimator)}


FAILURES = {
    "infinity in X": lambda model: model.fit(with_one(np.inf, X), y),
    "y of wrong length": lambda model: model.fit(X, y[:-1]),
    "bad weights": lambda model: model.fit(X, y, -np.ones(40)),
    "bad parameter": lambda model: model.set_params(alpha=-1).fit(X, y),
    "bad device": lambda model: model.set_params(device="abc").fit(X, y),
    "too few validation rows": lambda model: model.set_params(
        early_stopping=True, validation_fraction=0.01
    ).fit(X, y),
    "diverging fit": lambda model: model.set_params(**DIVERGING).fit(1e3 * X, y),
    "diverging warm fit": lambda model: model.set_params(**DIVERGING, warm_start=True).fit(
        1e3 * X, y
    ),
    "warm fit that overflows": lambda model: model.set_params(warm_start=True).fit(HUGE, y),
    "warm fit with too few validation rows": lambda model: model.set_params(
        early_stopping=True, validation_fraction=0.01, warm_start=True
    ).fit(X, y),
    "warm fit of other shape": lambda model: model.set_params(
        hidden_layer_sizes=(9,), warm_start=True
    ).fit(X, y),
    "partial_fit: infinity in X": lambda model: model.partial_fit(with_one(np.inf, X), y),
    "partial_fit: bad weights": lambda model: model.partial_fit(X, y, np.zeros(40)),
    "partial_fit that overflows": lambda model: model.partial_fit(HUGE, y),
}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("activation", BOTH_PATHS)
@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("make", [classifier, regressor])
def test_after_an_error_the_fitted_estimator_is_as_before(make, solver, activation, failure):
    target = y if make is classifier else t
    estimator = make(solver=solver, activation=activation).fit(X, target)
    twin = make(solver=solver, activation=activation).fit(X, target)
    params, fitted, state = estimator.get_params(), _fitted(estimator), _state(estimator)
    prediction = estimator.predict(X)
    with pytest.raises(ValueError, match=r"\w"):
        FAILURES[failure](estimator)
    estimator.set_params(**params)
    after = _fitted(estimator)
    assert set(after) == set(fitted)
    assert [k for k, v in fitted.items() if after[k] is not v] == []
    assert_array_equal(estimator.predict(X), prediction)
    for name, value in _state(estimator).items():
        if isinstance(value, list) and value and isinstance(value[0], torch.Tensor):
            assert all(map(torch.equal, value, state[name])), name
        else:
            assert value == state[name], name
    estimator.partial_fit(X, target)
    assert_array_equal(estimator.coefs_[0], twin.partial_fit(X, target).coefs_[0])


@pytest.mark.parametrize("early_stopping", [False, True])
def test_after_an_error_the_net_holds_no_data(early_stopping):
    big = np.random.default_rng(0).normal(size=(2000, 3))
    estimator = regressor(warm_start=True).fit(big, big[:, 0])
    size = len(pickle.dumps(estimator))
    estimator.set_params(early_stopping=early_stopping)
    with pytest.raises(NonFiniteLossError, match="Likely causes"):
        estimator.fit(1e200 * big, big[:, 0])
    assert len(pickle.dumps(estimator)) < size + 2000


@pytest.mark.parametrize("then", ["adam", "sgd"])
def test_after_a_failing_change_of_solver_the_old_one_goes_on(then):
    first = {"adam": "sgd", "sgd": "adam"}[then]
    estimator, twin = (regressor(solver=first, warm_start=True).fit(X, t) for _ in range(2))
    estimator.set_params(solver=then)
    with pytest.raises(NonFiniteLossError, match="Likely causes"):
        estimator.fit(1e200 * X, t)
    estimator.set_params(solver=first)
    for _ in range(2):
        estimator.partial_fit(X, t)
        twin.partial_fit(X, t)
        assert_array_equal(estimator.coefs_[0], twin.coefs_[0])


# --- Ctrl-C --------------------------------------------------------------------------------


def interrupt_after(monkeypatch, n_steps):
    seen = []

    def interrupted(step):
        def wrapped(*args, **params):
            if len(seen) == n_steps:
                raise KeyboardInterrupt
            seen.append(1)
            return step(*args, **params)

        return wrapped

    monkeypatch.setattr(MLPPass, "run", interrupted(MLPPass.run))
    monkeypatch.setattr(Net, "train_step", interrupted(Net.train_step))


def interrupt_lbfgs_after(monkeypatch, n_calls):
    call, seen = HandwrittenObjective.__call__, []

    def evaluate(objective, vector):
        if len(seen) == n_calls:
            raise KeyboardInterrupt
        seen.append(1)
        return call(objective, vector)

    monkeypatch.setattr(HandwrittenObjective, "__call__", evaluate)


def assert_whole(estimator, n_epochs):
    assert estimator.n_iter_ == n_epochs
    assert len(estimator.loss_curve_) == n_epochs
    history = estimator.net_.history
    assert len(history) == n_epochs
    assert all("train_loss" in row for row in history)
    if n_epochs:
        assert_allclose(history[:, "train_loss"], estimator.loss_curve_, rtol=1e-12)
    assert np.isfinite(estimator.predict(X)).all()
    pickle.loads(pickle.dumps(estimator)).predict(X)


@pytest.mark.parametrize("n_epochs", [0, 1, 5])
@pytest.mark.parametrize("extra", [0, 2])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("activation", BOTH_PATHS)
def test_an_interrupt_keeps_the_epochs_that_were_done(
    monkeypatch, activation, solver, n_epochs, extra
):
    interrupt_after(monkeypatch, 4 * n_epochs + extra)  # 4 batches an epoch
    params = {"solver": solver, "activation": activation, "batch_size": 10}
    estimator = regressor(**params, max_iter=30)
    with pytest.warns(UserWarning, match=r"Training interrupted by user\."):
        estimator.fit(X, t)
    assert_whole(estimator, n_epochs)
    assert estimator.t_ == 40 * n_epochs
    assert estimator.best_iter_ == n_epochs
    monkeypatch.undo()
    if extra == 0 and n_epochs:
        same = regressor(**params, max_iter=n_epochs).fit(X, t)
        assert_array_equal(estimator.coefs_[0], same.coefs_[0])
    estimator.set_params(warm_start=True).fit(X, t)
    assert len(estimator.net_.history) == len(estimator.loss_curve_) == 30  # goes on


@pytest.mark.parametrize("activation", BOTH_PATHS)
def test_an_interrupt_goes_back_to_the_best_weights_with_early_stopping(monkeypatch, activation):
    interrupt_after(monkeypatch, 18)
    params = {"batch_size": 10, "early_stopping": True, "activation": activation}
    estimator = classifier(**params, max_iter=30)  # 36 rows: 4 batches
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        estimator.fit(X, y)
    assert_whole(estimator, 4)
    assert len(estimator.validation_scores_) == 4
    monkeypatch.undo()
    best = estimator.best_iter_
    same = classifier(**params, max_iter=best).fit(X, y)
    assert_array_equal(estimator.coefs_[0], same.coefs_[0])


class InterruptedScore:
    """A score that is interrupted in the third epoch; it is asked twice in each."""

    def __init__(self):
        self.n_calls = 0

    def __call__(self, estimator, X, y):
        self.n_calls += 1
        if self.n_calls == 5:
            raise KeyboardInterrupt
        return -np.abs(estimator.predict(X) - y).mean()


def test_an_interrupt_while_scoring_leaves_the_history_as_long_as_the_curves():
    estimator = regressor(max_iter=30, early_stopping=True, scoring=InterruptedScore())
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        estimator.fit(X, t)
    assert_whole(estimator, 2)
    assert all("valid_score" in row for row in estimator.net_.history)


@pytest.mark.parametrize("n_calls", [0, 1, 7])
def test_an_interrupt_of_lbfgs_keeps_the_last_iteration(monkeypatch, n_calls):
    interrupt_lbfgs_after(monkeypatch, n_calls)
    estimator = regressor(solver="lbfgs", max_iter=50)
    with pytest.warns(UserWarning, match=r"Training interrupted by user\."):
        estimator.fit(X, t)
    n_epochs = estimator.n_iter_
    assert_whole(estimator, n_epochs)
    assert (n_epochs > 0) == (n_calls > 1)
    monkeypatch.undo()
    if n_epochs:
        same = regressor(solver="lbfgs", max_iter=n_epochs).fit(X, t)
        assert_array_equal(estimator.coefs_[0], same.coefs_[0])
        assert estimator.loss_ == same.loss_
        assert estimator.best_iter_ == same.best_iter_ == n_epochs
        assert estimator.best_loss_ == same.best_loss_


@pytest.mark.parametrize("activation", BOTH_PATHS)
def test_an_interrupted_partial_fit_leaves_a_usable_model(monkeypatch, activation):
    estimator = regressor(batch_size=10, activation=activation).fit(X, t)
    interrupt_after(monkeypatch, 2)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        estimator.partial_fit(X, t)
    assert len(estimator.net_.history) == len(estimator.loss_curve_) == 3
    monkeypatch.undo()
    estimator.partial_fit(X, t)
    assert len(estimator.net_.history) == len(estimator.loss_curve_) == 4


# --- setting weights -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arrays", "match"),
    [
        ("coefs_", [np.ones((3, 4))], "expected 2 arrays, one a layer; got 1"),
        ("coefs_", [np.ones((3, 4))] * 3, "expected 2 arrays, one a layer; got 3"),
        ("coefs_", [], "expected 2 arrays, one a layer; got 0"),
        (
            "coefs_",
            [np.ones((4, 3)), np.ones((4, 1))],
            r"array for layer 0 must have shape \(3, 4\); got \(4, 3\)",
        ),
        (
            "coefs_",
            [np.ones((3, 4)), np.ones(4)],
            r"array for layer 1 must have shape \(4, 1\); got \(4,\)",
        ),
        (
            "intercepts_",
            [np.ones(3), np.ones(1)],
            r"array for layer 0 must have shape \(4,\); got \(3,\)",
        ),
        ("intercepts_", [np.ones(4), 1.0], r"layer 1 must have shape \(1,\); got \(\)"),
    ],
)
def test_weights_of_wrong_shape_are_refused_and_change_nothing(name, arrays, match):
    estimator = classifier().fit(X, y)
    before = [a.copy() for a in estimator.coefs_ + estimator.intercepts_]
    with pytest.raises(ValueError, match=match):
        setattr(estimator, name, arrays)
    for mine, old in zip(estimator.coefs_ + estimator.intercepts_, before, strict=True):
        assert_array_equal(mine, old)


def test_one_layer_of_wrong_shape_is_refused():
    estimator = classifier().fit(X, y)
    with pytest.raises(ValueError, match=r"layer 1 must have shape \(4, 1\); got \(1, 4\)"):
        estimator.coefs_[1] = np.ones((1, 4))
    with pytest.raises(IndexError, match="out of range"):
        estimator.coefs_[2] = np.ones((1, 4))

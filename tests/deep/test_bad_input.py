"""Every error and warning, and the estimator as it was before after each of them."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from sknn._validation import check_weights
from tests.deep.quick import PLACES, SOLVERS, X, Y, classifier, regressor, t, with_one, y

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# --- arguments -----------------------------------------------------------------------------

BAD_X = {
    "inf": (with_one(np.inf, X), "Input X contains infinity"),
    "minus inf": (with_one(-np.inf, X), "Input X contains infinity"),
    "sparse nan": (sparse.csr_matrix(with_one(np.nan, X)), "Input X contains NaN"),
    "no samples": (X[:0], r"Found array with 0 sample\(s\)"),
    "no columns": (X[:, :0], r"Found array with 0 feature\(s\)"),
    "1-D": (X[:, 0], "Expected 2D array, got 1D array instead"),
    "3-D": (X[:, :, None], "dim 3"),
    "complex": (with_one(1j, X), "Complex data not supported"),
    "text": (np.full(X.shape, "a"), "Column 0 .* text .*'a'"),
    "None": (None, "Expected 2D array, got scalar array instead"),
    "ragged": ([[1, 2], [3]], "inhomogeneous|setting an array element"),
}
BAD_LABELS = {
    "None": (None, "requires y to be passed, but the target y is None"),
    "continuous": (t, "Unknown label type: continuous"),
    "multioutput": (
        np.c_[y + 1, 2 * y],
        "Multioutput target data is not supported|Unknown label type|multiclass-multioutput",
    ),
    "length": (y[:-1], r"inconsistent numbers of samples: \[40, 39\]"),
    "nan": (np.where(y, np.nan, 1.0), "Input y contains NaN"),
    "inf": (np.where(y, np.inf, 1.0), "Input y contains infinity"),
    "object None": (
        np.array([None, 1] * 20, dtype=object),
        "y holds None in sample 0, which is no label",
    ),
    "3-D": (np.zeros((40, 2, 2)), "dim 3"),
}
BAD_NUMBERS = {
    "None": (None, "requires y to be passed, but the target y is None"),
    "length": (t[:-1], r"inconsistent numbers of samples: \[40, 39\]"),
    "nan": (np.where(y, np.nan, t), "Input y contains NaN"),
    "inf": (np.where(y, np.inf, t), "Input y contains infinity"),
    "complex": (t + 1j, "Complex data not supported"),
    "text": (np.array(["a"] * 40), "y holds the text 'a' in sample 0"),
    "3-D": (np.zeros((40, 2, 2)), "dim 3"),
    "no columns": (np.zeros((40, 0)), r"0 feature\(s\)"),
}
BAD_WEIGHTS = {
    "negative": (
        np.where(PLACES == 3, -1.0, 1.0),
        "Negative values in data passed to `sample_weight`",
    ),
    "zero": (np.zeros(40), "Sample weights must contain at least one non-zero number"),
    "scalar zero": (0, "Sample weights must contain at least one non-zero number"),
    "length": (np.ones(39), r"sample_weight\.shape == \(39,\), expected \(40,\)"),
    "nan": (np.where(PLACES == 3, np.nan, 1.0), "Input sample_weight contains NaN"),
    "inf": (np.where(PLACES == 3, np.inf, 1.0), "Input sample_weight contains infinity"),
    "2-D": (np.ones((40, 1)), "Sample weights must be 1D array or scalar"),
    "text": (np.array(["a"] * 40), "sample_weight holds the text .* at position 0"),
}
BAD_ARGUMENTS = [
    pytest.param(make, argument, bad, match, id=f"{make.func.__name__}-{argument}-{case}")
    for make, cases_of_y in ((classifier, BAD_LABELS), (regressor, BAD_NUMBERS))
    for argument, cases in (("X", BAD_X), ("y", cases_of_y), ("sample_weight", BAD_WEIGHTS))
    for case, (bad, match) in cases.items()
]


@pytest.mark.parametrize("call", ["fit", "partial_fit"])
@pytest.mark.parametrize(("make", "argument", "bad", "match"), BAD_ARGUMENTS)
def test_a_bad_argument_is_refused_and_changes_nothing(make, argument, bad, match, call):
    n_samples = len(bad) if argument == "X" and isinstance(bad, list | np.ndarray) else 40
    arguments = {"X": X, "y": (y if make is classifier else t)[:n_samples], argument: bad}
    if make is classifier and call == "partial_fit":
        arguments["classes"] = [0, 1, 2]
    estimator = make()
    before = dict(vars(estimator))
    with pytest.raises(ValueError, match=match):
        getattr(estimator, call)(**arguments)
    assert vars(estimator) == before


@pytest.mark.parametrize("case", BAD_WEIGHTS)
def test_bad_weights_do_not_pass_the_check(case):
    weights, match = BAD_WEIGHTS[case]
    with pytest.raises(ValueError, match=match):
        check_weights(weights, X)


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


def test_equal_weights_that_would_vanish_in_float32_do_what_none_do():
    model = classifier(dtype="float32", alpha=0)
    expected = model.fit(X, y).predict_proba(X)
    assert_allclose(model.fit(X, y, np.full(40, 1e-60)).predict_proba(X), expected, rtol=1e-5)


def test_good_weights_come_back():
    assert check_weights(None, X) is None
    assert_array_equal(check_weights(2, X), np.full(40, 2.0))
    assert_array_equal(check_weights(list(range(40)), X), np.arange(40.0))


def test_samples_of_weight_zero_are_left_out():
    weights = np.where(PLACES < 30, 1.0, 0.0)
    weighted = classifier().fit(X, y, weights)
    without = classifier().fit(X[:30], y[:30], weights[:30])
    assert_array_equal(weighted.coefs_[0], without.coefs_[0])


# --- validation samples, batches, max_iter ----------------------------------------------------


def test_too_few_validation_samples_are_an_error():
    estimator = regressor(early_stopping=True, validation_fraction=0.02)
    with pytest.raises(
        ValueError, match=r"The validation set is too small\. Increase 'validation_f"
    ):
        estimator.fit(X, t)
    assert not hasattr(estimator, "net_")


@pytest.mark.parametrize("make", [classifier, regressor])
@pytest.mark.parametrize("fraction", [0, 0.0])
def test_early_stopping_without_validation_samples_is_an_error(make, fraction):
    with pytest.raises(ValueError, match=r"validation_fraction|test_size"):
        make(early_stopping=True, validation_fraction=fraction).fit(X, y)
    make(early_stopping=False, validation_fraction=fraction).fit(X, y)


def test_a_class_of_one_sample_cannot_be_divided():
    labels = (PLACES == 0).astype(int)
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


# --- setting weights -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arrays", "match"),
    [
        ("coefs_", [np.ones((3, 4))], "Expected 2 arrays, one for each layer; got 1"),
        ("coefs_", [np.ones((3, 4))] * 3, "Expected 2 arrays, one for each layer; got 3"),
        ("coefs_", [], "Expected 2 arrays, one for each layer; got 0"),
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

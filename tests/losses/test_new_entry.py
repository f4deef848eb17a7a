"""A loss is one entry: it is given as an argument, and everything else follows from it."""

import ast
import math
import pickle
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV

import sknn
from sknn import DeepMLPClassifier, DeepMLPRegressor
from sknn.losses import (
    CLASS_LOSSES,
    VALUE_LOSSES,
    ClassLoss,
    LossFunction,
    NumberIn,
    Setting,
    ValueLoss,
)
from sknn.model_selection import BatchedGridSearchCV

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ROOT = Path(sknn.__file__).parent
X, Y = load_diabetes(return_X_y=True)
X, Y = 20 * X[:120], Y[:120]


def log_cosh_value(xp, z, y, *, width):
    # log cosh(e) = e + softplus(-2 e) - log 2
    error = (z - y) / width
    return xp.sum(error + xp.softplus(-2 * error) - math.log(2), axis=-2)


def log_cosh_gradient(xp, z, y, out, *, width):
    xp.subtract(z, y, out=out)
    out *= 2 / width
    xp.sigmoid(out, out=out)
    out *= 2 / width
    out -= 1 / width


LOG_COSH = ValueLoss(
    "log_cosh",
    LossFunction(log_cosh_value, log_cosh_gradient),
    settings={"width": Setting(1.0, NumberIn(0), "a number > 0")},
)


def brier_value(xp, z, y):
    return xp.sum(xp.square(xp.softmax(z, axis=-2) - y), axis=-2)


def brier_gradient(xp, z, y, out):
    p = xp.softmax(z, axis=-2)
    slope = 2 * (p - y)
    xp.multiply(p, slope - xp.sum(p * slope, axis=-2, keepdims=True), out=out)


BRIER = ClassLoss("brier", LossFunction(brier_value, brier_gradient), None)


regressor = partial(DeepMLPRegressor, LOG_COSH, (8,), max_iter=20, random_state=0)


def test_a_new_loss_fits_and_predicts_in_the_units_of_y():
    model = regressor(learning_rate_init=0.02, loss__width=0.5).fit(X, Y)
    assert model.score(X, Y) > 0.4
    assert model.out_activation_ == "identity"
    assert model.loss_curve_[-1] < 0.5 * model.loss_curve_[0]
    # After the last epoch the loss is that of the formula.
    error = (model.predict(X) - Y) / model.target_scale_ / 0.5
    again = regressor(loss__width=0.5, warm_start=True).fit(X, Y)
    assert np.isfinite(again.loss_)
    assert np.mean(np.log(np.cosh(error))) < model.loss_curve_[0]


@pytest.mark.parametrize("options", [{}, {"dropout": 1e-12}, {"solver": "lbfgs"}])
def test_a_new_loss_trains_by_hand_by_autograd_and_by_lbfgs(options):
    model = regressor(**options).fit(X, Y)
    if not options:
        other = regressor(dropout=1e-12).fit(X, Y)  # autograd; drops no unit
        np.testing.assert_allclose(model.predict(X), other.predict(X), rtol=1e-4)
    assert model.loss_ < model.loss_curve_[0] or options.get("solver")


def test_a_new_loss_is_batched_in_searches():
    grid = {"alpha": [0.0, 0.1], "loss__width": [0.5, 1.0]}
    one = GridSearchCV(regressor(), grid, cv=3).fit(X, Y)
    many = BatchedGridSearchCV(regressor(), grid, cv=3).fit(X, Y)
    np.testing.assert_allclose(
        many.cv_results_["mean_test_score"], one.cv_results_["mean_test_score"], rtol=1e-6
    )


def test_a_new_loss_is_saved_and_cloned():
    model = regressor().fit(X, Y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    again.set_params(warm_start=True).fit(X, Y)
    np.testing.assert_array_equal(clone(model).fit(X, Y).predict(X), model.predict(X))


def test_settings_of_a_new_loss_are_checked():
    with pytest.raises(ValueError, match=r"'width' of loss 'log_cosh' must be a number > 0"):
        regressor(loss__width=-1).fit(X, Y)


def test_a_new_loss_of_classes_fits_and_predicts():
    iris_X, iris_y = load_iris(return_X_y=True)
    model = DeepMLPClassifier((8,), loss=BRIER, learning_rate_init=0.05, random_state=0)
    assert model.fit(iris_X, iris_y).score(iris_X, iris_y) > 0.9
    np.testing.assert_allclose(model.predict_proba(iris_X).sum(axis=1), 1)


def test_a_loss_of_several_classes_is_not_one_of_labels():
    with pytest.raises(ValueError, match="loss 'brier' has no formula for two classes"):
        DeepMLPClassifier((8,), loss=BRIER).fit(X, Y > 100)


def test_an_entry_of_the_other_task_is_an_error():
    with pytest.raises(ValueError, match="'loss' parameter of DeepMLPClassifier"):
        DeepMLPClassifier(loss=LOG_COSH).fit(X, Y > 100)


# --- places --------------------------------------------------------------------------------

#: names that are no words for anything else, and no defaults
NAMES = {"absolute_error", "huber", "poisson", "gaussian_nll", "focal", "hinge"}


def constants_of(node):
    return {n.value for n in ast.walk(node) if isinstance(n, ast.Constant)}


TREES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(ROOT.rglob("*.py"))
}


#: numbers of the losses whose steps may be compiled, and other libraries' words for losses
BESIDE = {"engine/compiled/_codes.py", "_suggestions.py"}


def test_code_names_a_loss_in_its_entry_and_in_tables_that_may_lack_it_alone():
    places = {
        name: {p for p, tree in TREES.items() if name in constants_of(tree)} - BESIDE
        for name in NAMES
    }
    homes = {name: {"losses/_values.py"} for name in NAMES & set(VALUE_LOSSES)}
    homes |= {name: {"losses/_classes.py"} for name in NAMES & set(CLASS_LOSSES)}
    assert places == homes


def test_nobody_asks_for_the_name_of_a_loss():
    names = {*VALUE_LOSSES, *CLASS_LOSSES}
    asked = [
        f"{path}:{node.lineno}: {ast.unparse(node)}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        and "loss" in ast.unparse(node.left)
        and constants_of(node) & names
    ]
    assert asked == []

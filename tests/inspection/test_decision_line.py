import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.datasets import load_iris

from sknn import PerceptronClassifier
from sknn.inspection import DecisionLineDisplay

iris = load_iris(as_frame=True)
FRAME, y = iris.data[["petal length (cm)", "petal width (cm)"]], iris.target_names[iris.target]
ONLINE = {"update": "online", "max_iter": 5, "tol": None, "random_state": 0}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_lines_are_where_the_margin_is_0():
    model = PerceptronClassifier(**ONLINE, record_weights="update").fit(FRAME, y == "setosa")
    display = DecisionLineDisplay.from_estimator(model, FRAME, y)
    display.figure_.canvas.draw()
    assert len(display.lines_) == 1
    for line in display.lines_[0]:
        points = np.array([line.get_xy1(), line.get_xy2()])
        assert not np.allclose(*points)
    last = np.array([display.lines_[0][-1].get_xy1(), display.lines_[0][-1].get_xy2()])
    margins = last @ model.coef_[0] + model.intercept_[0]
    np.testing.assert_allclose(margins, 0, atol=1e-9 * np.abs(model.coef_).max())
    opacity = [line.get_alpha() for line in display.lines_[0]]
    assert opacity == sorted(opacity)
    assert display.feature_names == list(FRAME.columns)


def test_there_are_the_first_the_last_and_some_lines_between():
    model = PerceptronClassifier(**ONLINE, record_weights="update").fit(FRAME, y)
    display = DecisionLineDisplay.from_estimator(model, FRAME, y, max_lines=5)
    assert len(display.coefs) == 5
    np.testing.assert_array_equal(display.coefs[0], 0)
    np.testing.assert_array_equal(display.coefs[-1], model.history_["coef"][-1])
    assert [len(lines) for lines in display.lines_] == [4, 4, 4]  # weights of 0 draw none
    assert display.unit_names == [f"fires for {label}" for label in model.classes_]
    assert display.names[-1] == f"after {len(model.history_['coef']) - 1} steps"


def test_a_classifier_without_history_has_one_line_a_unit():
    model = PerceptronClassifier().fit(FRAME, y)
    display = DecisionLineDisplay.from_estimator(model, FRAME)
    assert [len(lines) for lines in display.lines_] == [1, 1, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[[1.0]]], [[0.0]], FRAME), "n_lines, n_units, 2"),
        (([[[1.0, 2.0]]], [0.0], FRAME), "intercepts"),
        (([[[1.0, 2.0]]], [[0.0]], FRAME, [1, 2]), "a class for each sample"),
        (([[[1.0, 2.0]]], [[0.0]], [1.0, 2.0]), "n_samples, 2"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        DecisionLineDisplay(*arguments)
    assert plt.get_fignums() == []


def test_more_than_two_features_are_refused():
    with pytest.raises(ValueError, match="fitted on two features; got PerceptronClassifier"):
        DecisionLineDisplay.from_estimator(PerceptronClassifier().fit(iris.data, y), iris.data)

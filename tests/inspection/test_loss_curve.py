"""The curves drawn are the curves that estimators keep."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import (
    DeepMLPClassifier,
    DeepMLPRegressor,
    TabularMLPClassifier,
    TabularMLPRegressor,
)
from sknn.inspection import LossCurveDisplay

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
HISTORY = {
    "loss": [3.0, 2.0, 1.0],
    "validation_loss": [3.5, 2.5, 2.75],
    "score": [0.5, 0.6, 0.7],
    "validation_score": [0.4, 0.6, 0.5],
    "time": [0.1, 0.1, 0.1],
}


def _data(line):
    return np.asarray(line.get_xdata()).tolist(), np.asarray(line.get_ydata()).tolist()


@pytest.mark.parametrize("name", ["DeepMLPClassifier", "MLPClassifier"])
def test_lines_are_the_curves_kept(name, networks):
    network = networks[name]
    display = LossCurveDisplay.from_estimator(network, quantity="both")
    epochs = list(range(1, len(network.loss_curve_) + 1))
    drawn = [_data(line) for line in display.lines_]
    if name == "DeepMLPClassifier":
        keys = ("loss", "validation_loss", "score", "validation_score")
        assert drawn == [(epochs, network.history_[key]) for key in keys]
    else:
        assert drawn == [(epochs, network.loss_curve_), (epochs, network.validation_scores_)]
    assert [axis.get_xlabel() for axis in display.axes_] == ["epoch", "epoch"]
    assert [axis.get_ylabel() for axis in display.axes_] == ["loss", "accuracy"]


@pytest.mark.parametrize(("n_networks", "is_beside"), [(3, False), (4, True)])
def test_a_long_legend_stands_beside_its_panel(n_networks, is_beside):
    display = LossCurveDisplay({f"network {i}": HISTORY for i in range(n_networks)}).plot()
    display.figure_.canvas.draw()
    legend = display.ax_.get_legend().get_window_extent()
    assert (legend.x0 >= display.ax_.get_window_extent().x1) == is_beside


def test_errors_of_a_perceptron_are_drawn_as_such(networks):
    perceptron = networks["PerceptronClassifier"]
    display = LossCurveDisplay.from_estimator(perceptron)
    assert _data(display.lines_[0])[1] == perceptron.errors_curve_
    assert display.ax_.get_ylabel() == "misclassified training samples (weight)"


def test_a_history_comes_before_other_curves():
    network = SimpleNamespace(history_=HISTORY, loss_curve_=[9.0], n_iter_=3, best_iter_=2)
    display = LossCurveDisplay.from_estimator(network, quantity="both")
    drawn = [_data(line)[1] for line in display.lines_]
    assert drawn == [
        HISTORY[key] for key in ("loss", "validation_loss", "score", "validation_score")
    ]
    assert [_data(point) for point in display.best_points_] == [([2], [2.5]), ([2], [0.6])]


def test_best_epoch_is_the_one_kept(networks):
    for name in ("DeepMLPClassifier", "MLPClassifier"):
        network = networks[name]
        display = LossCurveDisplay.from_estimator(network, quantity="score")
        (point,) = display.best_points_
        best = int(np.argmax(network.validation_scores_))
        assert _data(point) == ([best + 1], [network.validation_scores_[best]])
        assert f"best epoch ({best + 1})" in _legend(display.ax_)


def test_best_epoch_counts_over_warm_starts(digits):
    mlp = DeepMLPClassifier(
        (20,), max_iter=4, early_stopping=True, warm_start=True, random_state=0, device="cpu"
    )
    mlp.fit(*digits).fit(*digits)
    assert len(mlp.loss_curve_) == 8
    assert mlp.best_iter_ > 0
    display = LossCurveDisplay.from_estimator(mlp, quantity="score")
    assert _data(display.best_points_[0])[0] == [4 + mlp.best_iter_]


def test_nothing_is_marked_without_validation_samples(digits):
    mlp = DeepMLPClassifier((5,), max_iter=3, random_state=0, device="cpu").fit(*digits)
    assert LossCurveDisplay.from_estimator(mlp).best_points_ == []


def test_nothing_is_marked_where_validation_samples_are_only_looked_at(digits):
    X, y = digits
    mlp = DeepMLPClassifier((5,), max_iter=3, random_state=0, device="cpu")
    mlp.fit(X[:400], y[:400], X_val=X[400:], y_val=y[400:])
    display = LossCurveDisplay.from_estimator(mlp, quantity="both")
    assert len(display.lines_) == 4
    assert display.best_points_ == []
    mlp.set_params(early_stopping=True).fit(X[:400], y[:400], X_val=X[400:], y_val=y[400:])
    assert len(LossCurveDisplay.from_estimator(mlp, quantity="both").best_points_) == 2


def test_pipelines_and_searches_are_looked_into(digits):
    mlp = DeepMLPClassifier((5,), max_iter=3, random_state=0, device="cpu")
    search = GridSearchCV(make_pipeline(StandardScaler(), mlp), {}, cv=2).fit(*digits)
    display = LossCurveDisplay.from_estimator(search)
    assert _data(display.lines_[0])[1] == search.best_estimator_[-1].loss_curve_


def my_score(estimator, X, y):
    return float(np.mean(estimator.predict(X) == y))


@pytest.mark.parametrize(
    ("cls", "params", "label"),
    [
        (DeepMLPClassifier, {}, "accuracy"),
        (DeepMLPClassifier, {"scoring": "neg_log_loss"}, "neg log loss"),
        (DeepMLPClassifier, {"scoring": "loss"}, "minus the loss"),
        (DeepMLPClassifier, {"scoring": my_score}, "my_score"),
        (DeepMLPRegressor, {}, "R²"),
        (DeepMLPRegressor, {"loss": "huber"}, "R²"),
        (DeepMLPRegressor, {"loss": "quantile"}, "D²"),
        (DeepMLPRegressor, {"loss": "gaussian_nll"}, "minus the loss"),
    ],
)
def test_score_is_named(digits, cls, params, label):
    model = cls(hidden_layer_sizes=(5,), max_iter=2, early_stopping=True, random_state=0, **params)
    display = LossCurveDisplay.from_estimator(model.fit(*digits), quantity="score")
    assert display.ax_.get_ylabel() == label


@pytest.mark.parametrize("cls", [TabularMLPClassifier, TabularMLPRegressor])
def test_score_of_an_ensemble_for_tables_is_minus_the_loss(cls):
    X = np.linspace(0, 1, 90)[:, None]
    model = cls(n_members=2, hidden_width=4, max_iter=2, random_state=0).fit(X, np.arange(90) % 3)
    display = LossCurveDisplay.from_estimator(model, quantity="score")
    assert display.ax_.get_ylabel() == "minus the loss"


def _legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_several_networks_have_a_color_each_and_their_names_in_the_legend(networks):
    display = LossCurveDisplay.from_estimators(networks)
    names = _legend(display.ax_)
    assert [name for name in names if "best" not in name and "valid" not in name] == list(networks)
    assert len({line.get_color() for line in display.lines_}) == 3
    assert display.ax_.get_ylabel() == "loss"  # they keep different things


def test_drawing_on_the_axes_of_another_display_goes_on_with_its_colors(networks):
    one = LossCurveDisplay.from_estimator(networks["DeepMLPClassifier"], name="ours")
    two = LossCurveDisplay.from_estimator(networks["MLPClassifier"], name="theirs", ax=one.ax_)
    assert two.ax_ is one.ax_
    assert one.lines_[0].get_color() != two.lines_[0].get_color()
    assert {"ours", "theirs"} <= set(_legend(one.ax_))


def test_more_networks_than_colors_differ_by_their_dashes():
    display = LossCurveDisplay({str(i): {"loss": [1.0, i]} for i in range(12)}).plot()
    looks = {(line.get_color(), str(line._dash_pattern)) for line in display.lines_}
    assert len(looks) == 12


def test_training_and_validation_of_a_network_share_their_color():
    display = LossCurveDisplay({"net": HISTORY}).plot()
    training, validation = display.lines_
    assert training.get_color() == validation.get_color()
    assert (training.get_linestyle(), validation.get_linestyle()) == ("-", "--")
    assert _legend(display.ax_) == ["net", "net, validation"]


def test_two_axes_may_be_given_for_both_quantities():
    _, axes = plt.subplots(2, 1)
    display = LossCurveDisplay({"": HISTORY}).plot(axes, quantity="both")
    assert list(display.axes_) == list(axes)


def test_arguments_for_lines_are_passed_on():
    display = LossCurveDisplay({"": HISTORY}).plot(line_kw={"linewidth": 7})
    assert [line.get_linewidth() for line in display.lines_] == [7, 7]


@pytest.mark.parametrize(
    ("histories", "options", "message"),
    [
        ({}, {}, "no histories to draw"),
        ({"a": {"time": [1.0]}}, {}, "history of 'a' has none of the curves"),
        ({"a": {"loss": [1.0], "score": [1.0, 2.0]}}, {}, r"one entry an epoch each.*'score': 2"),
        ({"a": HISTORY}, {"best_iters": {"a": 4}}, "'a' must be from 1 to 3, got 4"),
    ],
)
def test_wrong_data_are_refused(histories, options, message):
    with pytest.raises(ValueError, match=message):
        LossCurveDisplay(histories, **options)


@pytest.mark.parametrize(
    ("quantity", "message"),
    [("error", "quantity must be one of"), ("score", "no curve of the score.*early_stopping=True")],
)
def test_a_quantity_that_is_not_there_is_refused(quantity, message):
    with pytest.raises(ValueError, match=message):
        LossCurveDisplay({"": {"loss": [1.0]}}).plot(quantity=quantity)
    assert plt.get_fignums() == []

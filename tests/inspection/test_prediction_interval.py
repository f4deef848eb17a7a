"""Prediction intervals drawn: what is inside, what is outside, and the shares."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import DeepMLPRegressor
from sknn.inspection import PredictionIntervalDisplay

Y = np.array([1.0, 5.0, 3.0, 9.0])
INTERVALS = np.array([[0.0, 2.0], [0.0, 4.0], [3.0, 3.0], [8.0, 10.0]])


def test_values_inside_and_outside_are_drawn_apart_sorted_by_the_middle():
    display = PredictionIntervalDisplay.from_predictions(Y, INTERVALS, coverage=0.9)
    assert display.observed_coverage_ == 0.75
    assert_array_equal(display.inside_.get_xydata(), [[0, 1], [2, 3], [3, 9]])
    assert_array_equal(display.outside_.get_xydata(), [[1, 5]])
    assert display.ax_.get_title() == "75% inside, target 90%"
    plain = PredictionIntervalDisplay(Y, INTERVALS).plot(scatter_kw={"color": "k"})
    assert plain.ax_.get_title() == "75% inside"
    assert plain.inside_.get_color() == plain.outside_.get_color() == "k"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_pipelines_are_looked_into():
    X = np.random.default_rng(0).normal(size=(200, 2))
    model = make_pipeline(StandardScaler(), DeepMLPRegressor(early_stopping=True, max_iter=5))
    model.fit(X, X[:, 0])
    display = PredictionIntervalDisplay.from_estimator(model, X, X[:, 0], coverage=0.8)
    expected = model[-1].predict_interval(model[0].transform(X), 0.8)
    assert_array_equal(display.intervals, expected)


def test_shapes_and_ends_are_checked():
    with pytest.raises(ValueError, match=r"intervals of shape \(n_samples, 2\); got \(4,\) and"):
        PredictionIntervalDisplay(Y, INTERVALS[:, :1])
    with pytest.raises(ValueError, match="sample 2 has its interval the other way round"):
        PredictionIntervalDisplay(Y[:3], [[0, 1], [0, 1], [1, 0]])
    assert plt.get_fignums() == []

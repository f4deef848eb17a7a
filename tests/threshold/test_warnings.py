"""Warnings of the NumPy classifiers point at the line of the user."""

import warnings

import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import PerceptronClassifier

X, y = load_iris(return_X_y=True)


@pytest.mark.parametrize("update", ["batch", "online"])
@pytest.mark.parametrize("wrap", [lambda c: c, lambda c: make_pipeline(StandardScaler(), c)])
def test_a_warning_points_at_the_users_line(update, wrap):
    model = wrap(PerceptronClassifier(update=update, max_iter=1))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    assert [w.category for w in caught] == [ConvergenceWarning]
    assert caught[0].filename == __file__


def test_a_warning_of_ctrl_c_points_at_the_users_line():
    def interrupt(row):
        raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="interrupted after epoch 1") as caught:
        PerceptronClassifier(callbacks=[interrupt]).fit(X, y)
    assert caught[0].filename == __file__

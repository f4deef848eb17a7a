"""Warnings point at the line that the user wrote."""

import linecache
import warnings

import numpy as np
import pytest
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import DeepMLPClassifier
from sknn.exceptions import warn_user

X = np.random.RandomState(0).normal(size=(20, 3))
y = np.arange(20) % 2


def namespace(name):
    """Return a function ``call(f)`` that calls another, in a module of this name."""
    scope = {"__name__": name}
    exec("def call(f, *args, **kwargs):\n    return f(*args, **kwargs)\n", scope)
    return scope["call"]


@pytest.mark.parametrize("between", [(), ("sknn.engine",), ("sklearn.base", "joblib", "torch.x")])
def test_a_warning_points_at_the_first_line_outside_of_the_packages_between(between):
    call = warn_user
    for name in between:
        inner, outer = call, namespace(name)
        call = lambda *args, inner=inner, outer=outer: outer(inner, *args)  # noqa: E731
    with pytest.warns(FutureWarning, match="said once") as caught:
        call("said once", FutureWarning)
    assert caught[0].filename == __file__


def test_a_warning_without_a_line_of_the_users_is_shown_all_the_same():
    with pytest.warns(UserWarning, match="alone"):
        namespace("sknn.a")(warn_user, "alone")


def test_convergence_warnings_point_at_the_users_line():
    model = DeepMLPClassifier((3,), max_iter=1, random_state=0)
    lines = {
        "fit": lambda: model.fit(X, y),
        "pipeline": lambda: make_pipeline(StandardScaler(), model).fit(X, y),
        "cross_val_score": lambda: cross_val_score(model, X, y, cv=2),
    }
    for name, call in lines.items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            call()
        assert caught, name
        for warning in caught:
            assert warning.filename == __file__, name
            assert name in linecache.getline(warning.filename, warning.lineno), name

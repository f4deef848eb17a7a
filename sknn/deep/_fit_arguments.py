"""The arguments of ``fit``: validation samples as one thing, and what to write for others."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, cast

from sknn._sklearn import Method
from sknn._suggestions import find_parameter, suggest_parameter
from sknn.deep.parts._preparation import FitData

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from sklearn.base import BaseEstimator

#: argument of other packages' ``fit`` -> what to write here
ELSEWHERE = {
    "eval_set": "fit(X, y, X_val=..., y_val=...)",
    "eval_sample_weight": "fit(X, y, X_val=..., y_val=..., sample_weight_val=...)",
    "validation_data": "fit(X, y, X_val=..., y_val=...)",
    "validation_split": "{name}(early_stopping=True, validation_fraction=...)",
    "epochs": "{name}(max_iter=...)",
    "early_stopping_rounds": "{name}(early_stopping=True, n_iter_no_change=...)",
    "weight": "fit(X, y, sample_weight=...)",
    "weights": "fit(X, y, sample_weight=...)",
}


def explain_unknown_arguments(method: Method) -> Method:
    """Let a method say what to write for a keyword argument that it does not have."""
    known = inspect.signature(method).parameters

    @wraps(method)
    def call(self: BaseEstimator, *args: Any, **kwargs: Any) -> Any:
        for argument in kwargs:
            if argument not in known:
                raise TypeError(_explain(self, method.__name__, argument, known))
        return method(self, *args, **kwargs)

    return cast(Method, call)


def _explain(
    estimator: BaseEstimator, method: str, argument: str, known: Mapping[str, object]
) -> str:
    """Return the error for an argument that is not among those that are `known`."""
    name = type(estimator).__name__
    text = f"{name}.{method}() got an unexpected keyword argument {argument!r}."
    if argument in ELSEWHERE:
        return f"{text} Write {ELSEWHERE[argument].format(name=name)}."
    if meant := suggest_parameter(argument, known):
        return text + meant
    params = estimator.get_params(deep=False)
    meant = argument if argument in params else find_parameter(argument, params)
    if meant:
        return f"{text} It is a parameter of the estimator: write {name}({meant}=...)."
    return text


def join_validation(
    X_val: ArrayLike | None, y_val: ArrayLike | None, sample_weight_val: ArrayLike | None
) -> tuple | None:
    """Return the validation samples given to ``fit`` as one thing, None where there are none."""
    if X_val is not None and y_val is not None:
        return X_val, y_val, sample_weight_val
    if X_val is not None or y_val is not None:
        given, missing = ("X_val", "y_val") if y_val is None else ("y_val", "X_val")
        raise ValueError(f"{given} is provided, but {missing} was not provided.")
    if sample_weight_val is not None:
        raise ValueError("sample_weight_val is provided, but X_val and y_val were not provided.")
    return None


def make_fit_data(
    X: ArrayLike,
    y: ArrayLike | str | None = None,
    sample_weight: ArrayLike | str | None = None,
    *,
    X_val: ArrayLike | None = None,
    y_val: ArrayLike | None = None,
    sample_weight_val: ArrayLike | None = None,
    X_unlabelled: ArrayLike | None = None,
) -> FitData:
    """Return the arguments of ``fit`` as one thing."""
    validation = join_validation(X_val, y_val, sample_weight_val)
    return FitData(X, y, sample_weight, validation=validation, unlabelled=X_unlabelled)


def make_data_without_labels(
    X: ArrayLike,
    y: object = None,
    sample_weight: ArrayLike | None = None,
    *,
    X_val: ArrayLike | None = None,
) -> FitData:
    """Return the arguments of a ``fit`` that ignores y as one thing."""
    validation = None if X_val is None else (X_val, None, None)
    return FitData(X, None, sample_weight, validation=validation)

"""The only door to scikit-learn's private helpers, and to what differs between its releases.

A new scikit-learn release is followed here and nowhere else.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from sklearn.base import BaseEstimator, _fit_context
from sklearn.metrics._scorer import _PassthroughScorer as PassthroughScorer
from sklearn.model_selection._validation import _fit_and_score as fit_and_score
from sklearn.model_selection._validation import _score as score_estimator
from sklearn.utils import _safe_indexing as take_rows
from sklearn.utils._array_api import _convert_to_numpy as convert_to_numpy
from sklearn.utils._array_api import get_namespace_and_device
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    Options,
    validate_parameter_constraints,
)
from sklearn.utils._param_validation import StrOptions as _StrOptions
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.metaestimators import _safe_split as safe_split
from sklearn.utils.multiclass import _check_partial_fit_first_call as check_partial_fit_first_call
from sklearn.utils.validation import _check_feature_names as check_feature_names
from sklearn.utils.validation import _check_method_params as check_method_params
from sklearn.utils.validation import _check_sample_weight as check_sample_weight
from sklearn.utils.validation import _check_y as check_y

Method = TypeVar("Method", bound=Callable[..., Any])

try:
    from sklearn.callback import CallbackSupportMixin
    from sklearn.callback import with_callbacks as _with_callbacks
except ImportError:  # scikit-learn < 1.9 has no callbacks

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Has nothing: also no ``set_callbacks``."""

    def _with_callbacks(method: Method) -> Method:
        """Return the method as it is."""
        return method


__all__ = [
    "CallbackSupportMixin",
    "HasMethods",
    "Interval",
    "InvalidParameterError",
    "Method",
    "Options",
    "PassthroughScorer",
    "StrOptions",
    "check_feature_names",
    "check_method_params",
    "check_partial_fit_first_call",
    "check_sample_weight",
    "check_y",
    "convert_to_numpy",
    "fit_and_score",
    "fit_context",
    "get_namespace_and_device",
    "get_output_container",
    "has_callbacks",
    "has_callbacks_to_propagate",
    "safe_split",
    "score_estimator",
    "take_rows",
    "validate_parameter_constraints",
    "with_callbacks",
]


class StrOptions(_StrOptions):
    """Strings that a parameter may be, which an error names in the same order in each process."""

    def __str__(self) -> str:
        """Return what is expected, for scikit-learn's error."""
        return f"a str among {{{', '.join(map(repr, sorted(self.options)))}}}"


def fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[Method], Method]:
    """Return scikit-learn's decorator of `fit`, which checks parameters, with a type."""
    return _fit_context(prefer_skip_nested_validation=prefer_skip_nested_validation)


def with_callbacks(method: Method) -> Method:
    """Return `fit` with scikit-learn's callbacks called before and after it, with its type."""
    return _with_callbacks(method)


def get_output_container(transformer: BaseEstimator) -> str:
    """Return what `set_output` or scikit-learn's configuration asks for, such as ``'pandas'``."""
    return _get_output_config("transform", transformer)["dense"]


def has_callbacks(context: Any) -> bool:
    """Return whether there are callbacks that are told what happens in a meta-estimator."""
    return bool(getattr(context, "_callbacks", ()))


def has_callbacks_to_propagate(context: Any) -> bool:
    """Return whether a meta-estimator's callbacks are to be told what happens in an estimator."""
    callbacks = getattr(context, "_callbacks", ())
    depth = getattr(context, "_propagation_depth", 0)
    limits = [c.max_propagation_depth for c in callbacks if hasattr(c, "max_propagation_depth")]
    return any(limit is None or depth < limit for limit in limits)

"""The only door to scikit-learn's private helpers, and to what differs between its releases.

A new scikit-learn release is followed here and nowhere else.
"""

from typing import Any

from sklearn.base import _fit_context as fit_context
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.multiclass import _check_partial_fit_first_call as check_partial_fit_first_call
from sklearn.utils.optimize import _check_optimize_result as check_optimize_result
from sklearn.utils.validation import _check_feature_names as check_feature_names
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

__all__ = [
    "Interval",
    "Options",
    "StrOptions",
    "check_feature_names",
    "check_optimize_result",
    "check_partial_fit_first_call",
    "check_sample_weight",
    "fit_context",
    "output_container",
]


def output_container(transformer: Any) -> str:
    """Return what `set_output` or scikit-learn's configuration asks for, as ``'pandas'``."""
    return _get_output_config("transform", transformer)["dense"]

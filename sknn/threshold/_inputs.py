"""Samples and labels as users give them: checked, with what is no number named by its column."""

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from sknn._refusals import explain_refusal
from sknn._targets import read_labels
from sknn._validation import MatrixLike, check_container, read_array_like, sum_duplicates

#: checked samples of shape (n_samples, n_features)
FeatureMatrix: TypeAlias = np.ndarray | sparse.csr_array | sparse.csr_matrix


def validate_samples(
    estimator: BaseEstimator,
    X: MatrixLike,
    y: ArrayLike | Literal["no_validation"] = "no_validation",
    **params: bool | str,
) -> FeatureMatrix | tuple[FeatureMatrix, np.ndarray]:
    """Return X as finite float64, and y if it is given; `params` are those of `validate_data`."""
    if y is not None and not (isinstance(y, str) and y == "no_validation"):
        y = read_labels(y)
    check_container(X)
    with explain_refusal(X):
        checked = validate_data(estimator, read_array_like(X), y, dtype=np.float64, **params)
    if isinstance(checked, tuple):
        return sum_duplicates(checked[0]), checked[1]
    return sum_duplicates(checked)

"""Numeric columns of a table: missing values filled and marked, scaled, cast."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from sknn._saved import saved
from sknn.preprocessing.tables._scaling import (
    Affine,
    NormalScores,
    compute_weighted_mean,
    fit_scale,
)


@saved
@dataclass(frozen=True)
class NumericColumns:
    """Result of `fit_numeric_columns`.

    Attributes
    ----------
    labels : tuple of (str or int)
        Names, or positions in an array, for messages.
    fill : ndarray of shape (n_columns,)
        Number in place of a missing one, before the scale.
    empty : ndarray of bool of shape (n_columns,)
        Columns without a number in fit; they are 0 whatever comes.
    marked : ndarray of int
        Columns with a column of their own that tells where a number was missing.
    scaled : ndarray of int
        Columns that `scale` is for.
    scale : Affine, NormalScores or None
        Scale of the numbers; None leaves them as they are.
    """

    labels: tuple
    fill: np.ndarray
    empty: np.ndarray
    marked: np.ndarray
    scaled: np.ndarray
    scale: Affine | NormalScores | None

    @property
    def n_outputs(self) -> int:
        """Number of columns that `encode` gives."""
        return len(self.labels) + len(self.marked)

    @property
    def changes_nothing(self) -> bool:
        """Whether a clean X of the right dtype comes back as it is."""
        return self.scale is None and not len(self.marked) and not self.empty.any()

    @property
    def keeps_zeros(self) -> bool:
        """Whether 0 becomes 0 in each column, so that a sparse X stays sparse."""
        centred = isinstance(self.scale, NormalScores) or (
            self.scale is not None and np.any(self.scale.center)
        )
        return not centred and not len(self.marked)

    def encode(self, X: np.ndarray, dtype: str, first: int = 0) -> np.ndarray:
        """Return X filled, scaled and cast, and behind it a column of 0 and 1 for each marked one.

        Parameters
        ----------
        X : ndarray of float of shape (n_samples, n_columns)
            May hold NaN. It is not written to, but may be returned.
        dtype : {'float32', 'float64'}
            Dtype of the result.
        first : int, default=0
            Number of the first sample in the whole table, for messages.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs)

        Raises
        ------
        ValueError
            If a number is infinite, or is so in `dtype`.
        """
        missing, result = None, X
        if not _is_clean(X):
            missing = np.isnan(X)
            check_finite(X, self.labels, X.dtype, first=first)
            result = np.where(missing, self.fill, X)
        if self.empty.any():
            result = np.where(self.empty, 0.0, result)
        if self.scale is not None:
            if len(self.scaled) == len(self.labels):
                result = self.scale(result)
            else:
                # Scaled in float64 and cast after: in float32 a large centre would take the digits
                # of what differs.
                result = result.astype(np.float64)
                result[:, self.scaled] = self.scale(result[:, self.scaled])
        with np.errstate(over="ignore"):
            encoded = result.astype(dtype, copy=False)
        if encoded is not X and not _is_clean(encoded):
            check_finite(encoded, self.labels, encoded.dtype, X, first=first)
        if not len(self.marked):
            return encoded
        if missing is None:
            marks = np.zeros((len(X), len(self.marked)), dtype)
        else:
            marks = missing[:, self.marked].astype(dtype)
        return np.hstack([encoded, marks])

    def decode(self, values: np.ndarray) -> np.ndarray:
        """Return scaled numbers of shape (n_samples, n_columns) as numbers in the user's units.

        Columns without a number in fit are NaN.
        """
        numbers = values.astype(np.float64)
        if self.scale is not None and len(self.scaled):
            numbers[:, self.scaled] = self.scale.invert(numbers[:, self.scaled])
        numbers[:, self.empty] = np.nan
        return numbers.astype(values.dtype)

    def encode_sparse(self, X: sparse.csr_matrix, dtype: str) -> sparse.csr_matrix:
        """Return a CSR matrix scaled and cast; 0 has to stay 0, see `keeps_zeros`."""
        values = X.data
        if isinstance(self.scale, Affine):  # normal scores do not keep zeros
            values = values * self.scale.factor[X.indices]
        with np.errstate(over="ignore"):
            values = values.astype(dtype, copy=False)
        check_finite_sparse(X, values, self.labels)
        if values is X.data:
            return X
        return type(X)((values, X.indices, X.indptr), shape=X.shape)


@dataclass(frozen=True)
class Headers:
    """Names of columns of numbers, and their treatment.

    Attributes
    ----------
    labels : tuple of (str or int)
        Names, or positions in an array, for messages.
    is_scaled : ndarray of bool of shape (n_columns,)
        Columns that a scale is for.
    is_marked : ndarray of bool of shape (n_columns,)
        Columns that get a mark of missing values, where there are some.
    """

    labels: tuple
    is_scaled: np.ndarray
    is_marked: np.ndarray


def fit_numeric_columns(
    X: np.ndarray, headers: Headers, scale: str | None, weights: np.ndarray | None
) -> NumericColumns:
    """Learn from numbers of shape (n_samples, n_columns) with NaN where one is missing.

    Parameters
    ----------
    X : ndarray of float of shape (n_samples, n_columns)
        Samples of weight 0 left out.
    headers : Headers
        Names of the columns, and which of them get a scale and marks.
    scale : {'standard', 'robust', 'quantile'} or None
        Name of the scale, see `TabularEncoder`.
    weights : ndarray of shape (n_samples,) or None
        Positive weights of the samples.

    Returns
    -------
    NumericColumns
    """
    labels = headers.labels
    n_missing = np.zeros(X.shape[1], int)
    if not _is_clean(X):
        check_finite(X, labels, X.dtype)
        n_missing = np.isnan(X).sum(axis=0)
    empty = n_missing == len(X)
    # A scale's own centre, below, takes the place of the mean: a filled value becomes 0.
    fill = np.where(empty, 0.0, compute_weighted_mean(X, weights))
    scaled = np.flatnonzero(headers.is_scaled & ~empty) if scale is not None else np.empty(0, int)
    fitted = None
    if scale is not None and len(scaled):
        every = len(scaled) == X.shape[1]
        fitted = fit_scale(scale, X if every else X[:, scaled], weights)
        fill[scaled] = fitted.center
    return NumericColumns(
        labels=labels,
        fill=fill,
        empty=empty,
        marked=((n_missing > 0) & ~empty & headers.is_marked).nonzero()[0],
        scaled=scaled,
        scale=fitted,
    )


def fit_sparse_columns(
    X: sparse.csr_matrix, headers: Headers, scale: str | None, weights: np.ndarray | None
) -> NumericColumns:
    """Learn from a CSR matrix; its scale divides by the standard deviation and subtracts nothing.

    Parameters
    ----------
    X, headers, scale, weights
        As `fit_numeric_columns` has them, X in CSR.

    Returns
    -------
    NumericColumns

    Raises
    ------
    ValueError
        If X holds NaN, or the scale has to move zeros.
    """
    n_columns, labels = X.shape[1], headers.labels
    check_finite_sparse(X, X.data, labels)
    if scale not in (None, "standard"):
        raise ValueError(
            f"scale must be None or 'standard' where X is sparse, as scale={scale!r} would turn "
            "zeros into other numbers; give X.toarray(), or X.sparse.to_dense() of a frame, or "
            "another scale."
        )
    fitted = None
    if scale is not None and headers.is_scaled.all():
        scaler = StandardScaler(with_mean=False).fit(X.astype(np.float64), sample_weight=weights)
        # Zeros are not stored, and would have to be if a mean were subtracted.
        fitted = Affine(np.zeros(n_columns), 1 / scaler.scale_)
    return NumericColumns(
        labels=labels,
        fill=np.zeros(n_columns),
        empty=np.zeros(n_columns, bool),
        marked=np.empty(0, int),
        scaled=np.arange(n_columns) if fitted else np.empty(0, int),
        scale=fitted,
    )


def fit_numbers(
    X: np.ndarray | sparse.csr_matrix,
    headers: Headers,
    scale: str | None,
    weights: np.ndarray | None,
) -> NumericColumns:
    """Learn from numbers (n_samples, n_columns), dense or in CSR."""
    fit = fit_sparse_columns if sparse.issparse(X) else fit_numeric_columns
    return fit(X, headers, scale, weights)


def choose_scale(scale: str | None, *, has_others: bool) -> str | None:
    """Return the scale of numbers; ``'auto'`` is one only beside columns of another kind."""
    return ("standard" if has_others else None) if scale == "auto" else scale


def _is_clean(X: np.ndarray) -> bool:
    """Return at little cost whether all is finite; False too where the sum alone overflows."""
    with np.errstate(over="ignore", invalid="ignore"):
        # A sum is finite unless an entry is not, or they are too large together: one pass without a
        # table of bool.
        return bool(np.isfinite(X.sum()))


def check_finite(
    X: np.ndarray,
    labels: tuple,
    dtype: DTypeLike,
    original: np.ndarray | None = None,
    *,
    first: int = 0,
) -> None:
    """Raise ValueError that names the column if a number is infinite; NaN is allowed."""
    infinite = np.isinf(X) if original is None else ~np.isfinite(X)
    if infinite.any():
        row, column = np.argwhere(infinite)[0]
        value = (X if original is None else original)[row, column]
        _raise_infinite(labels[column], first + row, value, dtype)


def check_finite_sparse(X: sparse.csr_matrix, values: np.ndarray, labels: tuple) -> None:
    """Raise ValueError that names the column if a stored number is NaN or infinite."""
    if _is_clean(values):
        return
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        label, value = labels[X.indices[wrong[0]]], X.data[wrong[0]]
        row = int(np.searchsorted(X.indptr, wrong[0], side="right")) - 1
        if np.isnan(value):
            raise ValueError(
                f"Input X contains NaN in column {label!r}, sample {row}, but a sparse X must not. "
                "Give a dense X, or fill the missing values first."
            )
        _raise_infinite(label, row, value, values.dtype)


def _raise_infinite(label: str | int, sample: int, value: float, dtype: DTypeLike) -> None:
    # A finite number was too large for the dtype of the network; infinity is so for any.
    remedy = " For large numbers write dtype='float64' or scale='standard'."
    raise ValueError(
        f"Input X contains infinity or a value too large for {np.dtype(dtype)!r}: column "
        f"{label!r} holds {float(value)!r} in sample {sample}. Put NaN (missing) or a finite "
        f"number in its place.{remedy if np.isfinite(value) else ''}"
    )

"""Targets of which some values were not measured: NaN in y of several columns."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from sknn._validation import MatrixLike


def has_missing_values(y: MatrixLike) -> bool:
    """Return whether y, of shape (n_samples, n_columns), is an array of floats with NaN."""
    is_table = isinstance(y, np.ndarray) and y.ndim == 2 and y.dtype.kind == "f"
    return is_table and bool(np.isnan(y).any())


def check_measured(
    columns: np.ndarray, sample_weight: np.ndarray | None, has_formulas: bool, loss: object
) -> None:
    """Raise ValueError for y (n_samples, n_columns) with missing values that cannot be learned."""
    counted = slice(None) if sample_weight is None else sample_weight > 0
    empty = np.flatnonzero(np.isnan(columns[counted]).all(axis=0))
    if len(empty):
        which = "all samples" if sample_weight is None else "all samples of a weight above 0"
        raise ValueError(
            f"y has no value in column {empty[0]}: {which} lack it. Leave the column out."
        )
    if not has_formulas:
        raise ValueError(
            f"y has missing values, but loss={loss!r} is a function, which may not leave them "
            "out. Take a loss by name, or an entry of your own of sknn.losses."
        )


def score_measured(
    score: Callable[..., float],
    y: np.ndarray,
    predicted: np.ndarray,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the mean over columns of a score of the samples that have a value there.

    Parameters
    ----------
    score : callable
        ``score(y, predicted, sample_weight=...)`` of arrays whose second axis is of length 1.
    y : ndarray of shape (n_samples, n_columns)
        True values, NaN where they are missing.
    predicted : ndarray of shape (n_samples, n_columns, ...)
        Predictions.
    sample_weight : ndarray of shape (n_samples,), default=None
        Non-negative weights of the samples.

    Returns
    -------
    float
        NaN if no column has two values.
    """
    scores = []
    for column, measured in enumerate(~np.isnan(y.T)):
        kept = np.flatnonzero(measured)
        if len(kept) > 1:  # R² needs two samples
            weight = None if sample_weight is None else np.asarray(sample_weight)[kept]
            of_one = y[kept, column, None], predicted[kept, column, None]
            scores.append(score(*of_one, sample_weight=weight))
    return float(np.mean(scores)) if scores else np.nan


def average_measured(columns: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """Return the means (n_columns,) of columns (n_samples, n_columns) without missing values."""
    if not np.isnan(columns).any():
        return np.average(columns, axis=0, weights=weight)
    measured = ~np.isnan(columns)
    return np.array(
        [
            np.average(column[kept], weights=None if weight is None else weight[kept])
            for column, kept in zip(columns.T, measured.T, strict=True)
        ]
    )


def fill_with_means(y: np.ndarray) -> np.ndarray:
    """Return y (n_samples, n_columns) with the mean of its column for each missing value."""
    if not has_missing_values(y):
        return y
    return np.where(np.isnan(y), average_measured(y, None), y).astype(y.dtype)


def compute_inverse_cdf(
    values: np.ndarray, level: float, weight: np.ndarray | None = None
) -> np.ndarray:
    """Return the smallest values (n_columns,) with a share of the weight at or below them.

    `values` are of shape (n_samples, n_columns), and weights of None are 1.
    """
    weight = np.ones(len(values)) if weight is None else weight.astype(np.float64)
    if np.isnan(values).any():  # each column by the samples that have it, or 0 without any
        each = np.zeros(values.shape[1])
        for column, of_one in enumerate(values.T):
            kept = ~np.isnan(of_one)
            if weight[kept].sum() > 0:
                each[column] = compute_inverse_cdf(of_one[kept, None], level, weight[kept])[0]
        return each
    order = np.argsort(values, axis=0)
    # 1e-12 forgives the rounding of a sum that is exactly the level.
    shares = np.cumsum(weight[order], axis=0) / weight.sum()
    places = (shares < level - 1e-12).sum(axis=0).clip(max=len(values) - 1)
    return np.take_along_axis(values, np.take_along_axis(order, places[None], axis=0), axis=0)[0]

"""Scales of numeric columns: standard, robust and normal scores; each weighted and without NaN."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from sklearn.preprocessing import StandardScaler

from sknn._saved import saved

#: beyond this the squares that a variance needs may overflow
_HUGE = 1e100
#: largest clipped number that is inverted, as 3 itself would become infinite
_MAX_CLIPPED = 0.999 * 3.0
#: normal scores keep at most so many values of a column
_MAX_KNOTS = 1000
#: smallest share of the weight that can be told from none
_LEAST_SHARE = np.finfo(np.float64).eps


@saved
@dataclass(frozen=True)
class Affine:
    """``(X - center) * factor``, and after it, as an option, a smooth clip to -3 ... 3.

    Attributes
    ----------
    center, factor : ndarray of shape (n_columns,)
        A factor of 0 stands for a constant column.
    clip : bool
        Whether ``x / sqrt(1 + (x / 3)**2)`` follows.
    """

    center: np.ndarray
    factor: np.ndarray
    clip: bool = False

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Return X of shape (n_samples, n_columns) scaled, in float64."""
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = X - self.center
            scaled *= self.factor
            # x / sqrt(1 + (x / 3)²) = 3 x / sqrt(3² + x²), where hypot squares nothing too large.
            if self.clip:
                scaled /= np.hypot(3.0, scaled)
                scaled *= 3.0
        return scaled

    def invert(self, scaled: np.ndarray) -> np.ndarray:
        """Return what was scaled, in float64; beyond the clip what lies at 0.999 of it."""
        if self.clip:
            # y = x / sqrt(1 + (x / 3)²) gives x = y / sqrt(1 - (y / 3)²)
            scaled = np.clip(scaled, -_MAX_CLIPPED, _MAX_CLIPPED)
            scaled = scaled / np.sqrt(1 - np.square(scaled / 3.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            offset = np.where(self.factor == 0, 0.0, scaled / self.factor)
        return offset + self.center


@saved
@dataclass(frozen=True)
class NormalScores:
    """Values to quantiles of the normal distribution, linear between known values.

    Attributes
    ----------
    knots : tuple of (ndarray, ndarray)
        Sorted values of each column, and their normal scores.
    center : ndarray of shape (n_columns,)
        Medians, which become 0 or what is next to it.
    """

    knots: tuple
    center: np.ndarray

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Return X of shape (n_samples, n_columns) as normal scores, in float64."""
        # Linear between known values. Beyond them np.interp returns the outermost score: a value
        # that is new, however large, is the most extreme one that is known.
        columns = [np.interp(X[:, j], *knots) for j, knots in enumerate(self.knots)]
        return np.column_stack(columns) if columns else np.empty((len(X), 0))

    def invert(self, scaled: np.ndarray) -> np.ndarray:
        """Return what was scaled, in float64, within the range of the training samples."""
        columns = [np.interp(scaled[:, j], scores, v) for j, (v, scores) in enumerate(self.knots)]
        return np.column_stack(columns) if columns else np.empty((len(scaled), 0))


#: learns a scale from X and weights
Fit = Callable[[np.ndarray, np.ndarray | None], Affine | NormalScores]


def fit_scale(scale: str, X: np.ndarray, weights: np.ndarray | None) -> Affine | NormalScores:
    """Learn a scale of X (n_samples, n_columns), which holds NaN and a number in each column."""
    return _FITS[scale](X, weights)


def compute_weighted_mean(X: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """Return the mean of each column, in float64, leaving NaN out; NaN for nothing but NaN."""
    with np.errstate(over="ignore", invalid="ignore"):
        if weights is None:
            means = X.mean(axis=0, dtype=np.float64)
        else:  # a product would copy a float32 X to float64
            means = np.einsum("i,ij->j", weights, X) / weights.sum()
    if np.isfinite(means).all():
        return means
    w = np.ones(len(X)) if weights is None else weights
    missing = np.isnan(X)
    weight = (~missing).T @ w
    largest = np.abs(X, where=~missing, out=np.zeros_like(X)).max(axis=0).astype(np.float64)
    # The sum of numbers near the largest that there are would overflow.
    unit = np.where(largest > _HUGE, largest, 1.0)
    clean = np.where(missing, 0.0, X)
    with np.errstate(invalid="ignore"):
        return unit * (w @ (clean / unit if np.any(unit != 1) else clean) / weight)


def compute_weighted_quantiles(
    values: np.ndarray, probabilities: list[float], weights: np.ndarray | None
) -> np.ndarray:
    """Return quantiles of values (n_samples,), so that a weight of 2 is a value given twice."""
    if weights is None:
        return np.quantile(values, probabilities, method="averaged_inverted_cdf")
    order = np.argsort(values)
    values, cumulated = values[order], np.cumsum(weights[order])
    # The inverse of the weighted empirical distribution. Where a probability is exactly the share
    # at or below a value, each number up to the next one is a quantile; their middle is taken, as
    # the median does it. Sums of weights are rounded, so that 'exactly' has a tolerance.
    share, rounding = np.multiply(probabilities, cumulated[-1]), 1e-12 * cumulated[-1]
    last = len(values) - 1
    lower = np.searchsorted(cumulated, share - rounding).clip(max=last)
    upper = np.searchsorted(cumulated, share + rounding, side="right").clip(max=last)
    return values[lower] / 2 + values[upper] / 2


def _fit_standard(X: np.ndarray, weights: np.ndarray | None) -> Affine:
    X = X.astype(np.float64, copy=False)
    largest = np.nanmax(np.abs(X), axis=0)
    unit = np.where(largest > _HUGE, largest, 1.0)
    # The deviation of x is that of x / unit, times unit, whose squares do not overflow.
    scaler = StandardScaler().fit(X / unit if np.any(unit != 1) else X, sample_weight=weights)
    return Affine(scaler.mean_ * unit, 1 / (scaler.scale_ * unit))


def _fit_robust(X: np.ndarray, weights: np.ndarray | None) -> Affine:
    center, factor = np.zeros(X.shape[1]), np.zeros(X.shape[1])
    for j, (values, w) in enumerate(_split_columns(X, weights)):
        low, center[j], high = compute_weighted_quantiles(values, [0.25, 0.5, 0.75], w)
        extent = values.max() / 2 - values.min() / 2
        # Differences of rounding errors alone are none.
        noise = 10 * np.finfo(np.float64).eps * np.abs(values).max()
        # A column that is 0 in most samples has quartiles that are equal, and is scaled by its
        # range.
        width = high - low if high - low > noise else extent
        factor[j] = 1 / width if width > noise else 0.0
    return Affine(center, factor, clip=True)


def _fit_normal_scores(X: np.ndarray, weights: np.ndarray | None) -> NormalScores:
    knots, center = [], np.zeros(X.shape[1])
    for j, (values, w) in enumerate(_split_columns(X, weights)):
        center[j] = compute_weighted_quantiles(values, [0.5], w)[0]
        levels, which = np.unique(values, return_inverse=True)
        share = np.bincount(which, weights=w).astype(np.float64)
        share /= share.sum()
        # The score of a value is Φ⁻¹(P(x < value) + P(x = value) / 2): half of the ties count, so
        # that the smallest and the largest stay inside (0, 1), where Φ⁻¹ is finite.
        middle = np.cumsum(share) - share / 2
        # Beside a weight 1e16 times as large a share is lost in rounding, and Φ⁻¹(1) is infinite.
        scores = ndtri(middle.clip(_LEAST_SHARE, 1 - _LEAST_SHARE))
        if len(levels) > _MAX_KNOTS:  # evenly spaced scores: as fine in the tails as in the middle
            even = np.linspace(scores[0], scores[-1], _MAX_KNOTS)
            kept = np.unique(np.searchsorted(scores, even).clip(max=len(levels) - 1))
            levels, scores = levels[kept], scores[kept]
        knots.append((levels, scores))
    return NormalScores(tuple(knots), center)


def _split_columns(
    X: np.ndarray, weights: np.ndarray | None
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    for column in X.T:
        there = ~np.isnan(column)
        kept = None if weights is None else weights[there]
        yield column[there].astype(np.float64, copy=False), kept


_FITS: dict[str, Fit] = {
    "standard": _fit_standard,
    "robust": _fit_robust,
    "quantile": _fit_normal_scores,
}

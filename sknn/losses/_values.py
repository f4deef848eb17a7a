"""Losses of numbers.

Shapes are those of `LossFunction`. Where a column of y has k raw predictions they lie next to
each other: number ``column * k + i`` is the i-th of that column.
"""

import math

from sknn.losses._array import Array, ArrayNamespace
from sknn.losses._bins import EXPECTED_BIN, MARGIN, compute_bin_loss, write_bin_gradient
from sknn.losses._loss import D2, LossFunction, ValueLoss, find_loss
from sknn.losses._outputs import (
    EXP,
    INCREMENTS,
    LOGISTIC,
    MEAN_AND_SOFTPLUS,
    add_increments,
    quantile_steps,
    split_normal,
)
from sknn.losses._reconstruction import RECONSTRUCTION
from sknn.losses._settings import CountFrom, NumberIn, Setting, read_levels, read_range

HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)


# --- squared error: l = (z - y)² / 2, l' = z - y -------------------------------------------


def _compute_squared_error(xp: ArrayNamespace, z: Array, y: Array) -> Array:
    return 0.5 * xp.sum(xp.square(z - y), axis=-2)


def _write_squared_gradient(xp: ArrayNamespace, z: Array, y: Array, out: Array) -> None:
    xp.subtract(z, y, out=out)


# --- absolute error: l = |z - y|, l' = sign(z - y); the best constant is the median --------


def _compute_absolute_error(xp: ArrayNamespace, z: Array, y: Array) -> Array:
    return xp.sum(xp.abs(z - y), axis=-2)


def _write_absolute_gradient(xp: ArrayNamespace, z: Array, y: Array, out: Array) -> None:
    xp.subtract(z, y, out=out)
    xp.sign(out, out=out)


# --- Huber: e²/2 for |e| up to delta, then linear with that slope: l' = e clipped to ±delta.
# P. J. Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics
# 35(1), 1964, doi:10.1214/aoms/1177703732. With 1.35 standard deviations it is 95 % as efficient
# as the mean where errors are normal.


def _compute_huber(xp: ArrayNamespace, z: Array, y: Array, *, delta: float) -> Array:
    error = xp.abs(z - y)
    # The line delta (e - delta / 2) meets the parabola at e = delta, in value and in slope.
    inner, outer = 0.5 * error * error, delta * (error - 0.5 * delta)
    return xp.sum(xp.where(error < delta, inner, outer), axis=-2)


def _write_huber_gradient(
    xp: ArrayNamespace, z: Array, y: Array, out: Array, *, delta: float
) -> None:
    xp.subtract(z, y, out=out)
    xp.clip(out, -delta, delta, out=out)


# --- Poisson and gamma: half the deviance, with a logarithmic link: the mean is μ = exp(z).
# Poisson: l = y log(y / μ) - y + μ,  dl/dμ = 1 - y / μ,       dμ/dz = μ:  l' = exp(z) - y.
# Gamma:   l = log(μ / y) + y / μ - 1, dl/dμ = 1 / μ - y / μ²:             l' = 1 - y exp(-z).
# Both are 0 for a perfect prediction.


def _compute_poisson(xp: ArrayNamespace, z: Array, y: Array) -> Array:
    # The constant y log y - y changes no gradient, but makes the loss of a perfect prediction 0.
    return xp.sum(xp.exp(z) - y * z + (xp.xlogy(y, y) - y), axis=-2)


def _write_poisson_gradient(xp: ArrayNamespace, z: Array, y: Array, out: Array) -> None:
    xp.exp(z, out=out)
    out -= y


def _compute_gamma(xp: ArrayNamespace, z: Array, y: Array) -> Array:
    return xp.sum(z - xp.log(y) + y * xp.exp(-z) - 1, axis=-2)


def _write_gamma_gradient(xp: ArrayNamespace, z: Array, y: Array, out: Array) -> None:
    xp.negative(z, out=out)
    xp.exp(out, out=out)
    out *= y
    xp.negative(out, out=out)
    out += 1


# --- quantiles: the pinball loss of each level τ, averaged over levels.
# With e = y - q, l = τ e for e >= 0 and (τ - 1) e below: dl/dq = [y < q] - τ. R. Koenker and
# G. Bassett, "Regression quantiles", Econometrica 46(1), 1978, doi:10.2307/1913643.
# The quantiles are sums of increments (see `quantile_steps`): q_j = z_s + sum of w_i softplus(z_i)
# over i from s + 1 to j above the start s, and the same with minus below. So the start moves all
# quantiles, and a step all on its far side: dl/dz_s is the sum of all dl/dq, dl/dz_i above is
# w_i sigmoid(z_i) times the sum of dl/dq_j for j >= i, below with minus for j <= i.


def _split_levels(z: Array, levels: tuple[float, ...]) -> Array:
    """Return raw predictions of shape (..., n_columns, n_levels, n_samples), a view."""
    return z.reshape(*z.shape[:-2], -1, len(levels), z.shape[-1])


def _compute_pinball(
    xp: ArrayNamespace, z: Array, y: Array, *, quantiles: tuple[float, ...]
) -> Array:
    predicted = add_increments(xp, _split_levels(z, quantiles), quantiles)
    error, level = y[..., None, :] - predicted, xp.column(quantiles, z)
    pinball = error * xp.where(error < 0, level - 1, level)
    return xp.sum(xp.mean(pinball, axis=-2), axis=-2)


def _write_quantile_gradient(
    xp: ArrayNamespace, z: Array, y: Array, out: Array, *, quantiles: tuple[float, ...]
) -> None:
    raw, into = _split_levels(z, quantiles), _split_levels(out, quantiles)
    (start, steps), level = quantile_steps(quantiles), xp.column(quantiles, z)
    # g is dl/dq of each level: [y < q] - τ, divided by the number of levels, as the loss is their
    # mean. Its sums from the far end inwards are cumulated sums of the reversed array.
    too_large = y[..., None, :] < add_increments(xp, raw, quantiles)
    g = xp.where(too_large, 1 - level, -level) / len(quantiles)
    slope = xp.sigmoid(raw) * xp.column(steps, z)
    above = xp.flip(xp.cumsum(xp.flip(g[..., start + 1 :, :], -2), axis=-2), -2)
    # The start moves all quantiles: its slope is the sum of all. An increment above moves those
    # from it upwards; one below lowers those from it downwards, hence the minus.
    into[..., start, :] = xp.sum(g, axis=-2)
    into[..., start + 1 :, :] = above * slope[..., start + 1 :, :]
    into[..., :start, :] = -xp.cumsum(g[..., :start, :], axis=-2) * slope[..., :start, :]


# --- normal distribution whose spread is learned too: with e = (m - y) / s and
# s = min_std + softplus(r), l = log s + e²/2 + log(2π)/2: dl/dm = e / s, dl/ds = (1 - e²) / s,
# ds/dr = sigmoid(r). D. A. Nix and A. S. Weigend, "Estimating the mean and variance of the target
# probability distribution", ICNN 1994, doi:10.1109/ICNN.1994.374138.


def _split_pairs(z: Array) -> Array:
    """Return raw predictions of shape (..., n_columns, 2, n_samples), a view."""
    return z.reshape(*z.shape[:-2], -1, 2, z.shape[-1])


def _compute_normal_nll(xp: ArrayNamespace, z: Array, y: Array, *, min_std: float) -> Array:
    mean, std = split_normal(xp, _split_pairs(z), min_std)
    return xp.sum(xp.log(std) + 0.5 * xp.square((y - mean) / std) + HALF_LOG_2_PI, axis=-2)


def _write_normal_gradient(
    xp: ArrayNamespace, z: Array, y: Array, out: Array, *, min_std: float
) -> None:
    raw, into = _split_pairs(z), _split_pairs(out)
    mean, std = split_normal(xp, raw, min_std)
    # dl/dr = dl/ds ds/dr, with s = min_std + softplus(r) and softplus' = sigmoid.
    # Far from y, both slopes are small where the spread is large: an outlier that the network
    # expects moves it little.
    error = (mean - y) / std
    into[..., 0, :] = error / std
    into[..., 1, :] = (1 - xp.square(error)) / std * xp.sigmoid(raw[..., 1, :])


# --- bounded y: cross-entropy of y in [0, 1], which need not be 0 or 1. With p = sigmoid(z),
#     l = -y log p - (1 - y) log(1 - p) = (1 - y) z - log sigmoid(z),    l' = p - y,
# whose minimum is at the mean of y. L. E. Papke and J. M. Wooldridge, "Econometric methods for
# fractional response variables", Journal of Applied Econometrics 11(6), 1996,
# doi:10.1002/(SICI)1099-1255(199611)11:6<619::AID-JAE418>3.0.CO;2-1.


def _compute_bounded(
    xp: ArrayNamespace, z: Array, y: Array, *, y_range: tuple[float, ...] | None
) -> Array:
    return xp.sum((1 - y) * z - xp.log_sigmoid(z), axis=-2)


def _write_bounded_gradient(
    xp: ArrayNamespace, z: Array, y: Array, out: Array, *, y_range: tuple[float, ...] | None
) -> None:
    xp.sigmoid(z, out=out)
    out -= y


# --- the table -----------------------------------------------------------------------------

_POSITIVE = NumberIn(0)
_RANGE = Setting(None, read_range, "two numbers, the smaller one first, or None")
_FEWEST_BINS = 2 * MARGIN + 2  # one for each end of the range

_ENTRIES = (
    ValueLoss(
        "squared_error",
        LossFunction(_compute_squared_error, _write_squared_gradient),
        in_range="bounded",
    ),
    ValueLoss("absolute_error", LossFunction(_compute_absolute_error, _write_absolute_gradient)),
    ValueLoss(
        "huber",
        LossFunction(_compute_huber, _write_huber_gradient),
        settings={"delta": Setting(1.35, _POSITIVE, "a number > 0")},
    ),
    ValueLoss(
        "poisson",
        LossFunction(_compute_poisson, _write_poisson_gradient),
        EXP,
        standardizes=False,
        lowest=">= 0",
        variance_power=1.0,
    ),
    ValueLoss(
        "gamma",
        LossFunction(_compute_gamma, _write_gamma_gradient),
        EXP,
        standardizes=False,
        scales=True,
        lowest="> 0",
        variance_power=2.0,
    ),
    ValueLoss(
        "quantile",
        LossFunction(_compute_pinball, _write_quantile_gradient),
        INCREMENTS,
        settings={
            "quantiles": Setting(
                (0.5,),
                read_levels,
                "one level, or several different ones in increasing order, in the open interval "
                "(0, 1), such as (0.1, 0.5, 0.9)",
            )
        },
        score=D2,
    ),
    ValueLoss(
        "gaussian_nll",
        LossFunction(_compute_normal_nll, _write_normal_gradient),
        MEAN_AND_SOFTPLUS,
        settings={"min_std": Setting(1e-3, _POSITIVE, "a number > 0")},
        scores_loss=True,  # R² says nothing of a standard deviation
    ),
    ValueLoss(
        "bounded",
        LossFunction(_compute_bounded, _write_bounded_gradient),
        LOGISTIC,
        standardizes=False,
        settings={"y_range": _RANGE},
        is_bounded=True,
        in_range="bounded",
    ),
    ValueLoss(
        "ordered_bins",
        LossFunction(compute_bin_loss, write_bin_gradient),
        EXPECTED_BIN,
        standardizes=False,
        settings={
            "n_bins": Setting(32, CountFrom(_FEWEST_BINS), f"a whole number >= {_FEWEST_BINS}"),
            "y_range": _RANGE,
        },
        scores_loss=True,  # R² says nothing of the rest of the distribution
        is_bounded=True,
        in_range="ordered_bins",
    ),
)

VALUE_LOSSES: dict[str, ValueLoss] = {entry.name: entry for entry in _ENTRIES}
#: losses that codecs choose, and not users
OF_TABLES: dict[str, ValueLoss] = {RECONSTRUCTION.name: RECONSTRUCTION}
#: entry of a user-defined function; R² may have nothing to do with it
_OF_USER = ValueLoss("", None, scores_loss=True)


def find_value_loss(loss: object) -> ValueLoss:
    """Return the entry of a loss of numbers.

    Parameters
    ----------
    loss : str, ValueLoss or callable
        Loss as a user gives it. The output of a callable counts as predictions of standardised y.

    Returns
    -------
    ValueLoss

    Raises
    ------
    ValueError
        If there is no such loss.
    """
    if isinstance(loss, str) and loss in OF_TABLES:
        return OF_TABLES[loss]
    return find_loss(loss, VALUE_LOSSES, _OF_USER)

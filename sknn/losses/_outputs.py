"""Output activations of regression losses, the inverse links."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
from scipy.special import ndtri

from sknn._saved import saved
from sknn.losses._array import Array, ArrayNamespace

Settings = Mapping[str, float | tuple[float, ...] | None]


@saved
@dataclass(frozen=True)
class OutputActivation:
    """Function from raw predictions to predictions of encoded y, the inverse of the link.

    Attributes
    ----------
    name : str
        Name that fitted estimators show as ``out_activation_``.
    predict : callable
        ``predict(xp, raw, settings)`` of raw predictions of shape (..., n_raw, n_samples), of each
        column of y; returns as many predictions.
    n_raw : callable
        Function of the settings that returns the number of raw predictions per column of y.
    shifts : bool, default=True
        Whether predictions are shifted by the mean of y; otherwise they are multiplied alone.
    has_levels : bool, default=False
        Whether predictions are quantiles, one for each of the setting ``quantiles``.
    has_std : bool, default=False
        Whether the first prediction is a mean and the second a standard deviation.
    """

    name: str
    predict: Callable[[ArrayNamespace, Array, Settings], Array]
    n_raw: Callable[[Settings], int]
    shifts: bool = True
    has_levels: bool = False
    has_std: bool = False


def _count_one(settings: Settings) -> int:
    return 1


def _count_two(settings: Settings) -> int:
    return 2


def get_levels(settings: Settings) -> tuple[float, ...]:
    """Return the levels of quantiles among the settings."""
    return cast("tuple[float, ...]", settings["quantiles"])


def _count_levels(settings: Settings) -> int:
    return len(get_levels(settings))


def _keep(xp: ArrayNamespace, raw: Array, settings: Settings) -> Array:
    return raw


def _exponentiate(xp: ArrayNamespace, raw: Array, settings: Settings) -> Array:
    return xp.exp(raw)


def quantile_steps(levels: tuple[float, ...]) -> tuple[int, tuple[float, ...]]:
    """Return the start and the steps by which quantiles are parametrised so that they never cross.

    The network gives the level nearest the median itself, and the distances between neighbours
    as ``step * softplus(raw)``, which cannot be negative. A raw prediction of 0 means the distance
    that a standard normal variable has there, so that training starts from a sensible spread
    however many levels there are.

    Parameters
    ----------
    levels : tuple of float
        Increasing.

    Returns
    -------
    start : int
        Index of the level nearest the median.
    steps : tuple of float
        A step for each level, counted from its neighbour nearer the start; 1 for the start.
    """
    # ndtri(levels) are the quantiles of a standard normal variable, and softplus(0) = log 2: a step
    # of gap / log 2 makes the distance at 0 the gap.
    start = int(np.argmin(np.abs(np.subtract(levels, 0.5))))
    gaps = np.diff(ndtri(levels)) / np.log(2.0)
    return start, (*gaps[:start].tolist(), 1.0, *gaps[start:].tolist())


def add_increments(xp: ArrayNamespace, raw: Array, levels: tuple[float, ...]) -> Array:
    """Return quantiles that do not cross, of shape (..., n_levels, n_samples)."""
    # Sums are taken step by step away from the start, in which rounding cannot turn an order round:
    # neighbours may be equal, but never cross.
    start, steps = quantile_steps(levels)
    parts = xp.softplus(raw) * xp.column(steps, raw)
    middle = raw[..., start : start + 1, :]
    upwards = xp.concatenate([middle, parts[..., start + 1 :, :]], axis=-2)
    downwards = xp.concatenate([middle, -xp.flip(parts[..., :start, :], -2)], axis=-2)
    below = xp.flip(xp.cumsum(downwards, axis=-2)[..., 1:, :], -2)
    return xp.concatenate([below, xp.cumsum(upwards, axis=-2)], axis=-2)


def _predict_quantiles(xp: ArrayNamespace, raw: Array, settings: Settings) -> Array:
    return add_increments(xp, raw, get_levels(settings))


def split_normal(xp: ArrayNamespace, raw: Array, min_std: float) -> tuple[Array, Array]:
    """Return mean and standard deviation, ``min_std + softplus`` of the second raw prediction."""
    # softplus rather than exp: a deviation that grows linearly with its raw prediction is not
    # thrown about by a single outlier, and min_std keeps 1 / s² bounded.
    return raw[..., 0, :], xp.softplus(raw[..., 1, :]) + min_std


def _predict_normal(xp: ArrayNamespace, raw: Array, settings: Settings) -> Array:
    return xp.stack(split_normal(xp, raw, cast("float", settings["min_std"])), axis=-2)


def _apply_sigmoid(xp: ArrayNamespace, raw: Array, settings: Settings) -> Array:
    return xp.sigmoid(raw)


IDENTITY = OutputActivation("identity", _keep, _count_one)
EXP = OutputActivation("exp", _exponentiate, _count_one, shifts=False)
LOGISTIC = OutputActivation("logistic", _apply_sigmoid, _count_one)
INCREMENTS = OutputActivation("increments", _predict_quantiles, _count_levels, has_levels=True)
MEAN_AND_SOFTPLUS = OutputActivation("mean_and_softplus", _predict_normal, _count_two, has_std=True)

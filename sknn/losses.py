"""What a target must know of its loss: its settings, the range of y, and the way back.

Losses themselves are tensors' business, see ``sknn.engine``; here is the part that needs no
torch. A new loss is one entry in `VALUE_LOSSES` or `CLASS_LOSSES`, and one there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np
from scipy.special import ndtri


@dataclass(frozen=True)
class Setting:
    """One of the settings that a user may give in ``loss_params``.

    Attributes
    ----------
    default : object
        Taken where the user gives none.
    read : callable
        From what the user gave to the value in use; raises TypeError or ValueError.
    expected : str
        What it must be, for the error.
    """

    default: Any
    read: Callable[[Any], Any]
    expected: str


def _number(accepts: Callable[[float], bool]) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, Real) or not accepts(float(value)):
            raise ValueError
        return float(value)

    return read


def _levels(value: Any) -> tuple[float, ...]:
    levels = tuple(float(v) for v in ([value] if isinstance(value, Real) else value))
    if not levels or not all(0 < level < 1 for level in levels):
        raise ValueError
    if any(high <= low for low, high in pairwise(levels)):
        raise ValueError
    return levels


_POSITIVE = _number(lambda v: 0 < v < np.inf)
SMOOTHING = Setting(0.0, _number(lambda v: 0 <= v < 1), "a number in [0, 1)")
QUANTILES = Setting(
    (0.5,),
    _levels,
    "one level, or several different ones in increasing order, in the open interval (0, 1), "
    "such as (0.1, 0.5, 0.9)",
)


@dataclass(frozen=True)
class ValueLoss:
    """A loss of numbers.

    Attributes
    ----------
    out_activation : str
        What leads from the raw output to predictions.
    standardizes : bool
        Whether y may be shifted and scaled; then the network learns standardised numbers.
    scales : bool
        Whether y may be divided by its mean, which leaves the loss as it is; then training starts
        from predictions of that size.
    lowest : {'', '>= 0', '> 0'}
        What y must be.
    settings : mapping of str to Setting
        Names of `loss_params`.
    """

    out_activation: str = "identity"
    standardizes: bool = True
    scales: bool = False
    lowest: str = ""
    settings: Mapping[str, Setting] = field(default_factory=dict)


@dataclass(frozen=True)
class ClassLoss:
    """A loss of classes.

    Attributes
    ----------
    gives_probabilities : bool
        Whether softmax or sigmoid of the raw output are probabilities.
    settings : mapping of str to Setting
        Names of `loss_params`.
    """

    gives_probabilities: bool = True
    settings: Mapping[str, Setting] = field(default_factory=dict)


VALUE_LOSSES: dict[str, ValueLoss] = {
    "squared_error": ValueLoss(),
    "absolute_error": ValueLoss(),
    "huber": ValueLoss(settings={"delta": Setting(1.35, _POSITIVE, "a number > 0")}),
    "poisson": ValueLoss("exp", standardizes=False, lowest=">= 0"),
    "gamma": ValueLoss("exp", standardizes=False, scales=True, lowest="> 0"),
    "quantile": ValueLoss("increments", settings={"quantiles": QUANTILES}),
    "gaussian_nll": ValueLoss(
        "mean_and_softplus", settings={"min_std": Setting(1e-3, _POSITIVE, "a number > 0")}
    ),
}

CLASS_LOSSES: dict[str, ClassLoss] = {
    "log_loss": ClassLoss(settings={"label_smoothing": SMOOTHING}),
    "focal": ClassLoss(
        settings={
            "gamma": Setting(2.0, _number(lambda v: 0 <= v < np.inf), "a number >= 0"),
            "label_smoothing": SMOOTHING,
        }
    ),
    "hinge": ClassLoss(gives_probabilities=False),
}


def gives_probabilities(loss: Any) -> bool:
    """Tell whether a classifier trained on a loss can give probabilities.

    Parameters
    ----------
    loss : str or callable
        As a user gives it. The output of a callable counts as log-odds, or as unnormalised
        log-probabilities, as torch's own losses take it.

    Returns
    -------
    bool
    """
    return CLASS_LOSSES[loss].gives_probabilities if isinstance(loss, str) else True


def loss_facts(loss: Any, table: Mapping[str, Any], default: Any) -> Any:
    """Return the entry of a table of losses, or `default` for a callable.

    Parameters
    ----------
    loss : str or callable
        As a user gives it.
    table : mapping of str
        `VALUE_LOSSES` or `CLASS_LOSSES`.
    default : ValueLoss or ClassLoss
        What is known of a callable.

    Returns
    -------
    ValueLoss or ClassLoss

    Raises
    ------
    ValueError
        If it is neither a name in the table nor callable.
    """
    if isinstance(loss, str) and loss in table:
        return table[loss]
    if not isinstance(loss, str) and callable(loss):
        return default
    raise ValueError(
        f"loss must be one of {sorted(table)}, or a function loss(output, target) of tensors that "
        f"returns a cost for each row; got {loss!r}."
    )


def read_settings(loss: Any, facts: Any, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the settings of a loss, checked and complete.

    Parameters
    ----------
    loss : str or callable
        As a user gives it.
    facts : ValueLoss or ClassLoss
        Its entry.
    given : mapping or None
        ``loss_params``; None is an empty one.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If a name is unknown, or a value not as expected.
    """
    given = dict(given or {})
    if given and not isinstance(loss, str):
        raise ValueError(
            "Settings loss__<name> are for the losses that have a name; for a function bind them "
            f"with functools.partial. Got {given!r}."
        )
    unknown = sorted(set(given) - set(facts.settings))
    if unknown:
        names = f"takes {sorted(facts.settings)}" if facts.settings else "takes none"
        raise ValueError(f"loss__<name> gives {unknown}, but loss {loss!r} {names}.")
    return {name: _read(loss, name, setting, given) for name, setting in facts.settings.items()}


def _read(loss: str, name: str, setting: Setting, given: Mapping[str, Any]) -> Any:
    if name not in given:
        return setting.default
    try:
        return setting.read(given[name])
    except (TypeError, ValueError):
        raise ValueError(
            f"{name!r} of loss {loss!r} must be {setting.expected}; got {given[name]!r}."
        ) from None


def quantile_steps(levels: tuple[float, ...]) -> tuple[int, tuple[float, ...]]:
    """Return what keeps quantiles from crossing: where to start, and the size of the steps.

    The network gives the level nearest the median itself, and the distances between neighbours
    as ``step * softplus(raw)``, which cannot be negative. A raw output of 0 means the distance
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
    start = int(np.argmin(np.abs(np.subtract(levels, 0.5))))
    gaps = np.diff(ndtri(levels)) / np.log(2.0)
    return start, (*gaps[:start].tolist(), 1.0, *gaps[start:].tolist())


def monotone_quantiles(raw: np.ndarray, levels: tuple[float, ...]) -> np.ndarray:
    """Return the quantiles for raw outputs.

    Sums are taken step by step away from the start, in which rounding cannot turn an order
    round: neighbours may be equal, but never cross.

    Parameters
    ----------
    raw : ndarray of shape (..., n_levels)
        Raw outputs.
    levels : tuple of float
        Increasing.

    Returns
    -------
    ndarray of shape (..., n_levels)
        Not decreasing along the last axis, in the dtype of `raw`.
    """
    start, steps = quantile_steps(levels)
    parts = np.logaddexp(raw, 0) * np.asarray(steps, dtype=raw.dtype)
    parts[..., start] = raw[..., start]
    values = parts.copy()
    values[..., start:] = np.add.accumulate(parts[..., start:], axis=-1)
    parts[..., :start] *= -1
    values[..., start::-1] = np.add.accumulate(parts[..., start::-1], axis=-1)
    return values

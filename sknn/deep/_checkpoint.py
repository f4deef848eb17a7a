"""Checkpoints of a fit: the parameters ``checkpoint`` and ``checkpoint_every``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from sknn._specs import TrainResult
from sknn.deep.parts._preparation import FitData
from sknn.engine import CheckpointFile, CheckpointSpec, Identity, hash_start, make_spec

#: parameters that change nothing in the model
WITHOUT_EFFECT = (
    "checkpoint",
    "checkpoint_every",
    "verbose",
    "warm_start",
    "n_jobs",
    "n_processes",
)
UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0}


def plan_checkpoint(
    estimator: BaseEstimator,
    samples: tuple,
    data: FitData,
    random_state: np.random.RandomState,
    previous: TrainResult | None = None,
) -> CheckpointSpec | None:
    """Return where a fit of X, y and weights writes checkpoints; None without the parameter."""
    if getattr(estimator, "checkpoint", None) is None:
        return None
    # Without a seed, random_state goes back to where the fit began that this one goes on from.
    return _make_spec(estimator, (*samples, data.validation), random_state, previous)


def _make_spec(
    estimator: BaseEstimator,
    data: tuple,
    random_state: np.random.RandomState,
    previous: TrainResult | None = None,
) -> CheckpointSpec | None:
    folder = get_folder(estimator)
    if folder is None:
        return None
    every = read_interval(estimator.checkpoint_every)
    start = "" if previous is None else hash_start(previous)
    identity = Identity.of(type(estimator), read_params(estimator), data, start)
    return make_spec(folder, every, identity, random_state, estimator.random_state is not None)


@contextmanager
def hold_seed(
    estimator: BaseEstimator, data: tuple, random_state: np.random.RandomState
) -> Iterator[None]:
    """Keep the seed of an ensemble while its members, which keep their own state, are fitted.

    Without a seed, `random_state` goes back to where the fit began that this one goes on from.
    """
    spec = _make_spec(estimator, data, random_state)
    if spec is None:
        yield
        return
    file, is_finished = CheckpointFile(spec), False
    try:
        if file.content is None:
            file.write({}, 0, is_finished)
        yield
        is_finished = True
        file.write({}, 0, is_finished)
    finally:
        file.close(is_finished)


def plan_checkpoint_like(
    estimator: BaseEstimator, other: CheckpointSpec | None
) -> CheckpointSpec | None:
    """Return where a fit writes that differs from another one, of the same data, in parameters."""
    return None if other is None else other.with_params(read_params(estimator))


def get_folder(estimator: BaseEstimator) -> Path | None:
    """Return the folder of the checkpoints of an estimator, if it has one."""
    folder = getattr(estimator, "checkpoint", None)
    return None if folder is None else Path(folder)


def read_params(estimator: BaseEstimator) -> dict[str, Any]:
    """Return the parameters that two fits of one model have in common, nested ones too."""
    return {
        name: _leave_out_params(value)
        for name, value in estimator.get_params(deep=True).items()
        if name.rpartition("__")[2] not in WITHOUT_EFFECT
    }


def _leave_out_params(value: Any) -> Any:
    """Return the classes in place of estimators, whose parameters have names of their own."""
    if isinstance(value, BaseEstimator):
        return type(value)
    if isinstance(value, list | tuple):
        return [_leave_out_params(item) for item in value]
    return value


def read_interval(every: int | str | timedelta | None) -> int | float | None:
    """Return epochs as an int, seconds as a float.

    Raises
    ------
    ValueError
        If `every` is text that is no time, or a time that is not positive.
    """
    if every is None or isinstance(every, int | Integral):
        return None if every is None else int(every)
    if isinstance(every, timedelta):
        seconds = every.total_seconds()
    else:
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|min|h)\s*", every)
        seconds = float(found[1]) * UNITS[found[2]] if found else 0.0
    if seconds <= 0:
        raise ValueError(
            "checkpoint_every must be a number of epochs, a positive timedelta, or a time such as "
            f"'30s', '5min' or '1h'; got {every!r}."
        )
    return seconds


def check_no_checkpoint(estimator: BaseEstimator) -> None:
    """Raise ValueError if an estimator in ``partial_fit`` is to write checkpoints."""
    folder = get_folder(estimator)
    if folder is not None:
        raise ValueError(
            f"partial_fit writes no checkpoints, but checkpoint={str(folder)!r}: only you know "
            "which data come next. Set checkpoint=None, and keep the estimator itself from time "
            "to time, as a file of pickle or skops."
        )

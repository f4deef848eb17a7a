"""Ensembles that compiled passes can compute, and sizes for which they pay."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from sknn._jit import OBSTACLE, has_kept_code, is_compiled
from sknn.architectures import PiecewiseLinear, TabularEnsemble
from sknn.engine.members._codes import Encoded, Ensemble

#: floating-point operations of a prediction, by a network that other steps have trained, from which
#: it pays to load compiled code, which takes half a second once in a process
MIN_PREDICTION_FLOPS = 4e10
#: message before passes are compiled for the first time
COLD = "Passes of ensembles for tables are compiled, once on this machine: half a minute."


class Steps(Protocol):
    """`sknn.engine.members._steps`, in which numba is loaded."""

    encode_samples: Callable[..., None]
    run_forward: Callable[..., None]
    run_backward: Callable[..., None]
    predict: Callable[..., None]
    BLOCK: int


def load_steps() -> Steps:
    """Return the compiled passes; numba is imported here, and only here."""
    steps: Any = import_module("sknn.engine.members._steps")
    return steps


def make_examples(dtype: np.dtype) -> tuple[Ensemble, Encoded]:
    """Return empty arguments of the passes, of the types that they are compiled for."""
    matrix, places = np.empty((0, 0), dtype), np.empty(0, np.int64)
    rest = matrix, matrix, matrix, places, places, places, matrix, places
    net = Ensemble(np.empty(0, dtype), 1, 0, 1, places, *rest, np.empty((0, 4), np.int64))
    stretches, found = np.empty((0, 0), np.uint16), np.empty((0, 0), np.int64)
    return net, Encoded(matrix, stretches, matrix, found)


@cache
def was_warm(dtype: np.dtype) -> bool:
    """Return whether passes had been compiled before this process first asked."""
    # The answer is kept: equal fits are computed alike, also if another fit compiles in between.
    folder = Path(__file__).parent
    is_any = has_kept_code(folder, "encode_samples")  # without an import of numba
    return is_any and is_compiled(load_steps().encode_samples, *make_examples(dtype))


def explain_module(module: torch.nn.Module) -> str | None:
    """Return why an ensemble is not compiled; None if it can be."""
    if OBSTACLE is not None:
        return OBSTACLE
    if type(module) is not TabularEnsemble:
        return f"the network is a {type(module).__name__}, not an ensemble for tables"
    if module.numbers is not None and type(module.numbers) is not PiecewiseLinear:
        return "embeddings of numbers are not piecewise linear"
    if module.temperature.device.type != "cpu":
        return f"the network is on {module.temperature.device}; compiled code is for the CPU"
    return None


def predicts(module: torch.nn.Module, n_samples: int) -> bool:
    """Return whether compiled passes predict `n_samples` samples."""
    if explain_module(module) is not None or not isinstance(module, TabularEnsemble):
        return False
    dtype = module.temperature.numpy().dtype
    if module.is_compiled:
        return is_ready(dtype)
    flops = 2 * module.products_per_sample * n_samples
    return flops >= MIN_PREDICTION_FLOPS and was_warm(dtype)


def is_ready(dtype: np.dtype) -> bool:
    """Return whether this process or an earlier one has compiled the passes."""
    if dtype not in _ready and is_compiled(load_steps().encode_samples, *make_examples(dtype)):
        _ready.add(dtype)
    return dtype in _ready


#: dtypes for which `is_ready` has found compiled passes
_ready: set[np.dtype] = set()

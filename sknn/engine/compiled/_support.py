"""Runs that compiled code can compute, and sizes for which it pays."""

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import torch
from scipy import sparse

from sknn._jit import OBSTACLE, explain_not_kept, has_kept_code, is_compiled
from sknn.architectures import MLP, is_mlp, list_parameters
from sknn.engine._run import TrainingRun
from sknn.engine._start import FLOPS_OF_A_WEIGHT
from sknn.engine.compiled import _codes
from sknn.engine.compiled._codes import (
    FlatNetwork,
    SolverState,
    StepMemory,
    StepRange,
    TrainingArrays,
)
from sknn.engine.losses._loss import TableLoss

#: floating-point operations of a step up to which compiled code is faster than torch, whatever the
#: number of threads
MAX_STEP_FLOPS = 2e7
#: the same limit where torch has at most `MAX_THREADS` threads and a mini-batch at least
#: `MIN_LARGE_BATCH` samples, so that a weight that is read takes part in as many products
MAX_LARGE_STEP_FLOPS, MAX_THREADS, MIN_LARGE_BATCH = 4e8, 2, 100
#: number of parameters up to which compiled code is faster for sparse samples: of a step, most is
#: the solver's, which torch does as fast
MAX_SPARSE_PARAMETERS = 2**21
#: line that verbose fits print before code is compiled for the first time
COLD = "Steps of small networks are compiled, once on this machine: ten to twenty seconds."


class RunEpochs(Protocol):
    """`sknn.engine.compiled._steps.run_epochs`."""

    def __call__(
        self,
        samples: TrainingArrays,
        network: FlatNetwork,
        solver: SolverState,
        space: StepMemory,
        steps: StepRange,
    ) -> int: ...


def load_steps() -> RunEpochs:
    """Return `run_epochs`; numba is imported here, and only here."""
    return import_module("sknn.engine.compiled._steps").run_epochs


def is_warm(dtype: np.dtype) -> bool:
    """Return whether steps in this precision were compiled before on this machine."""
    return is_compiled(load_steps(), *_codes.make_examples(dtype))


@cache
def was_warm(dtype: np.dtype) -> bool:
    """Return `is_warm` as it was when this process first asked."""
    # The answer is kept: equal fits are computed alike, also if another fit compiles in between.
    is_any = has_kept_code(Path(__file__).parent, "run_epochs")  # without an import of numba
    return is_any and is_warm(dtype)


def explain_obstacle(dtype: np.dtype) -> str | None:
    """Return why code can neither be loaded nor made; None if it can."""
    return explain_not_kept(load_steps(), *_codes.make_examples(dtype))


def explain_module(run: TrainingRun) -> str | None:
    """Return why the network, its loss or its precision is not compiled."""
    net = run.net
    module = net.module_
    if OBSTACLE is not None:
        return OBSTACLE
    if not is_mlp(module):
        return f"the network is a {type(module).__name__}, not a plain MLP"
    if not module.is_plain_but_for_dropout:
        return "the network has layers beside weights, biases, activations and dropout"
    unknown = sorted(set(module.activation_names) - set(_codes.ACTIVATIONS))
    if unknown:
        return f"activation={unknown[0]!r} is not compiled"
    loss = net.loss
    if not isinstance(loss, TableLoss) or not loss.is_named or loss.name not in _codes.LOSSES:
        return f"the loss {loss.name!r} is not compiled"
    if net.precision == "bfloat16":
        return "dtype='bfloat16' needs autocast"
    if run.compiled is not None:
        return "compile=True"
    for parameter in list_parameters(module):
        if not parameter.requires_grad:
            return "some parameters are frozen"
    return None


def choose_max_flops(batch_size: int, n_threads: int) -> float:
    """Return the floating-point operations of a step above which torch's products are as fast."""
    is_large = batch_size >= MIN_LARGE_BATCH and n_threads <= MAX_THREADS
    return MAX_LARGE_STEP_FLOPS if is_large else MAX_STEP_FLOPS


def explain_data(run: TrainingRun, n_samples: int) -> str | None:
    """Return why compiled code is not for the data, or for steps on `n_samples` samples."""
    net, X = run.net, run.samples.X
    if torch.device(net.device).type != "cpu":
        return f"the network is on {net.device!r}; compiled code is for the CPU"
    known = {str(p.dtype).removeprefix("torch.") for p in list_parameters(net.module_)}
    if {str(X.dtype).removeprefix("torch.")} != known or len(X.shape) != 2:
        return "X is not a table in the dtype of the weights"
    return explain_work(net.module_, X, n_samples, torch.get_num_threads())


def explain_work(module: torch.nn.Module, X: object, n_samples: int, n_threads: int) -> str | None:
    """Return why the work of a step on `n_samples` samples is for torch, with so many threads."""
    n_parameters = n_weights = sum(map(torch.numel, list_parameters(module)))
    if sparse.issparse(X):
        # Of the first layer's weights a sample multiplies those of its entries that are not 0.
        n_units, n_features = cast("MLP", module).linears[0].weight.shape
        entries = cast("sparse.csr_array", X)
        n_weights -= int(n_units * (n_features - entries.nnz / max(entries.shape[0], 1)))
        if n_parameters > MAX_SPARSE_PARAMETERS:
            return "X is sparse, and most of a step is the solver's, which torch does as fast"
    if FLOPS_OF_A_WEIGHT * n_weights * n_samples > choose_max_flops(n_samples, n_threads):
        return "the products of a step are so large that torch's are as fast"
    return None

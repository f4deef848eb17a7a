"""Loss and gradient of all samples by compiled code, for L-BFGS."""

import numpy as np
import torch

from sknn.architectures import list_parameters
from sknn.engine._run import TrainingRun
from sknn.engine.backprop._mlp import list_turned
from sknn.engine.compiled import _codes
from sknn.engine.compiled._codes import SolverState, StepRange
from sknn.engine.compiled._packing import make_memory, pack_network, pack_samples
from sknn.engine.compiled._runner import CompiledRunner
from sknn.engine.compiled._support import (
    explain_data,
    explain_module,
    explain_obstacle,
    load_steps,
    was_warm,
)

#: number of samples at a time, whose values of all layers stay in the processor's cache
CHUNK = 128
#: maximum number of chunks: an evaluation is one call, which cannot be interrupted
MAX_CHUNKS = 2000


class CompiledObjective:
    """The penalised mean loss of all samples for a plain MLP, by the steps of `CompiledRunner`.

    It has the methods of `sknn.engine._lbfgs.Objective`. Its vector has the parameters in the order
    of handwritten backpropagation, so that each of the two goes on from a checkpoint of the other.

    Parameters
    ----------
    run : TrainingRun
        Run that has begun, and that `supports` accepts.
    """

    @classmethod
    def supports(cls, run: TrainingRun) -> str | None:
        """Return why a run cannot be computed so; None if it can."""
        reason = explain_module(run) or explain_data(run, CHUNK)
        if reason is not None:
            return reason
        if run.net.l1_ratio:
            return "l1_ratio is not 0"
        n_chunks = -(-len(run.samples) // CHUNK)
        if n_chunks > MAX_CHUNKS:
            return "there are so many samples that torch's threads are as fast"
        dtype = list_parameters(run.net.module_)[0].detach().numpy().dtype
        n_steps = n_chunks * min(run.config.max_iter, run.config.max_fun)
        needed = CompiledRunner.min_warm_steps
        if n_steps >= needed and not was_warm(dtype):
            needed = CompiledRunner.min_steps
        if n_steps < needed:
            return f"with at most {n_steps:,} steps of {CHUNK} samples compiled code does not pay"
        return explain_obstacle(dtype)

    def __init__(self, run: TrainingRun):
        net = run.net
        self.net, self.run_epochs = net, load_steps()
        self.network, self.flat = pack_network(net)
        self.network.codes[_codes.SOLVER] = _codes.ADD_UP
        self.turned = {id(p) for p in list_turned(net, run.samples.is_sparse)}
        self.samples = pack_samples(run.samples, self.network, net)
        n_samples, dtype = len(run.samples), self.network.values.dtype
        self.size = min(CHUNK, n_samples)
        self.n_chunks = -(-n_samples // self.size)
        self.space = make_memory(self.network, self.size, n_samples)
        total, none = np.zeros(len(self.network.values), dtype), np.empty(0, dtype)
        self.solver = SolverState(total, none, np.zeros(_codes.N_NUMBERS), np.ones(2))
        weight = run.samples.sample_weight
        self.total_weight = float(n_samples if weight is None else weight.sum())

    def get_vector(self) -> np.ndarray:
        """Return the present parameters, in float64 for SciPy."""
        self.flat.read_parameters()
        return self._order(self.network.values).astype(np.float64)

    def set_vector(self, vector: np.ndarray) -> None:
        """Write the parameters."""
        start = 0
        for p in self.flat.parameters:
            stop = start + p.numel()
            own, part = self.network.values[start:stop], vector[start:stop]
            if self._is_other(p):
                own.reshape(p.shape[::-1])[...] = part.reshape(p.shape).T
            else:
                own[...] = part
            start = stop
        self.flat.write_parameters()

    def __call__(self, vector: np.ndarray) -> tuple[float, np.ndarray]:
        """Return loss and gradient, of shape (n_parameters,)."""
        self.set_vector(vector)
        total, loss, share = self.solver.first, np.empty(1), 1 / self.total_weight
        total[:] = 0
        patience, none = np.zeros(_codes.N_PATIENCE), _codes.NO_GENERATOR
        steps = StepRange(0, 0, self.n_chunks, self.size, patience, loss, none)
        self.run_epochs(self.samples, self.network, self.solver, self.space, steps)
        total *= share
        mean = float(loss[0]) * share
        # The penalty is α / (2 n) |w|², whose gradient is α / n w; biases are not penalised, and
        # lie behind the weights.
        if self.net.alpha:
            decay, weights = self.net.alpha * share, self.network.values[: self.flat.n_weights]
            total[: len(weights)] += total.dtype.type(decay) * weights
            mean += 0.5 * decay * float(weights @ weights)
        return mean, self._order(total).astype(np.float64)

    def _order(self, vector: np.ndarray) -> np.ndarray:
        """Return a vector in the order of compiled code as one in the order of SciPy's vector."""
        parts, start = [], 0
        for p in self.flat.parameters:
            part = vector[start : start + p.numel()]
            parts.append(part.reshape(p.shape[::-1]).T.ravel() if self._is_other(p) else part)
            start += p.numel()
        return np.concatenate(parts)

    def _is_other(self, parameter: torch.nn.Parameter) -> bool:
        """Return whether a weight lies row by row in SciPy's vector, and so transposed here."""
        return parameter.ndim > 1 and id(parameter) not in self.turned

    def close(self) -> None:
        """Give the optimizer memory of its own again."""
        self.flat.close()

"""Full-batch training by SciPy's L-BFGS-B with torch's gradient."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from scipy import sparse
from scipy.optimize import OptimizeResult, minimize
from sklearn.exceptions import ConvergenceWarning

from sknn.engine._interrupt import PauseTraining
from sknn.engine._live_state import Alone
from sknn.engine._run import TrainingRun
from sknn.engine._snapshot import get_columns
from sknn.engine.backprop._mlp import MLPPass, UpdateCoefficients, supports_module
from sknn.engine.compiled._objective import CompiledObjective
from sknn.engine.data._batches import Batches, SampleDataset, TargetTensors, split_target
from sknn.exceptions import warn_user

#: numbers that the widest layer of a chunk of samples may hold: 32 MiB in float64
CHUNK_NUMBERS = 2**22


class StopTraining(Exception):  # noqa: N818 - an event, not an error
    """Ends SciPy's iterations after one that a callback has seen."""


class Objective(ABC):
    """The penalised mean loss of all samples, as a function of one flat vector.

    Samples go through the network in chunks, whose losses and gradients add up, so that large data
    need no memory for all their activations.

    Parameters and losses are those of a run that has begun, whose parameters are overwritten at
    each call.
    """

    @abstractmethod
    def get_vector(self) -> np.ndarray:
        """Return the present parameters, in float64 for SciPy."""

    @abstractmethod
    def set_vector(self, vector: np.ndarray) -> None:
        """Write the parameters."""

    @abstractmethod
    def __call__(self, vector: np.ndarray) -> tuple[float, np.ndarray]:
        """Return loss and gradient, of shape (n_parameters,)."""

    @abstractmethod
    def close(self) -> None:
        """Give back what was borrowed from the net."""


@dataclass(frozen=True)
class Share:
    """Part of the objective that one process computes: by default all of it.

    Attributes
    ----------
    samples : SampleDataset
        Some of the samples of a run, or all.
    penalizes : bool, default=True
        Whether the penalty is added.
    chunk_numbers : int, default=CHUNK_NUMBERS
        Most numbers that the widest layer of a chunk of samples may hold.
    """

    samples: SampleDataset
    penalizes: bool = True
    chunk_numbers: int = CHUNK_NUMBERS


def divide_samples(
    run: TrainingRun, samples: SampleDataset, chunk_numbers: int
) -> tuple[Batches, float]:
    """Return samples in chunks, and the weight of all samples of a run."""
    weight = run.samples.sample_weight
    total = float(len(run.samples) if weight is None else weight.sum())
    return Batches(samples, run.net.count_chunk_samples(chunk_numbers)), total


class AutogradObjective(Objective):
    """For any module; see `Objective`. Sparse samples become dense a chunk at a time."""

    def __init__(self, run: TrainingRun, share: Share | None = None):
        share = share or Share(run.samples)
        self.net, self.penalizes = run.net, share.penalizes
        self.batches, self.total_weight = divide_samples(run, share.samples, share.chunk_numbers)
        self.parameters = [p for p in self.net.module_.parameters() if p.requires_grad]
        self.arguments = {} if run.compiled is None else {"compiled": run.compiled}

    def get_vector(self) -> np.ndarray:
        """Return the present parameters, in float64 for SciPy."""
        return _join(self.parameters)

    def set_vector(self, vector: np.ndarray) -> None:
        """Write the parameters."""
        parts = torch.from_numpy(vector).split([p.numel() for p in self.parameters])
        with torch.no_grad():
            for p, part in zip(self.parameters, parts, strict=True):
                p.copy_(part.view_as(p))

    def __call__(self, vector: np.ndarray) -> tuple[float, np.ndarray]:
        """Return loss and gradient, of shape (n_parameters,)."""
        self.set_vector(vector)
        for p in self.parameters:
            p.grad = None
        self.net.module_.train()
        loss = 0.0
        for X, target in self.batches:
            target, weight = split_target(target)
            # The mean over all samples is the sum over chunks of the chunk's mean times its share
            # of the total weight; so is the gradient, which backward adds up.
            share = (len(X) if weight is None else weight.sum()) / self.total_weight
            chunk = share * self.net.criterion_(self.net.infer(X, **self.arguments), target, weight)
            chunk.backward()
            loss += float(chunk.detach())
        penalty = self.net.compute_penalty(self.total_weight) if self.penalizes else 0.0
        if isinstance(penalty, torch.Tensor):
            penalty.backward()
            loss += penalty.item()
        unused = torch.zeros_like  # a user's module need not use all it has
        gradients = [unused(p) if p.grad is None else p.grad for p in self.parameters]
        return loss, _join(gradients)

    def close(self) -> None:
        """Do nothing: nothing was borrowed."""


def _join(tensors: list[torch.Tensor]) -> np.ndarray:
    """Return tensors as one vector in float64."""
    return torch.cat([t.detach().reshape(-1) for t in tensors]).cpu().double().numpy()


class HandwrittenObjective(Objective):
    """For a plain MLP, by `MLPPass` on its flat vector; see `Objective`."""

    @classmethod
    def supports(cls, run: TrainingRun) -> str | None:
        """Return why a run needs autograd; None if it does not."""
        if run.net.l1_ratio:
            return "l1_ratio is not 0"
        return supports_module(run.net, run.compiled)

    def __init__(self, run: TrainingRun, share: Share | None = None):
        share = share or Share(run.samples)
        self.net, samples = run.net, share.samples
        self.alpha = self.net.alpha if share.penalizes else 0.0
        self.batches, self.total_weight = divide_samples(run, samples, share.chunk_numbers)
        self.mlp = MLPPass(self.net, samples.is_sparse)
        # With the gradient itself as base and no decay each chunk adds Σ w_i dl_i / Σ w of its
        # samples.
        self.mlp.weight_bases = self.mlp.weight_targets  # chunks add up
        self.parts = [
            part
            for X, target in self.batches.iterate_groups(dense=not samples.is_sparse)
            for part in self._split_samples(X, target)
        ]

    def _split_samples(
        self, X: torch.Tensor | sparse.csr_array | sparse.csr_matrix, target: TargetTensors
    ) -> list[tuple]:
        size = self.batches.batch_size
        y, weight = split_target(target)
        ys, targets = y.split(size), self.mlp.encode_targets(y).split(size)
        weights = [None] * len(ys) if weight is None else weight.split(size)
        return list(zip(self.mlp.split(X, size), ys, targets, weights, strict=True))

    def get_vector(self) -> np.ndarray:
        """Return the present parameters, in float64 for SciPy."""
        return self.mlp.flat.values.cpu().numpy().astype(np.float64)

    def set_vector(self, vector: np.ndarray) -> None:
        """Write the parameters."""
        self.mlp.flat.values.copy_(torch.from_numpy(vector))

    @torch.no_grad()
    def __call__(self, vector: np.ndarray) -> tuple[float, np.ndarray]:
        """Return loss and gradient, of shape (n_parameters,)."""
        self.set_vector(vector)
        flat, share = self.mlp.flat, 1 / self.total_weight
        flat.gradient.zero_()
        loss = 0.0
        for X, y, targets, weight in self.parts:
            output = self.mlp.allocate_output(len(y))
            self.mlp.run(X, targets, output.t(), weight, UpdateCoefficients(1.0, 1.0, share))
            losses = self.mlp.per_sample(output, y)
            loss += (losses.sum() if weight is None else losses.dot(weight)).item() * share
        # alpha / (2 n) |w|^2, whose gradient is alpha / n * w; biases are not penalised.
        if self.alpha:
            decay, n_weights = self.alpha * share, len(flat.weights)
            flat.gradient[:n_weights].add_(flat.weights, alpha=decay)
            loss += 0.5 * decay * torch.dot(flat.weights, flat.weights).item()
        return loss, flat.gradient.cpu().numpy().astype(np.float64)

    def close(self) -> None:
        """Give the module memory of its own again."""
        self.mlp.flat.close()


#: what LBFGSRunner and SharedObjective ask
AnyObjective = Objective | CompiledObjective


def make_objective(run: TrainingRun, share: Share | None = None) -> AnyObjective:
    """Return the penalised loss of some samples of a run, as it is computed fastest."""
    reason = "several processes compute it" if share else CompiledObjective.supports(run)
    if reason is None:
        return CompiledObjective(run)
    run.runner_reasons["compiled"] = reason
    reason = HandwrittenObjective.supports(run)
    if reason is None:
        return HandwrittenObjective(run, share)
    run.runner_reasons["handwritten"] = reason
    return AutogradObjective(run, share)


class LBFGSRunner:
    """Minimises the penalised loss of a run's samples by L-BFGS-B.

    An iteration is an epoch: callbacks see it, and an interruption goes back to the last one.
    SciPy keeps the curvature to itself, so that going on repeats the iterations from the first
    weights, which are part of the run's state, and passes the same points again. Those that a
    checkpoint holds are not computed again.

    Parameters
    ----------
    run : TrainingRun
        Begun. ``max_iter`` iterations, ``max_fun`` evaluations, ``tol`` of the largest gradient
        entry.
    function : Objective, default=None
        The loss to minimise; by default that of all samples, computed here.
    """

    name = "lbfgs"

    def __init__(self, run: TrainingRun, function: AnyObjective | None = None):
        self.run = run
        self.function = make_objective(run) if function is None else function
        if run.first_weights is None:
            run.first_weights = self.function.get_vector().copy()
        else:
            _forget_epochs(run)
        self.latest = cast("np.ndarray", run.first_weights).copy()
        self.computed = np.empty(0)  # where the network is, once it was evaluated
        self.n_evaluations = 0
        self.is_open = False

    def close(self) -> None:
        """Give the module memory of its own again, and leave out an iteration that did not end."""
        self.function.close()
        history = self.run.net.history
        if len(history) and "train_loss" not in history[-1]:
            del history[-1:]

    def minimize(self) -> None:
        """Train to the end; the weights of the last iteration stay, however it ends."""
        config, function = self.run.config, self.function
        options = {"maxfun": config.max_fun, "maxiter": config.max_iter, "gtol": config.tol}
        try:
            result = minimize(
                self._evaluate,
                self.latest.copy(),
                method="L-BFGS-B",
                jac=True,
                options=options,
                callback=self._end_iteration,
            )
        except StopTraining:  # a callback's wish
            function.set_vector(self.latest)
            return
        except (KeyboardInterrupt, PauseTraining):
            function.set_vector(self.latest)
            raise
        function.set_vector(result.x)
        self._conclude(result)

    def _evaluate(self, vector: np.ndarray) -> tuple[float, np.ndarray]:
        self.run.pause_if_asked()
        if not self.is_open:  # the first evaluation of an iteration
            self.run.open_epoch()
            self.is_open = True
        self.n_evaluations += 1
        if not isinstance(self.run.peers, Alone):  # who have no file, and wait for a message
            return self._compute(vector)
        return self.run.recorder.evaluate(self._compute, vector, self.n_evaluations - 1)

    def _compute(self, vector: np.ndarray) -> tuple[float, np.ndarray]:
        """Return loss and gradient; the network has this vector then."""
        self.computed = vector.copy()
        return self.function(vector)

    def _end_iteration(self, intermediate_result: OptimizeResult) -> None:
        self.latest, self.is_open = intermediate_result.x.copy(), False
        # A line search evaluates several points, and need not end with the one that it accepts.
        if not np.array_equal(self.latest, self.computed):
            self.function.set_vector(self.latest)
        self.run.close_epoch(float(intermediate_result.fun))
        if self.run.progress.stopped_because:
            raise StopTraining

    def _conclude(self, result: OptimizeResult) -> None:
        progress = self.run.progress
        progress.n_epochs = min(int(result.nit), self.run.config.max_iter)
        if result.status != 0:
            warn_user(
                f"lbfgs failed to converge after {progress.n_epochs} iteration(s) "
                f"(status={result.status}): {result.message}. Increase max_iter (now "
                f"{self.run.config.max_iter}) or max_fun, or scale the data.",
                ConvergenceWarning,
            )
        progress.loss = progress.best_loss = float(result.fun)
        progress.best_epoch = progress.n_epochs
        if not np.isfinite(result.fun):
            progress.stopped_because = "diverged"
        else:
            progress.stopped_because = "converged" if result.success else "max_iter"
            self.run.recorder.end_iterations()


def _forget_epochs(run: TrainingRun) -> None:
    """Forget the iterations of this call, as they are to be gone through again."""
    progress, n = run.progress, run.progress.n_epochs
    for column in [run.net.history, *get_columns(progress)]:
        del column[len(column) - n :]
    progress.n_epochs = progress.best_epoch = 0

"""Full-batch training by SciPy's L-BFGS-B with torch's gradient."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from sknn._sklearn import check_optimize_result
from sknn._specs import Progress, TrainConfig
from sknn.engine.backprop._mlp import Factors, MLPPass, covers_module
from sknn.engine.callbacks._epoch_end import StopTraining
from sknn.engine.data._batches import Batches, Rows, target_and_weight
from sknn.engine.net._net import Net
from sknn.exceptions import warn_user

#: numbers that the widest layer of a chunk of rows may hold: 32 MiB in float64
CHUNK_NUMBERS = 2**22


class Objective(ABC):
    """The penalised mean loss of all rows, as a function of one flat vector.

    Rows go through the network in chunks, whose losses and gradients add up, so that large data
    need no memory for all their activations.

    Parameters
    ----------
    net : Net
        Initialised; its parameters are overwritten at each call.
    rows : Rows
        The training rows.
    """

    def __init__(self, net: Net, rows: Rows):
        self.net = net
        self.batches = Batches(rows, net.chunk_rows(CHUNK_NUMBERS))
        weight = rows.sample_weight
        self.total_weight = float(len(rows) if weight is None else weight.sum())

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


class AutogradObjective(Objective):
    """For any module; see `Objective`. Sparse rows become dense a chunk at a time."""

    def __init__(self, net: Net, rows: Rows):
        super().__init__(net, rows)
        self.parameters = [p for p in net.module_.parameters() if p.requires_grad]

    def get_vector(self) -> np.ndarray:
        """Return the present parameters, in float64 for SciPy."""
        return parameters_to_vector(self.parameters).detach().cpu().double().numpy()

    def set_vector(self, vector: np.ndarray) -> None:
        """Write the parameters."""
        like = self.parameters[0]
        flat = torch.from_numpy(vector).to(device=like.device, dtype=like.dtype)
        with torch.no_grad():
            vector_to_parameters(flat.clone(), self.parameters)

    def __call__(self, vector: np.ndarray) -> tuple[float, np.ndarray]:
        """Return loss and gradient, of shape (n_parameters,)."""
        self.set_vector(vector)
        self.net.module_.zero_grad(set_to_none=True)
        self.net.module_.train()
        loss = 0.0
        for X, target in self.batches:
            target, weight = target_and_weight(target)
            share = (len(X) if weight is None else weight.sum()) / self.total_weight
            chunk = share * self.net.criterion_(self.net.infer(X), target, weight)
            chunk.backward()
            loss += float(chunk.detach())
        penalty = self.net.penalty(self.total_weight)
        if isinstance(penalty, torch.Tensor):
            penalty.backward()
            loss += penalty.item()
        unused = torch.zeros_like  # a user's module need not use all it has
        gradients = [unused(p) if p.grad is None else p.grad for p in self.parameters]
        gradient = parameters_to_vector(gradients)
        return loss, gradient.cpu().double().numpy()

    def close(self) -> None:
        """Do nothing: nothing was borrowed."""


class ClosedFormObjective(Objective):
    """For a plain MLP, by `MLPPass` on its flat vector; see `Objective`."""

    def __init__(self, net: Net, rows: Rows):
        super().__init__(net, rows)
        self.mlp = MLPPass(net, rows.is_sparse)
        self.mlp.weight_bases = self.mlp.weight_targets  # chunks add up
        self.parts = [
            part
            for X, target in self.batches.groups(dense=not rows.is_sparse)
            for part in self._parts(X, target)
        ]

    def _parts(self, X: Any, target: Any) -> list[tuple]:
        size = self.batches.batch_size
        y, weight = target_and_weight(target)
        ys, wanted = y.split(size), self.mlp.wanted(y).split(size)
        weights = [None] * len(ys) if weight is None else weight.split(size)
        return list(zip(self.mlp.split(X, size), ys, wanted, weights, strict=True))

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
        for X, y, wanted, weight in self.parts:
            output = self.mlp.new_output(len(y))
            self.mlp.run(X, wanted, output.t(), weight, Factors(1.0, 1.0, share))
            costs = self.mlp.per_row(output, y)
            loss += (costs.sum() if weight is None else costs.dot(weight)).item() * share
        if self.net.alpha:
            decay, n_weights = self.net.alpha * share, len(flat.weights)
            flat.gradient[:n_weights].add_(flat.weights, alpha=decay)
            loss += 0.5 * decay * torch.dot(flat.weights, flat.weights).item()
        return loss, flat.gradient.cpu().numpy().astype(np.float64)

    def close(self) -> None:
        """Give the module memory of its own again."""
        self.mlp.flat.close()


def objective(net: Net, rows: Rows) -> Objective:
    """Return the fastest objective that covers the net."""
    covered = covers_module(net) and not net.l1_ratio
    return (ClosedFormObjective if covered else AutogradObjective)(net, rows)


def minimize_lbfgs(net: Net, rows: Rows, config: TrainConfig, progress: Progress) -> None:
    """Train a net by L-BFGS-B.

    Parameters
    ----------
    net : Net
        Trained in place.
    rows : Rows
        The training rows.
    config : TrainConfig
        ``max_iter`` iterations, ``max_fun`` evaluations, ``tol`` of the largest gradient entry.
    progress : Progress
        Changed in place.

    Warns
    -----
    ConvergenceWarning
        If it stops for another reason than the tolerance.
    UserWarning
        If it is interrupted; the last iteration's weights stay.
    """
    function = objective(net, rows)
    try:
        _minimize(function, config, progress)
    finally:
        function.close()
        if len(net.history) and "train_loss" not in net.history[-1]:
            del net.history[-1:]  # an iteration that did not end


def _minimize(function: Objective, config: TrainConfig, progress: Progress) -> None:
    net, latest, begun = function.net, function.get_vector(), False

    def evaluate(vector):
        nonlocal begun
        if not begun:  # the first evaluation of an iteration
            net.notify("on_epoch_begin")
            begun = True
        return function(vector)

    def record(intermediate_result):
        nonlocal latest, begun
        latest, begun = intermediate_result.x.copy(), False
        net.history.record("train_loss", float(intermediate_result.fun))
        function.set_vector(latest)  # the last one tried may have been another
        net.notify("on_epoch_end")

    options = {"maxfun": config.max_fun, "maxiter": config.max_iter, "gtol": config.tol}
    try:
        result = minimize(
            evaluate, latest, method="L-BFGS-B", jac=True, options=options, callback=record
        )
    except KeyboardInterrupt:
        warn_user("Training interrupted by user.")
        progress.stopped_because = "interrupted"
        function.set_vector(latest)
        return
    except StopTraining:  # a callback's wish
        function.set_vector(latest)
        return
    function.set_vector(result.x)
    progress.n_epochs = check_optimize_result("lbfgs", result, config.max_iter)
    progress.loss = progress.best_loss = float(result.fun)
    progress.best_epoch = progress.n_epochs
    if not np.isfinite(result.fun):
        progress.stopped_because = "diverged"
    else:
        progress.stopped_because = "converged" if result.success else "max_iter"

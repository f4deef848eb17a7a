"""Full-batch training by SciPy's L-BFGS-B with torch's gradient."""

import warnings

import numpy as np
import torch
from scipy.optimize import minimize
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from sknn._sklearn import check_optimize_result
from sknn._specs import Progress, TrainConfig
from sknn.engine._data import Batches, Rows, target_and_weight
from sknn.engine._net import Net

#: numbers that the widest layer of a chunk of rows may hold: 32 MiB in float64
CHUNK_NUMBERS = 2**22


class Objective:
    """The penalised mean loss of all rows, as a function of one flat vector.

    Rows go through the network in chunks, whose losses and gradients add up, so that sparse or
    large data never become dense as a whole.

    Parameters
    ----------
    net : Net
        Initialised; its parameters are overwritten at each call.
    rows : Rows
        The training rows.
    """

    def __init__(self, net: Net, rows: Rows):
        self.net = net
        self.parameters = list(net.module_.parameters())
        self.batches = Batches(rows, net.chunk_rows(CHUNK_NUMBERS))
        weight = rows.sample_weight
        self.total_weight = float(len(rows) if weight is None else weight.sum())

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
        gradient = parameters_to_vector([p.grad for p in self.parameters])
        return loss, gradient.cpu().double().numpy()


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
    objective = Objective(net, rows)
    latest = objective.get_vector()

    def record(intermediate_result):
        nonlocal latest
        latest = intermediate_result.x.copy()
        progress.n_epochs += 1
        progress.loss = float(intermediate_result.fun)
        progress.loss_curve.append(progress.loss)
        progress.best_loss, progress.best_epoch = progress.loss, progress.n_epochs
        net.history.new_epoch()
        net.history.record("epoch", len(net.history))
        net.history.record("train_loss", progress.loss)
        if config.verbose:
            print(f"Iteration {progress.n_epochs}, loss = {progress.loss:.8f}")  # noqa: T201

    options = {"maxfun": config.max_fun, "maxiter": config.max_iter, "gtol": config.tol}
    try:
        result = minimize(
            objective, latest, method="L-BFGS-B", jac=True, options=options, callback=record
        )
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=2)
        progress.stopped_because = "interrupted"
        objective.set_vector(latest)
        return
    objective.set_vector(result.x)
    progress.n_epochs = check_optimize_result("lbfgs", result, config.max_iter)
    progress.loss = progress.best_loss = float(result.fun)
    progress.best_epoch = progress.n_epochs
    if not np.isfinite(result.fun):
        progress.stopped_because = "diverged"
    else:
        progress.stopped_because = "converged" if result.success else "max_iter"

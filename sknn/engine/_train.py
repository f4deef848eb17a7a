"""``train(plan)``: split, net, loop, best weights."""

import copy
import warnings
from dataclasses import replace

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

from sknn._specs import Progress, TrainPlan, TrainResult
from sknn.engine._callbacks import EpochEnd, EpochLog, ValidationScore
from sknn.engine._closed_form import closed_form
from sknn.engine._data import Rows, split_rows
from sknn.engine._device import resolve_device
from sknn.engine._lbfgs import minimize_lbfgs
from sknn.engine._net import Net
from sknn.engine._optimizers import copy_state, net_arguments, restore_state
from sknn.exceptions import NonFiniteLossError

#: a row costs each weight a multiplication and an addition forward, and two of each back
FLOPS_OF_A_WEIGHT = 6

NON_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and "
    "need to be preprocessed. Likely causes: X is not scaled (put a StandardScaler before this "
    "estimator), learning_rate_init={rate!r} is too large, or y or sample_weight are huge."
)


def train(plan: TrainPlan) -> TrainResult:
    """Train a network.

    Parameters
    ----------
    plan : TrainPlan
        What to train on and how. If it goes on from an earlier result, that result's net is
        trained further; it is put back if training fails.

    Returns
    -------
    TrainResult

    Raises
    ------
    NonFiniteLossError
        If loss or weights end up infinite or NaN, and no good weights were kept.
    ValueError
        If the validation rows are too few, or the device does not exist.

    Warns
    -----
    ConvergenceWarning
        If ``max_iter`` was reached, or training diverged and went back to the best weights.
    UserWarning
        If Ctrl-C ended training; the weights reached so far are kept.
    """
    plan = plan.with_own_rows()
    progress = _start_progress(plan)
    net, backup = _start_net(plan)
    try:
        if plan.config.solver == "lbfgs":
            rows = Rows(plan.X, plan.y, plan.sample_weight, device=net.device)
            with net.threads_for(FLOPS_OF_A_WEIGHT, len(rows)):
                minimize_lbfgs(net, rows, plan.config, progress)
        else:
            _run_epochs(net, plan, progress)
        _check_finite(net, plan, progress)
    except BaseException:
        _put_back(net, backup)
        raise
    return TrainResult(net, progress)


def _start_progress(plan: TrainPlan) -> Progress:
    before = plan.previous.progress if plan.previous else Progress()
    progress = replace(
        before,
        n_epochs=0,
        best_epoch=0,
        stopped_because="",
        loss_curve=list(before.loss_curve),
        validation_scores=None,
        best_score=None,
        best_loss=None,
    )
    if plan.config.early_stopping and plan.config.solver != "lbfgs":
        progress.validation_scores = list(before.validation_scores or [])
        progress.best_score = -np.inf if before.best_score is None else before.best_score
    else:
        progress.best_loss = np.inf if before.best_loss is None else before.best_loss
    return progress


def _start_net(plan: TrainPlan) -> tuple[Net, tuple | None]:
    """Return a net ready to train, and what `_put_back` needs if it was trained before."""
    config = plan.config
    optimizer = net_arguments(config)
    if plan.previous is None:
        device = resolve_device(config.device, str(plan.X.dtype))
        net = Net(
            plan.module, loss=plan.target.loss, alpha=config.alpha, device=device, **optimizer
        )
        return net.initialize(), None
    net = plan.previous.net
    backup = (
        dict(vars(net)),
        len(net.history),
        copy.deepcopy(net.module_.state_dict()),
        copy_state(net.optimizer_),
    )
    net.alpha = config.alpha
    if not (plan.incremental and isinstance(net.optimizer_, optimizer["optimizer"])):
        for name in [n for n in vars(net) if n.startswith("optimizer__")]:
            delattr(net, name)  # the solver may be another one now
        vars(net).update(optimizer)
        net.initialize_optimizer()
    return net, backup


def _put_back(net: Net, backup: tuple | None) -> None:
    if backup is not None:
        attributes, n_epochs, weights, state = backup
        vars(net).clear()
        vars(net).update(attributes)
        del net.history[n_epochs:]
        net.module_.load_state_dict(weights)
        restore_state(net.optimizer_, state)


def _run_epochs(net: Net, plan: TrainPlan, progress: Progress) -> None:
    config, callbacks = plan.config, []
    training = slice(None)
    if config.early_stopping:
        training, validation = split_rows(plan)
        callbacks.append(_validation_score(net, plan, validation))
    if config.verbose:
        callbacks.append(EpochLog())
    rows = _rows(net, plan, training)
    epoch_end = EpochEnd(config, progress, len(rows))
    vars(net).update(
        batch_size=_batch_size(config.batch_size, len(rows)),
        iterator_train__shuffle=config.shuffle,
        iterator_train__random_state=plan.random_state,
        callbacks=[*callbacks, epoch_end],
    )
    net.initialize_callbacks()
    net.notify("on_train_begin", X=rows, y=None)
    n_before = len(net.history)
    try:
        with net.threads_for(FLOPS_OF_A_WEIGHT, net.batch_size), closed_form(net, rows):
            net.fit_loop(rows, epochs=1 if plan.incremental else config.max_iter)
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=3)
        progress.stopped_because = "interrupted"
        del net.history[n_before + progress.n_epochs :]  # the epoch that was cut short
    net.notify("on_train_end", X=rows, y=None)
    net.callbacks = None  # they hold data and weights, which would be pickled with the net
    net.initialize_callbacks()
    _conclude(net, plan, progress, epoch_end)


def _conclude(net: Net, plan: TrainPlan, progress: Progress, epoch_end: EpochEnd) -> None:
    """Go back to the best weights, and say why training ended if the user should know."""
    if epoch_end.best_weights is not None:
        net.module_.load_state_dict(epoch_end.best_weights)
    if progress.stopped_because == "diverged" and epoch_end.best_weights and progress.best_epoch:
        warnings.warn(
            f"The training loss is not finite after epoch {progress.n_epochs}; the weights of "
            f"epoch {progress.best_epoch}, the best on the validation rows, are kept. "
            "Scale X, or lower learning_rate_init.",
            ConvergenceWarning,
            stacklevel=4,
        )
    if not progress.stopped_because and not plan.incremental:
        progress.stopped_because = "max_iter"
        warnings.warn(
            f"Stochastic Optimizer: Maximum iterations ({plan.config.max_iter}) reached and the "
            "optimization hasn't converged yet.",
            ConvergenceWarning,
            stacklevel=4,
        )


def _rows(net: Net, plan: TrainPlan, rows: slice | np.ndarray) -> Rows:
    weight = None if plan.sample_weight is None else plan.sample_weight[rows]
    if isinstance(rows, slice):  # no copy of X
        return Rows(plan.X, plan.y, weight, device=net.device)
    return Rows(plan.X[rows], plan.y[rows], weight, device=net.device)


def _validation_score(net: Net, plan: TrainPlan, validation: np.ndarray) -> ValidationScore:
    weight = None if plan.sample_weight is None else plan.sample_weight[validation]
    return ValidationScore(
        _rows(net, plan, validation), plan.y[validation], weight, score=plan.score
    )


def _batch_size(batch_size: int | str, n_rows: int) -> int:
    if batch_size == "auto":
        return min(200, n_rows)
    if batch_size > n_rows:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
            stacklevel=4,
        )
    return min(batch_size, n_rows)


def _check_finite(net: Net, plan: TrainPlan, progress: Progress) -> None:
    restored = progress.best_score is not None and progress.best_epoch
    diverged = progress.stopped_because == "diverged" and not restored
    if diverged or not all(torch.isfinite(p).all() for p in net.module_.parameters()):
        raise NonFiniteLossError(NON_FINITE.format(rate=plan.config.learning_rate_init))

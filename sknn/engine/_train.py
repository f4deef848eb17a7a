"""``train(plan)``: net, loop, best weights."""

import copy
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

from sknn._specs import Progress, Sample, TrainConfig, TrainPlan, TrainResult
from sknn.architectures import seeded_torch, unsteady_layers
from sknn.engine._lbfgs import minimize_lbfgs
from sknn.engine._resume import Resume, make_resume, resumes
from sknn.engine.backprop._epochs import closed_form
from sknn.engine.callbacks._dead_network import Revival
from sknn.engine.callbacks._epoch_end import EpochEnd, Validation
from sknn.engine.callbacks._progress import display
from sknn.engine.callbacks._user import as_callbacks
from sknn.engine.callbacks._weight_average import WeightAverage, averaging_of
from sknn.engine.data._batches import Rows
from sknn.engine.data._device import precision_of, resolve_device
from sknn.engine.graphs._epochs import replayed
from sknn.engine.losses._table import loss_for
from sknn.engine.net._net import Net
from sknn.engine.optimizers._optimizers import (
    copy_state,
    net_arguments,
    restore_state,
    set_arguments,
)
from sknn.engine.optimizers._schedules import start_schedule
from sknn.exceptions import NonFiniteLossError, warn_user

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
        If the device does not exist.
    TypeError
        If a callback is none.

    Warns
    -----
    ConvergenceWarning
        If ``max_iter`` was reached, or training diverged and went back to the best weights.
    UserWarning
        If Ctrl-C ended training; the weights reached so far are kept.
    """
    plan = plan.with_own_rows()
    as_callbacks(plan.config.callbacks)
    resume = resumes(plan)
    progress = _start_progress(plan, resume)
    net, backup = _start_net(plan, resume)
    compiled = torch.compile(net.module_) if plan.config.compile else None
    vars(net).update(precision=plan.config.precision, compiled=compiled)
    with _own_generators(net, plan), _float32_products(net):
        return _train(net, plan, progress, (resume, backup))


def _train(net: Net, plan: TrainPlan, progress: Progress, before: tuple) -> TrainResult:
    resume, backup = before
    try:
        _set_callbacks(net, plan, progress)
        if plan.config.solver == "lbfgs":
            left = _run_lbfgs(net, plan, progress)
        else:
            left = _run_epochs(net, plan, progress, resume)
        _check_finite(net, plan, progress)
    except torch.cuda.OutOfMemoryError as error:
        _put_back(net, backup)
        raise MemoryError(
            f"The memory of {net.device!r} is not enough to train this network on batches of "
            f"{net.batch_size} rows. Lower batch_size or the widths of the layers, take "
            "dtype='float32' or 'bfloat16', or device='cpu'."
        ) from error
    except BaseException:
        _put_back(net, backup)
        raise
    finally:
        _forget_data(net)
    return TrainResult(net, progress, left)


def _own_generators(net: Net, plan: TrainPlan) -> AbstractContextManager:
    """Return a context in which a user's layers draw from a seed and move no global generator."""
    own = getattr(net.module_, "has_named_activations", False)  # all layers are ours
    return nullcontext() if own else seeded_torch(plan.random_state)


def _float32_products(net: Net) -> AbstractContextManager:
    """Return a context with TF32 off or on; bfloat16 is for the forward pass alone."""
    return nullcontext() if net.precision == "bfloat16" else precision_of(net)


def _start_progress(plan: TrainPlan, resume: Resume | None) -> Progress:
    before = plan.previous.progress if plan.previous else Progress()
    lists = {
        "loss_curve": list(before.loss_curve),
        "history": {name: list(column) for name, column in before.history.items()},
        "validation_scores": list(before.validation_scores or []) if plan.validation else None,
        "validation_losses": list(before.validation_losses or []) if plan.validation else None,
    }
    if resume is not None:
        return replace(before, stopped_because="", **lists)
    progress = replace(
        before,
        n_epochs=0,
        best_epoch=0,
        stopped_because="",
        best_score=None,
        best_loss=None,
        **lists,
    )
    if plan.config.early_stopping and plan.config.solver != "lbfgs":
        progress.best_score = -np.inf if before.best_score is None else before.best_score
    else:
        progress.best_loss = np.inf if before.best_loss is None else before.best_loss
    return progress


def _start_net(plan: TrainPlan, resume: Resume | None) -> tuple[Net, tuple | None]:
    """Return a net ready to train, and what `_put_back` needs if it was trained before."""
    config = plan.config
    optimizer = net_arguments(config)
    if plan.previous is None:
        device = resolve_device(config.device, str(plan.X.dtype), *_work_of(plan))
        loss = loss_for(plan.target)
        net = Net(plan.module, loss=loss, device=device, **_penalties(plan), **optimizer)
        return net.initialize(), None
    net = plan.previous.net
    backup = (
        dict(vars(net)),
        len(net.history),
        copy.deepcopy(net.module_.state_dict()),
        copy_state(net.optimizer_),
    )
    vars(net).update(_penalties(plan))
    if resume is not None:
        if resume.last_weights is not None:
            net.module_.load_state_dict(resume.last_weights)
    elif plan.incremental and type(net.optimizer_) is optimizer["optimizer"]:
        set_arguments(net, optimizer)
    else:
        for name in [n for n in vars(net) if n.startswith("optimizer__")]:
            delattr(net, name)  # the solver may be another one now
        vars(net).update(optimizer)
        net.initialize_optimizer()
        net.schedule = None
    return net, backup


def _work_of(plan: TrainPlan) -> tuple[float, float]:
    """Return the floating-point operations of a step, and of the whole fit."""
    n_rows, size = len(plan.y), plan.config.batch_size
    if plan.config.solver == "lbfgs":
        size = n_rows
    elif size == "auto":
        size = plan.config.auto_batch_size
    flops = FLOPS_OF_A_WEIGHT * sum(p.numel() for p in plan.module.parameters())
    return flops * min(size, n_rows), flops * n_rows * plan.config.max_iter


def _penalties(plan: TrainPlan) -> dict[str, float | None]:
    return {name: getattr(plan.config, name) for name in ("alpha", "l1_ratio", "max_grad_norm")}


def _put_back(net: Net, backup: tuple | None) -> None:
    if backup is not None:
        attributes, n_epochs, weights, state = backup
        vars(net).clear()
        vars(net).update(attributes)
        del net.history[n_epochs:]
        net.module_.load_state_dict(weights)
        restore_state(net.optimizer_, state)


def _set_callbacks(net: Net, plan: TrainPlan, progress: Progress) -> None:
    """Give the net all callbacks, in the order in which they see an epoch."""
    config, callbacks = plan.config, []
    if config.averaged_epochs and config.solver != "lbfgs":
        callbacks.append(WeightAverage(config.averaged_epochs))
    if plan.validation is not None:
        if net.validation_rows is None:  # else those are shared with other networks
            net.validation_rows = _rows(net, plan.validation)
        callbacks.append(
            Validation(
                plan.validation,
                net.validation_rows,
                plan.score,
                config.stop_on_loss,
                config.scores_training_rows,
            )
        )
    if config.n_restarts and config.solver != "lbfgs":
        callbacks.append(Revival(plan, _rows(net, plan)))
    callbacks.extend(as_callbacks(config.callbacks))
    shown = display(config.verbose, config.max_iter, progress)
    if shown is not None:
        callbacks.append(shown)
    net.callbacks = [*callbacks, EpochEnd(plan, progress)]
    net.stop_asked = False
    net.initialize_callbacks()
    net.average = averaging_of(net)


def _forget_data(net: Net) -> None:
    """Drop what holds data and weights, and would be pickled with the net."""
    net.callbacks = None
    net.validation_rows = net.outputs_of_epoch = net.validated = None
    net.batches = net.compiled = net.average = net.deadline = None
    net.initialize_callbacks()


def _run_lbfgs(net: Net, plan: TrainPlan, progress: Progress) -> None:
    unsteady = unsteady_layers(net.module_)
    if unsteady:
        raise ValueError(
            "solver='lbfgs' needs the same loss for the same weights, but the layers "
            f"{', '.join(map(repr, unsteady))} of the network change it from call to call. Use "
            "another solver, or leave out dropout and batch normalization."
        )
    rows = _rows(net, plan)
    net.notify("on_train_begin", X=rows, y=None)
    with net.threads_for(FLOPS_OF_A_WEIGHT, len(rows)):
        minimize_lbfgs(net, rows, plan.config, progress)
    net.notify("on_train_end", X=rows, y=None)


def _run_epochs(
    net: Net, plan: TrainPlan, progress: Progress, resume: Resume | None
) -> Resume | None:
    config, rows = plan.config, _rows(net, plan)
    epoch_end = net.callbacks_[-1][1]
    vars(net).update(
        batch_size=_batch_size(config, len(rows)),
        iterator_train__shuffle=config.shuffle,
        iterator_train__random_state=plan.random_state,
        iterator_train__order=None,
        iterator_train__cut_short=False,
        deadline=None if config.time_limit is None else time.perf_counter() + config.time_limit,
    )
    n_batches = -(-len(rows) // net.batch_size)
    goes_on = net.schedule if plan.incremental or resume else None
    net.schedule = start_schedule(config, n_batches, net.optimizer_, goes_on)
    if resume is not None:
        epoch_end.best_weights = resume.best_weights
        vars(net).update(
            iterator_train__random_state=resume.random_state,
            iterator_train__order=resume.order,
            iterator_train__cut_short=resume.cut_short,
        )
    net.notify("on_train_begin", X=rows, y=None)
    n_before, left = len(net.history) - progress.n_epochs, None
    n_epochs = 1 if plan.incremental else config.max_iter - progress.n_epochs
    try:
        threads = net.threads_for(FLOPS_OF_A_WEIGHT, net.batch_size)
        with threads, closed_form(net, rows), replayed(net, rows):
            net.fit_loop(rows, epochs=n_epochs)
    except KeyboardInterrupt:
        warn_user("Training interrupted by user.")
        progress.stopped_because = "interrupted"
        del net.history[n_before + progress.n_epochs :]  # the epoch that was cut short
        left = make_resume(net, plan, epoch_end.best_weights)
    net.iterator_train__random_state = net.iterator_train__order = None
    net.notify("on_train_end", X=rows, y=None)
    _conclude(net, plan, progress, epoch_end)
    return left


def _conclude(net: Net, plan: TrainPlan, progress: Progress, epoch_end: EpochEnd) -> None:
    """Go back to the best weights, and say why training ended if the user should know."""
    if epoch_end.best_weights is not None:
        net.module_.load_state_dict(epoch_end.best_weights)
    if progress.stopped_because == "diverged" and epoch_end.best_weights and progress.best_epoch:
        warn_user(
            f"The training loss is not finite after epoch {progress.n_epochs}; the weights of "
            f"epoch {progress.best_epoch}, the best on the validation rows, are kept. "
            "Scale X, or lower learning_rate_init.",
            ConvergenceWarning,
        )
    if not progress.stopped_because and not plan.incremental:
        progress.stopped_because = "max_iter"
        if plan.config.runs_to_the_end:
            return
        warn_user(
            f"Stochastic Optimizer: Maximum iterations ({plan.config.max_iter}) reached and the "
            "optimization hasn't converged yet.",
            ConvergenceWarning,
        )


def _rows(net: Net, sample: TrainPlan | Sample) -> Rows:
    return Rows(sample.X, sample.y, sample.sample_weight, device=net.device)


def _batch_size(config: TrainConfig, n_rows: int) -> int:
    batch_size = config.batch_size
    if batch_size == "auto":
        return min(config.auto_batch_size, n_rows)
    if batch_size > n_rows:
        warn_user(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
        )
    return min(batch_size, n_rows)


def _check_finite(net: Net, plan: TrainPlan, progress: Progress) -> None:
    restored = plan.config.early_stopping and progress.best_epoch
    diverged = progress.stopped_because == "diverged" and not restored
    if diverged or not all(torch.isfinite(p).all() for p in net.module_.parameters()):
        raise NonFiniteLossError(NON_FINITE.format(rate=plan.config.learning_rate_init))

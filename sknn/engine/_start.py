"""Start of a run: progress, the net, and its backup in case training fails."""

import copy
from collections.abc import Collection
from dataclasses import MISSING, fields, replace
from typing import Any

import numpy as np
import torch

from sknn._specs import Progress, Sample, TrainConfig, TrainPlan
from sknn._validation import is_costly_to_copy
from sknn.architectures import list_parameters
from sknn.engine._run_state import Resume
from sknn.engine.callbacks._user import FunctionCallback, make_callbacks
from sknn.engine.data._batches import SampleDataset
from sknn.engine.data._device import resolve_device
from sknn.engine.data._stream import StreamedDataset
from sknn.engine.losses._table import choose_loss
from sknn.engine.net._net import Net
from sknn.engine.optimizers._optimizers import (
    copy_state,
    get_net_arguments,
    restore_state,
    set_arguments,
)
from sknn.exceptions import warn_user

#: a sample costs each weight a multiplication and an addition forward, and two of each back
FLOPS_OF_A_WEIGHT = 6
#: epochs that ``partial_fit`` remembers in the tables, and in the curves
EPOCHS_REMEMBERED, CURVE_REMEMBERED = 100, 1000

#: attributes of a net, its number of epochs, its weights and its optimizer, before training
Backup = tuple[dict[str, Any], int, dict[str, Any], tuple[list[dict], dict]]


def find_changed_option(spec: TrainPlan | TrainConfig, known: Collection[str]) -> str | None:
    """Return the first field that is neither known nor as it is by default; None if none is.

    Each field that comes to a specification later has a default. A fast way to train is not taken
    where such a field is set, until the way follows it too and names it among the known ones.
    """
    for item in fields(spec):
        make_default = item.default_factory
        if item.name in known or (item.default is MISSING and make_default is MISSING):
            continue
        value = getattr(spec, item.name)
        usual = item.default if make_default is MISSING else make_default()
        if value is not usual and (usual is None or value != usual):
            return item.name
    return None


def start_progress(plan: TrainPlan, resume: Resume | None) -> Progress:
    """Return the progress that a run counts on, with lists of its own."""
    before = plan.previous.progress if plan.previous else Progress()
    # One is free for the epoch that comes.
    kept = slice(1 - EPOCHS_REMEMBERED, None) if plan.incremental else slice(None)
    curve = slice(1 - CURVE_REMEMBERED, None) if plan.incremental else slice(None)
    lists: dict[str, Any] = {
        "loss_curve": before.loss_curve[curve],
        "history": {name: column[kept] for name, column in before.history.items()},
        "validation_scores": (before.validation_scores or [])[curve] if plan.validation else None,
        "validation_losses": (before.validation_losses or [])[curve] if plan.validation else None,
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


def place_samples(sample: TrainPlan | Sample, device: str) -> SampleDataset:
    """Return training or validation samples on a device, those from disk as they come."""
    if isinstance(sample, TrainPlan) and sample.is_streamed:
        return StreamedDataset(sample.X, device)
    X, numbers = sample.X, sample.numbers if isinstance(sample, TrainPlan) else None
    if numbers is not None and torch.device(device).type != "cpu":
        X, numbers = X[numbers], None
    return SampleDataset(X, sample.y, sample.sample_weight, device=device, numbers=numbers)


def is_left_in_place(plan: TrainPlan) -> bool:
    """Return whether X of a plan stays as it is, though not all of its samples are the plan's.

    Callbacks of skorch may look at X themselves, and then have to find these samples alone.
    """
    if not isinstance(plan.X, np.ndarray) or not is_costly_to_copy(plan.X):
        return False
    callbacks = make_callbacks(plan.config.callbacks)
    return all(isinstance(callback, FunctionCallback) for callback in callbacks)


def start_net(plan: TrainPlan, resume: Resume | None) -> tuple[Net, Backup | None]:
    """Return a net ready to train, and what `put_back` needs if it was trained before."""
    config = plan.config
    optimizer = get_net_arguments(config)
    if plan.previous is None:
        device = resolve_device(config.device, str(plan.X.dtype), *estimate_work(plan))
        loss = choose_loss(plan.target)
        net = Net(plan.module, loss=loss, device=device, **get_penalties(plan), **optimizer)
        net.precision = config.precision
        return net.initialize(), None
    net = plan.previous.net
    backup = (
        dict(vars(net)),
        len(net.history),
        copy.deepcopy(net.module_.state_dict()),
        copy_state(net.optimizer_),
    )
    net.__dict__.update(get_penalties(plan), precision=config.precision)
    if resume is not None:
        return net, backup
    if plan.incremental and type(net.optimizer_) is optimizer["optimizer"]:
        set_arguments(net, optimizer)
    else:
        for name in [n for n in vars(net) if n.startswith("optimizer__")]:
            delattr(net, name)  # the solver may be another one now
        net.__dict__.update(optimizer)
        net.initialize_optimizer()
        net.schedule = None
    return net, backup


def put_back(net: Net, backup: Backup | None) -> None:
    """Restore a net as it was before training; a new net is left as it is."""
    if backup is not None:
        attributes, n_epochs, weights, state = backup
        net.__dict__.clear()
        net.__dict__.update(attributes)
        del net.history[n_epochs:]
        net.module_.load_state_dict(weights)
        restore_state(net.optimizer_, state)


def choose_batch_size(config: TrainConfig, n_samples: int) -> int:
    """Return the number of samples in a mini-batch."""
    batch_size = config.batch_size
    if batch_size == "auto":
        return min(config.auto_batch_size, n_samples)
    if batch_size > n_samples:
        warn_user(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped"
        )
    return min(batch_size, n_samples)


def estimate_work(plan: TrainPlan) -> tuple[float, float]:
    """Return the floating-point operations of a step, and of the whole fit."""
    n_samples, size = plan.n_samples, plan.config.batch_size
    if plan.config.solver == "lbfgs":
        size = n_samples
    elif size == "auto":
        size = plan.config.auto_batch_size
    # A network that uses a weight more than once for a sample, as a filter is, says how often.
    n_weights = sum(map(torch.numel, list_parameters(plan.module)))
    flops = FLOPS_OF_A_WEIGHT * getattr(plan.module, "products_per_sample", n_weights)
    return flops * min(size, n_samples), flops * n_samples * plan.config.max_iter


def get_penalties(plan: TrainPlan) -> dict[str, Any]:
    """Return the settings of the net that change the gradient."""
    of = plan.config
    return {"alpha": of.alpha, "l1_ratio": of.l1_ratio, "max_grad_norm": of.max_grad_norm}

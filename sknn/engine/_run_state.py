"""The state of a run between two steps, without the data; and whether a fit goes on from one."""

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import torch

from sknn._saved import saved
from sknn._specs import TrainConfig, TrainPlan
from sknn.engine._live_state import EpochState, LiveState
from sknn.engine._snapshot import get_generators, set_generators
from sknn.engine.net._serialization import make_plain, restore_plain
from sknn.engine.optimizers._schedules import Schedule

#: may change between the interruption and going on
FREE = ("max_iter", "verbose", "callbacks", "max_fun", "n_processes")


@saved
@dataclass(frozen=True)
class Resume:
    """State that an interrupted run leaves to the next one.

    Attributes
    ----------
    config : TrainConfig
        Configuration of the training, without the user's callbacks.
    n_samples : int
        Training samples.
    state : dict
        State that `sknn.engine._run.TrainingRun.get_state` returned.
    """

    config: TrainConfig
    n_samples: int
    state: dict[str, Any]


def get_resume(plan: TrainPlan) -> Resume | None:
    """Return what to go on from if a plan continues an interrupted fit of the same kind."""
    resume = plan.previous.resume if plan.previous else None
    if resume is None or plan.incremental or resume.n_samples != plan.n_samples:
        return None
    same = {name: getattr(plan.config, name) for name in FREE}
    return resume if replace(resume.config, **same) == plan.config else None


def get_state(run: LiveState) -> dict[str, Any]:
    """Return all that is needed to go on from between two steps, without the data.

    Returns
    -------
    dict
        Of arrays, numbers, text, and `sknn.engine.net._serialization`'s plain forms of tensors.
        No class is named, so that a file of it makes nothing but these.
    """
    net, epoch = run.net, run.epoch
    optimizer = net.optimizer_
    known = [p for _, p in net.get_all_learnable_params()]
    if run.average is not None:
        run.average.hide()
    state = {
        "weights": net.module_.state_dict(),
        "trains": [p.requires_grad for p in known],
        "groups": [{k: v for k, v in g.items() if k != "params"} for g in optimizer.param_groups],
        "optimizer": [[p, s] for p, s in optimizer.state.items()],
        "schedule": None if net.schedule is None else net.schedule.get_state(),
        "progress": run.progress.__getstate__(),
        "history": [dict(row) for row in net.history],
        "best_weights": run.stopping.best_weights,
        "average": None if run.average is None else run.average.get_state(),
        "n_restarts": None if run.dead_network is None else run.dead_network.n_left,
        "random_state": run.random_state.get_state(legacy=False),
        "order": run.batches.order,
        "is_open": run.batches.is_open,
        "n_steps": epoch.n_steps,
        "n_samples": epoch.n_samples,
        "loss_sum": epoch.loss_sum,
        "outputs": epoch.outputs.get_outputs(),
        "first_weights": run.first_weights,
        "generators": get_generators() if run.draws else None,
    }
    # An array must not share memory with a tensor that goes on changing.
    return make_plain(_copy_values(state), known)


def set_state(run: LiveState, state: dict[str, Any]) -> None:
    """Go on from what `get_state` returned."""
    net = run.net
    known = [p for _, p in net.get_all_learnable_params()]
    state = restore_plain(state, net.device, known)
    net.module_.load_state_dict(state["weights"])
    for parameter, trains in zip(known, state.get("trains", ()), strict=False):
        parameter.requires_grad_(trains)  # a callback, such as Freezer, may have changed it
    run.progress.__setstate__({**state["progress"], "stopped_because": ""})
    net.history[:] = state["history"]
    for group, kept in zip(net.optimizer_.param_groups, state["groups"], strict=True):
        group.update(kept)
    net.optimizer_.state.clear()
    for parameter, values in state["optimizer"]:
        net.optimizer_.state[parameter] = {k: _lay_like(v, parameter) for k, v in values.items()}
    if state["schedule"] is not None:
        schedule = cast("Schedule", net.schedule)
        schedule.set_state(state["schedule"])
        schedule.config = replace(schedule.config, max_iter=run.config.max_iter)
    run.stopping.best_weights = state["best_weights"]
    if run.average is not None:
        run.average.set_state(state["average"])
    if run.dead_network is not None:
        run.dead_network.n_left = state["n_restarts"]
    run.random_state.set_state(state["random_state"])
    batches = run.batches
    batches.random_state = run.random_state if run.config.shuffle else None
    batches.order, batches.is_open = state["order"], state["is_open"]
    run.first_weights = state["first_weights"]
    run.callbacks.look_back()
    run.epoch = EpochState(state["n_steps"], state["n_samples"], state["loss_sum"])
    _restore_outputs(run, state["outputs"])
    if run.draws and state["generators"] is not None:
        set_generators(state["generators"])


def _lay_like(value: Any, parameter: torch.Tensor) -> Any:
    """Return a tensor that lies in memory as its parameter does, as torch's fused steps need it."""
    if isinstance(value, torch.Tensor) and value.shape == parameter.shape:
        return torch.empty_like(parameter, dtype=value.dtype).copy_(value).detach()
    return value


def _restore_outputs(run: LiveState, outputs: list[torch.Tensor]) -> None:
    """Join the outputs of the steps that are done with their targets, which are in the data."""
    start = 0
    for output in outputs:
        numbers = run.batches.order[start : start + len(output)]
        run.epoch.outputs.keep(run.samples.take_targets(numbers), output, len(run.samples))
        start += len(output)


def _copy_values(value: Any) -> Any:
    """Return nested dicts and lists with tensors and arrays in memory of their own."""
    if isinstance(value, torch.nn.Parameter):
        return value
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, dict):
        return type(value)((k, _copy_values(v)) for k, v in value.items())
    if isinstance(value, list | tuple):
        return type(value)(_copy_values(v) for v in value)
    return value

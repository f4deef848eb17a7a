"""Copies of all that a step changes, to go back to the start of an epoch."""

import copy
from dataclasses import replace
from typing import Any

import torch

from sknn._specs import Progress
from sknn.engine._live_state import LiveState
from sknn.engine.optimizers._schedules import Schedule, TorchSchedule


class EpochSnapshot:
    """Weights, optimizer, schedule and generators at the start of an epoch.

    An epoch that is cut off in the middle of a step, by a second Ctrl-C or by a callback, has left
    some layers a step ahead of others; `restore` undoes it. Memory is taken once and written to
    again before each epoch.

    Parameters
    ----------
    run : TrainingRun
        Run whose state is copied.

    Attributes
    ----------
    is_taken : bool
        Whether there is an epoch to go back to the start of.
    """

    def __init__(self, run: LiveState):
        self.run, self.net = run, run.net
        self.tensors: list[torch.Tensor] = []
        self.copies: list[torch.Tensor] = []
        self.module_tensors: list[torch.Tensor] | None = None
        self.random_state: dict[str, Any] | None = None
        self.is_taken = False

    def take(self, draws_ahead: bool = False) -> None:
        """Copy what an epoch changes, once its order is drawn.

        With `draws_ahead` the orders of other epochs are to be drawn, too.
        """
        run, progress = self.run, self.run.progress
        self.order = run.batches.begin()
        self._copy_tensors()
        if run.dead_network is not None:
            self.n_restarts = run.dead_network.n_left
        self.random_state = None
        if run.dead_network is not None or draws_ahead:
            self.random_state = run.random_state.get_state(legacy=False)
        # Curves only grow: their lengths are enough to go back to.
        self.progress = dict(vars(progress))
        self.names, self.lengths = set(progress.history), list(map(len, get_columns(progress)))
        self.epoch = replace(run.epoch, outputs=run.epoch.outputs.copy())
        self.n_average = None if run.average is None else run.average.n_steps
        self.best_weights = run.stopping.best_weights
        self.schedule = copy_schedule(self.net.schedule)
        self.generators = get_generators() if run.draws else None
        self.is_taken = True

    @torch.no_grad()
    def _copy_tensors(self) -> None:
        optimizer, average = self.net.optimizer_, self.run.average
        tensors = list(self._get_module_tensors())
        # Numbers and the places of tensors; what the tensors hold is copied below.
        self.state = {}
        for key, values in optimizer.state.items():
            self.state[key] = dict(values)
            tensors += filter(torch.is_tensor, values.values())
        tensors += average.average if average else ()
        # Memory for the copies is taken once: an epoch of a small network takes some tens of
        # microseconds, of which new tensors would cost more than copying.
        if len(tensors) != len(self.tensors) or any(
            a is not b for a, b in zip(tensors, self.tensors, strict=True)
        ):
            self.tensors, self.copies = tensors, [t.detach().clone() for t in tensors]
        else:
            torch._foreach_copy_(self.copies, self.tensors)
        self.groups = list(map(dict, optimizer.param_groups))

    def _get_module_tensors(self) -> list[torch.Tensor]:
        if self.module_tensors is None or self.run.callbacks.has_skorchs:  # who may exchange them
            values = self.net.module_.state_dict(keep_vars=True).values()
            self.module_tensors = list(filter(torch.is_tensor, values))
        return self.module_tensors

    def restore(self) -> None:
        """Write back what was copied, and forget what was noted of the epoch."""
        run, progress = self.run, self.run.progress
        if run.average is not None:
            run.average.hide()
            run.average.n_steps = self.n_average or 0
        self._restore_tensors()
        vars(progress).update(self.progress)
        for name in set(progress.history) - self.names:
            del progress.history[name]
        for column, length in zip(get_columns(progress), self.lengths, strict=True):
            del column[length:]
        run.epoch, run.stopping.best_weights = self.epoch, self.best_weights
        run.batches.order, run.batches.is_open = self.order, True
        if run.dead_network is not None:
            run.dead_network.n_left = self.n_restarts
        if self.random_state is not None:
            run.random_state.set_state(self.random_state)
        self.net.schedule = self.schedule
        if self.generators is not None:
            set_generators(self.generators)
        self.is_taken = False

    @torch.no_grad()
    def _restore_tensors(self) -> None:
        optimizer = self.net.optimizer_
        for tensor, kept in zip(self.tensors, self.copies, strict=True):
            tensor.copy_(kept)
        optimizer.state.clear()
        optimizer.state.update(self.state)
        for group, before in zip(optimizer.param_groups, self.groups, strict=True):
            group.clear()
            group.update(before)


def copy_schedule(schedule: Schedule | None) -> Schedule | None:
    """Return a schedule that goes on as the given one would."""
    if schedule is None:
        return None
    if isinstance(schedule, TorchSchedule):
        return copy.deepcopy(schedule)
    new = object.__new__(type(schedule))  # all but torch's are numbers and a frozen config
    vars(new).update(vars(schedule))
    return new


def get_columns(progress: Progress) -> list[list[float]]:
    """Return all lists that grow by an entry an epoch."""
    columns = [progress.loss_curve, *progress.history.values()]
    for curve in (progress.validation_scores, progress.validation_losses):
        if curve is not None:
            columns.append(curve)
    return columns


def get_generators() -> dict[str, Any]:
    """Return the states of torch's global generators as arrays."""
    states: dict[str, Any] = {"cpu": torch.get_rng_state().numpy()}
    if torch.cuda.is_initialized():
        states["cuda"] = [state.numpy() for state in torch.cuda.get_rng_state_all()]
    return states


def set_generators(states: dict[str, Any]) -> None:
    """Let torch's global generators go on from states of `get_generators`."""
    torch.set_rng_state(torch.from_numpy(states["cpu"].copy()))
    if "cuda" in states and torch.cuda.is_initialized():
        torch.cuda.set_rng_state_all([torch.from_numpy(s.copy()) for s in states["cuda"]])

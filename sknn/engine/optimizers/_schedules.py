"""Schedules of the learning rate.

A schedule is a clock in epochs, and a rule. It does not hold the optimizer, so that both can be
copied and pickled apart. All groups of the optimizer get the same learning rate.
"""

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import torch

from sknn._saved import saved
from sknn._specs import Progress, TrainConfig
from sknn.engine.optimizers._optimizers import get_learning_rate, set_learning_rate
from sknn.engine.optimizers._torch_scheduler import (
    BY_STEP,
    DetachedOptimizer,
    is_scheduler,
    make_scheduler,
)

#: 'cosine' ends at this share of the first learning rate, so that `partial_fit` can go on
COSINE_END = 1e-3

#: 'one_cycle' rises from 1/25 in the first 30 % of the steps, and falls to 1/25 of 1e-4
RISE, START, END = 0.3, 1 / 25, 1 / 25e4


class Schedule(ABC):
    """The learning rate of every step, with a linear warm-up [1]_ that multiplies the rule.

    Call `start` once before training, `begin_step` before each step where `per_step` is true,
    and `end_epoch` after each epoch.

    Parameters
    ----------
    config : TrainConfig
        Its ``learning_rate``, ``learning_rate_init``, ``warmup_epochs``, ``max_iter`` and what
        the rule needs.
    n_batches : int
        Steps in an epoch.

    Attributes
    ----------
    rate : float
        Learning rate of the rule, before it is multiplied by the warm-up.
    n_epochs, n_steps : int
        Epochs that are over, and steps of the present one.
    is_overruled : bool
        Whether a callback has set the learning rate, which the schedule then leaves alone.

    References
    ----------
    .. [1] P. Goyal et al., "Accurate, large minibatch SGD: Training ImageNet in 1 hour", 2017,
       arXiv:1706.02677.
    """

    def __init__(self, config: TrainConfig, n_batches: int):
        # Callbacks may be large, and are not read here.
        self.config = replace(config, callbacks=()) if config.callbacks else config
        self.n_batches = n_batches
        self.rate = config.learning_rate_init
        self.n_epochs = self.n_steps = 0
        self.written: float | None = None
        self.is_overruled = False

    @property
    def per_step(self) -> bool:
        """Whether the learning rate may change from step to step."""
        return self.n_epochs < self.config.warmup_epochs

    @property
    def only_sets_rates(self) -> bool:
        """Whether nothing but learning rate, momentum and betas of the optimizer can change."""
        return True

    @property
    def sets_momentum(self) -> bool:
        """Whether it sets the momentum, or Adam's first beta, too."""
        return False

    @property
    def time(self) -> float:
        """Epochs since the start, with the share of the present one."""
        return self.n_epochs + self.n_steps / self.n_batches

    def can_serve(self, config: TrainConfig) -> bool:
        """Return whether it can go on in a fit with these settings."""
        names = ["learning_rate", "solver", "learning_rate_params"]
        if not isinstance(config.learning_rate, str):  # torch's remember the rate they began with
            names.append("learning_rate_init")
        return all(getattr(self.config, name) == getattr(config, name) for name in names)

    def adopt(self, config: TrainConfig) -> None:
        """Follow the learning rate and the warm-up of a fit that goes on."""
        rate, warmup = config.learning_rate_init, config.warmup_epochs
        # A rate that has fallen since stays fallen by as much.
        self.rate *= rate / self.config.learning_rate_init
        self.config = replace(self.config, learning_rate_init=rate, warmup_epochs=warmup)

    def get_state(self) -> dict[str, Any]:
        """Return in plain values where it is."""
        return {name: value for name, value in vars(self).items() if name != "config"}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` returned for the same settings."""
        vars(self).update(state)

    def start(self, optimizer: torch.optim.Optimizer) -> None:
        """Set the learning rate that training begins with."""
        self.is_overruled = False
        self._write(optimizer)

    def begin_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Set the learning rate of the coming step, and count it."""
        self.move()
        self._write(optimizer)
        self.n_steps += 1

    def end_epoch(
        self, optimizer: torch.optim.Optimizer, progress: Progress, watched: float
    ) -> None:
        """Count an epoch and set the learning rate that follows from it.

        `watched` decides about stopping: the validation score, or a loss.
        """
        self.n_epochs, self.n_steps = self.n_epochs + 1, 0
        self.is_overruled |= get_learning_rate(optimizer) != self.written
        self.learn(progress, watched)
        self._write(optimizer)

    @abstractmethod
    def move(self) -> None:
        """Bring `rate` to the present `time`."""

    @abstractmethod
    def learn(self, progress: Progress, watched: float) -> None:
        """Bring `rate` up to date after an epoch."""

    def lower_rate(self, optimizer: torch.optim.Optimizer) -> float | None:
        """Lower the learning rate of 'adaptive' because training has stalled.

        Returns
        -------
        float or None
            The new learning rate; None if it is low enough to stop, or for other schedules.
        """
        if self.config.learning_rate != "adaptive" or self.config.solver != "sgd":
            return None
        if self.rate <= 1e-6:
            return None
        self.rate /= 5
        self._write(optimizer)
        return self.rate

    def _write(self, optimizer: torch.optim.Optimizer) -> None:
        if self.is_overruled:
            return
        warmup = self.config.warmup_epochs
        # At its end, so that the first step has a rate above 0, and the last one of the warm-up all
        # of it.
        reached = self.time + 1 / self.n_batches  # at the end of the coming step
        factor = reached / warmup if reached < warmup else 1.0
        self.written = self.rate * factor
        set_learning_rate(optimizer, self.written)


@saved
class EpochSchedule(Schedule):
    """A learning rate that changes after epochs at most: constant, scikit-learn's, 'plateau'."""

    def __init__(self, config: TrainConfig, n_batches: int):
        super().__init__(config, n_batches)
        self.n_bad_epochs = 0

    def move(self) -> None:
        """Leave the rate as it is until the end of the epoch."""

    def learn(self, progress: Progress, watched: float) -> None:
        """Follow 'invscaling', or halve the rate of 'plateau' when training stalls."""
        config = self.config
        if config.learning_rate == "invscaling" and config.solver == "sgd":
            # scikit-learn's count: of samples seen, t, with the rate eta0 / (t + 1)^power_t.
            slower = (progress.n_samples_seen + 1) ** config.power_t
            self.rate = config.learning_rate_init / slower
        if config.learning_rate == "plateau":
            self.n_bad_epochs = self.n_bad_epochs + 1 if progress.n_stalled else 0
            if self.n_bad_epochs > get_plateau_patience(config.n_iter_no_change):
                self.rate /= 2
                self.n_bad_epochs = 0


@saved
class AnnealingSchedule(Schedule):
    """A learning rate that is a function of the share of ``max_iter`` epochs that is over."""

    def move(self) -> None:
        """Follow the curve; after its end it stays where it is."""
        shape = CURVES[self.config.learning_rate]
        total = self.config.max_iter * self.n_batches
        step = min(self.n_epochs * self.n_batches + self.n_steps, total - 1)
        self.rate = self.config.learning_rate_init * shape(step, total)

    def learn(self, progress: Progress, watched: float) -> None:
        """Follow the curve, whatever the epoch was like."""
        self.move()

    @property
    def per_step(self) -> bool:
        """Always: curves are followed from step to step."""
        return True


@saved
class TorchSchedule(Schedule):
    """A class of ``torch.optim.lr_scheduler``, an epoch or, where it is meant so, a step at a time.

    It is given a stand-in for the optimizer, from which what it changes is copied.
    """

    def __init__(self, config: TrainConfig, n_batches: int, optimizer: torch.optim.Optimizer):
        super().__init__(config, n_batches)
        detached = DetachedOptimizer(optimizer)
        self.before = detached.get_settings()
        self.scheduler = make_scheduler(config, n_batches, detached)
        self.began = False
        self.others: dict[str, Any] = {}
        self._read()

    @property
    def per_step(self) -> bool:
        """Whether it goes on, or the warm-up does, from step to step."""
        return self.advances_by_step or super().per_step

    @property
    def advances_by_step(self) -> bool:
        """Whether the scheduler counts steps, and not epochs."""
        return isinstance(self.scheduler, BY_STEP)

    @property
    def only_sets_rates(self) -> bool:
        """True for torch's own; another class may do as it likes."""
        return type(self.scheduler).__module__.partition(".")[0] == "torch"

    @property
    def sets_momentum(self) -> bool:
        """Whether it is a cycle of the momentum too."""
        return bool(getattr(self.scheduler, "cycle_momentum", False))

    def get_state(self) -> dict[str, Any]:
        """Return in plain values where it is."""
        own = {"scheduler": self.scheduler.state_dict()}
        settings = cast("DetachedOptimizer", self.scheduler.optimizer).get_settings()
        return {**super().get_state(), **own, "settings": settings}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` returned for the same settings."""
        state = dict(state)
        self.scheduler.load_state_dict(state.pop("scheduler"))
        self.scheduler.optimizer.param_groups[0].update(state.pop("settings"))
        super().set_state(state)

    def move(self) -> None:
        """Advance a scheduler that counts steps."""
        if self.advances_by_step and self.began:
            self._advance()
        self.began = True

    def learn(self, progress: Progress, watched: float) -> None:
        """Advance a scheduler that counts epochs."""
        if not self.advances_by_step:
            self._advance(watched)

    def _advance(self, watched: float | None = None) -> None:
        total = getattr(self.scheduler, "total_steps", None)
        if total is not None and self.scheduler.last_epoch >= total - 1:
            return  # a cycle that is over stays at its end; torch raises an error
        if isinstance(self.scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
            self.scheduler.step(cast("float", watched))
        else:
            self.scheduler.step()
        self._read()

    def _read(self) -> None:
        """Take over what the scheduler has set: the learning rate, and perhaps momentum."""
        now = cast("DetachedOptimizer", self.scheduler.optimizer).get_settings()
        self.rate = float(now["lr"])
        changed = {name for name, value in self.before.items() if now[name] != value}
        names = (changed | set(self.others)) - {"lr"}
        self.others = {name: now[name] for name in names}

    def _write(self, optimizer: torch.optim.Optimizer) -> None:
        for group in optimizer.param_groups:
            group.update(self.others)
        super()._write(optimizer)


def get_plateau_patience(n_iter_no_change: float) -> int:
    """Return after more than how many epochs without improvement 'plateau' halves the rate."""
    # Half of the epochs after which training stops, so that the slower rate has a chance before;
    # 5 where training goes on however long it stalls.
    return 5 if math.isinf(n_iter_no_change) else int(n_iter_no_change) // 2


def _anneal_cosine(step: int, total: int) -> float:
    # (1 + cos(π t)) / 2 falls from 1 to 0 while t goes from 0 to 1, level at both ends.
    return COSINE_END + (1 - COSINE_END) * (1 + math.cos(math.pi * step / total)) / 2


def _follow_one_cycle(step: int, total: int) -> float:
    # Half a cosine up to the top, where the share is 0, and half of a longer one down.
    top, end = max(RISE * total - 1, 0), total - 1
    if step < top:
        low, share = START, 1 - step / top
    else:
        low, share = END, (step - top) / (end - top) if end > top else 0.0
    return low + (1 - low) * (1 + math.cos(math.pi * share)) / 2


#: name -> function of the number of a step, from 0, and of the number of all steps, that returns
#: a share of ``learning_rate_init``.
#: 'cosine': I. Loshchilov and F. Hutter, "SGDR", ICLR 2017, arXiv:1608.03983, without restarts.
#: 'one_cycle': L. N. Smith and N. Topin, "Super-convergence", 2019, arXiv:1708.07120.
CURVES: dict[str, Callable[[int, int], float]] = {
    "cosine": _anneal_cosine,
    "one_cycle": _follow_one_cycle,
}

#: every schedule that has a name
SCHEDULES = ("constant", "invscaling", "adaptive", "plateau", *CURVES)


def start_schedule(
    config: TrainConfig,
    n_batches: int,
    optimizer: torch.optim.Optimizer,
    previous: Schedule | None = None,
) -> Schedule:
    """Return the schedule of a fit of `n_batches` steps an epoch; it sets the first learning rate.

    A copy of `previous` goes on where that is, with its own settings, unless `config` asks for
    another schedule or solver. Raise ValueError if the schedule is unknown or refuses its settings.
    """
    kind, given = config.learning_rate, dict(config.learning_rate_params)
    if isinstance(kind, str) and kind in SCHEDULES:
        if given:
            raise ValueError(
                f"learning_rate__<name> is for a class given as learning_rate; {kind!r} takes "
                f"none. Got {given!r}."
            )
    elif not is_scheduler(kind):
        raise ValueError(
            f"learning_rate must be one of {sorted(SCHEDULES)} or a class of "
            f"torch.optim.lr_scheduler; got {kind!r}."
        )
    if previous is not None and previous.can_serve(config):
        # It goes on also where its `max_iter` epochs are over: a call of partial_fit is one more.
        schedule = copy.deepcopy(previous)
        schedule.n_batches, schedule.n_steps = n_batches, 0
        schedule.adopt(config)
    elif not isinstance(kind, str):
        schedule = TorchSchedule(config, n_batches, optimizer)
    else:
        schedule = (AnnealingSchedule if kind in CURVES else EpochSchedule)(config, n_batches)
    schedule.start(optimizer)
    return schedule

"""Optimizer steps whose numbers lie on the device, so that a captured step may be replayed.

A kernel's arguments are captured with it. So what changes from step to step, the learning rate and
what follows from it, is in a table on the device with a row for each of the coming steps.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import torch

from sknn.engine.optimizers._flat_parameters import AdamStep, Flat
from sknn.engine.optimizers._fused import compute_corrected_rate, step_adam, step_sgd
from sknn.engine.optimizers._optimizers import SGD, Adam, AdamW, get_learning_rate
from sknn.engine.optimizers._schedules import Schedule

Tensor = torch.Tensor

#: into how many parts the numbers of a network are cut: torch's fused optimizers give a block of
#: threads up to 65,536 numbers, so that a small network in one piece would keep most of a GPU idle
N_PIECES = 32
#: numbers of a piece are a multiple of this, so that each begins where four can be read at once
PIECE_UNIT = 1024


@dataclass(frozen=True)
class Memory:
    """Parameters, gradients and optimizer state, in pieces of one axis.

    Attributes
    ----------
    values : list of Tensor
        Parameters.
    gradients : callable
        Returns the gradients of the parameters as they lie now.
    states : list of list of Tensor
        Momentum buffers; or first and second moments of Adam.
    decayed : list of Tensor
        Parameters that AdamW decays.
    counts : list of Tensor
        Tensors in which Adam counts its steps.
    """

    values: list[Tensor]
    gradients: Callable[[], list[Tensor]]
    states: list[list[Tensor]]
    decayed: list[Tensor] = field(default_factory=list)
    counts: list[Tensor] = field(default_factory=list)


def split_into_pieces(tensors: list[Tensor]) -> list[Tensor]:
    """Return contiguous tensors cut into views of one axis, some `N_PIECES` together."""
    # Rounded up to whole units, so that there are at most `N_PIECES` for one tensor.
    n_numbers = sum(t.numel() for t in tensors)
    size = -(-n_numbers // (N_PIECES * PIECE_UNIT)) * PIECE_UNIT
    return [piece for t in tensors for piece in t.view(-1).split(size)]


def make_flat_memory(flat: Flat, step: Callable[[], None] | None) -> Memory:
    """Return the memory of parameters in a flat vector, whose state a step holds."""
    if isinstance(step, AdamStep):
        vectors, counts = [moment for (moment,) in step.moments], [step.count]
    else:
        buffer = getattr(step, "buffer", None)
        vectors, counts = [] if buffer is None else [buffer], []
    gradients = split_into_pieces([flat.gradient])
    states = [split_into_pieces([vector]) for vector in vectors]
    return Memory(
        split_into_pieces([flat.values]),
        lambda: gradients,
        states,
        split_into_pieces([flat.weights]),
        counts,
    )


def make_module_memory(optimizer: torch.optim.Optimizer) -> Memory:
    """Return the memory of parameters that autograd gives gradients; missing state is made.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Optimizer whose class is in `KINDS`.

    Returns
    -------
    Memory
    """
    groups = optimizer.param_groups
    parameters = [p for group in groups for p in group["params"]]
    names: tuple[str, ...] = ("exp_avg", "exp_avg_sq")
    if not isinstance(optimizer, Adam):
        names = ("momentum_buffer",) if groups[0]["momentum"] else ()
    for p in parameters:
        state = optimizer.state[p]
        for name in names:
            if state.get(name) is None:
                state[name] = torch.zeros_like(p, memory_format=torch.preserve_format)
        if isinstance(optimizer, Adam) and "step" not in state:
            state["step"] = torch.zeros((), device=p.device)
    return Memory(
        values=split_into_pieces([p.detach() for p in parameters]),
        gradients=lambda: split_into_pieces([p.grad.contiguous() for p in parameters]),
        states=[
            split_into_pieces([optimizer.state[p][name] for p in parameters]) for name in names
        ],
        decayed=split_into_pieces(
            [p.detach() for group in groups if "decay" in group for p in group["params"]]
        ),
        counts=[optimizer.state[p]["step"] for p in parameters] if len(names) > 1 else [],
    )


class OneGroup:
    """Stand-in for an optimizer, which a schedule is asked for rates with."""

    def __init__(self, learning_rate: float):
        self.param_groups = [{"lr": learning_rate}]


class DeviceSteps(ABC):
    """Steps of one kind of optimizer.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Its groups say what it does.
    schedule : Schedule or None
        Sets the learning rate of each step, where that changes.
    memory : Memory
        Memory of the parameters.
    n_steps : int
        Maximum number of steps that `prepare` is asked for at once.
    """

    #: numbers that a step needs
    n_numbers: int

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        schedule: Schedule | None,
        memory: Memory,
        n_steps: int,
    ):
        self.optimizer, self.schedule, self.memory = optimizer, schedule, memory
        self.group = optimizer.param_groups[0]
        first = memory.values[0]
        # torch's fused kernels for CUDA read the learning rate as float32, whatever they train.
        dtype = torch.float32 if first.is_cuda else first.dtype
        self.numbers = torch.zeros(n_steps, self.n_numbers, dtype=dtype, device=first.device)
        self.written = np.full((n_steps, self.n_numbers), np.nan)

    def prepare(self, n_steps: int) -> None:
        """Write the numbers of the coming steps, and count those steps."""
        before, rows = get_learning_rate(self.optimizer), []
        for rate in self._advance_rates(n_steps):
            rows.append(self.compute_numbers(rate, before))
            before = rate
        table = np.array(rows)
        if not np.array_equal(self.written[:n_steps], table):
            self.written[:n_steps] = table
            # From memory that is not page-locked this returns as soon as the numbers are read.
            numbers = torch.from_numpy(table).to(self.numbers.dtype)
            self.numbers[:n_steps].copy_(numbers, non_blocking=True)

    def _advance_rates(self, n_steps: int) -> list[float]:
        """Return learning rates; the schedule and the optimizer's groups are moved on."""
        rate, rates = get_learning_rate(self.optimizer), []
        if self.schedule is None or not self.schedule.per_step:
            return [rate] * n_steps
        asked = cast("torch.optim.Optimizer", OneGroup(rate))  # groups are all that is looked at
        for _ in range(n_steps):
            self.schedule.begin_step(asked)
            rates.append(get_learning_rate(asked))
        for group in self.optimizer.param_groups:
            group.update(asked.param_groups[0])
        return rates

    @abstractmethod
    def compute_numbers(self, rate: float, before: float) -> tuple[float, ...]:
        """Return the numbers of a step with a learning rate, after one with another."""

    @abstractmethod
    def step(self, i: int) -> None:
        """Follow the gradients once, by the i-th numbers that `prepare` wrote."""

    def finish(self) -> None:
        """Write the number of steps to where torch keeps it, if it counts them."""
        for count in self.memory.counts:
            count.fill_(self.group["n_steps"])


class DeviceSGD(DeviceSteps):
    """Steps of `sknn.engine.optimizers._optimizers.SGD`."""

    n_numbers = 2

    def __init__(self, *args: Any):
        super().__init__(*args)
        changes = self.schedule is not None and self.schedule.per_step
        self.rescales = bool(self.memory.states) and changes

    def compute_numbers(self, rate: float, before: float) -> tuple[float, float]:
        """Return the rate, and the factor of the momentum, see `set_learning_rate`."""
        # v = -lr b must stay when lr changes: b <- b lr_before / lr_now.
        return rate, before / rate if rate else 1.0

    @torch.no_grad()
    def step(self, i: int) -> None:
        """Follow the gradients once."""
        states, rate = self.memory.states, self.numbers[i, 0]
        if self.rescales:
            torch._foreach_mul_(states[0], self.numbers[i, 1])
        pieces = self.memory.values, self.memory.gradients(), states[0] if states else []
        step_sgd(pieces, self.group, rate=rate)


class DeviceAdam(DeviceSteps):
    """Steps of `sknn.engine.optimizers._optimizers.Adam` and `AdamW`.

    After infinitely many steps torch's kernel corrects no bias any more, so it is told that there
    were so many, and given a rate in which the correction is contained.
    """

    n_numbers = 2

    def __init__(self, *args: Any):
        super().__init__(*args)
        forever = torch.full((), math.inf, device=self.memory.values[0].device)
        self.counts = [forever] * len(self.memory.values)
        decay = self.group.get("decay") if isinstance(self.optimizer, AdamW) else None
        self.decay = decay or 0.0

    def compute_numbers(self, rate: float, before: float) -> tuple[float, float]:
        """Return the corrected rate, and the factor of decaying weights; count the step."""
        cast("Adam", self.optimizer).count_steps()
        return compute_corrected_rate(self.group, rate), 1 - rate * self.decay

    @torch.no_grad()
    def step(self, i: int) -> None:
        """Follow the gradients once."""
        if self.decay:
            torch._foreach_mul_(self.memory.decayed, self.numbers[i, 1])
        pieces = self.memory.values, self.memory.gradients(), *self.memory.states
        rate, epsilon = self.numbers[i, 0], self.group["epsilon"]
        step_adam(pieces, self.counts, self.group, rate=rate, epsilon=epsilon)


#: class of the optimizer -> its steps
KINDS: dict[type, type[DeviceSteps]] = {SGD: DeviceSGD, Adam: DeviceAdam, AdamW: DeviceAdam}

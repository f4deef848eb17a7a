"""Optimizer steps on stacked parameters, each network with settings of its own."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby
from typing import cast

import torch

from sknn.engine.optimizers._fused import compute_corrected_epsilon, step_adam, step_sgd
from sknn.engine.optimizers._optimizers import SGD, Adam

Tensor = torch.Tensor
Slices = list[Tensor]


def get_settings(optimizer: torch.optim.Optimizer) -> tuple:
    """Return what two networks must have in common to make a step in one call."""
    group = optimizer.param_groups[0]
    names: tuple[str, ...] = ("lr", "betas", "epsilon", "n_steps")
    if isinstance(optimizer, SGD):
        names = ("lr", "momentum", "nesterov")
    return tuple(group[name] for name in names)


class StackedOptimizer:
    """The optimizers of many networks, whose state lies in one tensor for each parameter.

    Those with equal settings make their step in one call, and neighbours among them faster.

    Parameters
    ----------
    optimizers : list of Adam or SGD
        Optimizers, one for each network, of one class. Their states become views of the stacks.
    parameters : list of Tensor of shape (n_networks, ...)
        Stacked as each optimizer's own list of parameters.
    gradients : list of Tensor
        Gradients of the parameters, of the same shapes.
    """

    def __init__(
        self,
        optimizers: Sequence[torch.optim.Optimizer],
        parameters: list[Tensor],
        gradients: list[Tensor],
    ):
        self.optimizers = optimizers
        self.parameters, self.gradients = parameters, gradients
        self.is_adam = isinstance(optimizers[0], Adam)
        names = ("exp_avg", "exp_avg_sq") if self.is_adam else ("momentum_buffer",)
        self.state = {name: self._stack(name) for name in names}
        self.runs: list[tuple[dict, list[Slices], Tensor | None]] = []

    def _stack(self, name: str) -> list[Tensor]:
        """Return an entry of the states stacked; where a network has none, zeros."""
        stacks = []
        for i, stack in enumerate(self.parameters):
            states = [opt.state[opt.param_groups[0]["params"][i]] for opt in self.optimizers]
            zero = torch.zeros_like(stack[0])
            stacked = torch.stack([state.get(name, zero) for state in states])
            for optimizer, state, view in zip(self.optimizers, states, stacked, strict=True):
                if optimizer.param_groups[0].get("momentum", 1):  # plain SGD has no state
                    state[name] = view
            stacks.append(stacked)
        return stacks

    def begin_epoch(self) -> None:
        """Read the settings anew, as schedules change them between epochs."""
        # One fused call takes any number of tensors, but one learning rate and one count of steps:
        # networks that share these make one call, and neighbours among them one slice.
        alike: dict[tuple, list[slice]] = defaultdict(list)
        numbered = list(enumerate(self.optimizers))
        for key, run in groupby(numbered, key=lambda pair: get_settings(pair[1])):
            members = [number for number, _ in run]
            alike[key].append(slice(members[0], members[-1] + 1))
        tensors = [self.parameters, self.gradients, *self.state.values()]
        self.runs = []
        for parts in alike.values():
            slices = [[tensor[part] for part in parts for tensor in kind] for kind in tensors]
            count = None
            if self.is_adam:
                count = torch.zeros((), device=self.parameters[0].device)
            group = dict(self.optimizers[parts[0].start].param_groups[0])
            self.runs.append((group, slices, count))

    def step(self) -> None:
        """Follow the gradients once."""
        for group, slices, count in self.runs:
            if count is not None:
                _step_adam(group, slices, count)
            else:
                step_sgd(slices, group, rate=group["lr"])

    def end_epoch(self, n_steps: int) -> None:
        """Write the number of steps back into the optimizers."""
        if not self.is_adam:
            return
        counts: dict[int, Tensor] = {}  # a tensor for each network would cost a GPU 10 µs each
        for optimizer in self.optimizers:
            group = optimizer.param_groups[0]
            cast("Adam", optimizer).count_steps(n_steps)
            if group["n_steps"] not in counts:
                count = torch.tensor(float(group["n_steps"]), device=self.parameters[0].device)
                counts[group["n_steps"]] = count
            for p in group["params"]:
                optimizer.state[p]["step"] = counts[group["n_steps"]]


def _step_adam(group: dict, slices: list[Slices], count: Tensor) -> None:
    group["n_steps"] += 1
    count.fill_(group["n_steps"])
    epsilon = compute_corrected_epsilon(group)
    step_adam(slices, [count] * len(slices[0]), group, rate=group["lr"], epsilon=epsilon)

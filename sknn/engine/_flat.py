"""All parameters of a module in one flat vector, and optimizer steps on it."""

import math
from collections.abc import Sequence
from typing import Any

import torch

from sknn.engine._optimizers import Adam


class Flat:
    """Parameters, gradient and optimizer state of a module, each one flat vector.

    While it is open, the module's parameters and the optimizer's state are views of the vectors,
    so that both always see what is trained. Weights lie before biases.

    Parameters
    ----------
    parameters : list of torch.nn.Parameter
        All that the optimizer trains.
    optimizer : torch.optim.Optimizer
        Owns the state, and the learning rate of its one group of parameters.
    turned : list of torch.nn.Parameter, default=()
        Weights to lie column by column in the vectors, of shape (n_inputs, n_outputs).
    """

    def __init__(
        self,
        parameters: list[torch.nn.Parameter],
        optimizer: torch.optim.Optimizer,
        turned: Sequence[torch.nn.Parameter] = (),
    ):
        self.parameters = sorted(parameters, key=lambda p: p.ndim, reverse=True)
        self.optimizer = optimizer
        self.turned = {id(p) for p in turned}  # tensors compare by value
        self.values = torch.cat(
            [(p.t() if id(p) in self.turned else p).detach().reshape(-1) for p in self.parameters]
        )
        self.gradient = torch.zeros_like(self.values)
        n_weights = sum(p.numel() for p in self.parameters if p.ndim > 1)
        self.weights = self.values[:n_weights]
        for p, view in zip(self.parameters, self.views(self.values), strict=True):
            p.data = view
            p.grad = None

    def views(self, vector: torch.Tensor) -> list[torch.Tensor]:
        """Return a vector's parts in the shapes of the parameters."""
        parts = vector.split([p.numel() for p in self.parameters])
        return [
            part.view(p.shape[::-1]).t() if id(p) in self.turned else part.view(p.shape)
            for part, p in zip(parts, self.parameters, strict=True)
        ]

    def gradient_of(self, parameter: torch.nn.Parameter) -> torch.Tensor:
        """Return the part of the gradient that belongs to a parameter."""
        index = next(i for i, p in enumerate(self.parameters) if p is parameter)
        return self.views(self.gradient)[index]

    def share_state(self, name: str) -> torch.Tensor:
        """Return an entry of the optimizer's state as one vector, zeros where there is none."""
        vector = torch.zeros_like(self.values)
        for p, view in zip(self.parameters, self.views(vector), strict=True):
            state = self.optimizer.state[p]
            if state.get(name) is not None:
                view.copy_(state[name])
            state[name] = view
        return vector

    def close(self) -> None:
        """Give parameters and state memory of their own again.

        A pickle of a view holds the whole vector.
        """
        for p in self.parameters:
            p.data = _own(p.data)
            state = self.optimizer.state.get(p, {})
            for name, value in state.items():
                state[name] = _own(value) if isinstance(value, torch.Tensor) else value


def _own(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.clone(memory_format=torch.contiguous_format)


class AdamStep:
    """One step of `sknn.engine._optimizers.Adam` on a flat vector.

    Parameters
    ----------
    flat : Flat
        Whose optimizer is such an Adam.
    """

    def __init__(self, flat: Flat):
        self.flat = flat
        self.moments = [flat.share_state("exp_avg")], [flat.share_state("exp_avg_sq")]
        self.group = flat.optimizer.param_groups[0]
        self.count = torch.full((), float(self.group["n_steps"]), device=flat.values.device)
        for p in flat.parameters:
            flat.optimizer.state[p]["step"] = self.count

    def __call__(self) -> None:
        """Follow the gradient once."""
        group = self.group
        group["n_steps"] += 1
        beta_1, beta_2 = group["betas"]
        group["eps"] = group["epsilon"] / math.sqrt(1 - beta_2 ** group["n_steps"])
        self.count.fill_(group["n_steps"])
        torch._fused_adam_(
            [self.flat.values],
            [self.flat.gradient],
            *self.moments,
            [],
            [self.count],
            lr=group["lr"],
            beta1=beta_1,
            beta2=beta_2,
            weight_decay=0.0,
            eps=group["eps"],
            amsgrad=False,
            maximize=False,
        )


class SGDStep:
    """One step of `sknn.engine._optimizers.SGD` with momentum on a flat vector.

    Parameters
    ----------
    flat : Flat
        Whose optimizer is such an SGD.
    """

    def __init__(self, flat: Flat):
        self.flat = flat
        self.buffer = flat.share_state("momentum_buffer")
        self.group = flat.optimizer.param_groups[0]

    def __call__(self) -> None:
        """Follow the gradient once."""
        torch._fused_sgd_(
            [self.flat.values],
            [self.flat.gradient],
            [self.buffer],
            weight_decay=0.0,
            momentum=self.group["momentum"],
            lr=self.group["lr"],
            dampening=0.0,
            nesterov=self.group["nesterov"],
            maximize=False,
            is_first_step=False,
        )


def flat_step(flat: Flat) -> Any:
    """Return the step for the optimizer, or None for plain SGD, which needs no gradient vector."""
    if isinstance(flat.optimizer, Adam):
        return AdamStep(flat)
    return SGDStep(flat) if flat.optimizer.param_groups[0]["momentum"] else None

"""All parameters of a module in one flat vector, and optimizer steps on it."""

from collections.abc import Callable, Iterable, Sequence
from typing import cast

import torch

from sknn.engine.optimizers._fused import step_adam, step_sgd
from sknn.engine.optimizers._optimizers import SGD, Adam, AdamW, Muon, NAdam, RMSprop


class Flat:
    """Parameters, gradient and optimizer state of a module, each one flat vector.

    While it is open, the module's parameters and the optimizer's state are views of the vectors,
    so that a change of one is a change of the other. Weights lie before biases.

    Parameters
    ----------
    parameters : list of torch.nn.Parameter
        All parameters of the optimizer.
    optimizer : torch.optim.Optimizer
        Owner of the state, and of the learning rate of its one group of parameters.
    turned : list of torch.nn.Parameter, default=()
        Weights that lie transposed in the vectors, of shape (n_inputs, n_outputs).
    weights : list of torch.nn.Parameter, default=None
        Parameters with weight decay, which lie first; None stands for all but vectors.
    """

    def __init__(
        self,
        parameters: list[torch.nn.Parameter],
        optimizer: torch.optim.Optimizer,
        turned: Sequence[torch.nn.Parameter] = (),
        *,
        weights: Sequence[torch.nn.Parameter] | None = None,
    ):
        if weights is None:
            weights = [p for p in parameters if p.ndim > 1]
        chosen = {id(p) for p in weights}  # tensors compare by value
        self.parameters = sorted(parameters, key=lambda p: (id(p) not in chosen, -p.ndim))
        self.optimizer = optimizer
        self.turned = {id(p) for p in turned}
        self.values = torch.cat(
            [(p.t() if id(p) in self.turned else p).detach().reshape(-1) for p in self.parameters]
        )
        self.gradient = torch.zeros_like(self.values)
        n_weights = sum(p.numel() for p in self.parameters if id(p) in chosen)
        self.weights = self.values[:n_weights]
        for p, view in zip(self.parameters, self.split_views(self.values), strict=True):
            p.grad, p.data = None, view

    def split_views(self, vector: torch.Tensor) -> list[torch.Tensor]:
        """Return a vector's parts in the shapes of the parameters."""
        parts = vector.split([p.numel() for p in self.parameters])
        return [
            part.view(p.shape[::-1]).t() if id(p) in self.turned else part.view(p.shape)
            for part, p in zip(parts, self.parameters, strict=True)
        ]

    def get_gradient(self, parameter: torch.nn.Parameter) -> torch.Tensor:
        """Return the part of the gradient that belongs to a parameter."""
        index = next(i for i, p in enumerate(self.parameters) if p is parameter)
        return self.split_views(self.gradient)[index]

    def share_state(self, name: str) -> torch.Tensor:
        """Return an entry of the optimizer's state as one vector, zeros where there is none."""
        vector = torch.zeros_like(self.values)
        share_entry(self.optimizer, self.parameters, name, self.split_views(vector))
        return vector

    def share_number(self, name: str, start: float) -> torch.Tensor:
        """Return a number of the optimizer's state, which all parameters share from now on."""
        return share_number(self.optimizer, self.parameters, name, start)

    def close(self) -> None:
        """Give parameters and state memory of their own again."""
        for p in self.parameters:
            p.data = p.data.clone(memory_format=torch.contiguous_format)
        separate_state(self.optimizer, self.parameters)


def share_entry(
    optimizer: torch.optim.Optimizer,
    parameters: Sequence[torch.nn.Parameter],
    name: str,
    views: Iterable[torch.Tensor],
) -> None:
    """Let an entry of the state of each parameter lie in its view, zeros where there is none."""
    for p, view in zip(parameters, views, strict=True):
        state = optimizer.state[p]
        if state.get(name) is not None:
            view.copy_(state[name])
        state[name] = view


def separate_state(
    optimizer: torch.optim.Optimizer, parameters: Sequence[torch.nn.Parameter]
) -> None:
    """Give the tensors of an optimizer's state memory of their own again."""
    # A pickle of a view holds the whole vector.
    for p in parameters:
        state = optimizer.state.get(p, {})
        for name, value in state.items():
            if isinstance(value, torch.Tensor):
                state[name] = value.clone(memory_format=torch.contiguous_format)


def share_number(
    optimizer: torch.optim.Optimizer,
    parameters: Sequence[torch.nn.Parameter],
    name: str,
    start: float,
) -> torch.Tensor:
    """Return a number of an optimizer's state, which all parameters share from now on."""
    first = optimizer.state[parameters[0]].get(name)
    number = torch.tensor(float(start if first is None else first))
    for p in parameters:
        optimizer.state[p][name] = number
    return number


class AdamStep:
    """One step of `sknn.engine.optimizers._optimizers.Adam` or `AdamW` on a flat vector.

    Parameters
    ----------
    flat : Flat
        Parameters whose optimizer is such an Adam.
    """

    def __init__(self, flat: Flat):
        self.flat = flat
        self.moments = [flat.share_state("exp_avg")], [flat.share_state("exp_avg_sq")]
        self.group = flat.optimizer.param_groups[0]
        self.decays = isinstance(flat.optimizer, AdamW)
        self.count = torch.full((), float(self.group["n_steps"]), device=flat.values.device)
        for p in flat.parameters:
            flat.optimizer.state[p]["step"] = self.count

    def __call__(self) -> None:
        """Follow the gradient once."""
        group = self.group
        cast("Adam", self.flat.optimizer).count_steps()
        self.count.fill_(group["n_steps"])
        if self.decays:  # the first group, of the weights; the other is that of the biases
            self.flat.weights.mul_(1 - group["lr"] * group["decay"])
        pieces = [self.flat.values], [self.flat.gradient], *self.moments
        step_adam(pieces, [self.count], group, rate=group["lr"], epsilon=group["eps"])


class SGDStep:
    """One step of `sknn.engine.optimizers._optimizers.SGD` on a flat vector.

    Parameters
    ----------
    flat : Flat
        Parameters whose optimizer is such an SGD.
    """

    def __init__(self, flat: Flat):
        self.flat = flat
        self.group = flat.optimizer.param_groups[0]
        self.buffer = flat.share_state("momentum_buffer") if self.group["momentum"] else None

    def __call__(self) -> None:
        """Follow the gradient once."""
        if not self.group["momentum"]:
            self.flat.values.add_(self.flat.gradient, alpha=-self.group["lr"])
            return
        if self.buffer is None:  # a schedule has begun to set the momentum
            self.buffer = self.flat.share_state("momentum_buffer")
        pieces = [self.flat.values], [self.flat.gradient], [self.buffer]
        step_sgd(pieces, self.group, rate=self.group["lr"])


class OneVectorStep:
    """One step of an optimizer of torch that treats every number alike, on a flat vector.

    A second optimizer of the same class has the vector as its only parameter, and the state of
    the first: the step of each number depends on that number alone, so that one long vector and
    many short ones come to the same.

    Parameters
    ----------
    flat : Flat
        Parameters whose optimizer is of a class in `STATES`.
    """

    def __init__(self, flat: Flat):
        vectors, numbers = STATES[type(flat.optimizer)]
        self.group = flat.optimizer.param_groups[0]
        whole = torch.nn.Parameter(flat.values)
        whole.grad = flat.gradient
        make_twin = cast("Callable[[list], torch.optim.Optimizer]", type(flat.optimizer))
        self.twin = make_twin([whole])
        self.twin.state[whole] = {
            **{name: flat.share_number(name, start) for name, start in numbers.items()},
            **{name: flat.share_state(name) for name in vectors},
        }

    def __call__(self) -> None:
        """Follow the gradient once."""
        own = self.twin.param_groups[0]
        own.update({name: v for name, v in self.group.items() if name != "params"})
        self.twin.step()


#: class -> names of the vectors in its state, and of the numbers with their first values
STATES: dict[type, tuple[tuple[str, ...], dict[str, float]]] = {
    NAdam: (("exp_avg", "exp_avg_sq"), {"step": 0.0, "mu_product": 1.0}),
    RMSprop: (("square_avg",), {"step": 0.0}),
}


def supports_optimizer(optimizer: torch.optim.Optimizer, momentum_changes: bool) -> str | None:
    """Return why `make_flat_step` cannot do what an optimizer does; None if it can."""
    groups, kind = optimizer.param_groups, type(optimizer)
    if kind is AdamW:
        decays = ["decay" in group for group in groups]
        return None if decays == [True, False] else "not exactly the weights decay"
    if kind is Muon:
        return "no step is written out for solver='muon'"
    if len(groups) != 1:
        return "the optimizer has several groups of parameters"
    if kind is RMSprop and (groups[0]["momentum"] or momentum_changes):  # it has more state
        return "RMSprop with momentum"
    if kind not in (Adam, SGD, NAdam, RMSprop):
        return f"solver={kind.__name__} is not one of those that are written out"
    return None


def make_flat_step(flat: Flat, needs_gradient: bool = False) -> Callable[[], None] | None:
    """Return the step for the optimizer, or None for plain SGD, which needs no gradient vector.

    With `needs_gradient`, plain SGD has a gradient vector, too.
    """
    optimizer = flat.optimizer
    if type(optimizer) in STATES:
        return OneVectorStep(flat)
    if isinstance(optimizer, Adam):
        return AdamStep(flat)
    plain = not optimizer.param_groups[0]["momentum"]
    return None if plain and not needs_gradient else SGDStep(flat)

"""Optimizers: from scikit-learn's parameters to torch's classes, with scikit-learn's arithmetic.

A new solver is one entry in `OPTIMIZERS`.
"""

import copy
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from skorch import NeuralNet
from torch.optim.optimizer import ParamsT

from sknn._saved import saved
from sknn._specs import TrainConfig
from sknn.engine.optimizers._checks import check_solver
from sknn.engine.optimizers._fused import compute_corrected_epsilon
from sknn.engine.optimizers._newton_schulz import orthogonalize

#: computes the loss anew
Closure = Callable[[], float]
#: root of the mean square of Adam's steps, as a share of the learning rate, see `Muon`
ADAM_STEP = 0.2

# torch wraps these methods in ones that import torch._dynamo at their first call: 800 modules and
# over a second in every process, also in each worker of a grid search, for a compiler that is not
# used here. What is inside of them is called instead, without gradients as they do.
plain_add_param_group = inspect.unwrap(torch.optim.Optimizer.add_param_group)


def _unwrap_step(optimizer_class: type[torch.optim.Optimizer]) -> Callable:
    return torch.no_grad()(inspect.unwrap(optimizer_class.step))


@saved
class SGD(torch.optim.SGD):
    """torch's fused SGD, made without loading torch's compiler."""

    add_param_group = plain_add_param_group
    step = _unwrap_step(torch.optim.SGD)


@saved
class UnusedSGD(SGD):
    """Stands in a net that L-BFGS trains; another class than `SGD`, so that this is made anew."""


_step_adam = _unwrap_step(torch.optim.Adam)


@saved
class Adam(torch.optim.Adam):
    """torch's fused Adam with the epsilon of scikit-learn.

    The paper [1]_ gives two forms. torch adds epsilon to sqrt(v / (1 - beta_2^t)), scikit-learn
    to sqrt(v), as the paper does at the end of its section 2: the same step where torch's epsilon
    is divided by sqrt(1 - beta_2^t). The two differ for gradients about as small as epsilon.

    References
    ----------
    .. [1] D. P. Kingma and J. Ba, "Adam: A method for stochastic optimization", ICLR 2015,
       arXiv:1412.6980.
    """

    add_param_group = plain_add_param_group

    def __init__(self, params: ParamsT, lr: float, betas: tuple[float, float], eps: float):
        super().__init__(params, lr=lr, betas=betas, eps=eps, fused=True)
        for group in self.param_groups:
            group.update(epsilon=eps, n_steps=0)

    def count_steps(self, n_steps: int = 1) -> None:
        """Count steps, and set what depends on the count."""
        for group in self.param_groups:
            group["n_steps"] += n_steps
            group["eps"] = compute_corrected_epsilon(group)

    def step(self, closure: Closure | None = None) -> Any:
        """Do one step, see ``torch.optim.Adam.step``."""
        self.count_steps()
        return _step_adam(self, closure)


@saved
class AdamW(Adam):
    """`Adam` with decoupled weight decay [1]_.

    Before each step the parameters of a group with a ``decay`` are multiplied by
    ``1 - lr * decay``; see `split_groups`. torch's AdamW does the same, but for epsilon.

    References
    ----------
    .. [1] I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR 2019,
       arXiv:1711.05101.
    """

    def step(self, closure: Closure | None = None) -> Any:
        """Do one step, see ``torch.optim.AdamW.step``."""
        for group in self.param_groups:
            if "decay" in group:
                with torch.no_grad():
                    # w <- w - lr decay w before Adam's step, not as part of the gradient: there the
                    # division by sqrt(v) would shrink weights of large gradients less than others.
                    torch._foreach_mul_(group["params"], 1 - group["lr"] * group["decay"])
        return super().step(closure)


@saved
class Muon(AdamW):
    """Orthogonalized momentum for the matrices of hidden layers [1]_, and `AdamW` for all else.

    The step of a matrix of shape (n, m) is the orthogonal matrix nearest to its momentum, times
    ``lr * 0.2 * sqrt(max(n, m))``: its numbers are as large as those of Adam's steps, so that one
    learning rate and one weight decay are for both [2]_. ``torch.optim.Muon`` takes no stacks of
    matrices, and rounds them to bfloat16.

    Parameters
    ----------
    params : iterable
        Groups of parameters. Those with ``n_leading`` are matrices, or stacks of matrices along so
        many leading axes, as those of ensemble members; the axes after the next count as one.
    lr, betas, eps
        See `AdamW`.
    momentum : float
        Share of the momentum that is left after a step, in [0, 1].
    nesterov : bool
        Whether the gradient is added to the momentum once more, before the step.

    References
    ----------
    .. [1] K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024,
       https://kellerjordan.github.io/posts/muon.
    .. [2] J. Liu et al., "Muon is scalable for LLM training", 2025, arXiv:2502.16982.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float,
        betas: tuple[float, float],
        eps: float,
        *,
        momentum: float,
        nesterov: bool,
    ):
        super().__init__(params, lr, betas, eps)
        for group in self.param_groups:
            group.update(momentum=momentum, nesterov=nesterov)

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> Any:
        """Do one step; a `closure` computes the gradient anew before."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        hidden = [
            (p, p.grad, group)
            for group in self.param_groups
            if "n_leading" in group
            for p in group["params"]
            if p.grad is not None
        ]
        for p, _, _ in hidden:
            p.grad = None  # so that AdamW, whose weight decay is for all, moves the others alone
        super().step()
        for p, gradient, group in hidden:
            p.grad = gradient
            self._follow(p, gradient, group)
        return loss

    def _follow(self, p: torch.Tensor, gradient: torch.Tensor, group: dict[str, Any]) -> None:
        """Do the step of one matrix, or of one stack of matrices."""
        state, share = self.state[p], 1 - group["momentum"]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(p, memory_format=torch.preserve_format)
        momentum = state["momentum_buffer"].lerp_(gradient, share)
        direction = gradient.lerp(momentum, group["momentum"]) if group["nesterov"] else momentum
        matrices = direction.flatten(group["n_leading"] + 1)
        factor = ADAM_STEP * math.sqrt(max(matrices.shape[-2:]))
        p.sub_(orthogonalize(matrices).reshape(p.shape), alpha=group["lr"] * factor)


@saved
class NAdam(torch.optim.NAdam):
    """torch's NAdam, made and run without loading torch's compiler."""

    add_param_group = plain_add_param_group
    step = _unwrap_step(torch.optim.NAdam)


@saved
class RMSprop(torch.optim.RMSprop):
    """torch's RMSprop, made and run without loading torch's compiler."""

    add_param_group = plain_add_param_group
    step = _unwrap_step(torch.optim.RMSprop)


def _get_adam(config: TrainConfig) -> dict[str, Any]:
    return {
        "optimizer": Adam,
        "optimizer__betas": (config.beta_1, config.beta_2),
        "optimizer__eps": config.epsilon,
    }


def _get_adamw(config: TrainConfig) -> dict[str, Any]:
    return {**_get_adam(config), "optimizer": AdamW, "optimizer__decay": config.weight_decay}


def _get_muon(config: TrainConfig) -> dict[str, Any]:
    momentum = {
        "optimizer__momentum": config.momentum,
        "optimizer__nesterov": config.nesterovs_momentum,
    }
    return {**_get_adamw(config), "optimizer": Muon, **momentum}


def _get_nadam(config: TrainConfig) -> dict[str, Any]:
    return {**_get_adam(config), "optimizer": NAdam}


def _get_rmsprop(config: TrainConfig) -> dict[str, Any]:
    return {"optimizer": RMSprop, "optimizer__eps": config.epsilon}


def _get_sgd(config: TrainConfig) -> dict[str, Any]:
    return {
        "optimizer": SGD,
        "optimizer__momentum": config.momentum,
        "optimizer__nesterov": config.nesterovs_momentum and config.momentum > 0,
        "optimizer__fused": True,
    }


#: solver -> the arguments of a skorch net that choose and set its optimizer
OPTIMIZERS: dict[str, Callable[[TrainConfig], dict[str, Any]]] = {
    "adam": _get_adam,
    "sgd": _get_sgd,
    "adamw": _get_adamw,
    "muon": _get_muon,
    "nadam": _get_nadam,
    "rmsprop": _get_rmsprop,
}


#: names of all solvers
SOLVERS = (*OPTIMIZERS, "lbfgs")


def get_net_arguments(config: TrainConfig) -> dict[str, Any]:
    """Return the arguments of a skorch net that choose and set its optimizer, checked."""
    check_solver(config, SOLVERS)
    if config.solver == "lbfgs":
        return {"optimizer": UnusedSGD, "lr": config.learning_rate_init}
    if isinstance(config.solver, str):
        chosen = OPTIMIZERS[config.solver](config)
    else:
        chosen = {f"optimizer__{name}": value for name, value in config.solver_params.items()}
        chosen["optimizer"] = config.solver
    return {**chosen, "lr": config.learning_rate_init}


def split_groups(
    groups: list[dict[str, Any]], chosen: list[torch.nn.Parameter], settings: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return groups in which the chosen parameters are apart, with `settings`, and none is empty.

    The settings are ``decay`` of those that `AdamW` decays, ``n_leading`` of those that `Muon`
    orthogonalizes.
    """
    numbers = {id(p) for p in chosen}  # tensors compare by value
    parts = [
        {**group, "params": [p for p in group["params"] if (id(p) in numbers) == is_chosen], **own}
        for group in groups
        for is_chosen, own in ((True, settings), (False, {}))
    ]
    return [group for group in parts if group["params"]]


def copy_state(optimizer: torch.optim.Optimizer) -> tuple[list[dict], dict]:
    """Return a copy of an optimizer's groups and state, for `restore_state`."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    memo = {id(p): p for p in parameters}  # state may refer to parameters, which are not copied
    groups = [
        {name: v if name == "params" else copy.deepcopy(v, memo) for name, v in group.items()}
        for group in optimizer.param_groups
    ]
    return groups, {key: copy.deepcopy(value, memo) for key, value in optimizer.state.items()}


def restore_state(optimizer: torch.optim.Optimizer, saved: tuple[list[dict], dict]) -> None:
    """Put back what `copy_state` returned."""
    groups, state = saved
    for group, before in zip(optimizer.param_groups, groups, strict=True):
        group.clear()
        group.update(before)
    optimizer.state.clear()
    optimizer.state.update(state)


def set_arguments(net: NeuralNet, arguments: Mapping[str, Any]) -> None:
    """Let the optimizer of a net go on with other arguments, see `get_net_arguments`."""
    vars(net).update(arguments)
    for name, value in arguments.items():
        _, _, argument = name.partition("optimizer__")
        for group in net.optimizer_.param_groups:
            key = "epsilon" if argument == "eps" and "epsilon" in group else argument
            if key in group:  # those that do not decay have no decay
                group[key] = value


def forget_steps(optimizer: torch.optim.Optimizer) -> None:
    """Let an optimizer begin anew: without moments, and counting its steps from 0."""
    optimizer.state.clear()
    for group in optimizer.param_groups:
        if "n_steps" in group:
            group["n_steps"] = 0


def get_learning_rate(optimizer: torch.optim.Optimizer) -> float:
    """Return the learning rate of the first group."""
    return optimizer.param_groups[0]["lr"]


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Set the learning rate of all groups; the next momentum step of 'sgd' stays as it would be."""
    # scikit-learn's velocity contains the learning rates of the past; torch's buffer b is
    # multiplied by the present one, v = -lr b, so b is rescaled here to keep v. An optimizer class
    # that a user gave is left with torch's arithmetic.
    for group in optimizer.param_groups:
        before, group["lr"] = group["lr"], learning_rate
        if before == learning_rate or not learning_rate or not isinstance(optimizer, SGD):
            continue
        for param in group["params"]:
            buffer = optimizer.state[param].get("momentum_buffer") if optimizer.state else None
            if buffer is not None:
                buffer.mul_(before / learning_rate)

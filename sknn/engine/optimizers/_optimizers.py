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

#: computes the loss anew
Closure = Callable[[], float]

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
            group["eps"] = group["epsilon"] / math.sqrt(1 - group["betas"][1] ** group["n_steps"])

    def step(self, closure: Closure | None = None) -> Any:
        """Do one step, see ``torch.optim.Adam.step``."""
        self.count_steps()
        return _step_adam(self, closure)


@saved
class AdamW(Adam):
    """`Adam` with decoupled weight decay [1]_.

    Before each step the parameters of a group with a ``decay`` are multiplied by
    ``1 - lr * decay``; see `split_decay`. torch's AdamW does the same, but for epsilon.

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
                    torch._foreach_mul_(group["params"], 1 - group["lr"] * group["decay"])
        return super().step(closure)


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
    "nadam": _get_nadam,
    "rmsprop": _get_rmsprop,
}


def get_net_arguments(config: TrainConfig) -> dict[str, Any]:
    """Return the arguments of a skorch net that choose and set its optimizer, checked."""
    check_solver(config, (*OPTIMIZERS, "lbfgs"))
    if config.solver == "lbfgs":
        return {"optimizer": UnusedSGD, "lr": config.learning_rate_init}
    if isinstance(config.solver, str):
        chosen = OPTIMIZERS[config.solver](config)
    else:
        chosen = {f"optimizer__{name}": value for name, value in config.solver_params.items()}
        chosen["optimizer"] = config.solver
    return {**chosen, "lr": config.learning_rate_init}


def split_decay(
    groups: list[dict[str, Any]], decay: float, decayed: list[torch.nn.Parameter]
) -> list[dict[str, Any]]:
    """Return groups of parameters in which those that decay, by `decay`, are apart, none empty."""
    chosen = {id(p) for p in decayed}  # tensors compare by value
    parts = [
        {**group, "params": [p for p in group["params"] if (id(p) in chosen) == decays], **extra}
        for group in groups
        for decays, extra in ((True, {"decay": decay}), (False, {}))
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
    """Set the learning rate of all groups; the next momentum step of 'sgd' stays as it would be.

    scikit-learn's velocity contains the learning rates of the past; torch's buffer b is
    multiplied by the present one, v = -lr b, so b is rescaled here to keep v. An optimizer class
    that a user gave is left with torch's arithmetic.
    """
    for group in optimizer.param_groups:
        before, group["lr"] = group["lr"], learning_rate
        if before == learning_rate or not learning_rate or not isinstance(optimizer, SGD):
            continue
        for param in group["params"]:
            buffer = optimizer.state[param].get("momentum_buffer") if optimizer.state else None
            if buffer is not None:
                buffer.mul_(before / learning_rate)

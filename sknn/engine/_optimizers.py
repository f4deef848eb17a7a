"""Optimizers: from scikit-learn's parameters to torch's classes, with scikit-learn's arithmetic.

A new solver is one entry in `OPTIMIZERS`.
"""

import copy
import inspect
import math
from collections.abc import Callable
from typing import Any

import torch

from sknn._specs import TrainConfig

# torch wraps this method in one that imports torch._dynamo at its first call: 800 modules and
# over a second in every process, also in each worker of a grid search, which the steps of
# `sknn.engine._closed_form` never need.
_add_param_group = inspect.unwrap(torch.optim.Optimizer.add_param_group)


class SGD(torch.optim.SGD):
    """torch's fused SGD, made without loading torch's compiler."""

    add_param_group = _add_param_group


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

    add_param_group = _add_param_group

    def __init__(self, params: Any, lr: float, betas: tuple[float, float], eps: float):
        super().__init__(params, lr=lr, betas=betas, eps=eps, fused=True)
        for group in self.param_groups:
            group.update(epsilon=eps, n_steps=0)

    def step(self, closure: Callable | None = None) -> Any:
        """Do one step, see ``torch.optim.Adam.step``."""
        for group in self.param_groups:
            group["n_steps"] += 1
            group["eps"] = group["epsilon"] / math.sqrt(1 - group["betas"][1] ** group["n_steps"])
        return super().step(closure)


def _adam(config: TrainConfig) -> dict[str, Any]:
    return {
        "optimizer": Adam,
        "optimizer__betas": (config.beta_1, config.beta_2),
        "optimizer__eps": config.epsilon,
    }


def _sgd(config: TrainConfig) -> dict[str, Any]:
    return {
        "optimizer": SGD,
        "optimizer__momentum": config.momentum,
        "optimizer__nesterov": config.nesterovs_momentum and config.momentum > 0,
        "optimizer__fused": True,
    }


#: solver -> the arguments of a skorch net that choose and set its optimizer
OPTIMIZERS: dict[str, Callable[[TrainConfig], dict[str, Any]]] = {"adam": _adam, "sgd": _sgd}


def net_arguments(config: TrainConfig) -> dict[str, Any]:
    """Return the arguments of a skorch net for the solver of `config`.

    Parameters
    ----------
    config : TrainConfig
        ``solver='lbfgs'`` has no optimizer of torch. Another SGD than that of 'sgd' stands in, so
        that `partial_fit` with another solver afterwards makes a new one.

    Returns
    -------
    dict
    """
    if config.solver == "lbfgs":
        return {"optimizer": torch.optim.SGD, "lr": config.learning_rate_init}
    return {**OPTIMIZERS[config.solver](config), "lr": config.learning_rate_init}


def copy_state(optimizer: torch.optim.Optimizer) -> tuple[list[dict], list[dict]]:
    """Return a copy of an optimizer's groups and state, for `restore_state`."""
    groups = [dict(group) for group in optimizer.param_groups]
    state = [copy.deepcopy(dict(optimizer.state.get(p, {}))) for p in _parameters(optimizer)]
    return groups, state


def restore_state(optimizer: torch.optim.Optimizer, saved: tuple[list[dict], list[dict]]) -> None:
    """Put back what `copy_state` returned."""
    groups, states = saved
    for group, before in zip(optimizer.param_groups, groups, strict=True):
        group.update(before)
    for p, state in zip(_parameters(optimizer), states, strict=True):
        optimizer.state[p] = state


def _parameters(optimizer: torch.optim.Optimizer) -> list[torch.nn.Parameter]:
    return [p for group in optimizer.param_groups for p in group["params"]]


def get_learning_rate(optimizer: torch.optim.Optimizer) -> float:
    """Return the learning rate of the first group."""
    return optimizer.param_groups[0]["lr"]


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Set the learning rate of all groups and leave the next momentum step as it would be.

    scikit-learn's velocity contains the learning rates of the past; torch's buffer b is
    multiplied by the present one, v = -lr b, so b is rescaled here to keep v.
    """
    for group in optimizer.param_groups:
        ratio = group["lr"] / learning_rate
        group["lr"] = learning_rate
        for param in group["params"]:
            buffer = optimizer.state[param].get("momentum_buffer") if optimizer.state else None
            if buffer is not None:
                buffer.mul_(ratio)

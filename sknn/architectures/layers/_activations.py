"""Activations of users as torch modules for one hidden layer."""

import copy
import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from sknn._saved import saved
from sknn.activations import ACTIVATIONS, TRAINABLE, resolve_activation
from sknn.architectures.layers._blocks import get_torch_name, make_activation, seed_torch

if TYPE_CHECKING:
    from typing_extensions import TypeIs

#: name of the table, function of a tensor, or module, its class or factory
ActivationLike = str | nn.Module | Callable[..., torch.Tensor] | Callable[..., nn.Module]


@saved
class FunctionActivation(nn.Module):
    """A function of a tensor as a module.

    Parameters
    ----------
    function : callable
        ``function(tensor)`` returns a tensor of the same shape.

    Shape
    -----
    - Input: ``(batch, n_units)``
    - Output: as the input
    """

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]):
        super().__init__()
        self.function = function

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return the function's values."""
        return self.function(X)

    def extra_repr(self) -> str:
        """Return what stands between the brackets of the repr."""
        return get_activation_name(self.function)


def split_activations(
    activation: ActivationLike | Sequence[ActivationLike], n_hidden: int
) -> tuple[ActivationLike, ...]:
    """Return the activation of each hidden layer; a sequence has one for each, by their keys."""
    if isinstance(activation, Sequence | np.ndarray) and not isinstance(activation, str):
        given = tuple(activation)
        if len(given) != n_hidden:
            raise ValueError(
                f"activation must have one entry for each of the {n_hidden} hidden layers; got "
                f"{len(given)}: {[get_activation_name(a) for a in given]}."
            )
    elif isinstance(activation, str):
        get_torch_name(activation)  # also where there is no hidden layer
        return (resolve_activation(activation),) * n_hidden
    else:
        given = (activation,) * n_hidden
    return tuple(resolve_activation(a) if isinstance(a, str) else a for a in given)


def get_activation_name(given: ActivationLike) -> str:
    """Return a word for an activation: its name in the table, or that of its class or function."""
    if isinstance(given, str):
        return str(given)
    given = getattr(given, "func", given)  # of a functools.partial
    return getattr(given, "__name__", type(given).__name__)


def get_init_factor(given: ActivationLike) -> float:
    """Return the range of scikit-learn's first weights; see `sknn.activations.Activation`."""
    name = resolve_activation(given) if isinstance(given, str) else ""
    return ACTIVATIONS[name if name in TRAINABLE else "identity"].init_factor


def make_hidden_activation(given: ActivationLike, n_units: int, dtype: torch.dtype) -> nn.Module:
    """Return a module of its own, of a dtype, for one hidden layer; see `ActivationLike`.

    A function of a tensor is wrapped, a class or factory is called without arguments, a module
    is copied. It must return a tensor of the shape (n_samples, n_units) that it was given. A
    factory that draws random parameters does so from a seed that is always the same.
    """
    if isinstance(given, str):
        return make_activation(given)
    name = get_activation_name(given)
    with seed_torch(np.random.RandomState(0)):
        module = _make_module(given, name).to(device="cpu", dtype=dtype)
        X = torch.zeros(2, n_units, dtype=dtype)
        try:
            with torch.no_grad():
                result = module.eval()(X)
        except Exception as error:  # whatever a user's code may raise
            raise ValueError(
                f"activation {name!r} must take a tensor of shape (n_samples, {n_units}) and "
                f"{dtype}, but fails: {error}"
            ) from error
    if not isinstance(result, torch.Tensor) or result.shape != X.shape or result.dtype != dtype:
        what = type(result).__name__
        if isinstance(result, torch.Tensor):
            what = f"shape {tuple(result.shape)} and {result.dtype}"
        raise ValueError(
            f"activation {name!r} must return a tensor like its argument, of shape {tuple(X.shape)}"
            f" and {dtype}; got {what}."
        )
    return module.train()


def _make_module(given: ActivationLike, name: str) -> nn.Module:
    if isinstance(given, nn.Module):
        module = copy.deepcopy(given)  # an estimator's parameter is never trained itself
        module.zero_grad(set_to_none=True)
        return module
    if not callable(given):
        raise ValueError(
            f"activation must be one of {sorted(TRAINABLE)}, a function of a tensor, or a module, "
            f"its class or factory; got {given!r}."
        )
    if _is_factory(given):
        made = given()
        if not isinstance(made, nn.Module):
            raise ValueError(
                f"activation {name!r} can be called without arguments and is taken for a factory, "
                f"which must return a torch.nn.Module; got {type(made).__name__}. Let a function "
                "take the tensor as its first argument, without a default."
            )
        return made
    if isinstance(given, type):
        raise ValueError(
            f"activation {name!r} is a class that needs arguments. Give an instance, or a factory "
            f"as lambda: {name}(...)."
        )
    return FunctionActivation(given)


def _is_factory(given: ActivationLike) -> "TypeIs[Callable[[], nn.Module]]":
    """Return whether it takes no arguments, as what makes a module does."""
    if not callable(given):
        return False
    try:
        inspect.signature(given).bind()
    except (TypeError, ValueError):  # an argument is missing, or a builtin has no signature
        return False
    return True

"""A network that the user wrote."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from sknn._specs import InputSpec, TargetSpec
from sknn.architectures._mlp import MLP
from sknn.architectures.layers._blocks import seed_torch


def get_known_arguments(inputs: InputSpec, target: TargetSpec) -> dict[str, Any]:
    """Return the arguments that a factory gets if it names them, see `build_user_module`."""
    n_columns = inputs.n_numeric * (inputs.length or 1) + len(inputs.cardinalities)
    return {
        "n_inputs": n_columns,
        "n_outputs": target.n_outputs,
        "n_numeric": inputs.n_numeric,
        "cardinalities": inputs.cardinalities,
        "length": inputs.length,
    }


def build_user_module(
    factory: Callable[..., nn.Module],
    inputs: InputSpec,
    target: TargetSpec,
    params: Mapping[str, Any],
    random_state: np.random.RandomState,
) -> nn.Module:
    """Build a network by a user-defined class or function, and try it on two samples.

    Those of the arguments `n_inputs`, `n_outputs`, `n_numeric`, `cardinalities` and `length` (see
    `get_known_arguments`) that the factory names are passed to it, and before them `params`.
    Tensors of shape (n_samples, n_inputs) must give raw predictions (n_samples, n_outputs).

    `random_state` gives the seed of torch's generators, which are put back afterwards: it is
    advanced by one number, and by the weights of each `MLP` that is part of the module. What is no
    module, has nothing to train, or gives other outputs raises ValueError.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> from sknn._specs import InputSpec, TargetSpec
    >>> from sknn.architectures import build_user_module
    >>> def two_layers(n_inputs, n_outputs, width):
    ...     return nn.Sequential(nn.Linear(n_inputs, width), nn.ReLU(), nn.Linear(width, n_outputs))
    >>> inputs, target = InputSpec("table", 4, "float32"), TargetSpec("multiclass", 3, "log_loss")
    >>> build_user_module(two_layers, inputs, target, {"width": 8}, np.random.RandomState(0))
    Sequential(
      (0): Linear(in_features=4, out_features=8, bias=True)
      (1): ReLU()
      (2): Linear(in_features=8, out_features=3, bias=True)
    )
    """
    if isinstance(factory, nn.Module):
        name = type(factory).__name__
        raise ValueError(
            f"module must be a class or function that makes a new network, not a network: a copy "
            f"of the estimator would share and train the same one. Give {name} itself, or "
            f"lambda: {name}(...)."
        )
    if not callable(factory):
        raise ValueError(
            "module must be a torch.nn.Module class, or a function that returns a module; got "
            f"{factory!r}."
        )
    known = get_known_arguments(inputs, target)
    arguments = _choose_arguments(factory, known, params)
    dtype = getattr(torch, inputs.dtype)
    with seed_torch(random_state):
        module = factory(**arguments)
        if not isinstance(module, nn.Module):
            raise ValueError(
                f"module {_get_name(factory)!r} must return a torch.nn.Module; got "
                f"{type(module).__name__}."
            )
        module = module.to(device="cpu", dtype=dtype)
        for part in module.modules():
            if isinstance(part, MLP):  # which does not draw its weights when it is made
                part.initialize_weights(random_state)
        _try_out(module, _get_name(factory), torch.zeros(2, known["n_inputs"], dtype=dtype), target)
    if not any(p.requires_grad for p in module.parameters()):
        raise ValueError(f"module {_get_name(factory)!r} has no parameters to train.")
    return module.train()


def _get_name(factory: Callable) -> str:
    factory = getattr(factory, "func", factory)  # of a functools.partial
    return getattr(factory, "__name__", type(factory).__name__)


def _choose_arguments(
    factory: Callable, known: Mapping[str, Any], params: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the keyword arguments for a factory: what it asks for, and the user's."""
    signature = inspect.signature(factory)
    kinds = {name: p.kind for name, p in signature.parameters.items()}
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    takes = [name for name, kind in kinds.items() if kind in by_name]
    unknown = [name for name in params if name not in takes]
    if unknown and inspect.Parameter.VAR_KEYWORD not in kinds.values():
        raise ValueError(
            f"module {_get_name(factory)!r} does not take {unknown}; it takes {takes or 'nothing'}."
        )
    bound = getattr(factory, "keywords", {})  # of a functools.partial: the user's too
    offered = {name: value for name, value in known.items() if name in takes and name not in bound}
    arguments = {**offered, **params}
    try:
        signature.bind(**arguments)
    except TypeError as error:
        raise ValueError(
            f"module {_get_name(factory)!r} cannot be called with {sorted(arguments)}: {error}. "
            f"Give what is missing as a parameter of the module, or a default. Known by themselves "
            f"are {list(known)}."
        ) from error
    return arguments


def _try_out(module: nn.Module, name: str, X: torch.Tensor, target: TargetSpec) -> None:
    """Raise ValueError unless the module gives the outputs that are asked for."""
    try:
        with torch.enable_grad():
            output = module.eval()(X)
    except Exception as error:  # whatever a user's code may raise
        raise ValueError(
            f"module {name!r} must take a tensor of shape (n_samples, {X.shape[1]}) and {X.dtype}, "
            f"but fails on two samples of zeros: {error}"
        ) from error
    expected = (2, target.n_outputs)
    if not isinstance(output, torch.Tensor):
        raise ValueError(
            f"module {name!r} must return a tensor of shape (n_samples, {target.n_outputs}); got "
            f"{type(output).__name__}."
        )
    if output.shape != expected or output.dtype != X.dtype:
        raise ValueError(
            f"module {name!r} must return a tensor of shape (n_samples, {target.n_outputs}) and "
            f"{X.dtype}, a column for each of {_describe_units(target)}; for 2 samples it gives "
            f"{tuple(output.shape)} and {output.dtype}."
        )
    last = _find_last_function(output)
    if last in PROBABILITIES and target.kind != "values" and not callable(target.loss):
        raise ValueError(
            f"module {name!r} ends in a {last.lower()}, but loss {target.loss!r} takes logits: it "
            "would be applied twice. Leave it out; predict_proba applies it to the logits."
        )


#: functions that make probabilities of logits, as autograd names them
PROBABILITIES = ("Sigmoid", "Softmax")
#: functions that change the shape of their input alone
_SHAPES = ("View", "Reshape", "UnsafeView", "Squeeze", "Unsqueeze", "Transpose", "T", "Permute")


def _find_last_function(output: torch.Tensor) -> str:
    """Return the name of the function that computed an output, '' where autograd knows none."""
    node = output.grad_fn
    while node is not None:
        name = node.name().partition("Backward")[0]
        if name not in _SHAPES or not node.next_functions:
            return name
        node = node.next_functions[0][0]
    return ""


def _describe_units(target: TargetSpec) -> str:
    words = {
        "binary": "the one logit of the second class",
        "multiclass": f"{target.n_outputs} classes",
        "multilabel": f"{target.n_outputs} labels",
    }
    return words.get(target.kind, f"{target.n_outputs} outputs")

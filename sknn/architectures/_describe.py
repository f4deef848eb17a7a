"""The layers of any torch module, in the words of the package."""

from typing import Protocol, runtime_checkable

import torch
from torch import nn

from sknn._specs import LayerSpec

#: that go through a module to see the widths of its layers
N_SAMPLES = 2


@runtime_checkable
class SelfDescribing(Protocol):
    """A network that knows its layers."""

    def describe(self) -> list[LayerSpec]:
        """Return a `LayerSpec` for each layer."""


def describe(module: nn.Module, n_inputs: int) -> list[LayerSpec]:
    """Return a `LayerSpec` for each layer of a module.

    Parameters
    ----------
    module : torch.nn.Module
        One that describes itself, or any other: two samples of zeros go through that, and each of
        its innermost modules that they pass is a layer.
    n_inputs : int
        Columns of an encoded X.

    Returns
    -------
    list of LayerSpec
        Their parameters sum to those of the module.

    Examples
    --------
    >>> from torch import nn
    >>> from sknn.architectures import describe
    >>> for layer in describe(nn.Sequential(nn.Linear(4, 8), nn.Mish(), nn.Linear(8, 1)), 4):
    ...     print(layer.name, layer.kind, layer.n_outputs, layer.n_parameters)
    0 Linear 8 40
    1 Mish 8 0
    2 Linear 1 9
    """
    if isinstance(module, SelfDescribing):
        return module.describe()
    names = {part: name for name, part in module.named_modules()}
    layers: list[LayerSpec] = []
    counted: set[int] = set()

    def note(part: nn.Module, arguments: tuple, output: object) -> None:
        leaf = not any(True for _ in part.children())
        own = [p for p in part.parameters(recurse=leaf) if id(p) not in counted]
        if (leaf or own) and isinstance(output, torch.Tensor):
            counted.update(map(id, own))
            first = arguments[0] if arguments else None
            layers.append(
                LayerSpec(
                    name=names[part] or "module",
                    kind=type(part).__name__,
                    n_inputs=_count_values(first) if isinstance(first, torch.Tensor) else 0,
                    n_outputs=_count_values(output),
                    activation="identity",
                    n_parameters=sum(p.numel() for p in own),
                )
            )

    hooks = [part.register_forward_hook(note) for part in names]
    was_training, like = module.training, next(module.parameters())
    try:
        with torch.inference_mode():
            module.eval()(torch.zeros(N_SAMPLES, n_inputs, dtype=like.dtype, device=like.device))
    finally:
        module.train(was_training)
        for hook in hooks:
            hook.remove()
    return layers


def make_layer_spec(
    name: str, layer: nn.Module, widths: tuple[int, int], *, kind: str = "", activation: str = ""
) -> LayerSpec:
    """Return the description of a layer; `kind` and `activation` in place of class and identity."""
    kind = kind or type(layer).__name__.removeprefix("Unset").removeprefix("Tied")
    n_parameters = sum(p.numel() for p in layer.parameters())
    return LayerSpec(name, kind, *widths, activation or "identity", n_parameters)


def _count_values(tensor: torch.Tensor) -> int:
    """Return how many numbers a sample has, over all axes."""
    if tensor.ndim > 1 and len(tensor) == N_SAMPLES:
        return tensor[0].numel()
    return tensor.shape[-1] if tensor.ndim else 1

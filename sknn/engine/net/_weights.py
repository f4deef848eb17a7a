"""A network's weights as a list of NumPy arrays that can be read and written."""

from collections.abc import Iterable
from typing import SupportsIndex, cast

import numpy as np
import torch

from sknn.architectures import MLP, SequenceCNN
from sknn.engine.net._net import Net


class WeightList(list):
    """Arrays of parameters, in scikit-learn's orientation; setting an item changes the network.

    On the CPU the arrays share the network's memory, so that writing into them changes it too.
    From a GPU they are read-only copies: set whole items there.

    Parameters
    ----------
    parameters : list of torch.nn.Parameter or Tensor
        Matrices are shown transposed, of shape (n_inputs, n_outputs); those of several members,
        (n_members, n_inputs, n_outputs), as they are. A tensor that is no
        parameter can be read only: biases that a layer lacks, or weights that are computed.
    """

    def __init__(self, parameters: list[torch.Tensor]):
        self._parameters = parameters
        super().__init__(_make_array(p) for p in parameters)

    def __setitem__(
        self, index: SupportsIndex | slice, value: np.ndarray | Iterable[np.ndarray]
    ) -> None:
        if isinstance(index, slice):
            chosen, values = list(range(len(self))[index]), [np.asarray(v) for v in value]
        else:
            chosen, values = [range(len(self))[index]], [np.asarray(value)]
        if len(values) != len(chosen):
            raise ValueError(
                f"Expected {len(chosen)} arrays, one for each layer; got {len(values)}."
            )
        for i, array in zip(chosen, values, strict=True):
            if array.shape != self[i].shape:
                raise ValueError(
                    f"The array for layer {i} must have shape {self[i].shape}; got {array.shape}."
                )
            is_fixed = not isinstance(self._parameters[i], torch.nn.Parameter)
            if is_fixed and not np.array_equal(array, self[i]):
                raise ValueError(
                    f"The array for layer {i} cannot be changed: the layer has no biases, or "
                    "computes its weights from other parameters. Set those of module_ instead."
                )
        with torch.no_grad():
            for i, array in zip(chosen, values, strict=True):
                if not isinstance(self._parameters[i], torch.nn.Parameter):
                    continue
                turned = array if array.ndim == 3 else array.T
                self._parameters[i].copy_(torch.from_numpy(np.array(turned, dtype=float)))
                super().__setitem__(i, _make_array(self._parameters[i]))

    def __reduce__(self) -> tuple:
        # A copy or a pickle is a plain list: it has no network to write to.
        return list, (list(self),)


def _make_array(tensor: torch.Tensor) -> np.ndarray:
    array = tensor.detach().cpu().numpy()
    array = array if array.ndim == 3 else array.T
    if tensor.device.type != "cpu" or not isinstance(tensor, torch.nn.Parameter):
        array.flags.writeable = False
    return array


def find_linear_layers(module: torch.nn.Module) -> list[torch.nn.Linear]:
    """Return the linear layers of any module, each once, in the order in which it holds them."""
    # A user-defined activation may have layers of its own.
    if isinstance(module, MLP | SequenceCNN):
        return [cast("torch.nn.Linear", layer) for layer in module.linears]
    return [layer for layer in module.modules() if isinstance(layer, torch.nn.Linear)]


def get_layer_weights(net: Net) -> tuple[WeightList, WeightList]:
    """Return the weights and the biases of the linear layers of a net.

    They are in the order of `find_linear_layers`. A layer without biases has zeros that cannot be
    changed.
    """
    layers = find_linear_layers(net.module_)
    if not layers:
        raise AttributeError(
            f"{type(net.module_).__name__} has no torch.nn.Linear whose weights could be shown. "
            "All parameters are in module_.state_dict()."
        )
    return WeightList([x.weight for x in layers]), WeightList([_get_bias(x) for x in layers])


def _get_bias(layer: torch.nn.Linear) -> torch.Tensor:
    return layer.weight.new_zeros(layer.out_features) if layer.bias is None else layer.bias

"""A network's weights as a list of NumPy arrays that can be read and written."""

from typing import Any

import numpy as np
import torch


class WeightList(list):
    """Arrays of parameters, in scikit-learn's orientation; setting an item changes the network.

    On the CPU the arrays share the network's memory, so that writing into them changes it too.
    From a GPU they are read-only copies: set whole items there.

    Parameters
    ----------
    parameters : list of torch.nn.Parameter
        Matrices are shown transposed, of shape (n_inputs, n_outputs).
    """

    def __init__(self, parameters: list[torch.nn.Parameter]):
        self._parameters = parameters
        super().__init__(_as_array(p) for p in parameters)

    def __setitem__(self, index: Any, value: Any) -> None:
        chosen = range(len(self))[index]
        if isinstance(chosen, int):
            chosen, value = [chosen], [value]
        values = [np.asarray(v) for v in value]
        if len(values) != len(chosen):
            raise ValueError(f"expected {len(chosen)} arrays, one a layer; got {len(values)}.")
        for i, array in zip(chosen, values, strict=True):
            if array.shape != self[i].shape:
                raise ValueError(
                    f"the array for layer {i} must have shape {self[i].shape}; got {array.shape}."
                )
        with torch.no_grad():
            for i, array in zip(chosen, values, strict=True):
                self._parameters[i].copy_(torch.from_numpy(np.array(array.T, dtype=float)))
                super().__setitem__(i, _as_array(self._parameters[i]))

    def __reduce__(self) -> tuple:
        # A copy or a pickle is a plain list: it has no network to write to.
        return list, (list(self),)


def _as_array(parameter: torch.nn.Parameter) -> np.ndarray:
    array = parameter.detach().cpu().numpy().T
    if parameter.device.type != "cpu":
        array.flags.writeable = False
    return array


def layer_weights(net: Any) -> tuple[WeightList, WeightList]:
    """Return the weights and the biases of the linear layers of a net.

    Parameters
    ----------
    net : Net
        Whose module can ``describe()`` itself.

    Returns
    -------
    coefs, intercepts : WeightList
    """
    layers = [net.module_.get_submodule(layer.name) for layer in net.module_.describe()]
    return WeightList([x.weight for x in layers]), WeightList([x.bias for x in layers])

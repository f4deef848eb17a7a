"""Parameters and optimizer state of a module as flat arrays, which compiled steps change."""

import numpy as np
import torch

from sknn.engine.optimizers._flat_parameters import separate_state, share_entry, share_number


class FlatArrays:
    """Parameters, gradient and optimizer state of a plain MLP on the CPU, each one flat array.

    Weights lie before biases, each of shape (n_inputs, n_outputs), the transpose of torch's. The
    module's parameters keep memory of their own, row by row; `read_parameters` and
    `write_parameters` copy them. The entries of the optimizer's state are views of the arrays until
    `close`.

    Parameters
    ----------
    parameters : list of torch.nn.Parameter
        All parameters of the optimizer, of one dtype.
    optimizer : torch.optim.Optimizer
        Owner of the state.

    Attributes
    ----------
    parameters : list of torch.nn.Parameter
        Parameters in the order in which they lie in the arrays.
    values, gradient : ndarray of shape (n_parameters,)
        Copy of the parameters, and memory for their gradient.
    n_weights : int
        Number of the leading numbers that belong to weights.
    """

    def __init__(self, parameters: list[torch.nn.Parameter], optimizer: torch.optim.Optimizer):
        self.parameters = sorted(parameters, key=lambda p: p.ndim, reverse=True)
        self.optimizer = optimizer
        dtype = self.parameters[0].detach().numpy().dtype
        n_parameters = self.n_weights = 0
        for p in parameters:
            p.grad = None
            n_parameters += p.numel()
            self.n_weights += p.numel() if p.ndim > 1 else 0
        self.values, self.gradient = np.empty(n_parameters, dtype), np.zeros(n_parameters, dtype)
        self._views = self._split(self.values)
        self.read_parameters()

    def read_parameters(self) -> None:
        """Copy the module's parameters, which a callback may have changed, to the array."""
        for view, parameter in zip(self._views, self.parameters, strict=True):
            view[...] = parameter.detach().numpy()

    def write_parameters(self) -> None:
        """Copy the array to the module's parameters."""
        for view, parameter in zip(self._views, self.parameters, strict=True):
            parameter.detach().numpy()[...] = view

    def _split(self, vector: np.ndarray) -> list[np.ndarray]:
        """Return an array's parts in the shapes of the parameters."""
        views, start = [], 0
        for p in self.parameters:
            part = vector[start : start + p.numel()]
            # The transpose, of the parameter's shape, of a matrix that lies transposed; of a bias,
            # which has one axis, that is the part itself.
            views.append(part.reshape(tuple(p.shape)[::-1]).T)
            start += p.numel()
        return views

    def share_state(self, name: str) -> np.ndarray:
        """Return an entry of the optimizer's state as one array, zeros where there is none."""
        vector = np.zeros(len(self.values), self.values.dtype)
        views = map(torch.from_numpy, self._split(vector))
        share_entry(self.optimizer, self.parameters, name, views)
        return vector

    def share_number(self, name: str, start: float) -> torch.Tensor:
        """Return a number of the optimizer's state, which all parameters share from now on."""
        return share_number(self.optimizer, self.parameters, name, start)

    def close(self) -> None:
        """Give the state memory of its own again."""
        separate_state(self.optimizer, self.parameters)

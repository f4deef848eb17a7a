"""Conversion of an ensemble for tables into the arrays that compiled passes take."""

from collections.abc import Callable

import numpy as np
import torch

from sknn.architectures import PiecewiseLinear, TabularEnsemble
from sknn.engine.members._codes import Ensemble


def pack(
    module: TabularEnsemble, values: np.ndarray, locate: Callable[[torch.Tensor], int]
) -> Ensemble:
    """Return an ensemble in the form that compiled passes take.

    Parameters
    ----------
    module : TabularEnsemble
        Network with piecewise linear embeddings of numbers, or without embeddings of numbers.
    values : ndarray of shape (n_parameters,)
        Parameters of the module, each row by row.
    locate : callable
        Function of a parameter that returns the place in `values` where it begins.
    """
    numbers, codes, dtype = module.numbers, module.codes, values.dtype
    left, slope, mean = _get_stretches(numbers, dtype)
    starts, width = np.zeros(2, np.int64), 1
    if isinstance(numbers, PiecewiseLinear):
        starts = np.array([locate(numbers.weight), locate(numbers.bias)])
        width = numbers.width
    # All embeddings are of one width; without numbers it is that of the tables.
    if codes is not None:
        width = codes.width
    valued, edges, first = np.zeros(0, np.int64), np.zeros((0, 2), dtype), np.zeros(0, np.int64)
    if module.values is not None:
        width, edges = module.values.width, module.values.edges.numpy()
        valued = np.array(module.valued_columns, dtype=np.int64)
        step = module.n_members * width
        first = locate(module.values.table) + step * module.values.offsets.numpy()[:, 0]
    tables = [] if codes is None else [locate(table) for table in codes.tables]
    layers = [
        (locate(layer.weight), locate(layer.bias), *layer.weight.shape[1:])
        for layer in module.linears
    ]
    return Ensemble(
        values,
        module.n_members,
        module.n_numeric,
        width,
        np.array(module.embedded_columns, dtype=np.int64),
        left,
        slope,
        mean,
        starts,
        np.array(tables, dtype=np.int64),
        valued,
        edges,
        first,
        np.array(layers, dtype=np.int64).reshape(-1, 4),
    )


def _get_stretches(
    numbers: torch.nn.Module | None, dtype: np.dtype
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return left edges, slopes and means, each (n_columns, n_stretches), of linear embeddings."""
    if not isinstance(numbers, PiecewiseLinear):
        return (np.zeros((0, 1), dtype),) * 3
    left, slope, mean = (
        np.ascontiguousarray(part.numpy()[:, 0])
        for part in (numbers.left, numbers.slope, numbers.mean)
    )
    # Stretches that shorter columns are filled up with have the slope 0. Their left edge is moved
    # to infinity, so that no number reaches them.
    return np.where(slope > 0, left, np.inf).astype(dtype), slope, mean


def count_values(net: Ensemble, n_samples: int) -> int:
    """Return how many numbers the inputs of all layers of a member are, for `n_samples` samples."""
    return int(net.layers[:, 2].sum()) * n_samples

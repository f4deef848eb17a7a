"""Predictions of an ensemble for tables by compiled passes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import torch

from sknn.architectures import TabularEnsemble
from sknn.engine.members._network import load_steps
from sknn.engine.members._packing import count_values, pack

#: function of samples, of memory for their outputs, and of a range of members (first, stop)
Compute = Callable[[np.ndarray, np.ndarray, tuple[int, int]], None]
#: number of samples for which a further thread pays
SAMPLES_OF_A_THREAD = 1024


def predict_members(module: TabularEnsemble, X: torch.Tensor) -> np.ndarray:
    """Return what the module returns in evaluation mode, of shape (n_samples, n_outputs).

    X may have a further column, the number of the member that holds a sample out.
    """
    parameters = [*module.parameters()]
    values, places = _join(parameters)
    found = {id(p): int(at) for p, at in zip(parameters, places, strict=True)}
    net = pack(module, values, lambda p: found[id(p)])
    array = np.ascontiguousarray(X.detach().numpy())
    output = np.empty((len(array), module.n_outputs), values.dtype)
    left_out_by = module.get_left_out_by(X)

    def compute(X: np.ndarray, out: np.ndarray, members: tuple[int, int]) -> None:
        space = np.empty(count_values(net, min(load_steps().BLOCK, len(X))), values.dtype)
        load_steps().predict(net, X, members, space, out)

    if left_out_by is None:
        _share(compute, array, output, (0, module.n_members))
    else:
        # A held-out sample is predicted by the member that has not been trained on it. A sample
        # that no member holds out, -1, gets the mean of all members.
        for member in range(-1, module.n_members):
            own = (left_out_by == member).nonzero()[:, 0].numpy()
            if len(own):
                part = np.empty((len(own), module.n_outputs), values.dtype)
                which = (0, module.n_members) if member == -1 else (member, member + 1)
                _share(compute, array[own], part, which)
                output[own] = part
    output /= module.temperature.numpy()
    return output


def _join(parameters: list[torch.nn.Parameter]) -> tuple[np.ndarray, list[int]]:
    """Return all numbers of parameters in one vector, and where each parameter begins."""
    memory = parameters[0].untyped_storage()
    if all(p.untyped_storage().data_ptr() == memory.data_ptr() for p in parameters):
        # While compiled passes train they are views of a vector, which need not be copied.
        whole = torch.empty(0, dtype=parameters[0].dtype).set_(memory)
        return whole.numpy(), [int(p.storage_offset()) for p in parameters]
    values = torch.cat([p.detach().reshape(-1) for p in parameters]).numpy()
    return values, np.cumsum([0, *(p.numel() for p in parameters[:-1])]).tolist()


def _share(compute: Compute, X: np.ndarray, out: np.ndarray, members: tuple[int, int]) -> None:
    """Compute the outputs of samples, a part of the samples in each thread."""
    n_threads = min(torch.get_num_threads(), len(X) // SAMPLES_OF_A_THREAD)
    if n_threads < 2:
        compute(X, out, members)
        return
    edges = np.linspace(0, len(X), n_threads + 1).astype(int).tolist()
    with ThreadPoolExecutor(n_threads) as pool:
        parts = [pool.submit(compute, X[i:j], out[i:j], members) for i, j in pairwise(edges)]
        for part in parts:
            part.result()

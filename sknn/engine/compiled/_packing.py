"""Samples, networks and memory in the form that compiled steps take."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from sknn.architectures import MLP, N_PARTS, Dropout, list_parameters
from sknn.engine.compiled import _codes
from sknn.engine.compiled._codes import (
    FlatNetwork,
    HeldOut,
    SparseSamples,
    StepMemory,
    TrainingArrays,
)
from sknn.engine.data._batches import SampleDataset
from sknn.engine.losses._loss import TableLoss
from sknn.engine.net._net import Net
from sknn.engine.optimizers._flat_arrays import FlatArrays

if TYPE_CHECKING:
    from scipy import sparse


def pack_network(net: Net) -> tuple[FlatNetwork, FlatArrays]:
    """Return a plain MLP as arrays, and the owner of these arrays; weights lie transposed."""
    module = cast("MLP", net.module_)
    widths = [cast("torch.nn.Linear", layer).out_features for layer in module.linears]
    flat = FlatArrays(list_parameters(module), net.optimizer_)
    activations = [_codes.ACTIVATIONS[name] for name in module.activation_names]
    network = FlatNetwork(
        np.array([module.linears[0].in_features, *widths]),
        np.array([_codes.LOSSES[net.loss.name], 0, *activations]),
        flat.values,
        flat.gradient,
        _codes.pack_settings(get_settings(net)),
    )
    return network, flat


def get_settings(net: Net) -> Mapping[str, Any]:
    """Return the settings of a loss of the table."""
    return cast("TableLoss", net.loss).settings


def pack_samples(dataset: SampleDataset, network: FlatNetwork, net: Net) -> TrainingArrays:
    """Return the samples of a data set in their own order, with encoded targets."""
    dtype, weight = network.values.dtype, dataset.sample_weight
    n_features, n_outputs = int(network.sizes[0]), int(network.sizes[-1])
    none = _codes.make_no_samples(n_features, n_outputs, dtype)
    y = cast("torch.Tensor", dataset.y).numpy()
    return TrainingArrays(
        none.X if dataset.is_sparse else np.ascontiguousarray(dataset.X.numpy(), dtype),
        _pack_sparse(dataset.X, dtype) if dataset.is_sparse else none.sparse,
        _lay_out(dataset, _encode_targets(y, n_outputs, get_settings(net), dtype)),
        none.weight if weight is None else _lay_out(dataset, weight.numpy().astype(dtype)),
        locate(dataset, np.arange(len(dataset)))[None],
    )


def locate(dataset: SampleDataset, order: np.ndarray) -> np.ndarray:
    """Return the places in X of the samples of an order."""
    return order if dataset.numbers is None else dataset.numbers.numpy()[order]


def _lay_out(dataset: SampleDataset, values: np.ndarray) -> np.ndarray:
    """Return values of samples at the places of the samples in X, zeros at all other places."""
    # Several data sets, such as training and held-out samples, may share one X; each has the
    # numbers of its own samples.
    if dataset.numbers is None:
        return values
    laid_out = np.zeros((len(dataset.X), *values.shape[1:]), values.dtype)
    laid_out[dataset.numbers.numpy()] = values
    return laid_out


def _pack_sparse(X: "sparse.csr_array | sparse.csr_matrix", dtype: np.dtype) -> SparseSamples:
    """Return a CSR matrix with int64 places, the type that compiled code is made for."""
    starts, columns = (each.astype(np.int64) for each in (X.indptr, X.indices))
    return SparseSamples(starts, columns, np.ascontiguousarray(X.data, dtype))


def _encode_targets(
    y: np.ndarray, n_outputs: int, settings: Mapping[str, Any], dtype: np.dtype
) -> np.ndarray:
    """Return targets of shape (n_samples, n_columns), class numbers one-hot, and smoothed."""
    smoothing = settings.get("label_smoothing", 0.0)
    if y.ndim == 1:
        Y = np.zeros((len(y), n_outputs), dtype)
        Y[np.arange(len(y)), y] = 1
        n_classes = n_outputs
    else:
        Y, n_classes = np.ascontiguousarray(y, dtype), 2
    if smoothing:  # (1 - s) y + s / K: a share s of each label is spread over all K classes
        Y = Y * dtype.type(1 - smoothing) + dtype.type(smoothing / n_classes)
    return Y


def make_memory(network: FlatNetwork, batch_size: int, n_samples: int) -> StepMemory:
    """Return memory for mini-batches of an epoch of `n_samples` samples, without dropout."""
    sizes, dtype = network.sizes, network.values.dtype
    return StepMemory(
        np.empty(_codes.count_work(sizes, batch_size), dtype),
        np.empty((3, _codes.count_space(sizes, batch_size))),
        np.empty((0, 3), np.int64),
        np.empty(0, dtype),
        _codes.NO_WORDS,
        np.empty(_codes.count_turned(sizes), dtype),
        np.zeros(int(sizes.max()), dtype),
        np.empty((1, n_samples, sizes[-1]), dtype),
        _codes.make_no_held_out(sizes, len(network.values), dtype),
    )


def add_dropout(space: StepMemory, layers: list[Dropout | None], n_units: int) -> StepMemory:
    """Return memory with masks of `n_units` numbers; a layer without dropout is None.

    Seeds and counts are copied from the layers, which the caller counts up after the steps.
    """
    if not any(layers):
        return space
    rows = [(0, 0, N_PARTS) if d is None else (*d.state.tolist(), d.n_parts) for d in layers]
    masks, words = np.empty(n_units, space.work.dtype), np.empty(-(-n_units // 4), np.uint64)
    return space._replace(dropouts=np.array(rows, dtype=np.int64), masks=masks, words=words)


def make_held_out(samples: TrainingArrays, network: FlatNetwork, n_epochs: int) -> HeldOut:
    """Return memory for outputs and losses of held-out samples, and for parameters, by epoch."""
    n_outputs, dtype = int(network.sizes[-1]), network.values.dtype
    return HeldOut(
        samples,
        np.empty((n_epochs, samples.orders.shape[1], n_outputs), dtype),
        np.empty(n_epochs),
        np.empty((n_epochs, len(network.values)), dtype),
    )


def pack_generator(state: dict[str, Any]) -> np.ndarray:
    """Return the state of a `RandomState` as one vector, empty if its generator is not MT19937."""
    if state["bit_generator"] != "MT19937":
        return _codes.NO_GENERATOR
    words, packed = state["state"], np.empty(_codes.N_WORDS + 1, np.uint32)
    packed[:-1], packed[-1] = words["key"], words["pos"]
    return packed


def unpack_generator(generator: np.ndarray, before: dict[str, Any]) -> dict[str, Any]:
    """Return the state after some draws, with the rest as it was `before`."""
    # NumPy takes word by word, of a list in a twentieth of the time of an array.
    words = {"key": generator[: _codes.N_WORDS].tolist(), "pos": int(generator[_codes.N_WORDS])}
    return {**before, "state": words}

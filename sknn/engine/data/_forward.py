"""Raw predictions of a network for samples, a chunk at a time so that memory stays small."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Protocol, cast

import numpy as np
import torch
from scipy import sparse

from sknn._specs import Sample
from sknn.architectures import MLP, TabularEnsemble, is_mlp
from sknn.engine.data._batches import Batches, SampleDataset
from sknn.engine.data._device import ComputingNet, use_precision
from sknn.engine.data._sparse import SparseBatch
from sknn.engine.members._predictions import predict_members
from sknn.engine.members._support import predicts

#: numbers that the widest layer of a chunk may hold: 1 MiB in float64, so that what one layer
#: writes is still in the processor's cache when the next one reads it
CHUNK_NUMBERS = 2**17


class PredictingNet(ComputingNet, Protocol):
    """The part of a net that computes raw predictions, and their loss."""

    module_: torch.nn.Module

    def count_chunk_samples(self, numbers: int) -> int: ...

    def limit_threads(self, flops_of_a_weight: int, n_samples: int) -> AbstractContextManager: ...

    def get_dataset(self, X: np.ndarray) -> SampleDataset: ...

    def measure_loss(self, output: np.ndarray, samples: SampleDataset) -> float: ...

    def measure_losses(self, output: np.ndarray, samples: SampleDataset) -> np.ndarray: ...


def make_array(output: torch.Tensor) -> np.ndarray:
    """Return a network's output as an array; NumPy has no bfloat16."""
    output = output.cpu()
    return (output.float() if output.dtype == torch.bfloat16 else output).numpy()


def predict_raw(net: PredictingNet, samples: SampleDataset, method: str = "__call__") -> np.ndarray:
    """Return the network's raw predictions of all samples, of shape (n_samples, n_outputs).

    The net is put into evaluation mode; `method` of the module leads from a batch to its output.
    """
    module = net.module_
    if module.training:
        module.eval()
    size = net.count_chunk_samples(CHUNK_NUMBERS)
    while True:
        try:
            return _predict_in_chunks(net, samples, size, method)
        except torch.cuda.OutOfMemoryError as error:  # halve the chunk and begin again
            size = min(size, len(samples)) // 2
            if size == 0:
                raise MemoryError(
                    f"The memory of {net.device!r} is not enough for one sample of this network. "
                    "Free some of it, or move the network: fit with device='cpu'."
                ) from error
            torch.cuda.empty_cache()


def _predict_in_chunks(
    net: PredictingNet, samples: SampleDataset, size: int, method: str
) -> np.ndarray:
    module = net.module_
    if method == "__call__" and samples.numbers is None and predicts(module, len(samples)):
        return predict_members(cast("TabularEnsemble", module), samples.take(slice(None))[0])
    output_of = getattr(module, method)
    threads = net.limit_threads(2, min(size, len(samples)))
    with threads, use_precision(net), torch.inference_mode():
        as_mlp = method == "__call__" and is_mlp(module) and module.embeddings is None
        if samples.is_sparse and as_mlp:
            return _predict_sparse(cast("MLP", module), samples)
        if len(samples) <= size and not samples.is_sparse:
            return make_array(output_of(samples.take(slice(None))[0]))
        return join_chunks(
            (make_array(output_of(X)) for X, _ in Batches(samples, size)), len(samples)
        )


def join_chunks(chunks: Iterable[np.ndarray], n_samples: int) -> np.ndarray:
    """Return chunks of outputs as one array of n_samples, made when the first one comes.

    Small results that stay between large ones that come and go would leave holes in the
    process's memory, which then grows with the number of samples.
    """
    joined, start = np.empty(0), 0
    for chunk in chunks:
        if not start:
            joined = np.empty((n_samples, *chunk.shape[1:]), chunk.dtype)
        joined[start : start + len(chunk)] = chunk
        start += len(chunk)
    return joined


def _predict_sparse(module: MLP, samples: SampleDataset) -> np.ndarray:
    """Return the output for sparse samples without making them dense."""
    first = cast("torch.nn.Linear", module.linears[0])
    # A line of zeros and few numbers times W^T sums few lines of it, which lie in one piece here.
    turned = first.weight.t().contiguous()
    batches = Batches(samples, max(1, CHUNK_NUMBERS // max(module.layer_sizes[1:])))

    def compute(X: sparse.csr_array | sparse.csr_matrix) -> np.ndarray:
        z = SparseBatch.from_csr(X, samples.device).multiply(turned)
        z = z if first.bias is None else z + first.bias
        return make_array(module.continue_after_first(z))

    chunks = (compute(X) for X, _ in batches.iterate_groups(dense=False))
    return join_chunks(chunks, len(samples))


def forward(
    net: PredictingNet,
    X: np.ndarray | sparse.csr_array | sparse.csr_matrix,
    method: str = "__call__",
) -> np.ndarray:
    """Return the network's raw predictions, before the inverse link.

    Parameters
    ----------
    net : Net
        Trained.
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Cast to the dtype of the network.
    method : str, default='__call__'
        Method of the module, from a batch of samples to their output.

    Returns
    -------
    ndarray of shape (n_samples, n_outputs)
        Or whatever the method returns for a sample.
    """
    return predict_raw(net, net.get_dataset(X), method)


def compute_losses(net: PredictingNet, sample: Sample) -> np.ndarray:
    """Return the loss of each of some samples, of shape (n_samples,), without weights."""
    output = forward(net, sample.X)
    return net.measure_losses(output, SampleDataset(sample.X, sample.y, None, device="cpu"))


def compute_mean_loss(net: PredictingNet, sample: Sample, output: np.ndarray) -> float:
    """Return the weighted mean loss of raw predictions, without penalties."""
    return net.measure_loss(
        output, SampleDataset(sample.X, sample.y, sample.sample_weight, device="cpu")
    )

"""Attributions: dependence of a network's output on its input and its filters."""

import numpy as np
import torch

from sknn.architectures import SequenceCNN
from sknn.engine.data._forward import forward
from sknn.engine.net._net import Net

#: numbers that the first layer's values of a chunk of samples may take up
CHUNK_NUMBERS = 2**22


def compute_input_gradient(
    net: Net, X: np.ndarray, target: np.ndarray, *, chunk_numbers: int = CHUNK_NUMBERS
) -> np.ndarray:
    """Return the gradient of one raw prediction by each input, of the shape of X, encoded.

    `target`, of shape (n_samples,), is which output of each sample; `chunk_numbers` bounds the
    numbers that the first layer of a chunk of samples takes up.
    """
    module = net.module_.eval()
    samples, size = net.get_dataset(X), _count_chunk_samples(module, chunk_numbers)
    # Written into one array: small results between chunks that come and go leave holes in the
    # process's memory that are not used again.
    gradient = np.empty(0)
    for start in range(0, len(samples), size):
        part = slice(start, start + size)
        inputs = samples.take(part)[0].detach().clone().requires_grad_()
        chosen = torch.from_numpy(target[part]).to(inputs.device)[:, None]
        output = module(inputs).gather(1, chosen).sum()
        own = torch.autograd.grad(output, inputs)[0].cpu().numpy()
        if not start:
            gradient = np.empty((len(samples), own.shape[1]), own.dtype)
        gradient[part] = own
    return gradient


def gradient_times_input(gradient: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Return gradient times input, with the gradient's mean over the letters taken away.

    All are of shape (n_samples, length, n_letters).
    """
    # One-hot letters sum to 1 at each position: adding c to the weights of all its letters adds the
    # constant c to the output, which a bias takes up. So training never sees, and does not hold
    # down, the part of the gradient that is the same for all letters; taking its mean away projects
    # the gradient onto the plane in which letters can change. A. Majdandzic, C. Rajesh and P. K.
    # Koo, "Correcting gradient-based interpretations of deep neural networks for genomics", Genome
    # Biology 24, 2023, doi:10.1186/s13059-023-02956-3.
    return (gradient - gradient.mean(axis=2, keepdims=True)) * X


def knock_out_effects(net: Net, X: np.ndarray) -> np.ndarray:
    """Return how much the outputs change without each filter of the first layer.

    Parameters
    ----------
    net : Net
        Trained, with a `SequenceCNN`.
    X : ndarray of shape (n_samples, n_features)
        Encoded sequences.

    Returns
    -------
    ndarray of shape (n_filters,)
        Mean over samples and outputs of the absolute change when a filter's weights and biases are
        all 0.
    """
    bank = net.module_.bank
    parameters = [p for p in (bank.weight, bank.bias, bank.position_bias) if p is not None]
    before = forward(net, X)
    effects = np.empty(len(bank.weight))
    for i in range(len(effects)):
        # Filters are the first axis of weight and bias, and the last of the position bias.
        own = [p[..., i] if p is bank.position_bias else p[i] for p in parameters]
        kept = [values.detach().clone() for values in own]
        with torch.no_grad():
            try:
                for values in own:
                    values.zero_()
                effects[i] = np.abs(forward(net, X) - before).mean()
            finally:
                for values, old in zip(own, kept, strict=True):
                    values.copy_(old)
    return effects


@torch.no_grad()
def find_best_windows(
    net: Net, X: np.ndarray, *, chunk_numbers: int = CHUNK_NUMBERS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where along each sequence each filter of the first layer is largest.

    The net has a `SequenceCNN`. Returned are three arrays of shape (n_samples, n_filters): the
    value after the activation, the first position of its window, and whether the window is on the
    other strand.
    """
    module = net.module_.eval()
    samples, size = net.get_dataset(X), _count_chunk_samples(module, chunk_numbers)
    shape = len(samples), len(module.bank.weight)
    dtype = torch.empty(0, dtype=module.bank.weight.dtype).numpy().dtype
    found = np.empty(shape, dtype), np.empty(shape, np.int64), np.empty(shape, bool)
    for start in range(0, len(samples), size):
        part = slice(start, start + size)
        for array, own in zip(found, module.find_best_windows(samples.take(part)[0]), strict=True):
            array[part] = own.cpu().numpy()
    return found


def _count_chunk_samples(module: SequenceCNN, chunk_numbers: int) -> int:
    """Return how many samples go through a `SequenceCNN` at a time."""
    n_filters, kernel_size, n_channels = module.bank.weight.shape
    width = module.length * (n_filters + kernel_size * n_channels)
    return max(1, chunk_numbers // width)

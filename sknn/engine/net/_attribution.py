"""What in the input, and which filters, a trained network's output depends on."""

from typing import Any

import numpy as np
import torch

from sknn.engine.data._forward import forward

#: numbers that the first layer's values of a chunk of rows may take up
CHUNK_NUMBERS = 2**22
#: rows of mutated sequences that go through the network at once
MUTATED_ROWS = 4096


def input_gradient(net: Any, X: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the gradient of one raw output with respect to the inputs of each row.

    Parameters
    ----------
    net : Net
        Trained.
    X : ndarray of shape (n_samples, n_features)
        Encoded inputs.
    target : ndarray of int of shape (n_samples,)
        Which output of each row.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        In the dtype of the network.
    """
    module = net.module_.eval()
    rows = net.get_dataset(X)
    parts = []
    for start in range(0, len(rows), _chunk_rows(module)):
        part = slice(start, start + _chunk_rows(module))
        inputs = rows.take(part)[0].detach().clone().requires_grad_()
        chosen = torch.from_numpy(target[part]).to(inputs.device)[:, None]
        output = module(inputs).gather(1, chosen).sum()
        parts.append(torch.autograd.grad(output, inputs)[0].cpu().numpy())
    return np.concatenate(parts)


def gradient_times_input(gradient: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Return gradient times input, with the gradient's mean over the letters taken away.

    One-hot letters sum to 1 at each position, so that training never sees, and does not hold
    down, the part of the gradient that is the same for all letters of a position [1]_.

    Parameters
    ----------
    gradient, X : ndarray of shape (n_samples, length, n_letters)
        Gradient of an output, and encoded sequences.

    Returns
    -------
    ndarray of shape (n_samples, length, n_letters)

    References
    ----------
    .. [1] A. Majdandzic, C. Rajesh and P. K. Koo, "Correcting gradient-based interpretations of
       deep neural networks for genomics", Genome Biology 24, 2023,
       doi:10.1186/s13059-023-02956-3.
    """
    return (gradient - gradient.mean(axis=2, keepdims=True)) * X


def mutation_effects(net: Any, X: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return how each exchange of one letter changes an output (in-silico mutagenesis).

    Parameters
    ----------
    net : Net
        Trained.
    X : ndarray of shape (n_samples, length, n_letters)
        Encoded sequences.
    target : ndarray of int of shape (n_samples,)
        Which output of each row.

    Returns
    -------
    ndarray of shape (n_samples, length, n_letters)
        Output with that letter at that position, minus the output of the sequence as it is; 0
        where it is that letter already, and at positions of zeros, which have no letter.
    """
    n_samples, _, n_letters = X.shape
    before = np.take_along_axis(forward(net, X.reshape(n_samples, -1)), target[:, None], 1)[:, 0]
    effects = np.zeros(X.shape, before.dtype)
    row, place = np.nonzero(X.any(axis=2))
    row, place = np.repeat(row, n_letters), np.repeat(place, n_letters)
    letter = np.tile(np.arange(n_letters), len(row) // n_letters)
    other = X[row, place, letter] != 1
    row, place, letter = row[other], place[other], letter[other]
    for start in range(0, len(row), MUTATED_ROWS):
        part = slice(start, start + MUTATED_ROWS)
        i, j, k = row[part], place[part], letter[part]
        mutated = X[i]
        each = np.arange(len(i))
        mutated[each, j] = 0
        mutated[each, j, k] = 1
        output = forward(net, mutated.reshape(len(i), -1))
        effects[i, j, k] = output[each, target[i]] - before[i]
    return effects


def knock_out_effects(net: Any, X: np.ndarray) -> np.ndarray:
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
        Mean over rows and outputs of the absolute change when a filter's weights and biases are
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
def best_windows(net: Any, X: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where along each sequence each filter of the first layer is largest.

    Parameters
    ----------
    net : Net
        Trained, with a `SequenceCNN`.
    X : ndarray of shape (n_samples, n_features)
        Encoded sequences.

    Returns
    -------
    activation, start, other : ndarray of shape (n_samples, n_filters)
        The value after the activation, the first position of its window, and whether the window
        is on the other strand.
    """
    module = net.module_.eval()
    rows, size = net.get_dataset(X), _chunk_rows(net.module_)
    parts = [
        module.best_windows(rows.take(slice(start, start + size))[0])
        for start in range(0, len(rows), size)
    ]
    return tuple(torch.cat(arrays).cpu().numpy() for arrays in zip(*parts, strict=True))


def _chunk_rows(module: Any) -> int:
    n_filters, kernel_size, n_channels = module.bank.weight.shape
    width = module.length * (n_filters + kernel_size * n_channels)
    return max(1, CHUNK_NUMBERS // width)

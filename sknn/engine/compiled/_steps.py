"""Steps of a plain MLP, any number of them, as one compiled function without the interpreter lock.

The mathematics is that of `sknn.engine.backprop._mlp`: with a_0 = X, hidden layers
a_i = f_i(a_{i-1} W_iᵀ + b_i), logits z and the gradient d_L of the loss with respect to z,

    d_{i-1} = (d_i W_i) * f_{i-1}'(a_{i-1}),  dW_i = d_iᵀ a_{i-1},  db_i = sum of d_i over samples.

Matrix products go to SciPy's BLAS; all else is a loop. The flat vectors hold the weights of all
layers, each of shape (n_outputs, n_inputs), and behind them all biases.
"""

import numpy as np

from sknn._jit import jit
from sknn.engine.compiled._activations import SILU, activate, add_bias, multiply_by_slope
from sknn.engine.compiled._losses import compute_loss
from sknn.engine.compiled._updates import (
    ALPHA,
    L1_RATIO,
    MAX_NORM,
    add_penalty,
    clip_gradient,
    update,
)

Array = np.ndarray
#: places in the vector of codes, before those of the activations
LOSS, SOLVER, N_CODES = range(3)


def count_work(sizes: Array, batch_size: int) -> int:
    """Return how many numbers `run_steps` needs space for."""
    return batch_size * (int(sizes[0]) + 3 * int(sizes[1:].sum()))


def count_space(sizes: Array, batch_size: int) -> int:
    """Return how many numbers of float64 activations need, for one layer."""
    return batch_size * int(sizes.max())


@jit
def run_steps(
    data: tuple[Array, Array, Array, Array],
    first: int,
    last: int,
    batch_size: int,
    network: tuple[Array, Array, Array],
    state: tuple[Array, Array, Array, Array],
    settings: tuple[Array, Array],
    counts: Array,
    outputs: Array,
    spaces: tuple[Array, Array, Array],
) -> float:
    """Train on the mini-batches from `first` up to `last`.

    Parameters
    ----------
    data : tuple of ndarray
        X of shape (n_samples, n_features), encoded targets of shape (n_samples, n_columns), sample
        weights of shape (n_samples,) or (0,), and the order of the samples.
    first, last : int
        Numbers of the mini-batches in that order.
    batch_size : int
        Samples in a mini-batch; the last may have fewer.
    network : tuple of ndarray
        Sizes of the layers, inputs first; codes; the flat vector of parameters.
    state : tuple of ndarray
        Space for the gradient, the two vectors of the solver; numbers of the solver.
    settings : tuple of ndarray
        Settings of the loss.
    counts : ndarray of shape (2,)
        Steps so far, and what else of the solver changes.
    outputs : ndarray of shape (n_samples, n_outputs)
        Overwritten by the logits, in the order, each before the step of its mini-batch.
    spaces : tuple of ndarray
        Space of shape (count_work(...),); in float64 of shape (2, count_space(...)); and the masks
        of dropout, of shape (0,) without it: for each hidden layer those of `last - first`
        mini-batches, each of shape (batch_size, n_units), 0 for units that are left out.

    Returns
    -------
    float
        Mean losses of the mini-batches, with the penalty, times their sizes, added up.
    """
    X, Y, weight, order = data
    sizes, codes, values = network
    gradient, one, two, numbers = state
    work, space, masks = spaces
    n_rows = (last - first) * batch_size
    n_layers, n_weights = len(sizes) - 1, 0
    for i in range(n_layers):
        n_weights += sizes[i] * sizes[i + 1]
    total = 0.0
    for step in range(first, last):
        start = step * batch_size
        rows = order[start : min(start + batch_size, len(order))]
        n = len(rows)
        _gather(X, rows, work)
        mask_place = (step - first) * batch_size
        _go_forward(
            sizes, codes, values, n_weights, n, batch_size, work, space, masks, n_rows, mask_place
        )
        share, loss = _take_losses(
            Y, weight, rows, sizes, codes, settings[0], outputs[start:], batch_size, work
        )
        _go_back(
            sizes, codes, values, n_weights, n, batch_size, gradient, work, masks, n_rows, mask_place
        )
        gradient *= gradient.dtype.type(share)
        alpha, ratio = numbers[ALPHA], numbers[L1_RATIO]
        if alpha > 0:
            loss += 0.5 * alpha * _compute_norm(values[:n_weights], ratio) * share
            l2, l1 = alpha * (1 - ratio) * share, alpha * ratio * share
            add_penalty(values, n_weights, l2, l1, gradient)
        if numbers[MAX_NORM] > 0:
            clip_gradient(gradient, numbers[MAX_NORM])
        update(codes[SOLVER], values, n_weights, gradient, one, two, numbers, counts)
        total += loss * n
    return total


@jit
def _gather(X: Array, rows: Array, work: Array) -> None:
    """Copy samples to the front of the space."""
    n_features = X.shape[1]
    for r in range(len(rows)):
        start, source = r * n_features, X[rows[r]]
        for c in range(n_features):
            work[start + c] = source[c]


@jit
def _get_matrix(work: Array, start: int, n: int, width: int) -> Array:
    return work[start : start + n * width].reshape(n, width)


@jit
def _get_mask(
    masks: Array, sizes: Array, layer: int, n: int, n_rows: int, mask_place: int
) -> Array:
    """Return the mask of a hidden layer for the mini-batch whose masks begin at that row."""
    width = sizes[layer + 1]
    start = n_rows * sizes[1 : layer + 1].sum() + mask_place * width
    return masks[start : start + n * width].reshape(n, width)


@jit
def _go_forward(
    sizes: Array,
    codes: Array,
    values: Array,
    n_weights: int,
    n: int,
    batch_size: int,
    work: Array,
    space: Array,
    masks: Array,
    n_rows: int,
    mask_place: int,
) -> None:
    """Compute the values of all layers; each layer's lie behind those of the layer before.

    Behind the values of all layers there is as much space again for sums, then for deltas.
    """
    n_layers, beyond = len(sizes) - 1, batch_size * sizes[1:].sum()
    w, b, place = 0, n_weights, 0
    for i in range(n_layers):
        n_in, n_out = sizes[i], sizes[i + 1]
        a = _get_matrix(work, place, n, n_in)
        place += batch_size * n_in
        z = _get_matrix(work, place, n, n_out)
        weights, bias = values[w : w + n_in * n_out].reshape(n_out, n_in), values[b : b + n_out]
        np.dot(a, weights.T, z)
        if i + 1 < n_layers:
            sums = _get_matrix(work, place + beyond, n, n_out)
            activate(codes[N_CODES + i], z, bias, sums, space)
            if len(masks):
                if codes[N_CODES + i] < SILU:  # whose slopes are told by values before dropout
                    sums[:] = z
                z *= _get_mask(masks, sizes, i, n, n_rows, mask_place)
        else:
            add_bias(z, bias)
        w, b = w + n_in * n_out, b + n_out


@jit
def _take_losses(
    Y: Array,
    weight: Array,
    rows: Array,
    sizes: Array,
    codes: Array,
    settings: Array,
    outputs: Array,
    batch_size: int,
    work: Array,
) -> tuple[float, float]:
    """Turn logits into deltas; return the share of a unit of weight, and the mean loss."""
    n, n_out = len(rows), sizes[-1]
    z = _get_matrix(work, batch_size * sizes[:-1].sum(), n, n_out)
    outputs[:n] = z
    total_weight, loss = 0.0, 0.0
    for r in range(n):
        value = compute_loss(codes[LOSS], outputs[r], Y[rows[r]], settings, z[r])
        if len(weight):
            w = weight[rows[r]]
            for c in range(n_out):
                z[r, c] *= w
            value *= w
            total_weight += w
        else:
            total_weight += 1
        loss += value
    return 1 / total_weight, loss / total_weight


@jit
def _go_back(
    sizes: Array,
    codes: Array,
    values: Array,
    n_weights: int,
    n: int,
    batch_size: int,
    gradient: Array,
    work: Array,
    masks: Array,
    n_rows: int,
    mask_place: int,
) -> None:
    """Write the gradient summed over samples; the deltas of the logits lie where they were."""
    n_layers, beyond = len(sizes) - 1, batch_size * sizes[1:].sum()
    w, b = n_weights, len(values)
    place = batch_size * sizes[:-1].sum()
    delta = _get_matrix(work, place, n, sizes[-1])
    for i in range(n_layers - 1, -1, -1):
        n_in, n_out = sizes[i], sizes[i + 1]
        w, b = w - n_in * n_out, b - n_out
        place -= batch_size * n_in
        a = _get_matrix(work, place, n, n_in)
        np.dot(delta.T, a, gradient[w : w + n_in * n_out].reshape(n_out, n_in))
        of_bias = gradient[b : b + n_out]
        of_bias[:] = 0
        for r in range(n):
            for c in range(n_out):
                of_bias[c] += delta[r, c]
        if i > 0:
            before = _get_matrix(work, place + 2 * beyond, n, n_in)
            np.dot(delta, values[w : w + n_in * n_out].reshape(n_out, n_in), before)
            sums = _get_matrix(work, place + beyond, n, n_in)
            if len(masks):
                before *= _get_mask(masks, sizes, i - 1, n, n_rows, mask_place)
                a = sums
            multiply_by_slope(codes[N_CODES + i - 1], before, a, sums)
            delta = before


@jit
def _compute_norm(weights: Array, ratio: float) -> float:
    """Return what the penalty multiplies by half of alpha."""
    squares, lengths = 0.0, 0.0
    for j in range(len(weights)):
        squares += float(weights[j]) * float(weights[j])
    if ratio > 0:
        for j in range(len(weights)):
            lengths += abs(float(weights[j]))
    return (1 - ratio) * squares + 2 * ratio * lengths

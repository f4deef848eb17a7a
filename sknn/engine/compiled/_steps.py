"""Steps of a plain MLP, any number of them, as one compiled function without the interpreter lock.

The mathematics is that of `sknn.engine.backprop._mlp`: with a_0 = X, hidden layers
a_i = f_i(a_{i-1} W_iᵀ + b_i), logits z and the gradient d_L of the loss with respect to z,

    d_{i-1} = (d_i W_i) * f_{i-1}'(a_{i-1}),  dW_i = d_iᵀ a_{i-1},  db_i = sum of d_i over samples.

With dropout, a_{i-1} and d_{i-1} are multiplied by the mask. Matrix products go to SciPy's BLAS;
all else is a loop.
"""

import math

import numpy as np

from sknn._jit import jit, jit_kept
from sknn.engine.callbacks._stopping import compare_loss as compare_loss_plain
from sknn.engine.compiled._activations import activate, add_bias, multiply_by_slope
from sknn.engine.compiled._codes import (
    ALPHA,
    BEST_LOSS,
    L1_RATIO,
    LIMIT,
    LIMIT_SHARE,
    MAX_NORM,
    N_BEFORE,
    N_CODES,
    N_STALLED,
    SILU,
    TOLERANCE,
    BatchPlace,
    FlatNetwork,
    SolverState,
    StepMemory,
    StepRange,
    TrainingArrays,
)
from sknn.engine.compiled._losses import fill_losses
from sknn.engine.compiled._updates import add_penalty, clip_gradient, update

Array = np.ndarray
compare_loss = jit(compare_loss_plain)


@jit_kept
def run_epochs(
    samples: TrainingArrays,
    network: FlatNetwork,
    solver: SolverState,
    space: StepMemory,
    steps: StepRange,
) -> int:
    """Train for some epochs, or on some mini-batches of one; all but the samples change in place.

    Returned is the number of the epochs after which training is to end or to slow down, or of all.
    """
    n_samples, n_epochs = samples.orders.shape[1], len(steps.losses)
    for epoch in range(n_epochs):
        own = StepRange(
            epoch, steps.first, steps.last, steps.batch_size, steps.patience, steps.losses
        )
        total = _run_steps(samples, network, solver, space, own)
        steps.losses[epoch] = total
        if _is_last(total / n_samples, epoch, steps.patience):
            return epoch + 1
    return n_epochs


@jit
def _is_last(loss: float, epoch: int, patience: Array) -> bool:
    """Bring what the stopping rule knows up to date, and apply it."""
    best, n_stalled = compare_loss(
        loss, patience[BEST_LOSS], patience[N_STALLED], patience[TOLERANCE]
    )
    patience[BEST_LOSS], patience[N_STALLED] = best, n_stalled
    limit = max(patience[LIMIT], patience[LIMIT_SHARE] * (patience[N_BEFORE] + epoch + 1))
    return not math.isfinite(loss) or n_stalled > limit


@jit
def _run_steps(
    samples: TrainingArrays,
    network: FlatNetwork,
    solver: SolverState,
    space: StepMemory,
    steps: StepRange,
) -> float:
    """Train on the mini-batches of an epoch; return their losses times their sizes, added up."""
    n_steps = steps.last - steps.first
    n_rows = len(steps.losses) * n_steps * steps.batch_size
    n_weights, total = _count_weights(network.sizes), 0.0
    gradient, numbers = network.gradient, solver.numbers
    for step in range(steps.first, steps.last):
        start = step * steps.batch_size
        n = min(steps.batch_size, samples.orders.shape[1] - start)
        mask_row = (steps.epoch * n_steps + step - steps.first) * steps.batch_size
        batch = BatchPlace(steps.epoch, start, n, steps.batch_size, mask_row, n_rows)
        _gather(samples, batch, space.work)
        _go_forward(network, space, batch)
        # The mean loss is Σ w_i l_i / Σ w_i: deltas are multiplied by w_i in their place, and the
        # gradient, a sum over samples, by 1 / Σ w_i once, at the end.
        share, loss = _take_losses(samples, network, space, batch)
        _go_back(network, space, batch)
        gradient *= gradient.dtype.type(share)
        alpha, ratio = numbers[ALPHA], numbers[L1_RATIO]
        # scikit-learn divides the penalty by the weight of the batch, as it does the loss: (α / 2)
        # (1 - r) |w|² + α r |w|₁, both times the share of a unit of weight.
        if alpha > 0:
            loss += 0.5 * alpha * share * _compute_norm(network.values[:n_weights], ratio)
            add_penalty(network, n_weights, alpha * (1 - ratio) * share, alpha * ratio * share)
        if numbers[MAX_NORM] > 0:
            clip_gradient(gradient, numbers[MAX_NORM])
        update(network, n_weights, solver)
        total += loss * n
    return total


@jit
def _count_weights(sizes: Array) -> int:
    n_weights = 0
    for i in range(len(sizes) - 1):
        n_weights += sizes[i] * sizes[i + 1]
    return n_weights


@jit
def _get_order(samples: TrainingArrays, batch: BatchPlace) -> Array:
    """Return the numbers of the samples of a mini-batch."""
    order = samples.orders[min(batch.epoch, len(samples.orders) - 1)]
    return order[batch.start : batch.start + batch.n]


@jit
def _gather(samples: TrainingArrays, batch: BatchPlace, work: Array) -> None:
    """Copy the samples of a mini-batch to the front of the space."""
    n_features, order = samples.X.shape[1], _get_order(samples, batch)
    for r in range(batch.n):
        start, source = r * n_features, samples.X[order[r]]
        for c in range(n_features):
            work[start + c] = source[c]


@jit
def _get_matrix(memory: Array, start: int, n: int, width: int) -> Array:
    return memory[start : start + n * width].reshape(n, width)


@jit
def _get_mask(sizes: Array, masks: Array, layer: int, batch: BatchPlace) -> Array:
    """Return the mask of a hidden layer for a mini-batch."""
    width = sizes[layer + 1]
    start = batch.n_mask_rows * sizes[1 : layer + 1].sum() + batch.mask_row * width
    return _get_matrix(masks, start, batch.n, width)


@jit
def _go_forward(network: FlatNetwork, space: StepMemory, batch: BatchPlace) -> None:
    """Compute the values of all layers; each layer's lie behind those of the layer before."""
    sizes, codes, values = network.sizes, network.codes, network.values
    # What lies where in the space, one line a kind, each for all layers one after the other:
    #     values     inputs, then what each layer gives after its activation and dropout
    #     sums       beyond them: what slopes are computed from, where values do not tell
    #     deltas     twice beyond: slopes of the loss by the sums of each hidden layer
    n_layers, beyond = len(sizes) - 1, batch.size * sizes[1:].sum()
    w, b, place = 0, _count_weights(sizes), 0
    for i in range(n_layers):
        n_in, n_out = sizes[i], sizes[i + 1]
        a = _get_matrix(space.work, place, batch.n, n_in)
        place += batch.size * n_in
        z = _get_matrix(space.work, place, batch.n, n_out)
        bias = values[b : b + n_out]
        np.dot(a, _get_matrix(values, w, n_out, n_in).T, z)
        if i + 1 < n_layers:
            sums = _get_matrix(space.work, place + beyond, batch.n, n_out)
            activate(codes[N_CODES + i], z, bias, sums, space.exponentials)
            if len(space.masks):
                if codes[N_CODES + i] < SILU:  # whose slopes are told by values before dropout
                    sums[:] = z
                z *= _get_mask(sizes, space.masks, i, batch)
        else:
            add_bias(z, bias)
        w, b = w + n_in * n_out, b + n_out


@jit
def _take_losses(
    samples: TrainingArrays, network: FlatNetwork, space: StepMemory, batch: BatchPlace
) -> tuple[float, float]:
    """Turn logits into deltas; return the share of a unit of weight, and the mean loss."""
    n_out, weight = network.sizes[-1], samples.weight
    z = _get_matrix(space.work, batch.size * network.sizes[:-1].sum(), batch.n, n_out)
    space.outputs[batch.start : batch.start + batch.n] = z
    order, losses = _get_order(samples, batch), space.exponentials[2]
    fill_losses(network, z, samples.Y, order, space.exponentials)
    total_weight, loss = 0.0, 0.0
    for r in range(batch.n):
        value, share = losses[r], 1.0
        if len(weight):
            share = weight[order[r]]
            for c in range(n_out):
                z[r, c] *= weight[order[r]]
            value *= share
        total_weight += share
        loss += value
    return 1 / total_weight, loss / total_weight


@jit
def _go_back(network: FlatNetwork, space: StepMemory, batch: BatchPlace) -> None:
    """Write the gradient summed over samples; the deltas of the logits lie where they were."""
    sizes, codes, gradient = network.sizes, network.codes, network.gradient
    n_layers, beyond = len(sizes) - 1, batch.size * sizes[1:].sum()
    w, b = _count_weights(sizes), len(network.values)
    place = batch.size * sizes[:-1].sum()
    delta = _get_matrix(space.work, place, batch.n, sizes[-1])
    for i in range(n_layers - 1, -1, -1):
        n_in, n_out = sizes[i], sizes[i + 1]
        w, b = w - n_in * n_out, b - n_out
        # dL/dW_i = δ_i^T a_{i-1} and dL/db_i = Σ δ_i over samples; then δ_{i-1} = (δ_i W_i)
        # f'(z_{i-1}). Layers are gone through backwards, and so are their places in the flat
        # vector.
        place -= batch.size * n_in
        a = _get_matrix(space.work, place, batch.n, n_in)
        np.dot(delta.T, a, _get_matrix(gradient, w, n_out, n_in))
        of_bias = gradient[b : b + n_out]
        of_bias[:] = 0
        for r in range(batch.n):
            for c in range(n_out):
                of_bias[c] += delta[r, c]
        if i > 0:
            before = _get_matrix(space.work, place + 2 * beyond, batch.n, n_in)
            np.dot(delta, _get_matrix(network.values, w, n_out, n_in), before)
            sums = _get_matrix(space.work, place + beyond, batch.n, n_in)
            if len(space.masks):
                before *= _get_mask(sizes, space.masks, i - 1, batch)
                # Dropout has changed the values in their place: f' is computed from those before
                # it.
                a = sums
            multiply_by_slope(codes[N_CODES + i - 1], before, a, sums)
            delta = before


@jit
def _compute_norm(weights: Array, ratio: float) -> float:
    """Return what the penalty multiplies by half of alpha."""
    # float() adds up in float64 also where weights are float32: thousands of small squares would be
    # lost beside their sum.
    squares, lengths = 0.0, 0.0
    for j in range(len(weights)):
        squares += float(weights[j]) * float(weights[j])
    if ratio > 0:
        for j in range(len(weights)):
            lengths += abs(float(weights[j]))
    return (1 - ratio) * squares + 2 * ratio * lengths

"""Steps of a plain MLP, any number of them, as one compiled function without the interpreter lock.

The mathematics is that of `sknn.engine.backprop._mlp`: with a_0 = X of shape (n_samples,
n_features), hidden layers a_i = f_i(a_{i-1} W_iᵀ + b_i) of shape (n_samples, n_units), logits z and
the gradient d_L of the loss with respect to z,

    d_{i-1} = (d_i W_i) * f_{i-1}'(a_{i-1}),  dW_i = d_iᵀ a_{i-1},  db_i = sum of d_i over samples.

With dropout, a_{i-1} and d_{i-1} are multiplied by the mask. In memory weights lie transposed, of
shape (n_inputs, n_outputs).
"""

import math

import numpy as np

from sknn._jit import jit, jit_inlined, jit_kept, jit_sums
from sknn._vectors import view_matrix
from sknn.engine.callbacks._stopping import compare_loss as compare_loss_plain
from sknn.engine.compiled._activations import activate, multiply_by_slope
from sknn.engine.compiled._codes import (
    ADD_UP,
    ALPHA,
    BEST_LOSS,
    L1_RATIO,
    LIMIT,
    LIMIT_SHARE,
    MAX_NORM,
    N_BEFORE,
    N_CODES,
    N_STALLED,
    RELU,
    SILU,
    SOLVER,
    TOLERANCE,
    BatchPlace,
    FlatNetwork,
    SolverState,
    StepMemory,
    StepRange,
    TrainingArrays,
)
from sknn.engine.compiled._losses import fill_losses
from sknn.engine.compiled._orders import draw_masks, draw_order
from sknn.engine.compiled._updates import add_gradient, add_penalty, clip_gradient, update
from sknn.engine.kernels._products import (
    multiply,
    multiply_over_samples,
    multiply_sparse,
    multiply_sparse_turned,
    turn,
)
from sknn.engine.kernels._tiles import Finish, Left

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

    With a generator, the orders of the samples are drawn here, too.

    Returns
    -------
    int
        Number of epochs that were done: fewer than asked for if the stopping rule ends training
        or lowers the learning rate.
    """
    n_samples, n_epochs = samples.orders.shape[1], len(steps.losses)
    for epoch in range(n_epochs):
        if epoch and len(steps.generator):
            draw_order(steps.generator, samples.orders[epoch - 1], samples.orders[epoch])
        own = StepRange(
            epoch,
            steps.first,
            steps.last,
            steps.batch_size,
            steps.patience,
            steps.losses,
            steps.generator,
        )
        total = _run_steps(samples, network, solver, space, own)
        steps.losses[epoch] = total
        if len(space.held_out.losses):
            _measure_held_out(network, space, steps.batch_size, epoch)
        if _is_last(total / n_samples, epoch, steps.patience):
            return epoch + 1
    return n_epochs


@jit_inlined
def _is_last(loss: float, epoch: int, patience: Array) -> bool:
    """Update the numbers of the stopping rule, and return whether it applies."""
    best, n_stalled = compare_loss(
        loss, patience[BEST_LOSS], patience[N_STALLED], patience[TOLERANCE]
    )
    patience[BEST_LOSS], patience[N_STALLED] = best, n_stalled
    limit = max(patience[LIMIT], patience[LIMIT_SHARE] * (patience[N_BEFORE] + epoch + 1))
    return not math.isfinite(loss) or n_stalled > limit


@jit_inlined
def _measure_held_out(network: FlatNetwork, space: StepMemory, size: int, epoch: int) -> None:
    """Write logits and mean loss of the held-out samples, computed `size` samples at a time."""
    held = space.held_out
    samples, n_samples, losses = held.samples, held.outputs.shape[1], space.exponentials[2]
    none = space.dropouts[:0]  # dropout is for training alone
    memory = StepMemory(
        space.work,
        space.exponentials,
        none,
        space.masks,
        space.words,
        space.turned,
        space.zeros,
        held.outputs,
        held,
    )
    total, weight = 0.0, 0.0
    for start in range(0, n_samples, size):
        batch = BatchPlace(epoch, start, min(size, n_samples - start), size)
        X = _gather(samples, batch, space.work)
        _go_forward(samples, network, memory, batch, X)
        z, order = _get_logits(network, space, batch), _get_order(samples, batch)
        held.outputs[epoch, start : start + batch.n] = z
        fill_losses(network, z, samples.Y, order, space.exponentials)
        for r in range(batch.n):
            own = float(samples.weight[order[r]]) if len(samples.weight) else 1.0
            total += own * losses[r]
            weight += own
    held.losses[epoch] = total / weight
    if epoch < len(held.values):
        held.values[epoch] = network.values


@jit_inlined
def _run_steps(
    samples: TrainingArrays,
    network: FlatNetwork,
    solver: SolverState,
    space: StepMemory,
    steps: StepRange,
) -> float:
    """Train on the mini-batches of an epoch; return Σ (mean loss of a batch) * (its size)."""
    n_weights, total = _count_weights(network.sizes), 0.0
    gradient, numbers = network.gradient, solver.numbers
    for step in range(steps.first, steps.last):
        start = step * steps.batch_size
        n = min(steps.batch_size, samples.orders.shape[1] - start)
        batch = BatchPlace(steps.epoch, start, n, steps.batch_size)
        draw_masks(space, network.sizes, batch)
        X = _gather(samples, batch, space.work)
        _go_forward(samples, network, space, batch, X)
        # The mean loss is Σ w_i l_i / Σ w_i. Deltas are multiplied in place by w_i / Σ w_i, so that
        # the gradient is a plain sum over samples; `share` is 1 / Σ w_i.
        share, loss = _take_losses(samples, network, space, batch)
        _go_back(samples, network, space, batch, X)
        if network.codes[SOLVER] == ADD_UP:
            add_gradient(gradient, solver.first, 1 / share)
            total += loss / share
            continue
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
def _gather(samples: TrainingArrays, batch: BatchPlace, work: Array) -> Array:
    """Return the samples of a mini-batch: a view where they are neighbours, else a copy in `work`.

    Sparse samples give an empty array: their entries are read where they lie.
    """
    n_features, order = samples.X.shape[1], _get_order(samples, batch)
    if len(samples.sparse.starts):
        return samples.X[:0]
    if _is_run(order):
        return samples.X[order[0] : order[0] + batch.n]
    for r in range(batch.n):
        start, source = r * n_features, samples.X[order[r]]
        for c in range(n_features):
            work[start + c] = source[c]
    return view_matrix(work, 0, batch.n, n_features)


@jit
def _is_run(order: Array) -> bool:
    """Return whether numbers are consecutive."""
    n = 1
    while n < len(order) and order[n] == order[n - 1] + 1:
        n += 1
    return n == len(order)


@jit
def _get_mask(sizes: Array, masks: Array, layer: int, batch: BatchPlace) -> Array:
    """Return the mask of a hidden layer for a mini-batch."""
    return view_matrix(masks, batch.size * sizes[1 : layer + 1].sum(), batch.n, sizes[layer + 1])


@jit
def _go_forward(
    samples: TrainingArrays,
    network: FlatNetwork,
    space: StepMemory,
    batch: BatchPlace,
    X: Array,
) -> None:
    """Compute the values of all layers; those of a layer lie behind those of the layer before."""
    sizes, codes, values = network.sizes, network.codes, network.values
    # `space.work` has three parts, each with all layers one after the other:
    #     values   inputs, then the output of each layer after its activation and dropout
    #     sums     `beyond` further: what slopes are computed from, where values do not suffice
    #     deltas   2 `beyond` further: slopes of the loss by the sums z of each hidden layer
    n_layers, beyond = len(sizes) - 1, batch.size * sizes[1:].sum()
    w, b, place, a = 0, _count_weights(sizes), 0, X
    none, zero = values.dtype.type(np.nan), values.dtype.type(0)
    for i in range(n_layers):
        n_in, n_out = sizes[i], sizes[i + 1]
        place += batch.size * n_in
        z = view_matrix(space.work, place, batch.n, n_out)
        is_relu = i + 1 < n_layers and codes[N_CODES + i] == RELU
        finish = Finish(values[b : b + n_out], zero if is_relu else none, z, none)
        weights = view_matrix(values, w, n_in, n_out)
        if i == 0 and len(samples.sparse.starts):
            multiply_sparse(samples.sparse, _get_order(samples, batch), weights, z, finish)
        else:
            multiply(Left(a, n_in, 1), weights, z, finish)
        if i + 1 < n_layers:
            sums = view_matrix(space.work, place + beyond, batch.n, n_out)
            activate(codes[N_CODES + i], z, sums, space.exponentials)
            if len(space.dropouts):
                # Up to SILU slopes follow from values, which dropout is about to change.
                if codes[N_CODES + i] < SILU:
                    sums[:] = z
                z *= _get_mask(sizes, space.masks, i, batch)
        w, b, a = w + n_in * n_out, b + n_out, z


@jit
def _get_logits(network: FlatNetwork, space: StepMemory, batch: BatchPlace) -> Array:
    """Return the logits of a mini-batch, which lie behind the values of all other layers."""
    before, n_out = network.sizes[:-1].sum(), network.sizes[-1]
    return view_matrix(space.work, batch.size * before, batch.n, n_out)


@jit_inlined
def _take_losses(
    samples: TrainingArrays, network: FlatNetwork, space: StepMemory, batch: BatchPlace
) -> tuple[float, float]:
    """Overwrite logits by deltas of the mean loss; return 1 / (sum of weights), and the loss."""
    n_out, weight = network.sizes[-1], samples.weight
    z, place = _get_logits(network, space, batch), min(batch.epoch, len(space.outputs) - 1)
    kept = space.outputs[place]
    for r in range(batch.n):
        for c in range(n_out):
            kept[batch.start + r, c] = z[r, c]
    order, losses = _get_order(samples, batch), space.exponentials[2]
    fill_losses(network, z, samples.Y, order, space.exponentials)
    share, loss = 1 / _sum_weights(weight, order), 0.0
    for r in range(batch.n):
        own = share
        if len(weight):
            own *= weight[order[r]]
        factor = z.dtype.type(own)
        for c in range(n_out):
            z[r, c] *= factor
        loss += losses[r] * own
    return share, loss


@jit
def _sum_weights(weight: Array, order: Array) -> float:
    """Return the weight of a mini-batch; without weights each sample has 1."""
    if not len(weight):
        return float(len(order))
    total = 0.0
    for r in range(len(order)):
        total += weight[order[r]]
    return total


@jit_inlined
def _go_back(
    samples: TrainingArrays,
    network: FlatNetwork,
    space: StepMemory,
    batch: BatchPlace,
    X: Array,
) -> None:
    """Write the gradient; the deltas of the logits lie where they were."""
    sizes, codes, gradient = network.sizes, network.codes, network.gradient
    n_layers, beyond = len(sizes) - 1, batch.size * sizes[1:].sum()
    w, b = _count_weights(sizes), len(network.values)
    none, zero = gradient.dtype.type(np.nan), gradient.dtype.type(0)
    place = batch.size * sizes[:-1].sum()
    delta = view_matrix(space.work, place, batch.n, sizes[-1])
    for i in range(n_layers - 1, -1, -1):
        n_in, n_out = sizes[i], sizes[i + 1]
        w, b = w - n_in * n_out, b - n_out
        # dL/dW_i = δ_i^T a_{i-1} and dL/db_i = Σ δ_i over samples; then δ_{i-1} = (δ_i W_i)
        # f'(z_{i-1}). Layers are gone through backwards, and so are their places in the flat
        # vector.
        place -= batch.size * n_in
        a = view_matrix(space.work, place, batch.n, n_in) if i > 0 else X
        of_weights = view_matrix(gradient, w, n_in, n_out)
        if i == 0 and len(samples.sparse.starts):
            order = _get_order(samples, batch)
            multiply_sparse_turned(samples.sparse, order, delta, of_weights)
        else:
            multiply_over_samples(a, delta, of_weights, space.turned, space.zeros)
        _add_up(delta, gradient[b : b + n_out])
        if i > 0:
            before = view_matrix(space.work, place + 2 * beyond, batch.n, n_in)
            sums = view_matrix(space.work, place + beyond, batch.n, n_in)
            turned = view_matrix(space.turned, 0, n_out, n_in)
            turn(view_matrix(network.values, w, n_in, n_out), turned)
            code = codes[N_CODES + i - 1]
            if len(space.dropouts):
                # Dropout has overwritten the values: f' is computed from those before it.
                a = sums
            finish = Finish(space.zeros, none, a, zero if code == RELU else none)
            multiply(Left(delta, n_out, 1), turned, before, finish)
            if len(space.dropouts):
                before *= _get_mask(sizes, space.masks, i - 1, batch)
            multiply_by_slope(code, before, a, sums)
            delta = before


@jit
def _add_up(delta: Array, total: Array) -> None:
    """Write the sums over samples, of shape (n_outputs,)."""
    (n, width), whole = delta.shape, delta.shape[0] // 4 * 4
    total[:] = 0
    # Four samples at a time, one after the other: sums are read and written a quarter as often.
    for r in range(0, whole, 4):
        for c in range(width):
            total[c] = total[c] + delta[r, c] + delta[r + 1, c] + delta[r + 2, c] + delta[r + 3, c]
    for r in range(whole, n):
        for c in range(width):
            total[c] += delta[r, c]


@jit_sums
def _compute_norm(weights: Array, ratio: float) -> float:
    """Return the factor of α / 2 in the penalty, (1 - r) |w|² + 2 r |w|₁."""
    # float() adds up in float64 also where weights are float32: thousands of small squares would be
    # lost beside their sum.
    squares, lengths = 0.0, 0.0
    for j in range(len(weights)):
        squares += float(weights[j]) * float(weights[j])
    if ratio > 0:
        for j in range(len(weights)):
            lengths += abs(float(weights[j]))
    return (1 - ratio) * squares + 2 * ratio * lengths

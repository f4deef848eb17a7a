"""Forward and backward passes of single members, compiled by numba, see `sknn._jit`.

With inputs a, weights W, biases b and a mask m that drops units, a hidden layer is

    z = a W + b,    out = relu(z) * m,    d = g * m where out > 0,
    dW = aᵀ d,      db = sum of d over samples,    da = d Wᵀ,

where g is the gradient with respect to `out`, which is the da of the next layer. Shapes: a
(n_samples, n_inputs), W (n_inputs, n_outputs), z, m and d (n_samples, n_outputs).

The mask is never kept. A unit with out > 0 was not dropped, so that its m is the factor 1 / p of
all units that are kept with probability p, and where out = 0 it is d = 0 anyway. So d needs the
sign of `out` alone, and the factor is multiplied into Wᵀ, once for all samples. All values of a
member lie in one vector, layer after layer, sample after sample.
"""

import numpy as np

from sknn._jit import jit
from sknn.engine.kernels._products import Finish, Left, multiply
from sknn.engine.members._codes import Backward, Dropped, Encoded, Ensemble, Forward

Array = np.ndarray

#: probabilities are multiples of 1 / PARTS: 16 random bits decide about a unit
PARTS = 2**16
#: default width of an embedding. A loop of a constant length becomes one vector instruction, so
#: that this width has loops of its own.
LANES = 8
#: number of rows of a matrix that are transposed at once, and stay in the nearest cache
BLOCK = 16


@jit
def encode(net: Ensemble, X: Array, encoded: Encoded) -> None:
    """Write the stretch of each number of X, and the share of it to the left of the number."""
    n_stretches = net.left.shape[1]
    for s in range(len(X)):
        for j in range(len(net.columns)):
            x, left = X[s, net.columns[j]], net.left[j]
            # Counting all left edges that x has passed becomes vector instructions; a binary
            # search would mispredict most of its branches.
            n_passed = 0
            for i in range(n_stretches):
                n_passed += x >= left[i]
            i = max(n_passed - 1, 0)
            share = (x - left[i]) * net.slope[j, i]
            # Beyond the outer knots an embedding stays constant. NaN, the only number that is
            # not equal to itself, stays NaN, so that a missing value shows in the loss.
            share = min(max(share, X.dtype.type(0)), X.dtype.type(1)) if share == share else share
            encoded.stretches[s, j], encoded.shares[s, j] = i, share
        find_places(net, X[s], encoded.places[s])


@jit
def find_places(net: Ensemble, x: Array, places: Array) -> None:
    """Write where the embeddings of the codes and values of a sample begin, see `Encoded`."""
    n_codes, step = len(net.tables), net.n_members * net.width
    for j in range(n_codes):
        code = np.int64(x[net.n_numeric + j])  # 0 is an unknown level
        places[j] = net.tables[j] + code * step if code > 0 else -1
    for j in range(len(net.valued)):
        # Edges are start, end, start, end, ...: inside of an interval an odd number is passed.
        passed = np.searchsorted(net.edges[j], x[net.valued[j]])
        place = net.first_values[j] + (passed + 1) // 2 * step
        places[n_codes + j] = place if passed % 2 == 1 else -1


@jit
def make_sums(net: Ensemble, k: int, sums: Array) -> None:
    """Write the embeddings of member k at the left edge of each stretch, before ReLU.

    `sums` is of shape (2, n_columns, n_stretches, width): the embeddings at the left edge, and
    their increase over the stretch.
    """
    # A column of shape (n_stretches,) of pieces e_i, which are 0 to the left of stretch i, rise
    # from 0 to 1 on it and are 1 to the right, has the embedding b + Σ_i (e_i - mean_i) W_i, with b
    # and each W_i of shape (width,). In stretch l, at the share t, e_i is 1 for i < l, t for i = l
    # and 0 for i > l: the embedding is
    #
    #     b - Σ_i mean_i W_i + W_0 + ... + W_(l-1) + t W_l,
    #
    # a line in t. Its start is a cumulative sum that no sample enters, so that a sample costs one
    # multiplication and addition per number of the embedding, however many stretches there are.
    n_columns, n_stretches = net.left.shape
    all_width = net.n_members * net.width
    for j in range(n_columns):
        base = net.values[net.starts[1] + j * all_width + k * net.width :]
        at = net.starts[0] + j * n_stretches * all_width + k * net.width
        for c in range(net.width):
            total = base[c]
            for i in range(n_stretches):
                w = net.values[at + i * all_width + c]
                sums[1, j, i, c] = w
                total -= net.mean[j, i] * w
            for i in range(n_stretches):
                sums[0, j, i, c] = total
                total += sums[1, j, i, c]


@jit
def embed(net: Ensemble, k: int, encoded: Encoded, sums: Array, out: Array) -> None:
    """Write the inputs of the first layer of member k, of shape (n_samples, n_inputs)."""
    width, zero = net.width, out.dtype.type(0)
    n_columns = len(net.columns)
    for s in range(len(out)):
        row, x = out[s], encoded.X[s]
        for j in range(net.n_numeric):
            row[j] = x[j]
        for j in range(n_columns):
            share, i = encoded.shares[s, j], np.int64(encoded.stretches[s, j])
            start, rise = sums[0, j, i], sums[1, j, i]
            own = row[net.n_numeric + j * width : net.n_numeric + (j + 1) * width]
            if width == LANES:  # the same loop with a constant length, see LANES
                for c in range(LANES):
                    z = start[c] + share * rise[c]
                    own[c] = zero if z < zero else z
            else:
                for c in range(width):
                    z = start[c] + share * rise[c]
                    own[c] = zero if z < zero else z
        at = net.n_numeric + n_columns * width
        for j in range(encoded.places.shape[1]):
            place = encoded.places[s, j]
            own = row[at + j * width : at + (j + 1) * width]
            vector = net.values[max(place, 0) + k * width :]
            for c in range(width):
                own[c] = vector[c] if place >= 0 else zero


@jit
def scatter(
    net: Ensemble, k: int, encoded: Encoded, flow: tuple[Array, Array, Array], gradient: Array
) -> None:
    """Write the gradients of the embeddings of member k.

    `flow` has inputs (n_samples, n_inputs), delta of those embedded, and sums, overwritten.
    """
    a, delta, sums = flow
    sum_by_stretch(net, encoded, (a, delta), sums)
    write_stretch_gradients(net, k, sums, gradient)
    add_place_gradients(net, k, encoded, delta, gradient)


@jit
def sum_by_stretch(net: Ensemble, encoded: Encoded, flow: tuple[Array, Array], sums: Array) -> None:
    """Write Σ d and Σ t d of the samples in each stretch, (2, n_columns, n_stretches, width).

    t is the share of a sample, d its gradient before ReLU; `flow` is as in `scatter`.
    """
    a, delta = flow
    width, zero, one = net.width, delta.dtype.type(0), delta.dtype.type(1)
    n_columns = len(net.columns)
    sums[:] = 0
    for s in range(len(delta)):
        for j in range(n_columns):
            share, i = encoded.shares[s, j], np.int64(encoded.stretches[s, j])
            total, by_share = sums[0, j, i], sums[1, j, i]
            d = delta[s, j * width : (j + 1) * width]
            out = a[s, net.n_numeric + j * width : net.n_numeric + (j + 1) * width]
            if width == LANES:
                for c in range(LANES):
                    g = d[c] * (one if out[c] > zero else zero)
                    total[c] += g
                    by_share[c] += share * g
            else:
                for c in range(width):
                    g = d[c] * (one if out[c] > zero else zero)
                    total[c] += g
                    by_share[c] += share * g


@jit
def write_stretch_gradients(net: Ensemble, k: int, sums: Array, gradient: Array) -> None:
    """Write the gradients of weights and biases of piecewise linear embeddings of member k."""
    # Of the embedding b + Σ_i (e_i - mean_i) W_i the derivative by b is 1, and by W_i it is e_i -
    # mean_i. A sample in stretch l, at the share t, has e_i = 1 for i < l, t for i = l and 0 for i
    # > l. Summed over samples,
    #
    #     db   = Σ d,
    #     dW_i = Σ_{samples in stretch i} t d + Σ_{samples in stretches > i} d - mean_i db,
    #
    # where the second sum is carried along (`beyond`) by going through stretches from the right.
    zero, width = gradient.dtype.type(0), net.width
    n_columns, n_stretches = net.left.shape
    all_width = net.n_members * width
    for j in range(n_columns):
        at = net.starts[0] + j * n_stretches * all_width + k * width
        for c in range(width):
            total = zero
            for stretch in range(n_stretches):
                total += sums[0, j, stretch, c]
            gradient[net.starts[1] + j * all_width + k * width + c] = total
            beyond = zero
            for stretch in range(n_stretches - 1, -1, -1):
                g = beyond + sums[1, j, stretch, c] - net.mean[j, stretch] * total
                # Stretches that fill up a column have the slope 0 and must not learn.
                gradient[at + stretch * all_width + c] = g if net.slope[j, stretch] > 0 else zero
                beyond += sums[0, j, stretch, c]


@jit
def add_place_gradients(
    net: Ensemble, k: int, encoded: Encoded, delta: Array, gradient: Array
) -> None:
    """Add the gradients of samples to the embeddings of codes and values that they have."""
    width, n_columns = net.width, len(net.columns)
    for s in range(len(delta)):
        for j in range(encoded.places.shape[1]):
            place = encoded.places[s, j]
            if place < 0:
                continue
            own = gradient[place + k * width :]
            d = delta[s, (n_columns + j) * width : (n_columns + j + 1) * width]
            for c in range(width):
                own[c] += d[c]


@jit
def mix(x: np.uint32) -> np.uint32:
    """Return 32 random bits for a number of 32 bits; different numbers give different bits."""
    # A hash of a counter needs no state: threads draw the same masks as one, in any order. Two
    # rounds of a multiplication and of shifts spread each bit over all, as in the finalizer of
    # MurmurHash3; constants by C. Wellons, "Prospecting for hash functions", 2018. Each operation
    # is invertible modulo 2³² (the factors are odd), so that no two numbers collide.
    x = np.uint32(x ^ (x >> np.uint32(16)))
    x = np.uint32(x * np.uint32(0x7FEB352D))
    x = np.uint32(x ^ (x >> np.uint32(15)))
    x = np.uint32(x * np.uint32(0x846CA68B))
    return np.uint32(x ^ (x >> np.uint32(16)))


@jit
def drop(values: Array, key: np.uint32, n_parts: int, factor: float) -> None:
    """Set values of shape (n,) to 0 with probability 1 - n_parts / PARTS, the others times factor.

    One hash of 32 bits decides about two values, value i of the first half and of the second.
    """
    half = len(values) // 2
    first, second = values[:half], values[half:]
    limit, scale, zero = np.uint32(n_parts), values.dtype.type(factor), values.dtype.type(0)
    # All values are multiplied, none is skipped: a loop without branches becomes vectors.
    for i in range(half):
        bits = mix(np.uint32(np.uint32(i) + key))
        first[i] *= scale if np.uint32(bits & np.uint32(0xFFFF)) < limit else zero
        second[i] *= scale if np.uint32(bits >> np.uint32(16)) < limit else zero
    if 2 * half < len(values):
        bits = mix(np.uint32(np.uint32(half) + key))
        values[-1] *= scale if np.uint32(bits & np.uint32(0xFFFF)) < limit else zero


@jit
def turn(matrix: Array, turned: Array, factor: float) -> None:
    """Write the transpose (m, n) of a matrix (n, m), times a factor."""
    n, m = matrix.shape
    scale = matrix.dtype.type(factor)
    for i0 in range(0, n, BLOCK):
        i1 = min(i0 + BLOCK, n)
        for j in range(m):
            for i in range(i0, i1):
                turned[j, i] = matrix[i, j] * scale


@jit
def get_matrix(values: Array, start: int, n: int, m: int) -> Array:
    """Return a view of shape (n, m) of the numbers of a vector from `start` on."""
    return values[start : start + n * m].reshape((n, m))


@jit
def locate(net: Ensemble, layer: int, n_samples: int) -> int:
    """Return where the inputs of a layer begin in the values of a member."""
    place = 0
    for i in range(layer):
        place += net.layers[i, 2] * n_samples
    return place


@jit
def run_member(net: Ensemble, k: int, encoded: Encoded, own: Forward, dropped: Dropped) -> None:
    """Compute the outputs of member k, for which `make_sums` has been called."""
    out = own.outputs
    # `multiply` raises sums to a floor, and sets those to 0 whose gate is not above a limit; NaN
    # stands for neither, as no comparison with NaN holds. A floor of 0 is ReLU.
    n, zero, nan = len(out), out.dtype.type(0), out.dtype.type(np.nan)
    a = get_matrix(own.values, 0, n, net.layers[0, 2])
    embed(net, k, encoded, own.sums, a)
    n_layers = len(net.layers)
    for i in range(n_layers):
        n_inputs, n_outputs = net.layers[i, 2], net.layers[i, 3]
        size = n_inputs * n_outputs
        w = get_matrix(net.values, net.layers[i, 0] + k * size, n_inputs, n_outputs)
        b = net.values[net.layers[i, 1] + k * n_outputs : net.layers[i, 1] + (k + 1) * n_outputs]
        left = Left(a.reshape(-1), n_inputs, 1)
        if i == n_layers - 1:
            multiply(left, w, out, Finish(b, nan, out, nan))
            return
        z = get_matrix(own.values, locate(net, i + 1, n), n, n_outputs)
        multiply(left, w, z, Finish(b, zero, z, nan))
        if dropped.n_parts < PARTS:
            # An odd factor modulo 2³² gives each member a key of its own, and mixing sets keys
            # apart, from which `drop` counts upwards.
            key = mix(np.uint32(dropped.keys[i] + np.uint32(k) * np.uint32(0x85EBCA6B)))
            drop(z.reshape(-1), key, dropped.n_parts, dropped.factor)
        a = z


@jit
def add_rows(matrix: Array, total: Array) -> None:
    """Write the sum (m,) of the rows of a matrix (n, m)."""
    total[:] = 0
    for i in range(len(matrix)):
        for j in range(matrix.shape[1]):
            total[j] += matrix[i, j]


@jit
def return_member(net: Ensemble, k: int, encoded: Encoded, own: Forward, back: Backward) -> None:
    """Write the gradients of member k, for which `run_member` has been called."""
    d, space, gradient = back.deltas, back.space, back.gradient
    n, zero, nan = len(d), d.dtype.type(0), d.dtype.type(np.nan)
    widest = np.max(net.layers[:, 2:])
    # Places in `space`: zeros (widest,), two gradients (n, widest) that take turns as the one
    # that is read and the one that is written (`flip`), and a transposed weight matrix.
    zeros, room, flip = space[:widest], n * widest, 0
    zeros[:] = 0
    for i in range(len(net.layers) - 1, -1, -1):
        n_inputs, n_outputs = net.layers[i, 2], net.layers[i, 3]
        size = n_inputs * n_outputs
        at = net.layers[i, 0] + k * size
        a = get_matrix(own.values, locate(net, i, n), n, n_inputs)
        of_weight = get_matrix(gradient, at, n_inputs, n_outputs)
        # dW = aᵀ d: exchanged steps make the product read `a` as its transpose.
        left = Left(a.reshape(-1), 1, n_inputs)
        multiply(left, d, of_weight, Finish(zeros, nan, of_weight, nan))
        add_rows(d, gradient[net.layers[i, 1] + k * n_outputs :][:n_outputs])
        # The first layer's inputs that are plain numbers of X need no gradient.
        first = net.n_numeric if i == 0 else 0
        if first == n_inputs:
            return
        w = get_matrix(net.values, at, n_inputs, n_outputs)[first:]
        turned = get_matrix(space, widest + 2 * room, n_outputs, n_inputs - first)
        turn(w, turned, 1.0 if i == 0 else back.factor)
        before = get_matrix(space, widest + flip * room, n, n_inputs - first)
        # The slope of ReLU is 1 where its value a is above 0, else 0: `a` is the gate. Embeddings
        # of codes and values have no ReLU; `sum_by_stretch` applies it to those that have.
        gate, limit = (before, nan) if i == 0 else (a, zero)
        left = Left(d.reshape(-1), n_outputs, 1)
        multiply(left, turned, before, Finish(zeros, nan, gate, limit))
        d, flip = before, 1 - flip
    a = get_matrix(own.values, 0, n, net.layers[0, 2])
    scatter(net, k, encoded, (a, d, own.sums), gradient)

"""Entry points of the compiled passes: a mini-batch of some members, and predictions.

Each call runs without the interpreter lock, so that several threads may share members, or samples.
`members` is always a range (first, stop).
"""

import numpy as np

from sknn._jit import jit_kept
from sknn.engine.members._codes import Backward, Dropped, Encoded, Ensemble, Forward
from sknn.engine.members._passes import PARTS, encode, make_sums, return_member, run_member

Array = np.ndarray

#: number of samples that are predicted at a time: their values stay in a processor's cache
BLOCK = 256


@jit_kept
def encode_samples(net: Ensemble, encoded: Encoded) -> None:
    """Write where the numbers of samples lie between knots; see `Encoded`."""
    encode(net, encoded.X, encoded)


@jit_kept
def run_forward(
    net: Ensemble, encoded: Encoded, members: tuple[int, int], memory: Forward, dropped: Dropped
) -> None:
    """Compute the outputs of some members; `memory` is that of all members."""
    for k in range(members[0], members[1]):
        own = Forward(memory.sums[k], memory.values[k], memory.outputs[k])
        make_sums(net, k, own.sums)
        run_member(net, k, encoded, own, dropped)


@jit_kept
def run_backward(
    net: Ensemble, encoded: Encoded, members: tuple[int, int], memory: Forward, back: Backward
) -> None:
    """Write the gradients of some members.

    `memory` is as `run_forward` has left it; its sums are overwritten.
    """
    for k in range(members[0], members[1]):
        own = Forward(memory.sums[k], memory.values[k], memory.outputs[k])
        of_member = Backward(back.deltas[k], back.space, back.gradient, back.factor)
        return_member(net, k, encoded, own, of_member)


@jit_kept
def predict(net: Ensemble, X: Array, members: tuple[int, int], values: Array, out: Array) -> None:
    """Write the mean of the outputs of some members.

    Parameters
    ----------
    net : Ensemble
        Network.
    X : ndarray of shape (n_samples, n_columns_of_X)
        Samples.
    members : tuple of int
        Range of members.
    values : ndarray of shape (n_numbers,)
        Memory for the inputs of all layers of a member, for `BLOCK` samples.
    out : ndarray of shape (n_samples, n_outputs)
        Means, overwritten.
    """
    n_columns, n_stretches = net.left.shape
    size, n_members = min(BLOCK, len(X)), members[1] - members[0]
    sums = np.empty((n_members, 2, n_columns, n_stretches, net.width), X.dtype)
    for k in range(n_members):
        make_sums(net, members[0] + k, sums[k])
    stretches = np.empty((size, n_columns), np.uint16)
    shares = np.empty((size, n_columns), X.dtype)
    places = np.empty((size, len(net.tables) + len(net.valued)), np.int64)
    part = np.empty((size, out.shape[1]), X.dtype)
    dropped = Dropped(np.empty(0, np.uint32), PARTS, 1.0)
    share = X.dtype.type(1 / n_members)
    # Each sample goes through the members in the same order, and no sum runs over samples: the
    # bits of a prediction do not depend on the block or the thread that a sample falls into.
    for start in range(0, len(X), size):
        n = min(size, len(X) - start)
        encoded = Encoded(X[start : start + n], stretches[:n], shares[:n], places[:n])
        encode(net, encoded.X, encoded)
        total = out[start : start + n]
        total[:] = 0
        for k in range(n_members):
            own = Forward(sums[k], values, part[:n])
            run_member(net, members[0] + k, encoded, own, dropped)
            for s in range(n):
                for c in range(out.shape[1]):
                    total[s, c] += share * part[s, c]

"""Arguments of compiled steps: codes of activations, losses and solvers, and tuples of arrays.

Compiled code takes no names and no objects: a name becomes a number, a setting a place in a vector.
Nothing here imports numba, so that only fits whose steps are compiled do.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from sknn.engine.kernels._sparse import SparseSamples
from sknn.losses import quantile_steps

(IDENTITY, RELU, TANH, LOGISTIC, LEAKY_RELU, ELU, SELU, SOFTPLUS, SILU, GELU) = range(10)
#: name of an activation -> its number
ACTIVATIONS = {
    "identity": IDENTITY,
    "relu": RELU,
    "tanh": TANH,
    "logistic": LOGISTIC,
    "leaky_relu": LEAKY_RELU,
    "elu": ELU,
    "selu": SELU,
    "softplus": SOFTPLUS,
    "silu": SILU,
    "gelu": GELU,
}

(LOG, BINARY_LOG, SQUARED, ABSOLUTE, HUBER, POISSON, GAMMA) = range(7)
(FOCAL, BINARY_FOCAL, HINGE, BINARY_HINGE, QUANTILE, NORMAL) = range(7, 13)
#: name of a loss in the engine -> its number; a loss without one is trained in another way
LOSSES = {
    "log_loss": LOG,
    "binary_log_loss": BINARY_LOG,
    "bounded": BINARY_LOG,  # the same formula, with y that need not be 0 or 1
    "squared_error": SQUARED,
    "absolute_error": ABSOLUTE,
    "huber": HUBER,
    "poisson": POISSON,
    "gamma": GAMMA,
    "focal": FOCAL,
    "binary_focal": BINARY_FOCAL,
    "hinge": HINGE,
    "binary_hinge": BINARY_HINGE,
    "quantile": QUANTILE,
    "gaussian_nll": NORMAL,
}

ADAM, ADAMW, SGD, MOMENTUM, NESTEROV, NADAM, RMSPROP = range(7)
#: code of a solver that takes no step: it adds up the losses and gradients of the mini-batches,
#: without the penalty
ADD_UP = 7
#: places in the vector of a solver's numbers
RATE, BETA_1, BETA_2, EPSILON, DECAY, MOMENTUM_DECAY, ALPHA, L1_RATIO, MAX_NORM = range(9)
N_NUMBERS = 9
#: places in the vector of a solver's counts, which change from step to step
N_STEPS, MU_PRODUCT = range(2)
#: places in the vector of the stopping rule
BEST_LOSS, N_STALLED, TOLERANCE, LIMIT, LIMIT_SHARE, N_BEFORE = range(6)
N_PATIENCE = 6
#: places in the vector of codes, before those of the activations
LOSS, SOLVER, N_CODES = range(3)


def pack_settings(settings: Mapping[str, Any]) -> np.ndarray:
    """Return the settings of a loss as one vector of float64.

    For quantiles it holds the number of levels, the index of the level at which increments start,
    the levels, and the steps between them.
    """
    if "quantiles" in settings:
        levels = tuple(settings["quantiles"])
        start, steps = quantile_steps(levels)
        return np.array([len(levels), start, *levels, *steps], dtype=float)
    names = ("delta", "gamma", "min_std")
    return np.array([settings[name] for name in names if name in settings] or [0.0], dtype=float)


def count_work(sizes: np.ndarray, batch_size: int) -> int:
    """Return how many numbers the values, sums and deltas of a mini-batch need."""
    return batch_size * (int(sizes[0]) + 3 * int(sizes[1:].sum()))


def count_turned(sizes: np.ndarray) -> int:
    """Return the number of weights of the largest layer but the first (it is not transposed)."""
    return int((sizes[1:-1] * sizes[2:]).max(initial=0))


def count_space(sizes: np.ndarray, batch_size: int) -> int:
    """Return how many float64 numbers the activations of the widest layer need."""
    return batch_size * int(sizes[1:].max())


class TrainingArrays(NamedTuple):
    """Samples, targets, weights and orders.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features) or (0, n_features)
        Dense samples; empty where samples are sparse.
    sparse : SparseSamples
        Sparse samples; empty where samples are dense.
    Y : ndarray of shape (n_samples, n_columns)
        Encoded targets, classes one-hot and smoothed.
    weight : ndarray of shape (n_samples,) or (0,)
        Sample weights; empty where all are 1.
    orders : ndarray of int of shape (n_orders, n_samples)
        Numbers of the samples, in the order of each epoch; the last order is that of all further
        epochs.
    """

    X: np.ndarray
    sparse: SparseSamples
    Y: np.ndarray
    weight: np.ndarray
    orders: np.ndarray


class FlatNetwork(NamedTuple):
    """A plain MLP with its loss and its solver.

    Attributes
    ----------
    sizes : ndarray of int of shape (n_layers + 1,)
        Number of units of each layer, the inputs first.
    codes : ndarray of int
        Numbers of the loss, of the solver, and of the activation of each hidden layer.
    values, gradient : ndarray of shape (n_parameters,)
        Weights of all layers, each of shape (n_inputs, n_outputs), then all biases; and their
        gradient, which is overwritten.
    settings : ndarray of float64
        Settings of the loss, see `pack_settings`.
    """

    sizes: np.ndarray
    codes: np.ndarray
    values: np.ndarray
    gradient: np.ndarray
    settings: np.ndarray


class SolverState(NamedTuple):
    """Settings and state of a solver.

    Attributes
    ----------
    first, second : ndarray of shape (n_parameters,) or (0,)
        First and second moments; or velocity, or mean squares, or (for `ADD_UP`) the sum of the
        gradients, and nothing.
    numbers : ndarray of float64 of shape (N_NUMBERS,)
        Learning rate and settings.
    counts : ndarray of float64 of shape (2,)
        Number of steps so far, and NAdam's product of momenta.
    """

    first: np.ndarray
    second: np.ndarray
    numbers: np.ndarray
    counts: np.ndarray


class HeldOut(NamedTuple):
    """Held-out samples, and memory for what is computed of them at the end of each epoch.

    Attributes
    ----------
    samples : TrainingArrays
        The held-out samples.
    outputs : ndarray of shape (n_epochs, n_samples, n_outputs)
        Their logits.
    losses : ndarray of float64 of shape (n_epochs,)
        Their weighted mean losses; of shape (0,) where there are no held-out samples.
    values : ndarray of shape (n_epochs, n_parameters) or (0, n_parameters)
        Parameters at the end of each epoch, if they are to be kept.
    """

    samples: TrainingArrays
    outputs: np.ndarray
    losses: np.ndarray
    values: np.ndarray


class StepMemory(NamedTuple):
    """Memory that steps use.

    Attributes
    ----------
    work : ndarray of shape (count_work(...),)
        Values of all layers, then sums, then deltas.
    exponentials : ndarray of float64 of shape (3, count_space(...))
        Memory for activations and losses made of exponentials; the last row takes the losses of a
        mini-batch.
    dropouts : ndarray of int of shape (n_hidden_layers, 3) or (0, 3)
        Dropout of each hidden layer: its seed, the number of mini-batches before, which is counted
        up, and the parts of `N_PARTS` that it keeps; empty without dropout.
    masks : ndarray of shape (n,) or (0,)
        Masks of shape (batch_size, n_units) of the hidden layers, 0 for units that are dropped;
        overwritten for each mini-batch.
    words : ndarray of uint64 of shape (n,) or (0,)
        Memory for the random bits of a mask.
    turned : ndarray of shape (count_turned(...),)
        Memory for the transposed weights of a layer, of shape (n_outputs, n_inputs).
    zeros : ndarray of shape (n_units,)
        Zeros, as many as the widest layer has units; never changed.
    outputs : ndarray of shape (n_epochs, n_samples, n_outputs) or (1, n_samples, n_outputs)
        Logits in the order of the samples, as they were before the step of their mini-batch;
        overwritten.
    held_out : HeldOut
        Held-out samples.
    """

    work: np.ndarray
    exponentials: np.ndarray
    dropouts: np.ndarray
    masks: np.ndarray
    words: np.ndarray
    turned: np.ndarray
    zeros: np.ndarray
    outputs: np.ndarray
    held_out: HeldOut


class StepRange(NamedTuple):
    """Steps of an epoch that a call does, and the rule that ends epochs.

    Attributes
    ----------
    epoch, first, last, batch_size : int
        Number of the epoch within the call; first mini-batch, and the one after the last; number
        of samples of a mini-batch.
    patience : ndarray of float64 of shape (N_PATIENCE,)
        Numbers of the stopping rule; the best loss and the count of stalled epochs are updated.
    losses : ndarray of float64 of shape (n_epochs,)
        Σ (mean loss of a mini-batch, with the penalty) * (its size) of each epoch; overwritten.
    generator : ndarray of uint32 of shape (625,) or (0,)
        Generator that draws the orders of all epochs but the first, see
        `sknn.engine.compiled._orders`; empty where all orders were drawn before.
    """

    epoch: int
    first: int
    last: int
    batch_size: int
    patience: np.ndarray
    losses: np.ndarray
    generator: np.ndarray


class BatchPlace(NamedTuple):
    """A mini-batch: its epoch, its start in the order, its size, and the size of a whole one."""

    epoch: int
    start: int
    n: int
    size: int


#: places in a row of `StepMemory.dropouts`
SEED, N_BATCHES, N_KEPT_PARTS = range(3)
#: number of words of the state of MT19937; behind them lies the number of those that are used up
N_WORDS = 624
#: empty generator: all orders were drawn before
NO_GENERATOR = np.empty(0, np.uint32)
#: no random bits: there is no dropout
NO_WORDS = np.empty(0, np.uint64)

Arguments = tuple[TrainingArrays, FlatNetwork, SolverState, StepMemory, StepRange]


def make_no_samples(n_features: int, n_outputs: int, dtype: np.dtype) -> TrainingArrays:
    """Return empty arrays of samples, of the types that `run_epochs` gets."""
    places, none = np.empty(0, dtype=np.int64), np.empty(0, dtype)
    sparse = SparseSamples(places, places, none)
    X, Y = np.empty((0, n_features), dtype), np.empty((0, n_outputs), dtype)
    return TrainingArrays(X, sparse, Y, none, places.reshape(1, 0))


def make_no_held_out(sizes: np.ndarray, n_parameters: int, dtype: np.dtype) -> HeldOut:
    """Return empty held-out samples, of which nothing is computed."""
    n_outputs = int(sizes[-1])
    samples = make_no_samples(int(sizes[0]), n_outputs, dtype)
    outputs, values = np.empty((0, 0, n_outputs), dtype), np.empty((0, n_parameters), dtype)
    return HeldOut(samples, outputs, np.empty(0), values)


def make_empty_memory(vector: np.ndarray, held_out: HeldOut) -> StepMemory:
    """Return empty memory, of the dtype of the vector."""
    places, space = np.empty((0, 3), np.int64), np.empty((0, 0))
    words, outputs = NO_WORDS, held_out.outputs
    return StepMemory(vector, space, places, vector, words, vector, vector, outputs, held_out)


@cache
def make_examples(dtype: np.dtype) -> Arguments:
    """Return empty arguments of `run_epochs`, of the types that it is compiled for."""
    vector, numbers, codes = np.empty(0, dtype), np.empty(0), np.empty(0, dtype=np.int64)
    held_out = make_no_held_out(np.array([0, 0]), 0, dtype)
    return (
        held_out.samples,
        FlatNetwork(codes, codes, vector, vector, numbers),
        SolverState(vector, vector, numbers, numbers),
        make_empty_memory(vector, held_out),
        StepRange(0, 0, 0, 0, numbers, numbers, NO_GENERATOR),
    )

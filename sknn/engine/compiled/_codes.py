"""What compiled steps are told by numbers: activations, losses, solvers, and where what lies.

Nothing here loads numba, so that only fits whose steps are compiled do.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

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
#: no step at all: losses and gradients of the mini-batches are added up, without the penalty
ADD_UP = 7
#: places in the vector of a solver's numbers
RATE, BETA_1, BETA_2, EPSILON, DECAY, MOMENTUM_DECAY, ALPHA, L1_RATIO, MAX_NORM = range(9)
N_NUMBERS = 9
#: places in the vector of what changes from step to step
N_STEPS, MU_PRODUCT = range(2)
#: places in the vector of what the stopping rule knows
BEST_LOSS, N_STALLED, TOLERANCE, LIMIT, LIMIT_SHARE, N_BEFORE = range(6)
N_PATIENCE = 6
#: places in the vector of codes, before those of the activations
LOSS, SOLVER, N_CODES = range(3)


def pack_settings(settings: Mapping[str, Any]) -> np.ndarray:
    """Return the settings of a loss as one vector of float64.

    That of quantiles has the number of levels, that of the start, the levels, and their steps.
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
    """Return how many weights the largest layer but the first has."""
    return int((sizes[1:-1] * sizes[2:]).max(initial=0))


def count_space(sizes: np.ndarray, batch_size: int) -> int:
    """Return how many numbers of float64 the activations of the widest layer need."""
    return batch_size * int(sizes[1:].max())


class SparseSamples(NamedTuple):
    """Sparse samples as a CSR matrix.

    Attributes
    ----------
    starts : ndarray of int of shape (n_samples + 1,) or (0,)
        Where the entries of each sample begin; empty where samples are dense.
    columns, values : ndarray of shape (n_entries,)
    """

    starts: np.ndarray
    columns: np.ndarray
    values: np.ndarray


class TrainingArrays(NamedTuple):
    """What is learned from.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features) or (0, n_features)
        Empty where samples are sparse.
    sparse : SparseSamples
    Y : ndarray of shape (n_samples, n_columns)
        Encoded targets, classes one-hot and smoothed.
    weight : ndarray of shape (n_samples,) or (0,)
        Sample weights, if there are some.
    orders : ndarray of int of shape (n_orders, n_samples)
        Numbers of the samples, in the order of each epoch; the last holds for all that follow.
    """

    X: np.ndarray
    sparse: SparseSamples
    Y: np.ndarray
    weight: np.ndarray
    orders: np.ndarray


class FlatNetwork(NamedTuple):
    """What is trained.

    Attributes
    ----------
    sizes : ndarray of int of shape (n_layers + 1,)
        Units of each layer, inputs first.
    codes : ndarray of int
        Numbers of the loss, of the solver, and of the activation of each hidden layer.
    values, gradient : ndarray of shape (n_parameters,)
        The weights of all layers, each of shape (n_inputs, n_outputs), then all biases; and space
        for the gradient.
    settings : ndarray of float64
        Settings of the loss, see `pack_settings`.
    """

    sizes: np.ndarray
    codes: np.ndarray
    values: np.ndarray
    gradient: np.ndarray
    settings: np.ndarray


class SolverState(NamedTuple):
    """What a solver knows.

    Attributes
    ----------
    first, second : ndarray of shape (n_parameters,) or (0,)
        Moments, velocity or squares; or the sum of the gradients, for `ADD_UP`.
    numbers : ndarray of float64 of shape (N_NUMBERS,)
        Learning rate and settings.
    counts : ndarray of float64 of shape (2,)
        Steps so far, and NAdam's product.
    """

    first: np.ndarray
    second: np.ndarray
    numbers: np.ndarray
    counts: np.ndarray


class HeldOut(NamedTuple):
    """What is computed at the end of each epoch.

    Attributes
    ----------
    samples : TrainingArrays
        The held-out samples.
    outputs : ndarray of shape (n_epochs, n_samples, n_outputs)
        Their logits.
    losses : ndarray of float64 of shape (n_epochs,)
        Their weighted mean losses; of shape (0,) where there are no such samples.
    values : ndarray of shape (n_epochs, n_parameters) or (0, n_parameters)
        The parameters.
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
        For activations and losses made of exponentials; losses are left in the last line.
    dropouts : ndarray of int of shape (n_hidden_layers, 3) or (0, 3)
        Of dropout, if there is some: for each hidden layer its seed, the mini-batches before, which
        are counted up, and the parts of `N_PARTS` that it keeps.
    masks : ndarray of shape (n,) or (0,)
        Overwritten for each mini-batch: for each hidden layer a mask of shape (batch_size,
        n_units), 0 for units that are left out.
    words : ndarray of uint32 of shape (625,)
        For the state of a generator.
    turned : ndarray of shape (count_turned(...),)
        For weights of a layer, of shape (n_outputs, n_inputs).
    zeros : ndarray of shape (n_units,)
        As many as the widest layer has units, never changed.
    outputs : ndarray of shape (n_epochs, n_samples, n_outputs) or (1, n_samples, n_outputs)
        Overwritten by the logits, in the order of the samples, each before its mini-batch's step.
    held_out : HeldOut
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
    """Which steps of an epoch to do, and when epochs are to end.

    Attributes
    ----------
    epoch, first, last, batch_size : int
        Number of the epoch within the call; the mini-batches from `first` up to `last`, of so many
        samples.
    patience : ndarray of float64 of shape (N_PATIENCE,)
        Numbers of the stopping rule; the best loss and the stalled epochs are brought up to date.
    losses : ndarray of float64 of shape (n_epochs,)
        Written: mean losses of the mini-batches, with the penalty, times their sizes, added up.
    generator : ndarray of uint32 of shape (625,) or (0,)
        Draws the orders of all epochs but the first, see `sknn.engine.compiled._orders`; where it
        is empty, they are drawn.
    """

    epoch: int
    first: int
    last: int
    batch_size: int
    patience: np.ndarray
    losses: np.ndarray
    generator: np.ndarray


class BatchPlace(NamedTuple):
    """A mini-batch: its epoch and start in the order, its samples, and those of a whole one."""

    epoch: int
    start: int
    n: int
    size: int


#: places in a line of `StepMemory.dropouts`
SEED, N_BATCHES, N_KEPT_PARTS = range(3)
#: words of the state of MT19937, behind which lies the number of those that are used up
N_WORDS = 624
#: says that orders are there
NO_GENERATOR = np.empty(0, np.uint32)

Arguments = tuple[TrainingArrays, FlatNetwork, SolverState, StepMemory, StepRange]


def make_no_samples(n_features: int, n_outputs: int, dtype: np.dtype) -> TrainingArrays:
    """Return no samples at all, of the types that `run_epochs` gets."""
    places, none = np.empty(0, dtype=np.int64), np.empty(0, dtype)
    sparse = SparseSamples(places, places, none)
    X, Y = np.empty((0, n_features), dtype), np.empty((0, n_outputs), dtype)
    return TrainingArrays(X, sparse, Y, none, places.reshape(1, 0))


def make_no_held_out(sizes: np.ndarray, n_parameters: int, dtype: np.dtype) -> HeldOut:
    """Return what says that nothing is to be computed at the ends of epochs."""
    n_outputs = int(sizes[-1])
    samples = make_no_samples(int(sizes[0]), n_outputs, dtype)
    outputs, values = np.empty((0, 0, n_outputs), dtype), np.empty((0, n_parameters), dtype)
    return HeldOut(samples, outputs, np.empty(0), values)


def make_empty_memory(vector: np.ndarray, held_out: HeldOut) -> StepMemory:
    """Return memory without room for anything, of the dtype of the vector."""
    places, space = np.empty((0, 3), np.int64), np.empty((0, 0))
    words, outputs = NO_GENERATOR, held_out.outputs
    return StepMemory(vector, space, places, vector, words, vector, vector, outputs, held_out)


def make_examples(dtype: np.dtype) -> Arguments:
    """Return arguments of `run_epochs` of the types that it gets, without contents."""
    vector, numbers, codes = np.empty(0, dtype), np.empty(0), np.empty(0, dtype=np.int64)
    held_out = make_no_held_out(np.array([0, 0]), 0, dtype)
    return (
        held_out.samples,
        FlatNetwork(codes, codes, vector, vector, numbers),
        SolverState(vector, vector, numbers, numbers),
        make_empty_memory(vector, held_out),
        StepRange(0, 0, 0, 0, numbers, numbers, NO_GENERATOR),
    )

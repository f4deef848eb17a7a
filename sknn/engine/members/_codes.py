"""Arguments of the compiled passes of an ensemble: its shape, its parameters, and memory.

Numba compiles a function for the types of its arguments. Named tuples of arrays and numbers are
types that it knows; they stand here in place of the module, which it does not.
"""

from typing import NamedTuple

import numpy as np


class Ensemble(NamedTuple):
    """Shape and parameters of a `sknn.architectures.TabularEnsemble`.

    All parameters lie in one vector, each row by row. A stretch is the interval between two
    neighbouring knots of a column. All columns with a piecewise linear embedding, of which there
    may be none, have `n_stretches` stretches; columns with fewer are filled up with stretches that
    no number reaches.

    Attributes
    ----------
    values : ndarray of shape (n_parameters,)
        All parameters.
    n_members, n_numeric : int
        Number of members, and number of the leading columns of X that hold numbers.
    width : int
        Width of an embedding.
    columns : ndarray of int of shape (n_columns,)
        Columns of X that have an embedding.
    left, slope, mean : ndarray of shape (n_columns, n_stretches)
        Left edge of each stretch, 1 / its length, and the mean over the training samples of the
        piece e that rises from 0 to 1 on it (see `sknn.engine.members._passes.make_sums`).
    starts : ndarray of int of shape (2,)
        Where weights (n_columns, n_stretches, n_members * width) and biases (n_columns, 1,
        n_members * width) of embeddings begin.
    tables : ndarray of int of shape (n_code_columns,)
        Place where the table (n_codes, n_members * width) of each column of codes begins.
    valued : ndarray of int of shape (n_valued,)
        Columns of X with an embedding for each of some single values.
    edges : ndarray of shape (n_valued, n_edges)
        Starts and ends, in turn and rising, of the intervals around these values.
    first_values : ndarray of int of shape (n_valued,)
        Place in front of the embeddings of a column's values: that of the i-th value, counted from
        1, begins ``i * n_members * width`` further.
    layers : ndarray of int of shape (n_layers, 4)
        Of each layer: where its weights (n_members, n_inputs, n_outputs) and its biases
        (n_members, 1, n_outputs) begin, then n_inputs and n_outputs.
    """

    values: np.ndarray
    n_members: int
    n_numeric: int
    width: int
    columns: np.ndarray
    left: np.ndarray
    slope: np.ndarray
    mean: np.ndarray
    starts: np.ndarray
    tables: np.ndarray
    valued: np.ndarray
    edges: np.ndarray
    first_values: np.ndarray
    layers: np.ndarray


class Encoded(NamedTuple):
    """Samples, and where their numbers lie between knots, which is the same for all members.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_columns_of_X)
    stretches : ndarray of uint16 of shape (n_samples, n_columns)
        Stretch in which each number with an embedding lies.
    shares : ndarray of shape (n_samples, n_columns)
        Share of the stretch that lies to the left of the number, from 0 to 1.
    places : ndarray of int of shape (n_samples, n_code_columns + n_valued)
        Where the embedding of each code and value begins for member 0; -1 where the embedding is 0
        and is not trained (unknown levels, and values without an embedding).
    """

    X: np.ndarray
    stretches: np.ndarray
    shares: np.ndarray
    places: np.ndarray


class Dropped(NamedTuple):
    """Dropout of one step: from this follows which units are dropped.

    Attributes
    ----------
    keys : ndarray of uint32 of shape (n_hidden_layers,)
        Key of the random numbers of each layer.
    n_parts : int
        Probability that a unit is kept, in parts of 65,536; 65,536 means no dropout.
    factor : float
        Factor of the units that are kept, 1 / their probability.
    """

    keys: np.ndarray
    n_parts: int
    factor: float


class Forward(NamedTuple):
    """Memory of the forward pass of one member; with a first axis of n_members, of all members.

    Attributes
    ----------
    sums : ndarray of shape (2, n_columns, n_stretches, width)
        Embeddings at the knots, see `sknn.engine.members._passes.make_sums`.
    values : ndarray of shape (n_values,)
        Inputs of all layers, layer after layer.
    outputs : ndarray of shape (n_samples, n_outputs)
        Logits or raw predictions.
    """

    sums: np.ndarray
    values: np.ndarray
    outputs: np.ndarray


class Backward(NamedTuple):
    """Memory that the backward pass of one member needs beside `Forward`.

    Attributes
    ----------
    deltas : ndarray of shape (n_samples, n_outputs)
        Gradient of the loss with respect to the outputs; of shape (n_members, n_samples,
        n_outputs) where it holds those of all members.
    space : ndarray of shape (n_numbers,)
        Memory for the gradients of two layers, a transposed weight matrix, and a row of zeros.
    gradient : ndarray of shape (n_parameters,)
        Gradient of all parameters. It is overwritten, except for the tables of codes and values:
        to these the gradients of the samples are added.
    factor : float
        Factor of the units that dropout has kept.
    """

    deltas: np.ndarray
    space: np.ndarray
    gradient: np.ndarray
    factor: float

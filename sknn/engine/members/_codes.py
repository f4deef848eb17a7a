"""What compiled passes of an ensemble are given: its shape, where its numbers lie, its memory."""

from typing import NamedTuple

import numpy as np


class Ensemble(NamedTuple):
    """Shape and numbers of a `sknn.architectures.TabularEnsemble`.

    All parameters lie in one vector, each row by row. Columns with embeddings, of which there may
    be none, have `n_stretches` stretches; shorter ones are filled up with stretches that no number
    reaches.

    Attributes
    ----------
    values : ndarray of shape (n_parameters,)
    n_members, n_numeric : int
        Members, and leading columns of numbers of X.
    width : int
        Width of an embedding.
    columns : ndarray of int of shape (n_columns,)
        Columns of X that have an embedding.
    left, slope, mean : ndarray of shape (n_columns, n_stretches)
        Left edge of each stretch, one over its length, and the mean of what rises on it.
    starts : ndarray of int of shape (2,)
        Where weights (n_columns, n_stretches, n_members * width) and biases (n_columns, 1,
        n_members * width) of embeddings begin.
    tables : ndarray of int of shape (n_code_columns,)
        Where the table (n_codes, n_members * width) of each column of codes begins.
    valued : ndarray of int of shape (n_valued,)
        Columns of X of which single values have embeddings.
    edges : ndarray of shape (n_valued, n_edges)
        Rising starts and ends, in turn, of the intervals of these values.
    first_values : ndarray of int of shape (n_valued,)
        Where the embedding of the value before the first one of a column begins.
    layers : ndarray of int of shape (n_layers, 4)
        Where weights (n_members, n_inputs, n_outputs) and biases (n_members, 1, n_outputs) of a
        layer begin, and its numbers of inputs and outputs.
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
    """Samples, and where their numbers lie between knots; the same for all members.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_columns_of_X)
    stretches : ndarray of uint16 of shape (n_samples, n_columns)
        Stretch of each number with an embedding.
    shares : ndarray of shape (n_samples, n_columns)
        Share of the stretch that lies to the left of it, from 0 to 1.
    places : ndarray of int of shape (n_samples, n_code_columns + n_valued)
        Where the embeddings of codes and values of member 0 begin; -1 where it is 0 and stays so.
    """

    X: np.ndarray
    stretches: np.ndarray
    shares: np.ndarray
    places: np.ndarray


class Dropped(NamedTuple):
    """What decides which units are dropped in a step.

    Attributes
    ----------
    keys : ndarray of uint32 of shape (n_hidden_layers,)
        Give the random numbers of a layer.
    n_parts : int
        Parts in 65,536 of all units that stay; as many stand for no dropout.
    factor : float
        What units that stay are multiplied by.
    """

    keys: np.ndarray
    n_parts: int
    factor: float


class Forward(NamedTuple):
    """Memory of the way forward, of one member; where there is a first axis more, of all.

    Attributes
    ----------
    sums : ndarray of shape (2, n_columns, n_stretches, width)
        See `sknn.engine.members._passes.make_sums`.
    values : ndarray of shape (n_values,)
        Inputs of all layers, layer after layer.
    outputs : ndarray of shape (n_samples, n_outputs)
    """

    sums: np.ndarray
    values: np.ndarray
    outputs: np.ndarray


class Backward(NamedTuple):
    """What the way back needs beside, of one member; where deltas have an axis more, of all.

    Attributes
    ----------
    deltas : ndarray of shape (n_samples, n_outputs)
        Gradient of the outputs.
    space : ndarray of shape (n_numbers,)
        Room for the gradients of two layers, a matrix, and a row of zeros.
    gradient : ndarray of shape (n_parameters,)
        Written, but for the tables of codes, to which is added.
    factor : float
        What units that dropout keeps are multiplied by.
    """

    deltas: np.ndarray
    space: np.ndarray
    gradient: np.ndarray
    factor: float

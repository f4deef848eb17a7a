"""From raw output to predictions, as ONNX nodes."""

from typing import Any

import numpy as np

from sknn.export._graph import Graph
from sknn.preprocessing import quantile_steps


def add_classes(graph: Graph, codec: Any, raw: str) -> None:
    """Add the outputs of a classifier: ``label``, and ``probabilities`` or ``scores``.

    Parameters
    ----------
    graph : Graph
        Grows.
    codec : ClassCodec
        Of the classifier.
    raw : str
        Raw output of the network, of shape (n_rows, n_outputs).
    """
    kind, classes, dtype = codec.spec_.kind, codec.classes_, graph.dtype
    add_labels(graph, kind, classes, raw)
    if codec.out_activation_ == "identity":  # hinge: no probabilities
        graph.output(raw, "scores", dtype, [None, codec.spec_.n_outputs])
        return
    if len(classes) == 1:
        share = graph.add("Sub", raw, raw)
        share = graph.add("Add", share, graph.number(1.0))
    elif kind == "multiclass":
        share = graph.add("Softmax", raw, axis=1)
    else:
        both = raw
        if kind == "binary":
            both = graph.side_by_side([graph.add("Neg", raw), raw])
        share = graph.add("Sigmoid", both)
    if len(classes) > 1:
        one = np.dtype(dtype).type(1)
        least, most = np.finfo(dtype).tiny, np.nextafter(one, 0 * one)
        share = graph.add("Clip", share, graph.number(least), graph.number(most))
    graph.output(share, "probabilities", dtype, [None, len(classes)])


def add_labels(graph: Graph, kind: str, classes: np.ndarray, raw: str) -> None:
    """Add the output ``label`` for margins or logits.

    Parameters
    ----------
    graph : Graph
        Grows.
    kind : {'binary', 'multiclass', 'multilabel'}
        See `sknn._specs.TargetSpec`.
    classes : ndarray of shape (n_classes,)
        Of numbers, bool or text.
    raw : str
        Of shape (n_rows, n_outputs).

    Raises
    ------
    ValueError
        If the classes are of another type.
    """
    fires = graph.cast(graph.add("Greater", raw, graph.number(0.0)), np.int64)
    if kind == "multilabel":
        graph.output(fires, "label", np.int64, [None, len(classes)])
        return
    if kind == "multiclass":
        chosen = graph.add("ArgMax", raw, axis=1, keepdims=0)
    else:
        chosen = graph.add("Squeeze", fires, graph.constant([1]))
        if len(classes) == 1:
            chosen = graph.add("Mul", chosen, graph.constant(0))
    add_chosen(graph, classes, chosen)


def add_chosen(graph: Graph, classes: np.ndarray, chosen: str) -> None:
    """Add the output ``label`` for numbers of classes, of shape (n_rows,); see `add_labels`."""
    labels = _plain_classes(classes)
    graph.output(graph.add("Gather", graph.constant(labels), chosen), "label", labels.dtype, [None])


def _plain_classes(classes: np.ndarray) -> np.ndarray:
    """Return classes as ONNX knows them: text, whole numbers in int64, or floats."""
    if classes.dtype.kind in "biu":
        return classes.astype(np.int64)
    if classes.dtype.kind == "f":
        return classes.astype(np.float32 if classes.dtype == np.float32 else np.float64)
    if all(isinstance(label, str) for label in classes):
        return classes.astype(str)
    kinds = sorted({type(label).__name__ for label in classes})
    raise ValueError(
        f"ONNX has classes of text and of numbers, but these are of type {', '.join(kinds)} "
        f"(for instance {classes[0]!r}). Convert y to text, and fit again."
    )


def add_values(graph: Graph, codec: Any, raw: str) -> None:
    """Add the outputs of a regressor: ``variable``, and with 'gaussian_nll' ``std``.

    Parameters
    ----------
    graph : Graph
        Grows.
    codec : ValueCodec
        Of the regressor.
    raw : str
        Raw output of the network, of shape (n_rows, n_outputs).
    """
    n_columns, settings = codec.n_columns_, codec.spec_.loss_params
    shape = [None, n_columns]
    if codec.out_activation_ == "exp":
        values = _in_units(graph, graph.add("Exp", raw), 0.0, codec.scale_)
    elif codec.out_activation_ == "mean_and_softplus":
        values = graph.columns(raw, range(0, 2 * n_columns, 2))
        std = graph.softplus(graph.columns(raw, range(1, 2 * n_columns, 2)))
        std = graph.add("Add", std, graph.number(settings["min_std"]))
        std = _in_units(graph, std, 0.0, codec.scale_)
        values = _in_units(graph, values, codec.mean_, codec.scale_)
        graph.output(std, "std", graph.dtype, shape)
    elif codec.out_activation_ == "increments":
        levels = settings["quantiles"]
        columns = graph.constant([0, n_columns, len(levels)])  # 0: as many rows as there are
        values = _quantiles(graph, graph.add("Reshape", raw, columns), levels)
        values = _in_units(graph, values, codec.mean_[:, None], codec.scale_[:, None])
        shape = [None, n_columns, len(levels)]
        if n_columns == 1:
            values = graph.add("Squeeze", values, graph.constant([1]))
            del shape[1]
    else:
        values = _in_units(graph, raw, codec.mean_, codec.scale_)
    graph.output(values, "variable", graph.dtype, shape)


def _in_units(graph: Graph, values: str, mean: Any, scale: np.ndarray) -> str:
    """Return values in the units of y, computed in float64 as the estimator does."""
    if not np.any(mean) and np.all(scale == 1):
        return values
    wide = graph.cast(values, np.float64)
    wide = graph.add("Mul", wide, graph.constant(scale, np.float64))
    wide = graph.add("Add", wide, graph.constant(mean, np.float64))
    return graph.cast(wide, graph.dtype)


def _quantiles(graph: Graph, raw: str, levels: tuple[float, ...]) -> str:
    """Return quantiles by sums of steps away from the level nearest the median, as NumPy does."""
    start, steps = quantile_steps(levels)
    parts = graph.add("Mul", graph.softplus(raw), graph.constant(steps, graph.dtype))
    first = graph.add("Gather", raw, graph.constant([start]), axis=2)
    sides = []
    for order, sign in ((range(start - 1, -1, -1), -1.0), (range(start + 1, len(levels)), 1.0)):
        if not len(order):
            continue
        away = graph.add("Gather", parts, graph.constant(list(order)), axis=2)
        away = graph.add("Mul", away, graph.number(sign))
        sums = graph.add("Concat", first, away, axis=2)
        sums = graph.add("CumSum", sums, graph.constant(2))
        which = range(len(order), 0, -1) if sign < 0 else range(1, len(order) + 1)
        sides.append((sign, graph.add("Gather", sums, graph.constant(list(which)), axis=2)))
    below = [name for sign, name in sides if sign < 0]
    above = [name for sign, name in sides if sign > 0]
    return graph.add("Concat", *below, first, *above, axis=2)

"""Predictions from raw predictions, as ONNX nodes."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sknn.export._graph import OnnxGraph
from sknn.losses import OutputActivation, quantile_steps
from sknn.losses._bins import EXPECTED_BIN, find_bin_centers, find_variances
from sknn.losses._outputs import EXP, IDENTITY, INCREMENTS, LOGISTIC, MEAN_AND_SOFTPLUS
from sknn.preprocessing import ClassCodec, ValueCodec


def add_classes(graph: OnnxGraph, codec: ClassCodec, raw: str) -> None:
    """Add the outputs of a classifier: ``label``, and ``probabilities`` or ``scores``.

    Parameters
    ----------
    graph : OnnxGraph
        Grows.
    codec : ClassCodec
        Codec of the classifier.
    raw : str
        Raw predictions of the network, of shape (n_samples, n_outputs).
    """
    kind, classes, dtype = codec.spec_.kind, codec.classes_, graph.dtype
    add_labels(graph, kind, classes, raw)
    if codec.out_activation_ == "identity":  # hinge: no probabilities
        graph.add_output(raw, "scores", dtype, [None, codec.spec_.n_outputs])
        return
    if len(classes) == 1:
        # A single class has the probability 1: raw - raw + 1 has the number of samples, which a
        # constant has not.
        share = graph.add("Sub", raw, raw)
        share = graph.add("Add", share, graph.add_number(1.0))
    elif kind == "multiclass":
        share = graph.add("Softmax", raw, axis=1)
    else:
        both = raw
        if kind == "binary":
            # 1 - σ(z) = σ(-z), without losing digits where σ(z) is nearly 1.
            both = graph.concatenate([graph.add("Neg", raw), raw])
        share = graph.add("Sigmoid", both)
    if len(classes) > 1:
        one = np.dtype(dtype).type(1)
        # A probability of exactly 0 or 1 would be an infinite log loss, for a network that cannot
        # be so sure.
        least, most = np.finfo(dtype).tiny, np.nextafter(one, 0 * one)
        limits = graph.add_number(float(least)), graph.add_number(float(most))
        share = graph.add("Clip", share, *limits)
    graph.add_output(share, "probabilities", dtype, [None, len(classes)])


def add_labels(graph: OnnxGraph, kind: str, classes: np.ndarray, raw: str) -> None:
    """Add the output ``label`` for margins or logits `raw` of shape (n_samples, n_outputs)."""
    fires = graph.cast(graph.add("Greater", raw, graph.add_number(0.0)), np.int64)
    if kind == "multilabel":
        graph.add_output(fires, "label", np.int64, [None, len(classes)])
        return
    if kind == "multiclass":
        chosen = graph.add("ArgMax", raw, axis=1, keepdims=0)
    else:
        chosen = graph.add("Squeeze", fires, graph.add_constant([1]))
        if len(classes) == 1:
            chosen = graph.add("Mul", chosen, graph.add_constant(0))
    add_chosen(graph, classes, chosen)


def add_chosen(graph: OnnxGraph, classes: np.ndarray, chosen: str) -> None:
    """Add the output ``label`` for numbers of classes, of shape (n_samples,); see `add_labels`."""
    labels = _convert_classes(classes)
    graph.add_output(
        graph.add("Gather", graph.add_constant(labels), chosen), "label", labels.dtype, [None]
    )


def _convert_classes(classes: np.ndarray) -> np.ndarray:
    """Return classes as ONNX knows them: text, whole numbers in int64, or floats."""
    if classes.dtype.kind in "biu":
        if classes[-1] > np.iinfo(np.int64).max:
            raise ValueError(
                "ONNX has whole numbers of 64 bits with a sign, but class "
                f"{classes[-1]} is larger. Convert y to text, and fit again."
            )
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


def add_values(graph: OnnxGraph, codec: ValueCodec, raw: str, dtype: str) -> None:
    """Add the outputs of a regressor: ``variable``, and after it ``std`` where one is predicted.

    Parameters
    ----------
    graph : OnnxGraph
        Grows.
    codec : ValueCodec
        Codec of the regressor.
    raw : str
        Raw predictions of the network, of shape (n_samples, n_outputs).
    dtype : {'float32', 'float64'}
        Dtype of the outputs.

    Raises
    ------
    ValueError
        If the output activation is not one of `PREDICTIONS`.
    """
    # By the activation itself, as a user-defined one may bear the name of another.
    write = PREDICTIONS.get(codec.output_activation)
    if write is None:
        known = [activation.name for activation in PREDICTIONS]
        raise ValueError(
            f"The output activation {codec.output_activation.name!r} of the loss has no "
            f"counterpart in ONNX; expected one of {known} of sknn.losses. Fit with a loss that "
            "has one of these."
        )
    n_columns = codec.n_columns_
    n_raw = codec.spec_.n_outputs // n_columns
    shape = graph.add_constant([0, n_columns, n_raw])  # 0: as many samples as there are
    values = write(graph, graph.add("Reshape", raw, shape), codec.spec_.loss_params)
    if codec.offsets_ is not None:
        values = _shift_quantiles(graph, values, codec.offsets_)
    mean = codec.mean_ if codec.shifts else np.zeros(n_columns)
    if not codec.has_std:
        values = _scale_back(graph, values, mean, codec.scale_)
        _add_output(graph, values, "variable", (n_columns, n_raw), dtype)
        return
    location, std = (graph.add("Gather", values, graph.add_constant([k]), axis=2) for k in (0, 1))
    location = _scale_back(graph, location, mean, codec.scale_)
    _add_output(graph, location, "variable", (n_columns, 1), dtype)
    std = _scale_back(graph, std, np.zeros(n_columns), codec.scale_)
    _add_output(graph, std, "std", (n_columns, 1), dtype)


def _add_output(
    graph: OnnxGraph, values: str, name: str, sizes: tuple[int, int], dtype: str
) -> None:
    """Add an output of values of shape (n_samples, n_columns, n_levels) without an axis of one."""
    n_columns, n_levels = sizes
    shape = [None, n_columns, n_levels]
    axis = 2 if n_levels == 1 else 1
    if shape[axis] == 1:
        values = graph.add("Squeeze", values, graph.add_constant([axis]))
        del shape[axis]
    graph.add_output(graph.cast(values, dtype), name, dtype, shape)


def _scale_back(graph: OnnxGraph, values: str, mean: np.ndarray, scale: np.ndarray) -> str:
    """Return values in the units of y, computed in float64 as the estimator does."""
    if not np.any(mean) and np.all(scale == 1):
        return values
    # In float64 as NumPy does: a mean that is large beside the deviation would take digits of
    # float32.
    wide = graph.cast(values, np.float64)
    wide = graph.add("Mul", wide, graph.add_constant(scale[:, None], np.float64))
    return graph.add("Add", wide, graph.add_constant(mean[:, None], np.float64))


def _shift_quantiles(graph: OnnxGraph, values: str, offsets: np.ndarray) -> str:
    """Return calibrated quantiles: each shifted, and none below the one before it."""
    shifted = graph.add("Add", values, graph.add_number(offsets))
    levels = [
        graph.add("Gather", shifted, graph.add_constant([k]), axis=2)
        for k in range(offsets.shape[1])
    ]
    # A running maximum, as `ValueCodec` takes it; ONNX has none in one node.
    for k in range(1, len(levels)):
        levels[k] = graph.add("Max", levels[k - 1], levels[k])
    return levels[0] if len(levels) == 1 else graph.add("Concat", *levels, axis=2)


def _add_mean_and_std(graph: OnnxGraph, raw: str, settings: Mapping[str, float]) -> str:
    mean, std = (graph.add("Gather", raw, graph.add_constant([k]), axis=2) for k in (0, 1))
    std = graph.add("Add", graph.add_softplus(std), graph.add_number(settings["min_std"]))
    return graph.add("Concat", mean, std, axis=2)


def _add_moments_of_bins(graph: OnnxGraph, raw: str, settings: Mapping[str, int]) -> str:
    """Return mean and standard deviation of a distribution over bins."""

    def average(values: str) -> str:
        return graph.add("ReduceSum", graph.add("Mul", p, values), graph.add_constant([2]))

    p = graph.add("Softmax", raw, axis=2)
    centers = graph.add_constant(find_bin_centers(settings["n_bins"]), graph.dtype)
    mean = average(centers)
    difference = graph.add("Sub", centers, mean)
    variance = average(graph.add("Mul", difference, difference))
    of_label, least = map(graph.add_number, find_variances(settings["n_bins"]))
    std = graph.add("Sqrt", graph.add("Max", graph.add("Sub", variance, of_label), least))
    mean = graph.add("Clip", mean, graph.add_number(0.0), graph.add_number(1.0))
    return graph.add("Concat", mean, std, axis=2)


def _add_quantiles(graph: OnnxGraph, raw: str, settings: Mapping[str, tuple[float, ...]]) -> str:
    """Return sums of steps away from the level nearest the median, as NumPy does."""
    levels = settings["quantiles"]
    if len(levels) == 1:  # the increments of one level are none
        return raw
    start, steps = quantile_steps(levels)
    parts = graph.add("Mul", graph.add_softplus(raw), graph.add_constant(steps, graph.dtype))
    first = graph.add("Gather", raw, graph.add_constant([start]), axis=2)
    sides = []
    for order, sign in ((range(start - 1, -1, -1), -1.0), (range(start + 1, len(levels)), 1.0)):
        if not len(order):
            continue
        away = graph.add("Gather", parts, graph.add_constant(list(order)), axis=2)
        away = graph.add("Mul", away, graph.add_number(sign))
        sums = graph.add("Concat", first, away, axis=2)
        sums = graph.add("CumSum", sums, graph.add_constant(2))
        which = range(len(order), 0, -1) if sign < 0 else range(1, len(order) + 1)
        sides.append((sign, graph.add("Gather", sums, graph.add_constant(list(which)), axis=2)))
    below = [name for sign, name in sides if sign < 0]
    above = [name for sign, name in sides if sign > 0]
    return graph.add("Concat", *below, first, *above, axis=2)


#: output activation -> function that writes predictions of encoded y, of shape (n_samples,
#: n_columns, n_predictions), for raw ones of shape (n_samples, n_columns, n_raw)
PREDICTIONS: dict[OutputActivation, Callable[[OnnxGraph, str, Mapping[str, Any]], str]] = {
    IDENTITY: lambda graph, raw, settings: raw,
    EXP: lambda graph, raw, settings: graph.add("Exp", raw),
    LOGISTIC: lambda graph, raw, settings: graph.add("Sigmoid", raw),
    INCREMENTS: _add_quantiles,
    MEAN_AND_SOFTPLUS: _add_mean_and_std,
    EXPECTED_BIN: _add_moments_of_bins,
}

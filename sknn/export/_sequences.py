"""`SequenceCNN` as ONNX nodes, from encoded sequences to raw predictions.

Values have the shape (n_samples, n_windows, n_filters). Convolutions are products of windows and
filters, as ONNX Runtime has convolutions in float32 alone.
"""

import copy

import numpy as np
import torch
from torch import nn

from sknn.architectures import SequenceCNN
from sknn.architectures.layers._members import MemberLinear
from sknn.architectures.layers._windows import STRAIGHT_FROM
from sknn.export._graph import OnnxGraph
from sknn.export._layers import add_batch_norm, add_linear
from sknn.preprocessing import SequenceInputs

#: values at the windows of a strand, and which of these see no padding (None: all), by their names
Strand = tuple[str, str | None]


def add_sequences(graph: OnnxGraph, encoder: SequenceInputs, value: str | None = None) -> str:
    """Return sequences of shape (n_samples, length, n_channels); without `value`, of an input."""
    length, n_channels = encoder.spec_.n_positions, encoder.spec_.n_numeric
    sizes = (length,) if encoder.kind_ == "numbers" else (length, n_channels)
    value = graph.add_input("X", graph.dtype, *sizes) if value is None else value
    return _reshape(graph, value, length, n_channels)


def add_sequence_network(graph: OnnxGraph, module: SequenceCNN, value: str) -> str:
    """Append a network as it computes when training is over, and return its raw prediction."""
    module = copy.deepcopy(module).to("cpu", getattr(torch, graph.dtype)).eval()
    with torch.no_grad():
        valid = None if module.n_channels == 1 else _find_valid(graph, module, value)
        pooled = []
        for i in range(module.bank.n_strands):
            strand = _scan(graph, module, value, valid, i), valid
            pooled.append(_pool(graph, module, _convolve(graph, module, strand, i), i))
        hidden = pooled[0] if len(pooled) == 1 else graph.add("Max", *pooled)
        return _add_head(graph, module, hidden)


def _add_head(graph: OnnxGraph, module: SequenceCNN, hidden: str) -> str:
    """Return raw predictions, the mean of all members', for what pooling hands on."""
    k = module.options.n_members
    if k > 1:  # (n_samples, n_members, 1, n_pooled / n_members)
        n_parts = 2 if module.pooling == "maxmean" else 1
        hidden = _reshape(graph, hidden, n_parts, k, -1)
        hidden = graph.add("Transpose", hidden, perm=[0, 2, 1, 3])
        hidden = _reshape(graph, hidden, k, 1, module.linears[0].weight.shape[1])
    for i, layer in enumerate(module.linears):
        hidden = graph.add("Relu", hidden) if i else hidden
        if isinstance(layer, MemberLinear):
            hidden = graph.add("MatMul", hidden, _add(graph, layer.weight))
            hidden = graph.add("Add", hidden, _add(graph, layer.bias))
        else:
            hidden = add_linear(graph, layer, hidden)
    if k == 1:
        return hidden
    hidden = _reduce(graph, "Mean", hidden, 1)
    return _reduce(graph, "Max", hidden, 1)  # of one


def _find_valid(graph: OnnxGraph, module: SequenceCNN, value: str) -> str:
    """Return which windows see no padding, see `find_valid_windows`."""
    zero, first = graph.add_number(0.0), graph.add_constant(1)
    real = graph.add("Greater", _reduce(graph, "Max", graph.add("Abs", value), 2), zero)
    real = graph.cast(real, graph.dtype)
    # the letters up to a position and those from it on: neither count is 0 between the first
    # letter and the last, where an unknown letter (a row of zeros) is no padding
    sides = [graph.add("CumSum", real, first, reverse=reverse) for reverse in (0, 1)]
    inside = graph.cast(graph.add("Greater", graph.add("Mul", *sides), zero), graph.dtype)
    _, kernel_size, _ = module.bank.weight.shape
    seen = _reduce(graph, "Sum", _take_windows(graph, inside, module.length, kernel_size), 2)
    total = _reduce(graph, "Sum", inside, 1, keepdims=1)
    least = graph.add("Min", total, graph.add_number(float(kernel_size)))
    return graph.add("GreaterOrEqual", seen, least)


def _scan(graph: OnnxGraph, module: SequenceCNN, value: str, valid: str | None, i: int) -> str:
    """Return the value of each filter at each window of strand `i`."""
    bank = module.bank
    filters, shift = bank.get_strand(i)
    n_filters, kernel_size, n_channels = filters.shape
    windows = _take_windows(graph, value, module.length, kernel_size)
    n_windows = module.length - kernel_size + 1
    windows = _reshape(graph, windows, n_windows, kernel_size * n_channels)
    products = graph.add("MatMul", windows, _add(graph, filters.reshape(n_filters, -1).t()))
    if bank.position_bias is None or not bank.is_mirrored or valid is None:
        return graph.add("Add", products, _add(graph, shift))
    # the bias of a position counts valid windows only, so that padding doesn't move it: from the
    # left on strand 0, from the right on strand 1, which is read backwards; 0 is the first
    counts = graph.add("CumSum", graph.cast(valid, graph.dtype), graph.add_constant(1), reverse=i)
    places = graph.add("Sub", counts, graph.add_number(1.0))
    places = graph.cast(graph.add("Max", places, graph.add_number(0.0)), np.int64)
    of_places = _add(graph, bank.bias + bank.position_bias[0])
    return graph.add("Add", products, graph.add("Gather", of_places, places, axis=0))


def _convolve(graph: OnnxGraph, module: SequenceCNN, strand: Strand, i: int) -> Strand:
    """Return what the activation, and the layers after the first, make of a strand."""
    values, valid = strand
    n_windows = module.length - module.options.kernel_size + 1
    if module.convs or isinstance(module.pooling, int):  # the order of the windows matters
        if i == 1:
            values = _flip(graph, values, n_windows)
            valid = None if valid is None else _flip(graph, valid, n_windows)
        if module.options.same_on_strands and valid is not None:
            values, valid = _align_left(graph, values, valid, n_windows)
    values = _normalize(graph, module, 0, values)
    values = _activate(graph, module, values)
    for j, conv in enumerate(module.convs):
        values, valid, n_windows = _pool_locally(graph, values, valid, n_windows, 2)
        values = _add_later_layer(graph, conv, values, n_windows)
        values = graph.add("Relu", _normalize(graph, module, j + 1, values))
    return values, valid


def _normalize(graph: OnnxGraph, module: SequenceCNN, layer: int, values: str) -> str:
    return add_batch_norm(graph, module.norms[layer], values) or values if module.norms else values


def _activate(graph: OnnxGraph, module: SequenceCNN, values: str) -> str:
    """Return what the first activation makes of values."""
    name = module.options.first_activation
    if name == "linear":
        return values
    if name == "relu":
        return graph.add("Relu", values)
    # exp(v) up to a limit c, and beyond it the tangent there, exp(c) (1 + v - c):
    # exp(min(v, c)) (1 + max(v - c, 0)) is both
    limit, one = graph.add_number(STRAIGHT_FROM), graph.add_number(1.0)
    beyond = graph.add("Relu", graph.add("Sub", values, limit))
    curve = graph.add("Exp", graph.add("Min", values, limit))
    return graph.add("Mul", curve, graph.add("Add", beyond, one))


def _add_later_layer(graph: OnnxGraph, conv: nn.Conv1d, values: str, n_windows: int) -> str:
    """Return a convolution of values, with as many zeros at both ends as it needs."""
    (kernel_size,), half = conv.kernel_size, conv.kernel_size[0] // 2
    pads = graph.add_constant([0, half, 0, 0, half, 0], np.int64)
    values = graph.add("Pad", values, pads, graph.add_number(0.0))
    windows = _take_windows(graph, values, n_windows + 2 * half, kernel_size)
    windows = _reshape(graph, windows, n_windows, kernel_size * conv.in_channels)
    weight = conv.weight
    if conv.groups > 1:  # 0 for the filters of other members
        weight = weight.new_zeros(conv.out_channels, conv.in_channels, kernel_size)
        n = conv.out_channels // conv.groups
        for i in range(0, conv.out_channels, n):
            weight[i : i + n, i : i + n] = conv.weight[i : i + n]
    filters = weight.permute(2, 1, 0).reshape(-1, conv.out_channels)
    products = graph.add("MatMul", windows, _add(graph, filters))
    return products if conv.bias is None else graph.add("Add", products, _add(graph, conv.bias))


def _pool(graph: OnnxGraph, module: SequenceCNN, strand: Strand, i: int) -> str:
    """Return what pooling makes of strand `i`, of shape (n_samples, n_pooled)."""
    values, valid = strand
    if isinstance(module.pooling, int):
        n_windows = module.length - module.options.kernel_size + 1
        for _ in module.convs:
            n_windows = -(-n_windows // 2)
        values, _, n = _pool_locally(graph, values, valid, n_windows, module.pooling)
        if i == 1 and not module.options.same_on_strands:
            values = _flip(graph, values, n)
        values = graph.add("Transpose", values, perm=[0, 2, 1])
        return _reshape(graph, values, n * module.options.n_filters)
    parts = []
    if module.pooling != "mean":
        parts.append(_reduce(graph, "Max", _hide(graph, values, valid, -np.inf), 1))
    if module.pooling == "max":
        return parts[0]
    if valid is None:
        parts.append(_reduce(graph, "Mean", values, 1))
    else:
        total = _reduce(graph, "Sum", _hide(graph, values, valid, 0.0), 1)
        count = _reduce(graph, "Sum", graph.cast(valid, graph.dtype), 1, keepdims=1)
        parts.append(graph.add("Div", total, count))
    return graph.concatenate(parts)


def _pool_locally(
    graph: OnnxGraph, values: str, valid: str | None, n_windows: int, size: int
) -> tuple[str, str | None, int]:
    """Return the largest value of each stretch, see `pool_locally`, and how many there are."""
    n = -(-n_windows // size)
    # The last window again, where the last stretch is shorter: it changes no maximum.
    places = np.minimum(np.arange(n * size), n_windows - 1).reshape(n, size)
    hidden = _hide(graph, values, valid, -np.inf)
    pooled = _reduce(graph, "Max", _take(graph, hidden, places), 2)
    if valid is None:
        return pooled, None, n
    left = _reduce(graph, "Max", _take(graph, graph.cast(valid, graph.dtype), places), 2)
    left = graph.add("Greater", left, graph.add_number(0.0))
    return _hide(graph, pooled, left, 0.0), left, n


def _align_left(graph: OnnxGraph, values: str, valid: str, n_windows: int) -> tuple[str, str]:
    """Return values, and which are valid, the valid ones first, see `align_left`."""
    numbers = graph.cast(valid, graph.dtype)
    first = graph.add("ArgMax", numbers, axis=1, keepdims=1)
    places = graph.add("Add", first, graph.add_constant(np.arange(n_windows)[None]))
    places = graph.add("Min", places, graph.add_constant(n_windows - 1))
    places = graph.add("Unsqueeze", places, graph.add_constant([2]))
    order = graph.add_number(np.arange(n_windows)[None])
    valid = graph.add("Less", order, _reduce(graph, "Sum", numbers, 1, keepdims=1))
    return graph.add("GatherND", values, places, batch_dims=1), valid


def _hide(graph: OnnxGraph, values: str, valid: str | None, replacement: float) -> str:
    """Return values with a replacement where a window is not valid."""
    if valid is None:
        return values
    valid = graph.add("Unsqueeze", valid, graph.add_constant([2]))
    return graph.add("Where", valid, values, graph.add_number(replacement))


def _take_windows(graph: OnnxGraph, value: str, length: int, size: int) -> str:
    """Return all windows of `size` positions along axis 1, whose positions become axis 2."""
    starts = np.arange(length - size + 1)
    return _take(graph, value, starts[:, None] + np.arange(size))


def _flip(graph: OnnxGraph, value: str, n: int) -> str:
    return _take(graph, value, np.arange(n)[::-1])


def _take(graph: OnnxGraph, value: str, places: np.ndarray) -> str:
    """Return entries along axis 1."""
    return graph.add("Gather", value, graph.add_constant(places, np.int64), axis=1)


def _reshape(graph: OnnxGraph, value: str, *sizes: int) -> str:
    """Return as many samples as there are, of other sizes."""
    return graph.add("Reshape", value, graph.add_constant([0, *sizes], np.int64))


def _reduce(graph: OnnxGraph, kind: str, value: str, axis: int, keepdims: int = 0) -> str:
    """Return sum, maximum or mean over an axis, which only in older versions is an attribute."""
    if kind != "Sum" and graph.opset < 18:
        return graph.add(f"Reduce{kind}", value, axes=[axis], keepdims=keepdims)
    axes = graph.add_constant([axis], np.int64)
    return graph.add(f"Reduce{kind}", value, axes, keepdims=keepdims)


def _add(graph: OnnxGraph, tensor: torch.Tensor) -> str:
    return graph.add_constant(tensor.detach().numpy())

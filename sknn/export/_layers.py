"""Torch modules as ONNX nodes."""

import copy
import importlib
import inspect
import io
import warnings
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from sknn._specs import InputSpec
from sknn.activations import SELU_ALPHA, SELU_SCALE
from sknn.architectures import MLP
from sknn.architectures.layers._blocks import BatchNorm
from sknn.architectures.layers._dropout import Dropout
from sknn.architectures.layers._embeddings import CategoryEmbeddings
from sknn.architectures.layers._tied import TiedLinear
from sknn.export._graph import OnnxGraph

if TYPE_CHECKING:
    from onnx import ModelProto

#: modules that leave values as they are, once training is over
NOTHING = (nn.Identity, Dropout, nn.Dropout, nn.AlphaDropout, nn.FeatureAlphaDropout)


def add_network(graph: OnnxGraph, module: nn.Module, value: str, inputs: InputSpec) -> str:
    """Append a network as it computes when training is over, and return its raw prediction.

    What cannot be written out here is left to torch's own exporter. The module stays as it is.
    """
    # A copy: the exporter needs it on the CPU, in the graph's dtype and in evaluation mode, and the
    # user's network stays as it is.
    module = copy.deepcopy(module).to("cpu", getattr(torch, graph.dtype)).eval()
    n_numeric = inputs.n_numeric * (inputs.length or 1)
    samples = np.zeros((3, n_numeric + len(inputs.cardinalities)), graph.dtype)
    samples[:, :n_numeric] = np.random.RandomState(0).normal(size=(3, n_numeric))
    with torch.no_grad():
        return _add(graph, module, value, torch.from_numpy(samples))


def _add(graph: OnnxGraph, module: nn.Module, value: str, samples: torch.Tensor) -> str:
    """Append a module; `samples` are an example of its input."""
    if _has_hooks(module):
        return _add_by_torch(graph, module, value, samples)
    if type(module) in NOTHING:
        return value
    if type(module) is MLP:
        return _add_mlp(graph, module, value)
    if type(module) is nn.Sequential:
        for part in module:
            value, samples = _add(graph, part, value, samples), part(samples)
        return value
    write = WRITERS.get(type(module))
    written = None if write is None else write(graph, module, value)
    return _add_by_torch(graph, module, value, samples) if written is None else written


def _has_hooks(module: nn.Module) -> bool:
    """Return whether a call does more than ``forward``."""
    return bool(module._forward_hooks or module._forward_pre_hooks)


def _add_mlp(graph: OnnxGraph, mlp: MLP, value: str) -> str:
    if mlp.embeddings is not None:
        value = _add_embeddings(graph, mlp.embeddings, value)
    *hidden, last = mlp.linears
    before, dtype = value, last.weight.dtype
    for i, layer in enumerate(hidden):
        value = add_linear(graph, layer, value)
        samples = torch.linspace(-2, 2, 3 * layer.out_features, dtype=dtype).reshape(3, -1)
        if mlp.norms:
            value = _add(graph, mlp.norms[i], value, samples)
        value = _add(graph, mlp.activations[i], value, samples)
        if mlp.skips[i]:
            value = graph.add("Add", value, before)
        before = value
    return add_linear(graph, last, value)


def _add_embeddings(graph: OnnxGraph, embeddings: CategoryEmbeddings, value: str) -> str:
    n_numeric = embeddings.n_numeric
    parts = [graph.take_columns(value, range(n_numeric))] if n_numeric else []
    codes = graph.cast(value, np.int64)
    for i, table in enumerate(embeddings.tables):
        code = graph.add("Gather", codes, graph.add_constant(n_numeric + i, np.int64), axis=1)
        parts.append(graph.add("Gather", _add_tensor(graph, table.weight), code, axis=0))
    return graph.concatenate(parts)


def _add_tensor(graph: OnnxGraph, tensor: torch.Tensor) -> str:
    return graph.add_constant(tensor.detach().cpu().numpy())


def add_linear(graph: OnnxGraph, layer: nn.Linear | TiedLinear, value: str) -> str:
    """Append a linear layer, and return its output."""
    arguments = [value, _add_tensor(graph, layer.weight)]
    if layer.bias is not None:
        arguments.append(_add_tensor(graph, layer.bias))
    return graph.add("Gemm", *arguments, transB=1)


def add_batch_norm(graph: OnnxGraph, norm: nn.BatchNorm1d, value: str) -> str | None:
    """Append a batch normalization of the last axis; return None if torch shall write it."""
    if norm.running_mean is None or norm.running_var is None or norm.weight is None:
        return None
    # γ (x - μ) / sqrt(σ² + ε) + β is one multiplication and one addition, x s + t with
    # s = γ / sqrt(σ² + ε) and t = β - μ s, which lose fewer digits when taken in float64.
    with torch.no_grad():
        scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
        shift = norm.bias.double() - norm.running_mean.double() * scale
    scaled = graph.add("Mul", value, _add_tensor(graph, scale.to(norm.weight.dtype)))
    return graph.add("Add", scaled, _add_tensor(graph, shift.to(norm.weight.dtype)))


def _add_layer_norm(graph: OnnxGraph, norm: nn.LayerNorm, value: str) -> str | None:
    if norm.weight is None or norm.bias is None or len(norm.normalized_shape) > 1:
        return None
    weights = _add_tensor(graph, norm.weight), _add_tensor(graph, norm.bias)
    return graph.add("LayerNormalization", value, *weights, axis=-1, epsilon=norm.eps)


def _make_unary(operator: str) -> Callable:
    return lambda graph, module, value: graph.add(operator, value)


def _add_exponential(graph: OnnxGraph, value: str, alpha: float) -> str:
    """Return t above 0 and ``alpha * (exp(t) - 1)`` below."""
    # ONNX has this in one node, but with an alpha in float32.
    zero = graph.add_number(0.0)
    # max(t, 0) + α (exp(min(t, 0)) - 1): each half is 0 where the other one holds, so that no large
    # t is ever exponentiated.
    below = graph.add("Exp", graph.add("Min", value, zero))
    below = graph.add("Sub", below, graph.add_number(1.0))
    below = graph.add("Mul", below, graph.add_number(alpha))
    return graph.add("Add", graph.add("Max", value, zero), below)


def _add_elu(graph: OnnxGraph, module: nn.ELU, value: str) -> str:
    return _add_exponential(graph, value, module.alpha)


def _add_selu(graph: OnnxGraph, module: nn.SELU, value: str) -> str:
    curve = _add_exponential(graph, value, SELU_ALPHA)
    return graph.add("Mul", curve, graph.add_number(SELU_SCALE))


def _add_leaky_relu(graph: OnnxGraph, module: nn.LeakyReLU, value: str) -> str:
    zero = graph.add_number(0.0)
    slope = graph.add_number(module.negative_slope)
    below = graph.add("Mul", graph.add("Min", value, zero), slope)
    return graph.add("Add", graph.add("Max", value, zero), below)


def _add_silu(graph: OnnxGraph, module: nn.SiLU, value: str) -> str:
    # Not t times Sigmoid, which ONNX Runtime 1.20 makes one node of that has no float64.
    growth = graph.add("Add", graph.add("Exp", graph.add("Neg", value)), graph.add_number(1.0))
    return graph.add("Div", value, growth)


def _add_softplus(graph: OnnxGraph, module: nn.Softplus, value: str) -> str | None:
    return graph.add_softplus(value) if module.beta == 1 else None


def _add_gelu(graph: OnnxGraph, module: nn.GELU, value: str) -> str | None:
    if module.approximate != "none":
        return None
    # t Φ(t), and Φ(t) = (1 + erf(t / sqrt 2)) / 2
    scaled = graph.add("Mul", value, graph.add_number(np.sqrt(0.5)))
    share = graph.add("Add", graph.add_erf(scaled), graph.add_number(1.0))
    half = graph.add("Mul", value, graph.add_number(0.5))
    return graph.add("Mul", half, share)


#: class of a module -> function that writes one, or returns None if torch shall
WRITERS: dict[type, Callable[[OnnxGraph, Any, str], str | None]] = {
    nn.Linear: add_linear,
    nn.BatchNorm1d: add_batch_norm,
    BatchNorm: add_batch_norm,
    nn.LayerNorm: _add_layer_norm,
    nn.ReLU: _make_unary("Relu"),
    nn.Tanh: _make_unary("Tanh"),
    nn.Sigmoid: _make_unary("Sigmoid"),
    nn.ELU: _add_elu,
    nn.SELU: _add_selu,
    nn.LeakyReLU: _add_leaky_relu,
    nn.SiLU: _add_silu,
    nn.Softplus: _add_softplus,
    nn.GELU: _add_gelu,
}


def _add_by_torch(graph: OnnxGraph, module: nn.Module, value: str, samples: torch.Tensor) -> str:
    """Append a module as torch's exporter writes it."""
    name, file = type(module).__name__, io.BytesIO()
    export: Callable[..., torch.onnx.ONNXProgram | None] = torch.onnx.export
    if "dynamo" in inspect.signature(export).parameters:  # since torch 2.5
        export = partial(export, dynamo=False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            export(
                module,
                (samples[:2],),
                file,
                opset_version=graph.opset,
                input_names=["samples"],
                output_names=["result"],
                dynamic_axes={"samples": {0: "n_samples"}, "result": {0: "n_samples"}},
            )
    except Exception as error:  # the exporter raises errors of many kinds
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ValueError(
            f"The network cannot be exported: torch has no ONNX for {name!r} ({reason}). Build it "
            "of layers and functions that torch.onnx.export knows, and fit again."
        ) from error
    part = graph.onnx.load_model_from_string(file.getvalue())
    _check_result(part, module, samples)
    # A shape with -1 in it has no meaning for 0 samples, so that a sample of zeros goes along.
    extra = graph.add_number(np.zeros((1, samples.shape[1])))
    result = graph.insert(part, graph.add("Concat", value, extra, axis=0))
    return graph.add("Slice", result, *(graph.add_constant([end]) for end in (0, -1, 0)))


def _check_result(part: "ModelProto", module: nn.Module, samples: torch.Tensor) -> None:
    """Raise ValueError unless ONNX computes what a module does, also for more samples."""
    reference = importlib.import_module("onnx.reference").ReferenceEvaluator(part)
    expected = module(samples).numpy()
    try:
        (result,) = reference.run(None, {"samples": samples.numpy()})
        same = result.shape == expected.shape and np.allclose(
            result, expected, rtol=1e-4, atol=1e-5
        )
    except Exception:  # shapes that do not fit together, for instance
        same = False
    if not same:
        raise ValueError(
            f"The network cannot be exported: in ONNX {type(module).__name__!r} gives other values "
            "than in torch for three samples after it was recorded for two. Its forward must not "
            "turn tensors or their shapes into numbers of Python, nor branch on them."
        )

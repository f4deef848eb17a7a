"""Forward and backward pass of a plain MLP written out by hand: no autograd, no allocation.

The mathematics is that of the autograd path, to which tests hold it equal. With a_0 = X of shape
(n_samples, n_features), weights W_i (n_outputs, n_inputs), hidden layers
a_i = f_i(a_{i-1} W_i^T + b_i) of shape (n_samples, n_units), raw predictions z of shape
(n_samples, n_outputs) and the gradient g of the loss per sample by z,

    d_L = weight * g(z, y),    d_{i-1} = (d_i W_i) * f_{i-1}'(a_{i-1}),
    dW_i = d_i^T a_{i-1},      db_i = sum of d_i over samples.

For a loss with a canonical link, g(z, y) is the inverse link of z, minus y. The slope f' is
computed from the value a = f(z), which has overwritten z: 1 - a² for tanh, a (1 - a) for logistic.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from scipy import sparse

from sknn.activations import LEAKY_SLOPE, SELU_ALPHA, SELU_SCALE
from sknn.architectures import is_corrupted_mlp, is_mlp, list_parameters
from sknn.engine.data._sparse import SparseBatch
from sknn.engine.net._net import Net
from sknn.engine.optimizers._flat_parameters import Flat

Tensor = torch.Tensor
WriteGradient = Callable[[Tensor, Tensor, Tensor], object]
aten = torch.ops.aten


@dataclass(frozen=True)
class InPlace:
    """An activation that overwrites z by a = f(z), and d by d * f'(z), computed from a.

    Attributes
    ----------
    value : callable
        Function ``value(z)`` that overwrites z.
    backward : callable
        Function ``backward(d, a)`` that overwrites d.
    """

    value: Callable[[Tensor], Tensor]
    backward: Callable[[Tensor, Tensor], Tensor]


def _make_elu(alpha: float, scale: float) -> InPlace:
    def backward(d: Tensor, a: Tensor) -> Tensor:
        return aten.elu_backward.grad_input(
            d, alpha, scale, 1, is_result=True, self_or_result=a, grad_input=d
        )

    return InPlace(lambda z: aten.elu_(z, alpha, scale, 1), backward)


#: activations whose slope follows from their value, such as a (1 - a) for the logistic one; the
#: others go through autograd
IN_PLACE: dict[str, InPlace] = {
    "identity": InPlace(lambda z: z, lambda d, a: d),
    "relu": InPlace(
        torch.relu_, lambda d, a: aten.threshold_backward.grad_input(d, a, 0, grad_input=d)
    ),
    "tanh": InPlace(torch.tanh_, lambda d, a: aten.tanh_backward.grad_input(d, a, grad_input=d)),
    "logistic": InPlace(
        torch.sigmoid_, lambda d, a: aten.sigmoid_backward.grad_input(d, a, grad_input=d)
    ),
    "leaky_relu": InPlace(
        lambda z: aten.leaky_relu_(z, LEAKY_SLOPE),
        lambda d, a: aten.leaky_relu_backward.grad_input(
            d, a, LEAKY_SLOPE, self_is_result=True, grad_input=d
        ),
    ),
    "elu": _make_elu(1.0, 1.0),
    "selu": _make_elu(SELU_ALPHA, SELU_SCALE),
}


def supports_module(
    net: Net, compiled: Callable | None = None, *, corrupts: bool = False
) -> str | None:
    """Return why `MLPPass` cannot do what the module of a net does; None if it can.

    `corrupts` is whether the caller corrupts samples as a denoising autoencoder does.
    """
    module = net.module_
    if not (is_mlp(module) or (corrupts and is_corrupted_mlp(module))):
        return f"the network is a {type(module).__name__}, not a plain MLP"
    if not module.is_plain:
        return "the network has layers beside weights, biases and activations"
    unknown = sorted(set(module.activation_names) - set(IN_PLACE))
    if unknown:
        return f"no derivative is written out for activation={unknown[0]!r}"
    if net.loss.write_gradient is None:
        return "no gradient is written out for the loss"
    if net.precision == "bfloat16":
        return "dtype='bfloat16' needs autocast"
    if compiled is not None:
        return "compile=True"
    if not all(p.requires_grad for p in list_parameters(module)):
        return "some parameters are frozen"
    return None


def allocate_columns(n_samples: int, n_columns: int, like: Tensor) -> Tensor:
    """Return memory for a matrix (n_samples, n_columns) that lies column by column."""
    # Outputs, their deltas and the targets lie so: a product with the few columns of an output
    # layer takes half the time, and a softmax over few classes a tenth.
    return like.new_empty(n_columns, n_samples).t()


@dataclass(frozen=True)
class Buffers:
    """Memory for one mini-batch: values of the hidden layers, and deltas of all layers."""

    values: list[Tensor]
    deltas: list[Tensor]
    transposed: list[Tensor]
    ones: Tensor

    @classmethod
    def allocate(cls, n_samples: int, widths: list[int], like: Tensor) -> "Buffers":
        """Return buffers for layers of these widths, the outputs last."""
        values = [like.new_empty(n_samples, width) for width in widths[:-1]]
        deltas = [like.new_empty(n_samples, width) for width in widths[:-1]]
        deltas.append(allocate_columns(n_samples, widths[-1], like))
        return cls(values, deltas, [delta.t() for delta in deltas], like.new_ones(n_samples))


@dataclass(frozen=True)
class UpdateCoefficients:
    """Coefficients of a layer's result ``weight_decay * base + scale * d_i^T a``.

    Attributes
    ----------
    weight_decay, bias_decay : float
        Factor of the weights and of the biases that were there.
    scale : float
        Factor of the gradient, which is summed over samples.
    """

    weight_decay: float
    bias_decay: float
    scale: float


def list_turned(net: Net, is_sparse: bool) -> list[torch.nn.Parameter]:
    """Return the weights of a plain MLP that lie column by column in the vector of all."""
    layers = list(net.module_.linears)
    # BLAS is up to twice as fast where the longer side of a small matrix lies in one piece.
    turned = [layer.weight for layer in layers if layer.in_features < layer.out_features]
    return [*turned, layers[0].weight] if is_sparse else turned


class MLPPass:
    """Forward and backward pass of the MLP of a net, one mini-batch after the other.

    Parameters
    ----------
    net : Net
        Net whose module `supports_module` accepts.
    is_sparse : bool
        Whether batches are `SparseBatch`; then the first layer's weights lie column by column.

    Attributes
    ----------
    flat : Flat
        Parameters and gradient of the module, until it is closed.
    weight_bases, weight_targets, bias_targets : list of Tensor
        Matrices of each layer to which `UpdateCoefficients` apply, and tensors that take the
        results: at first the weights themselves, and the gradient. A caller may replace them.
    """

    def __init__(self, net: Net, is_sparse: bool):
        layers = list(net.module_.linears)
        self.is_sparse = is_sparse
        self.per_sample = net.loss.per_sample
        self.write_gradient = cast("WriteGradient", net.loss.write_gradient)
        self.activations = [IN_PLACE[name] for name in net.module_.activation_names]
        turned = list_turned(net, is_sparse)
        self.flat = Flat(list_parameters(net.module_), net.optimizer_, turned)
        self.widths = [layer.out_features for layer in layers]
        self.weights = [layer.weight.data for layer in layers]
        self.biases = [layer.bias.data for layer in layers]
        self.weights_t = [weight.t() for weight in self.weights]
        # So one product with BLAS is a gradient, or a whole step of SGD: with base the weights,
        # weight_decay = 1 - η α and scale = -η the result is w - η (g + α w).
        self.weight_bases = self.weights
        self.weight_targets = [self.flat.get_gradient(layer.weight) for layer in layers]
        self.bias_targets = [self.flat.get_gradient(layer.bias) for layer in layers]
        self.buffers: dict[int, Buffers] = {}

    def allocate_output(self, n_samples: int) -> Tensor:
        """Return memory for raw predictions, of shape (n_samples, n_outputs)."""
        return allocate_columns(n_samples, self.widths[-1], self.flat.values)

    def encode_targets(self, y: Tensor) -> Tensor:
        """Return encoded targets (n_samples, n_columns), column by column; classes are one-hot."""
        if y.ndim > 1:
            n_samples, n_columns = y.shape
            return allocate_columns(n_samples, n_columns, self.flat.values).copy_(y)
        return self.allocate_output(len(y)).zero_().scatter_(1, y[:, None], 1)

    def split(
        self, X: Tensor | sparse.csr_array | sparse.csr_matrix, batch_size: int
    ) -> list[Tensor | SparseBatch]:
        """Return consecutive batches of a dense or CSR X."""
        if not self.is_sparse:
            return list(X.split(batch_size))
        starts, device = range(0, X.shape[0], batch_size), str(self.flat.values.device)
        parts = [X[i : i + batch_size] for i in starts]
        return [SparseBatch.from_csr(part, device, by_column=True) for part in parts]

    def run(
        self,
        X: Tensor | SparseBatch,
        targets: Tensor,
        output_t: Tensor,
        weight: Tensor | None,
        coefficients: UpdateCoefficients,
    ) -> None:
        """Compute the raw predictions, then the gradient, and write what `coefficients` say.

        X is of shape (n_samples, n_features), `targets` come from `encode_targets`, `output_t`
        (n_outputs, n_samples) is overwritten by the transposed raw predictions, and `weight`
        (n_samples,) may be None for 1 each.
        """
        # Memory is taken once for each size of batch, so that a step allocates nothing.
        buffers = self.buffers.get(len(X))
        if buffers is None:
            buffers = self.buffers[len(X)] = Buffers.allocate(len(X), self.widths, output_t)
        self._go_forward(X, buffers, output_t.t())
        delta = buffers.deltas[-1]
        # d_L = weight * g(z, y): the loss is a weighted sum over samples, so each delta scales.
        self.write_gradient(output_t, targets.t(), buffers.transposed[-1])
        if weight is not None:
            delta.mul_(weight[:, None])
        self._go_back(X, buffers, coefficients)

    def _go_forward(self, X: Tensor | SparseBatch, buffers: Buffers, output: Tensor) -> None:
        a = X
        for i, z in enumerate((*buffers.values, output)):
            if isinstance(a, SparseBatch):  # the inputs, which have no activation
                torch.add(a.multiply(self.weights_t[i]), self.biases[i], out=z)
            else:
                if i:
                    self.activations[i - 1].value(a)
                torch.addmm(self.biases[i], a, self.weights_t[i], out=z)
            a = z

    def _go_back(
        self, X: Tensor | SparseBatch, buffers: Buffers, coefficients: UpdateCoefficients
    ) -> None:
        deltas, inputs = buffers.deltas, (X, *buffers.values)
        for i in range(len(deltas) - 1, -1, -1):
            # The chain rule through z_i = a_{i-1} W_i^T + b_i: dL/da_{i-1} = d_i W_i, and through
            # a_{i-1} = f(z_{i-1}) times f'. It needs the weights from before the step.
            if i:
                torch.mm(deltas[i], self.weights[i], out=deltas[i - 1])
                self.activations[i - 1].backward(deltas[i - 1], buffers.values[i - 1])
            # dL/dW_i = d_i^T a_{i-1} sums the outer products of all samples, and dL/db_i = d_i^T 1.
            # beta and alpha of BLAS add it to what is there: zeros, or the weights themselves.
            delta_t, a = buffers.transposed[i], inputs[i]
            base, target, bias = self.weight_bases[i], self.weight_targets[i], self.bias_targets[i]
            decay, scale = coefficients.weight_decay, coefficients.scale
            if isinstance(a, SparseBatch):
                torch.mul(base, decay, out=target)
                a.add_transposed_product(deltas[i], target.t(), scale)
            else:
                torch.addmm(base, delta_t, a, beta=decay, alpha=scale, out=target)
            torch.addmv(
                bias, delta_t, buffers.ones, beta=coefficients.bias_decay, alpha=scale, out=bias
            )

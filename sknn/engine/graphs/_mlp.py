"""The forward and backward pass of a plain MLP, in as few kernels as torch allows.

The mathematics of `sknn.engine.backprop._mlp`. On a GPU a kernel of a small network costs about the
same whatever it does, so it is their number that counts. For L layers, rectified:

    forward     L       products with bias and activation in one; the last's bias is one more: L + 1
    loss        2       softmax, minus the targets
    deltas      2 (L-1) product, times the slope
    weights     L       products added to the weights, or written to the gradient
    biases      1       sums over samples of all deltas, which lie in one matrix

14 for three layers. Of plain SGD at a constant rate that is the whole step.
"""

from dataclasses import dataclass

import torch

from sknn.engine.backprop._mlp import IN_PLACE, MLPPass, UpdateCoefficients

Tensor = torch.Tensor

#: writes max(0, a W + b) in one kernel
rectified_product = torch.ops.aten._addmm_activation.out


@dataclass(frozen=True)
class GraphBuffers:
    """Space for one batch: values of the hidden layers, and the deltas of all layers.

    The deltas lie below each other in one matrix with a column for each sample, in the order of
    the biases in the flat vector.
    """

    values: list[Tensor]
    all_deltas: Tensor
    deltas: list[Tensor]
    ones: Tensor

    @classmethod
    def allocate(cls, n_samples: int, widths: list[int], like: Tensor) -> "GraphBuffers":
        """Return space for layers of these widths, the outputs last."""
        values = [like.new_empty(n_samples, width) for width in widths[:-1]]
        all_deltas = like.new_empty(sum(widths), n_samples)
        deltas = [part.t() for part in all_deltas.split(widths)]
        return cls(values, all_deltas, deltas, like.new_ones(n_samples))


class DevicePass:
    """Both passes of an `MLPPass`, with its weights and its flat vectors.

    Parameters
    ----------
    mlp : MLPPass
        Passes for dense samples.
    in_place : bool
        Whether the weights themselves are changed, and not the gradient written.
    """

    def __init__(self, mlp: MLPPass, in_place: bool):
        self.mlp, self.in_place = mlp, in_place
        flat = mlp.flat
        vector = flat.values if in_place else flat.gradient
        self.targets = flat.split_views(vector)[: len(mlp.weights)]
        self.biases = vector[len(flat.weights) :]
        self.spaces: dict[int, GraphBuffers] = {}

    def get_space(self, n_samples: int) -> GraphBuffers:
        """Return space for a batch, the same each time."""
        if n_samples not in self.spaces:
            like = self.mlp.flat.values
            self.spaces[n_samples] = GraphBuffers.allocate(n_samples, self.mlp.widths, like)
        return self.spaces[n_samples]

    def run(
        self,
        X: Tensor,
        targets: Tensor,
        output_t: Tensor,
        weight: Tensor | None,
        coefficients: UpdateCoefficients,
    ) -> None:
        """Go forward, write the raw predictions, go back, and write what `coefficients` say.

        The arguments are those of `MLPPass.run`. A gradient takes nothing over from the weights.
        """
        space = self.get_space(len(X))
        self._go_forward(X, space, output_t.t())
        delta = space.deltas[-1]
        self.mlp.write_gradient(output_t, targets.t(), delta.t())
        if weight is not None:
            delta.mul_(weight[:, None])
        self._go_back(space)
        keep, scale = (coefficients.weight_decay if self.in_place else 0.0), coefficients.scale
        for target, delta, a in zip(self.targets, space.deltas, (X, *space.values), strict=True):
            torch.addmm(target, delta.t(), a, beta=keep, alpha=scale, out=target)
        # Gradients of all biases are sums of deltas over samples: one product of the matrix of all
        # deltas with ones.
        b, d, ones = self.biases, space.all_deltas, space.ones
        torch.addmv(b, d, ones, beta=coefficients.bias_decay, alpha=scale, out=b)

    def _go_forward(self, X: Tensor, space: GraphBuffers, output: Tensor) -> None:
        mlp, a = self.mlp, X
        for i, z in enumerate(space.values):
            activation = mlp.activations[i]
            if activation is IN_PLACE["relu"]:
                rectified_product(mlp.biases[i], a, mlp.weights_t[i], out=z)
            else:
                torch.addmm(mlp.biases[i], a, mlp.weights_t[i], out=z)
                activation.value(z)
            a = z
        torch.addmm(mlp.biases[-1], a, mlp.weights_t[-1], out=output)

    def _go_back(self, space: GraphBuffers) -> None:
        """Write the deltas of the hidden layers, before any weight may change."""
        for i in range(len(space.values) - 1, -1, -1):
            torch.mm(space.deltas[i + 1], self.mlp.weights[i + 1], out=space.deltas[i])
            self.mlp.activations[i].backward(space.deltas[i], space.values[i])

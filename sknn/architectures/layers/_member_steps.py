"""Layers of ensemble members with their gradients written out, for the steps of training.

Values have the shape (n_members, n_units, n_samples): the samples of a unit lie in one piece, so
that embeddings of a column, and products with an output layer of one unit, are long rows. They have
a dtype of their own, that of the products, which may be less precise than the parameters.

With inputs a, of which ``scale`` times the values are meant, weights W and a mask m that drops
units,

    z = W^T (scale a) + b,    out = relu(z) * m,    d = g * m where out > 0,
    dW = scale a d^T,         db = sum of d over samples,    da = scale W d.
"""

from collections.abc import Mapping

import torch
from torch.autograd.function import FunctionCtx, once_differentiable

Tensor = torch.Tensor
threshold_backward = torch.ops.aten.threshold_backward


def multiplies_bfloat16(capabilities: Mapping[str, object] | None = None) -> bool:
    """Return whether the processor multiplies numbers in bfloat16 by instructions of its own."""
    # Where it does not, torch makes them up, which takes longer than float32. From version 2.10 on
    # torch says by name what a processor can do.
    if capabilities is None:
        capabilities = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


class StepContext(FunctionCtx):
    """State that the forward pass leaves for the backward pass."""

    saved_tensors: tuple[Tensor, ...]
    needs_input_grad: tuple[bool, ...]
    dtype: torch.dtype
    #: of the inputs, and of the units that are not dropped
    scale: float
    factor: float
    is_hidden: bool


class MemberStep(torch.autograd.Function):
    """A linear layer of each member, followed by ReLU and dropped units if it is a hidden one."""

    @staticmethod
    def forward(
        ctx: StepContext,
        a: Tensor,
        weight: Tensor,
        bias: Tensor,
        mask: Tensor | None,
        scales: tuple[float, float] | None,
    ) -> Tensor:
        """Return (n_members, n_outputs, n_samples) in the dtype of `a`.

        `scales` are those of the inputs, and what the mask is where it is not 0; None stands for
        an output layer, whose inputs are meant as they are.
        """
        ctx.scale, ctx.factor = (1.0, 1.0) if scales is None else scales
        ctx.is_hidden = scales is not None
        own = weight if ctx.scale == 1 else weight * ctx.scale
        own, start = own.to(a.dtype), bias.to(a.dtype).transpose(1, 2)
        z = torch.baddbmm(start, own.transpose(1, 2), a)
        if ctx.is_hidden:
            z.relu_()
            if mask is not None:
                z.mul_(mask)
        ctx.save_for_backward(*((a, own, z) if ctx.is_hidden else (a, own)))
        ctx.dtype = weight.dtype
        return z

    @staticmethod
    @once_differentiable
    def backward(ctx: StepContext, g: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of inputs, weights and biases."""
        a, own, *rest = ctx.saved_tensors
        delta = g
        if ctx.is_hidden:
            delta = threshold_backward(g, rest[0], 0)
            if ctx.factor != 1:
                delta.mul_(ctx.factor)
        of_inputs = None
        if ctx.needs_input_grad[0]:
            # A product with one column is the outer one, which BLAS takes ten times as long for.
            is_column = own.shape[2] == 1
            of_inputs = own * delta if is_column else torch.bmm(own, delta)
        of_weight = torch.bmm(a, delta.transpose(1, 2)).to(ctx.dtype)
        if ctx.scale != 1:
            of_weight.mul_(ctx.scale)
        return of_inputs, of_weight, delta.sum(2, dtype=ctx.dtype)[:, None], None, None


class EmbeddingStep(torch.autograd.Function):
    """Embeddings of encoded numbers: a linear layer of each column, and ReLU."""

    @staticmethod
    def forward(
        ctx: StepContext, encoded: Tensor, weight: Tensor, bias: Tensor, n_members: int
    ) -> Tensor:
        """Return (n_members, n_columns * width, n_samples).

        `encoded` is (n_columns, n_stretches, n_samples), `weight` (n_columns, n_stretches,
        n_members * width), and `bias` (n_columns, 1, n_members * width).
        """
        start = bias.to(encoded.dtype).transpose(1, 2)
        z = torch.baddbmm(start, weight.to(encoded.dtype).transpose(1, 2), encoded)
        by_member = z.unflatten(1, (n_members, -1)).transpose(0, 1)
        out = torch.clamp_min(by_member, 0, out=z.new_empty(by_member.shape))
        ctx.save_for_backward(encoded, out)
        ctx.dtype = weight.dtype
        return out.flatten(1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: StepContext, g: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of weights and biases."""
        encoded, out = ctx.saved_tensors
        n_members, n_columns, width, n_samples = out.shape
        delta = g.new_empty(n_columns, n_members, width, n_samples)
        by_member = g.unflatten(1, (n_columns, width))
        threshold_backward.grad_input(by_member, out, 0, grad_input=delta.transpose(0, 1))
        delta = delta.flatten(1, 2)
        of_weight = torch.bmm(encoded, delta.transpose(1, 2)).to(ctx.dtype)
        return None, of_weight, delta.sum(2, dtype=ctx.dtype)[:, None], None

"""Pooled values of filters along sequences of letters, by compiled code.

Nothing here imports numba, so that only networks that read letters do.
"""

from functools import cache
from importlib import import_module
from typing import Protocol, cast

import numpy as np
import torch
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.utils._python_dispatch import is_in_torch_dispatch_mode

from sknn._jit import explain_not_kept
from sknn.architectures.letters._codes import Letters, Pooled, Scored

Tensor = torch.Tensor

#: size of an alphabet up to which words have two letters: their tables fit into a processor's
#: nearest cache. Words of larger alphabets have one letter.
SMALL_ALPHABET = 4
#: name of an activation before a mean -> least value, to which it raises smaller ones
FLOORS = {"relu": 0.0, "linear": -np.inf}


class LetterSteps(Protocol):
    """`sknn.architectures.letters._steps`."""

    def encode_letters(self, X: np.ndarray, kernel_size: int, letters: Letters) -> bool: ...

    def pool_letters(self, letters: Letters, scored: Scored, pooled: Pooled) -> None: ...

    def trace_letters(
        self, letters: Letters, scored: Scored, slopes: Pooled, gradient: Scored
    ) -> None: ...


def load_steps() -> LetterSteps:
    """Return the compiled functions; numba is imported here, and only here."""
    return cast(LetterSteps, import_module("sknn.architectures.letters._steps"))


@cache
def explain_no_steps(dtype: torch.dtype) -> str | None:
    """Return why there are no compiled functions for numbers of a dtype; None if there are."""
    if dtype not in (torch.float32, torch.float64):
        return f"letters are not read in {dtype}"
    empty = torch.empty(1, 1, 1, dtype=dtype).numpy()
    letters = make_letters(empty.shape, 1)
    scored = Scored(empty[None], empty, is_mirrored=False, floor=0.0)
    return explain_not_kept(
        load_steps().trace_letters, letters, scored, Pooled(empty, empty, empty), scored
    )


def make_letters(shape: tuple[int, ...], n_channels: int) -> Letters:
    """Return memory for the letters of sequences; the shape begins with (n_samples, length)."""
    n_letters = 2 if n_channels <= SMALL_ALPHABET else 1
    codes, windows = np.empty(shape[:2], np.int32), np.empty((shape[0], 2), np.int64)
    return Letters(codes, windows, n_letters, (n_channels + 1) ** n_letters)


def read_letters(X: Tensor, kernel_size: int) -> Letters | None:
    """Return sequences (n_samples, length, n_channels) as letters; None if they are not.

    Sequences are letters if each position has one 1 and zeros, or zeros alone, and if code that
    reads letters can be compiled and kept.
    """
    plain = X.device.type == "cpu" and not X.requires_grad and X.shape[2] > 1
    if not plain or torch.compiler.is_compiling() or torch.is_autocast_enabled("cpu"):
        return None
    if is_in_torch_dispatch_mode():  # a mode that records the operations of torch would miss this
        return None
    if explain_no_steps(X.dtype) is not None:
        return None
    letters = make_letters(tuple(X.shape), X.shape[2])
    is_read = load_steps().encode_letters(X.detach().contiguous().numpy(), kernel_size, letters)
    return letters if is_read else None


class LettersContext(FunctionCtx):
    """State that the forward pass leaves for the backward pass."""

    saved_tensors: tuple[Tensor, ...]
    letters: Letters
    #: as in `Scored`
    is_mirrored: bool
    floor: float


class PooledLetters(torch.autograd.Function):
    """Compute what `PooledWindows` does, for letters; see `sknn.architectures.letters._steps`."""

    @staticmethod
    def forward(
        ctx: LettersContext,
        letters: Letters,
        weights: Tensor,
        shift: Tensor,
        is_mirrored: bool,
        floor: float,
    ) -> tuple[Tensor, Tensor]:
        """Return the largest values and the means, each (n_samples, n_strands, n_filters).

        Shape
        -----
        - weights: ``(n_strands, n_filters, kernel_size, n_channels)``
        - shift: ``(n_strands, n_windows, n_filters)``
        """
        weights, shift = weights.detach().contiguous(), shift.detach().contiguous()
        best, place, mean = weights.new_empty(3, len(letters.codes), *weights.shape[:2])
        # Windows of the largest values are kept as floats beside the values: vectors then compare
        # and select numbers of one type. Whole numbers up to 2²⁴ are exact in float32.
        load_steps().pool_letters(
            letters,
            Scored(weights.numpy(), shift.numpy(), is_mirrored, floor),
            Pooled(best.numpy(), place.numpy(), mean.numpy()),
        )
        ctx.save_for_backward(weights, shift, place)
        ctx.letters, ctx.is_mirrored, ctx.floor = letters, is_mirrored, floor
        return best, mean

    @staticmethod
    @once_differentiable
    def backward(
        ctx: LettersContext, of_best: Tensor, of_mean: Tensor
    ) -> tuple[None, Tensor, Tensor, None, None]:
        """Return the gradients of weights and shift, of their shapes."""
        weights, shift, place = ctx.saved_tensors
        of_weights, of_shift = torch.empty_like(weights), torch.empty_like(shift)
        load_steps().trace_letters(
            ctx.letters,
            Scored(weights.numpy(), shift.numpy(), ctx.is_mirrored, ctx.floor),
            Pooled(of_best.contiguous().numpy(), place.numpy(), of_mean.contiguous().numpy()),
            Scored(of_weights.numpy(), of_shift.numpy(), ctx.is_mirrored, ctx.floor),
        )
        return None, of_weights, of_shift, None, None

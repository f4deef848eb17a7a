"""Sequences of letters as codes of words, and what filters pool of them by compiled code.

Nothing here loads numba, so that only networks that read letters do.
"""

from functools import cache
from importlib import import_module
from typing import NamedTuple, Protocol, cast

import numpy as np
import torch
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.utils._python_dispatch import is_in_torch_dispatch_mode

from sknn._jit import explain_not_kept

Tensor = torch.Tensor

#: letters of an alphabet up to which words of two are looked up, in tables that fit into a
#: processor's nearest cache; of larger alphabets single letters are
SMALL_ALPHABET = 4
#: name of an activation of which a mean is taken -> to which values are raised
FLOORS = {"relu": 0.0, "linear": -np.inf}


class Letters(NamedTuple):
    """Sequences of letters.

    Attributes
    ----------
    codes : ndarray of int32 of shape (n_samples, length)
        The word that begins at each position.
    windows : ndarray of int64 of shape (n_samples, 2)
        The first valid window, and the one behind the last.
    n_letters, n_codes : int
        Letters of a word, and how many words there are.
    """

    codes: np.ndarray
    windows: np.ndarray
    n_letters: int
    n_codes: int


class Scored(NamedTuple):
    """What windows are compared with, or the gradient of that.

    Attributes
    ----------
    weights : ndarray of shape (n_strands, n_filters, kernel_size, n_channels)
    shift : ndarray of shape (n_strands, n_windows, n_filters)
        What is added at each window.
    is_mirrored : bool
        Whether rows of `shift` count from the first valid window of a sequence, on the other
        strand backwards from the last.
    floor : float
        To which values are raised before their mean is taken.
    """

    weights: np.ndarray
    shift: np.ndarray
    is_mirrored: bool
    floor: float


class Pooled(NamedTuple):
    """What is pooled, or the slopes of that; each of shape (n_samples, n_strands, n_filters).

    Attributes
    ----------
    best, place, mean : ndarray
        Largest values, their windows, and means.
    """

    best: np.ndarray
    place: np.ndarray
    mean: np.ndarray


class LetterSteps(Protocol):
    """`sknn.architectures.letters._steps`."""

    def encode_letters(self, X: np.ndarray, kernel_size: int, letters: Letters) -> bool: ...

    def pool_letters(self, letters: Letters, scored: Scored, pooled: Pooled) -> None: ...

    def trace_letters(
        self, letters: Letters, scored: Scored, slopes: Pooled, gradient: Scored
    ) -> None: ...


def load_steps() -> LetterSteps:
    """Return the compiled functions; numba is loaded here, and not by those who do without it."""
    return cast(LetterSteps, import_module("sknn.architectures.letters._steps"))


@cache
def explain_no_steps(dtype: torch.dtype) -> str | None:
    """Return why there are no compiled functions for numbers of a dtype; None if there are."""
    if dtype not in (torch.float32, torch.float64):
        return f"letters are not read in {dtype}"
    empty = torch.empty(1, 1, 1, dtype=dtype).numpy()
    letters = make_letters(empty.shape, 1)
    scored = Scored(empty[None], empty, False, 0.0)
    return explain_not_kept(
        load_steps().trace_letters, letters, scored, Pooled(empty, empty, empty), scored
    )


def make_letters(shape: tuple[int, ...], n_channels: int) -> Letters:
    """Return space for the letters of sequences of shape (n_samples, length)."""
    n_letters = 2 if n_channels <= SMALL_ALPHABET else 1
    codes, windows = np.empty(shape[:2], np.int32), np.empty((shape[0], 2), np.int64)
    return Letters(codes, windows, n_letters, (n_channels + 1) ** n_letters)


def read_letters(X: Tensor, kernel_size: int) -> Letters | None:
    """Return sequences (n_samples, length, n_channels) as letters; None if they are not.

    They are where each position has a 1 and else zeros, or zeros alone, and code that reads
    letters can be compiled here and kept.
    """
    plain = X.device.type == "cpu" and not X.requires_grad and X.shape[2] > 1
    if not plain or torch.compiler.is_compiling() or torch.is_autocast_enabled("cpu"):
        return None
    if is_in_torch_dispatch_mode():  # somebody takes down what torch does, and would miss this
        return None
    if explain_no_steps(X.dtype) is not None:
        return None
    letters = make_letters(tuple(X.shape), X.shape[2])
    is_read = load_steps().encode_letters(X.detach().contiguous().numpy(), kernel_size, letters)
    return letters if is_read else None


class LettersContext(FunctionCtx):
    """What the way back needs to know of the way forward."""

    saved_tensors: tuple[Tensor, ...]
    letters: Letters
    #: as in `Scored`
    is_mirrored: bool
    floor: float


class PooledLetters(torch.autograd.Function):
    """What `PooledWindows` computes, of letters; see `sknn.architectures.letters._steps`."""

    @staticmethod
    def forward(
        ctx: LettersContext,
        letters: Letters,
        weights: Tensor,
        shift: Tensor,
        is_mirrored: bool,
        floor: float,
    ) -> tuple[Tensor, Tensor]:
        """Return the largest values, and the means, (n_samples, n_strands, n_filters) each.

        Shape
        -----
        - weights: ``(n_strands, n_filters, kernel_size, n_channels)``
        - shift: ``(n_strands, n_windows, n_filters)``
        """
        weights, shift = weights.detach().contiguous(), shift.detach().contiguous()
        best, place, mean = weights.new_empty(3, len(letters.codes), *weights.shape[:2])
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
        """Return the gradients of weights and shift."""
        weights, shift, place = ctx.saved_tensors
        of_weights, of_shift = torch.empty_like(weights), torch.empty_like(shift)
        load_steps().trace_letters(
            ctx.letters,
            Scored(weights.numpy(), shift.numpy(), ctx.is_mirrored, ctx.floor),
            Pooled(of_best.contiguous().numpy(), place.numpy(), of_mean.contiguous().numpy()),
            Scored(of_weights.numpy(), of_shift.numpy(), ctx.is_mirrored, ctx.floor),
        )
        return None, of_weights, of_shift, None, None

"""Torch's functions as formulas of losses call them, see `sknn.losses.ArrayNamespace`."""

from collections.abc import Sequence
from functools import cache
from typing import cast

import torch
from torch.nn import functional

from sknn.losses import ArrayNamespace

Tensor = torch.Tensor

#: from here on log(1 + exp(t)) is t in float64 too; torch's own threshold of 20 cuts digits off
SOFTPLUS_IS_LINEAR = 37.0


def _flip(t: Tensor, axis: int) -> Tensor:
    return t.flip(axis)


def _compute_softplus(t: Tensor) -> Tensor:
    return functional.softplus(t, threshold=SOFTPLUS_IS_LINEAR)


def _make_one_hot(index: Tensor, like: Tensor) -> Tensor:
    return torch.zeros_like(like).scatter_(-2, index[..., None, :], 1)


def _get_column(numbers: Sequence[float], like: Tensor) -> Tensor:
    return _make_column(tuple(numbers), like.dtype, like.device)


@cache  # a captured step reads the same memory again and again
def _make_column(numbers: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return a column of numbers, which a step that is captured may not bring to the device."""
    with torch.inference_mode(mode=False):  # else autograd could not use what a prediction made
        return torch.tensor(numbers, dtype=dtype, device=device)[:, None]


class TorchNamespace:
    """Torch's functions under NumPy's names, an `sknn.losses.ArrayNamespace`."""

    abs = staticmethod(torch.abs)
    amax = staticmethod(torch.amax)
    argmax = staticmethod(torch.argmax)
    clip = staticmethod(torch.clip)
    concatenate = staticmethod(torch.concatenate)
    cumsum = staticmethod(torch.cumsum)
    exp = staticmethod(torch.exp)
    expm1 = staticmethod(torch.expm1)
    finfo = staticmethod(torch.finfo)
    flip = staticmethod(_flip)
    log = staticmethod(torch.log)
    log_sigmoid = staticmethod(functional.logsigmoid)
    mean = staticmethod(torch.mean)
    multiply = staticmethod(torch.multiply)
    negative = staticmethod(torch.negative)
    sigmoid = staticmethod(torch.sigmoid)
    sign = staticmethod(torch.sign)
    softplus = staticmethod(_compute_softplus)
    square = staticmethod(torch.square)
    stack = staticmethod(torch.stack)
    subtract = staticmethod(torch.subtract)
    sum = staticmethod(torch.sum)
    where = staticmethod(torch.where)
    xlogy = staticmethod(torch.xlogy)
    log_softmax = staticmethod(torch.log_softmax)
    softmax = staticmethod(torch.softmax)
    one_hot = staticmethod(_make_one_hot)
    column = staticmethod(_get_column)


#: torch's stubs take no array but a tensor, which all arrays here are
TORCH = cast("ArrayNamespace", TorchNamespace())

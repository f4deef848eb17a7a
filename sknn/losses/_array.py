"""Arrays as formulas of losses see them, and NumPy's functions of them."""

from collections.abc import Callable, Sequence
from typing import Protocol, Self, cast

import numpy as np
from scipy import special


class Array(Protocol):
    """Array of NumPy or tensor of torch, with the operations that both have under the same name."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""

    @property
    def dtype(self) -> object:
        """Type of the entries."""

    def reshape(self, *shape: int) -> Self:
        """Return the entries in another shape, in the same memory where an axis is split."""

    def __getitem__(self, key: object) -> Self: ...
    def __setitem__(self, key: object, value: Self | float) -> None: ...
    def __neg__(self) -> Self: ...
    def __add__(self, other: Self | float) -> Self: ...
    def __radd__(self, other: Self | float) -> Self: ...
    def __sub__(self, other: Self | float) -> Self: ...
    def __rsub__(self, other: Self | float) -> Self: ...
    def __mul__(self, other: Self | float) -> Self: ...
    def __rmul__(self, other: Self | float) -> Self: ...
    def __truediv__(self, other: Self | float) -> Self: ...
    def __pow__(self, other: float) -> Self: ...
    def __lt__(self, other: Self | float) -> Self: ...
    def __gt__(self, other: Self | float) -> Self: ...
    def __eq__(self, other: object) -> Self: ...  # type: ignore[override]
    def __ne__(self, other: object) -> Self: ...  # type: ignore[override]


class ArrayNamespace(Protocol):
    """Functions that formulas of losses use, with NumPy's names and arguments.

    ``out`` is an array that is overwritten by the result. NumPy lacks the last four: `log_softmax`
    and `softmax` along an axis, ``one_hot(index, like)`` with a new axis before the last, of the
    length that `like` has there, and ``column(numbers, like)``, an array of shape (n_numbers, 1)
    of the dtype, and on the device, of `like`.
    """

    abs: Callable[..., Array]
    amax: Callable[..., Array]
    argmax: Callable[..., Array]
    clip: Callable[..., Array]
    concatenate: Callable[..., Array]
    cumsum: Callable[..., Array]
    exp: Callable[..., Array]
    expm1: Callable[..., Array]
    finfo: Callable[..., np.finfo]
    flip: Callable[..., Array]
    log: Callable[..., Array]
    log_sigmoid: Callable[..., Array]
    mean: Callable[..., Array]
    multiply: Callable[..., Array]
    negative: Callable[..., Array]
    sigmoid: Callable[..., Array]
    sign: Callable[..., Array]
    softplus: Callable[..., Array]
    square: Callable[..., Array]
    stack: Callable[..., Array]
    subtract: Callable[..., Array]
    sum: Callable[..., Array]
    where: Callable[..., Array]
    xlogy: Callable[..., Array]
    log_softmax: Callable[..., Array]
    softmax: Callable[..., Array]
    one_hot: Callable[[Array, Array], Array]
    column: Callable[[Sequence[float], Array], Array]


def _write_softmax(z: np.ndarray, axis: int, out: np.ndarray | None = None) -> np.ndarray:
    probabilities = special.softmax(z, axis=axis)
    if out is None:
        return probabilities
    out[...] = probabilities
    return out


def _make_one_hot(index: np.ndarray, like: np.ndarray) -> np.ndarray:
    n_outputs = like.shape[-2]
    return (index[..., None, :] == np.arange(n_outputs)[:, None]).astype(like.dtype)


def _make_column(numbers: Sequence[float], like: np.ndarray) -> np.ndarray:
    return np.asarray(numbers, dtype=like.dtype)[:, None]


class NumpyNamespace:
    """NumPy's and SciPy's functions as an `ArrayNamespace`."""

    abs = staticmethod(np.abs)
    amax = staticmethod(np.amax)
    argmax = staticmethod(np.argmax)
    clip = staticmethod(np.clip)
    concatenate = staticmethod(np.concatenate)
    cumsum = staticmethod(np.cumsum)
    exp = staticmethod(np.exp)
    expm1 = staticmethod(np.expm1)
    finfo = staticmethod(np.finfo)
    flip = staticmethod(np.flip)
    log = staticmethod(np.log)
    log_sigmoid = staticmethod(special.log_expit)
    mean = staticmethod(np.mean)
    multiply = staticmethod(np.multiply)
    negative = staticmethod(np.negative)
    sigmoid = staticmethod(special.expit)
    sign = staticmethod(np.sign)
    square = staticmethod(np.square)
    stack = staticmethod(np.stack)
    subtract = staticmethod(np.subtract)
    sum = staticmethod(np.sum)
    where = staticmethod(np.where)
    xlogy = staticmethod(special.xlogy)
    log_softmax = staticmethod(special.log_softmax)
    softmax = staticmethod(_write_softmax)
    one_hot = staticmethod(_make_one_hot)
    column = staticmethod(_make_column)

    @staticmethod
    def softplus(t: np.ndarray) -> np.ndarray:
        """Return log(1 + exp(t))."""
        return np.logaddexp(t, 0)


#: NumPy's stubs are narrower than the protocol: an array of booleans is no array of floats there
NUMPY = cast("ArrayNamespace", NumpyNamespace())


def view_as_array(values: np.ndarray) -> Array:
    """Return an array of NumPy's, for formulas."""
    return cast("Array", values)

"""Losses of targets of which some values were not measured."""

from dataclasses import dataclass
from typing import cast

from sknn._saved import saved
from sknn.losses._array import Array, ArrayNamespace
from sknn.losses._loss import LossFunction

#: stands for a value that is missing while a formula is computed: in the range of every loss
NEUTRAL = 1.0


@saved
@dataclass(frozen=True)
class MeasuredLoss:
    """A `LossFunction` that leaves out values of y that are NaN.

    Attributes
    ----------
    function : LossFunction
        Loss that is summed over columns of y.
    n_raw : int, default=1
        Number of raw predictions per column of y.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.losses import NUMPY, VALUE_LOSSES
    >>> loss = MeasuredLoss(VALUE_LOSSES["squared_error"].function)
    >>> z, y = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.0, 0.0], [np.nan, 2.0]])
    >>> loss.value(NUMPY, z, y)
    array([0.5, 4. ])
    """

    function: LossFunction
    n_raw: int = 1

    def value(self, xp: ArrayNamespace, z: Array, y: Array, **settings: object) -> Array:
        """Return the loss per sample, see `LossFunction`."""
        # A value has been summed over columns, so that each column is computed by itself.
        is_missing, filled = _fill(xp, y)
        losses: Array | float = 0.0
        for column in range(y.shape[-2]):
            raw = z[..., column * self.n_raw : (column + 1) * self.n_raw, :]
            each = self.function.value(xp, raw, filled[..., column : column + 1, :], **settings)
            losses = losses + xp.where(is_missing[..., column, :], 0.0, each)
        return cast("Array", losses)

    def gradient(
        self, xp: ArrayNamespace, z: Array, y: Array, out: Array, **settings: object
    ) -> None:
        """Write the gradient into `out`, see `LossFunction`."""
        # A formula of NaN gives NaN, and 0 times NaN is NaN: a value in range is put in its place,
        # and what comes of it is replaced by 0.
        is_missing, filled = _fill(xp, y)
        self.function.gradient(xp, z, filled, out, **settings)
        n_samples = out.shape[-1]
        by_column = out.reshape(*out.shape[:-2], -1, self.n_raw, n_samples)
        by_column[...] = xp.where(is_missing[..., None, :], 0.0, by_column)


def _fill(xp: ArrayNamespace, y: Array) -> tuple[Array, Array]:
    """Return which values are missing, and y with a number for them."""
    is_missing = y != y  # of NaN alone
    return is_missing, xp.where(is_missing, NEUTRAL, y)

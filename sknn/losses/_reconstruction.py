"""The loss of an autoencoder on a table: numbers and categories, without missing values.

Of the encoded target the first columns are numbers, the others the numbers of levels, from 0; both
are NaN where a value is missing. The raw predictions are the numbers, then the logits of all levels
of each categorical column, and of a variational autoencoder the divergence of its code.
"""

from collections.abc import Iterator, Sequence

from sknn.losses._array import Array, ArrayNamespace
from sknn.losses._loss import LossFunction, ValueLoss

# l = 1/2 sum of (z - y)² over known numbers - sum of log p[level] over known levels + β KL,
# whose slopes are z - y, p - [level] and β; those of what is missing are 0.


def _subtract_known(xp: ArrayNamespace, z: Array, y: Array, n_numbers: int) -> Array:
    """Return numbers predicted minus true ones, 0 where these are missing."""
    predicted, true = z[..., :n_numbers, :], y[..., :n_numbers, :]
    # NaN alone differs from itself. 0 times the prediction is 0 with its shape and dtype, and
    # without a gradient.
    return xp.where(true == true, predicted - true, 0.0 * predicted)


def _iterate_levels(
    xp: ArrayNamespace, z: Array, y: Array, n_levels: Sequence[int]
) -> Iterator[tuple[slice, Array, Array]]:
    """Yield place, logits and one-hot levels of each column; a missing level is 0 everywhere."""
    n_numbers = y.shape[-2] - len(n_levels)
    start = n_numbers
    for i, n in enumerate(n_levels):
        place = slice(start, start + n)
        logits = z[..., place, :]
        code = y[..., n_numbers + i, :][..., None, :]
        yield place, logits, code == xp.column(range(n), logits)
        start += n


def compute_reconstruction_loss(
    xp: ArrayNamespace, z: Array, y: Array, *, n_levels: Sequence[int], kl_weight: float
) -> Array:
    """Return the loss per sample, see `LossFunction`."""
    numbers = _subtract_known(xp, z, y, y.shape[-2] - len(n_levels))
    loss = 0.5 * xp.sum(xp.square(numbers), axis=-2)
    for _, logits, is_level in _iterate_levels(xp, z, y, n_levels):
        loss = loss - xp.sum(is_level * xp.log_softmax(logits, axis=-2), axis=-2)
    if _has_divergence(z, y, n_levels):
        loss = loss + kl_weight * z[..., -1, :]
    return loss


def write_reconstruction_gradient(
    xp: ArrayNamespace,
    z: Array,
    y: Array,
    out: Array,
    *,
    n_levels: Sequence[int],
    kl_weight: float,
) -> None:
    """Overwrite `out` by the slope of the loss, see `LossFunction`."""
    n_numbers = y.shape[-2] - len(n_levels)
    out[..., :n_numbers, :] = _subtract_known(xp, z, y, n_numbers)
    for place, logits, is_level in _iterate_levels(xp, z, y, n_levels):
        # A missing level is one-hot nowhere: its softmax would pull all logits down without it.
        is_known = xp.sum(is_level * 1.0, axis=-2, keepdims=True)
        out[..., place, :] = xp.softmax(logits, axis=-2) * is_known - is_level * 1.0
    if _has_divergence(z, y, n_levels):
        out[..., -1, :] = kl_weight


def _has_divergence(z: Array, y: Array, n_levels: Sequence[int]) -> bool:
    return z.shape[-2] > y.shape[-2] - len(n_levels) + sum(n_levels)


#: settings are given by the codec, not by users, so that the table of losses does not have it
RECONSTRUCTION = ValueLoss(
    "reconstruction",
    LossFunction(compute_reconstruction_loss, write_reconstruction_gradient),
    scores_loss=True,
)

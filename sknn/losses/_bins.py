"""Ordered bins: a distribution over the range of y is learned, and its mean is the prediction.

The cross-entropy of soft labels, as in E. Imani and M. White, "Improving regression performance
with distributional losses", ICML 2018, arXiv:1806.04613. y is encoded as 0 to 1.
"""

from typing import cast

from sknn.losses._array import Array, ArrayNamespace
from sknn.losses._outputs import OutputActivation, Settings

#: bins beyond each end of the range, so that the label of an end is as symmetric as the others
MARGIN = 2
#: standard deviation of a label, in bins; from about 0.7 on its mean is y wherever y lies
SMOOTHING = 0.75
#: variance of a uniform distribution over a bin, in squares of bins; the least that is predicted
WITHIN_BIN = 1 / 12


def find_bin_centers(n_bins: int) -> tuple[float, ...]:
    """Return the centres of bins, of which `MARGIN` lie below 0 and as many above 1."""
    return tuple((k - MARGIN) * _find_width(n_bins) for k in range(n_bins))


def find_variances(n_bins: int) -> tuple[float, float]:
    """Return the variance of a label about y, and the least variance that is predicted."""
    square = _find_width(n_bins) ** 2
    return SMOOTHING**2 * square, WITHIN_BIN * square


def _find_width(n_bins: int) -> float:
    return 1 / (n_bins - 1 - 2 * MARGIN)


def _split_bins(z: Array, n_bins: int) -> Array:
    """Return raw predictions of shape (..., n_columns, n_bins, n_samples), a view."""
    return z.reshape(*z.shape[:-2], -1, n_bins, z.shape[-1])


def _make_labels(xp: ArrayNamespace, y: Array, n_bins: int, like: Array) -> Array:
    """Return normal distributions around y, of shape (..., n_columns, n_bins, n_samples)."""
    # A value far out of the range, among held-out samples, belongs to the outermost bin.
    distance = xp.clip(y, -10.0, 11.0)[..., None, :] - xp.column(find_bin_centers(n_bins), like)
    return xp.softmax(-0.5 * xp.square(distance) / find_variances(n_bins)[0], axis=-2)


# With p = softmax(z) and a label q, both of which sum to 1: l = -sum of q log p, l' = p - q.


def compute_bin_loss(
    xp: ArrayNamespace,
    z: Array,
    y: Array,
    *,
    n_bins: int,
    y_range: tuple[float, ...] | None,
) -> Array:
    """Return the cross-entropy of labels, summed over columns; see `LossFunction.value`."""
    raw = _split_bins(z, n_bins)
    products = _make_labels(xp, y, n_bins, z) * xp.log_softmax(raw, axis=-2)
    return -xp.sum(xp.sum(products, axis=-2), axis=-2)


def write_bin_gradient(
    xp: ArrayNamespace,
    z: Array,
    y: Array,
    out: Array,
    *,
    n_bins: int,
    y_range: tuple[float, ...] | None,
) -> None:
    """Write the gradient; see `LossFunction.gradient`."""
    raw, into = _split_bins(z, n_bins), _split_bins(out, n_bins)
    into[...] = xp.softmax(raw, axis=-2) - _make_labels(xp, y, n_bins, z)


def _predict_moments(xp: ArrayNamespace, raw: Array, settings: Settings) -> Array:
    """Return mean and standard deviation of encoded y, of shape (..., 2, n_samples)."""
    n_bins = cast("int", settings["n_bins"])
    p, centers = xp.softmax(raw, axis=-2), xp.column(find_bin_centers(n_bins), raw)
    mean = xp.sum(p * centers, axis=-2)
    variance = xp.sum(p * xp.square(centers - mean[..., None, :]), axis=-2)
    of_label, least = find_variances(n_bins)  # the spread of labels is none of y
    std = xp.clip(variance - of_label, least, None) ** 0.5
    return xp.stack([xp.clip(mean, 0.0, 1.0), std], axis=-2)


def _count_bins(settings: Settings) -> int:
    return cast("int", settings["n_bins"])


EXPECTED_BIN = OutputActivation("expected_bin", _predict_moments, _count_bins, has_std=True)

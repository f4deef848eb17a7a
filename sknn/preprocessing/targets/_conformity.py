"""Prediction intervals that hold: how wide they must be for a share of held-out samples."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sknn._saved import saved

if TYPE_CHECKING:
    from sknn.preprocessing.targets._values import ValueCodec

#: widths that are kept: each of more held-out samples would tell little more
MAX_KEPT = 2000


@saved
@dataclass(frozen=True)
class Conformity:
    """Widths that prediction intervals of held-out samples would have needed [1]_.

    Attributes
    ----------
    widths : ndarray of shape (n_kept, n_columns)
        Sorted along the first axis: how far y lay outside of an interval, in units of its spread.
    shares : ndarray of shape (n_kept, n_columns)
        Number of held-out samples, or their weights, with a width up to this one.
    n_samples : ndarray of shape (n_columns,)
        Number of held-out samples whose y was measured.

    References
    ----------
    .. [1] V. Vovk, A. Gammerman and G. Shafer, "Algorithmic learning in a random world", Springer
       2005, doi:10.1007/b106715.
    """

    widths: np.ndarray
    shares: np.ndarray
    n_samples: np.ndarray

    def find_width(self, coverage: float) -> np.ndarray:
        """Return the width for a share of new samples, of shape (n_columns,).

        Raises
        ------
        ValueError
            If there are too few held-out samples for that.
        """
        # Of n + 1 samples in any order, the last has one of the k smallest widths with probability
        # k / (n + 1); the k-th of the n held-out ones is therefore enough for k = (n + 1) coverage.
        needed = (self.n_samples + 1) * coverage - 1e-9
        if np.any(needed > self.n_samples):
            fewest = int(np.ceil(coverage / (1 - coverage) - 1e-9))
            raise ValueError(
                f"coverage={coverage!r} needs at least {fewest} held-out "
                f"samples, but there were {self.n_samples.min():.0f}. Lower the coverage, or "
                "hold out more samples."
            )
        places = (self.shares < needed).sum(axis=0)
        return np.take_along_axis(self.widths, places[None], axis=0)[0]


def fit_conformity(widths: np.ndarray, sample_weight: np.ndarray | None) -> Conformity:
    """Return what widths of held-out samples, of shape (n_samples, n_columns), say of others."""
    weight = np.ones(len(widths)) if sample_weight is None else sample_weight.astype(np.float64)
    weight = np.where(np.isnan(widths), 0.0, weight[:, None])  # y was not measured there
    n_samples = np.count_nonzero(weight, axis=0).astype(np.float64)
    widths = np.where(weight > 0, widths, -np.inf)  # which no share comes from
    order = np.argsort(widths, axis=0)
    # Weights that sum to the number of samples, so that equal ones count samples.
    weight = weight * (n_samples / weight.sum(axis=0))
    shares = np.cumsum(np.take_along_axis(weight, order, axis=0), axis=0)
    widths = np.take_along_axis(widths, order, axis=0).astype(np.float64)
    if len(widths) > MAX_KEPT:  # the next larger one that is kept is on the safe side
        kept = np.unique(np.linspace(0, len(widths) - 1, MAX_KEPT).astype(int))
        widths, shares = widths[kept], shares[kept]
    return Conformity(widths, shares, n_samples)


def calibrate_intervals(
    codec: "ValueCodec", y: np.ndarray, output: np.ndarray, sample_weight: np.ndarray | None = None
) -> None:
    """Learn from held-out samples how wide prediction intervals must be, see `decode_interval`.

    y is encoded, of shape (n_samples, n_columns); the codec gets ``conformity_``.
    """
    low, high, spread = _predict_spread(codec, output)
    # How far y lies outside, negative inside: for a point prediction |y - prediction|, for outer
    # quantiles as in conformalised quantile regression. Divided by a spread that follows x, one
    # width serves samples of little and of much noise.
    widths = np.maximum(low - y, y - high) / spread
    is_known = np.isfinite(low).all() and bool((~np.isnan(y)).any(axis=0).all())
    codec.conformity_ = fit_conformity(widths, sample_weight) if is_known else None


def decode_interval(codec: "ValueCodec", output: np.ndarray, coverage: float) -> np.ndarray:
    """Return prediction intervals that hold a share of new samples, in the units of y.

    Around the prediction, as wide as held-out samples needed it; with several quantiles around the
    outer ones [1]_. Widths follow a standard deviation that is predicted, and the mean where the
    loss says how the variance depends on it. Ends are (n_samples[, n_columns], 2); without enough
    held-out samples for the coverage there is a ValueError.

    References
    ----------
    .. [1] Y. Romano, E. Patterson and E. J. Candès, "Conformalized quantile regression",
       NeurIPS 2019, arXiv:1905.03222.
    """
    if codec.conformity_ is None:
        raise ValueError(
            "Prediction intervals need held-out samples, of which fit had none. Give X_val and "
            "y_val to fit, or set early_stopping=True if the estimator has this parameter. "
            "TabularMLPRegressor holds out no samples if there are few; give it more."
        )
    low, high, spread = _predict_spread(codec, output)
    width = codec.conformity_.find_width(coverage) * spread
    # Where outer quantiles were too far apart the width is negative, and ends may cross.
    ends = np.stack([low - width, np.maximum(high + width, low - width)], axis=-1)
    entry = codec._entry
    if entry.is_bounded or entry.lowest:
        ends = ends.clip(0, 1 if entry.is_bounded else None)
    shift = codec.mean_ if codec.shifts else np.zeros_like(codec.mean_)
    ends = (ends * codec.scale_[:, None] + shift[:, None]).astype(output.dtype)
    return ends[:, 0] if codec.n_columns_ == 1 else ends


def _predict_spread(
    codec: "ValueCodec", output: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ends of encoded y, and a unit of width, each of shape (n_samples, n_columns)."""
    predicted = codec._predict(output).astype(np.float64)
    low = high = predicted[..., 0]
    if codec.has_std:
        return low, high, predicted[..., 1]
    if codec.has_levels:
        return low, predicted[..., -1], np.ones_like(low)
    # Var(y) = φ mean^p, with p = 1 of Poisson, 2 of gamma and 0 of others: its root is the spread.
    least = np.finfo(np.float32).tiny  # a mean of 0 has no variance
    return low, high, np.maximum(low, least) ** (codec._entry.variance_power / 2)

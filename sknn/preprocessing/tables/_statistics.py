"""Target statistics: how large y is on average where a category has a level."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import KFold
from sklearn.utils import check_consistent_length
from sklearn.utils.multiclass import type_of_target

from sknn._saved import saved
from sknn._validation import check_weights

#: parts of the samples, each of which gets the statistics of the others
N_FOLDS = 5


@saved
@dataclass(frozen=True)
class TargetStatistics:
    """Means of y for the levels of a categorical column.

    Attributes
    ----------
    place : int
        Number of the categorical column.
    means : ndarray of shape (n_levels + 1, n_targets)
        Shrunken means of y; those at 0, for unknown levels, are the means of all samples.
    """

    place: int
    means: np.ndarray

    @property
    def n_outputs(self) -> int:
        """Number of columns that `encode` gives."""
        return self.means.shape[1]

    def encode(self, codes: np.ndarray) -> list[np.ndarray]:
        """Return arrays of shape (n_samples,) for the codes of a column."""
        return list(self.means[codes].T)

    def make_names(self, feature: str) -> list[str]:
        """Return names for the columns that `encode` gives."""
        if self.n_outputs == 1:
            return [f"{feature}_target"]
        return [f"{feature}_target_{i}" for i in range(self.n_outputs)]


class Levels(Protocol):
    """A categorical column.

    Attributes
    ----------
    label : str or int
        Name, or position in an array.
    """

    @property
    def label(self) -> str | int: ...

    @property
    def n_levels(self) -> int:
        """Number of levels, the missing one counted."""


@dataclass(frozen=True)
class Targets:
    """The y of training samples, as numbers.

    Attributes
    ----------
    values : ndarray of shape (n_kept, n_targets)
        NaN where a target is missing.
    weights : ndarray of shape (n_kept,) or None
        Positive weights of the samples.
    kept : ndarray of int of shape (n_kept,) or None
        Samples with a weight, the only ones that are learned from; None for all.
    """

    values: np.ndarray
    weights: np.ndarray | None
    kept: np.ndarray | None

    @classmethod
    def read(cls, y: ArrayLike, sample_weight: ArrayLike | None, n_samples: int) -> "Targets":
        """Return the targets of so many samples."""
        values = _read_values(y, n_samples)
        weights, kept = read_weights(sample_weight, n_samples)
        return cls(values if kept is None else values[kept], weights, kept)

    def take(self, codes: np.ndarray) -> np.ndarray:
        """Return the codes (n_kept,) of the samples that are learned from."""
        return codes if self.kept is None else codes[self.kept]

    def encode(self, fitted: TargetStatistics, codes: np.ndarray) -> list[np.ndarray]:
        """Return what the statistics of other folds say of each sample, arrays (n_samples,).

        Its own y would tell a sample its y: the mean of a level that has one sample is that y.
        Folds are drawn by a seed of their own.
        """
        known, weights, n_kept = self.take(codes), self.weights, len(self.values)
        of_kept = np.empty((n_kept, fitted.n_outputs))
        if n_kept < 2:  # nothing is known of the y of others
            of_kept[:] = fitted.means[0]
        else:
            folds = KFold(min(N_FOLDS, n_kept), shuffle=True, random_state=0)
            for others, fold in folds.split(self.values):
                weight = None if weights is None else weights[others]
                means = average_by_code(
                    known[others], self.values[others], weight, len(fitted.means)
                )
                of_kept[fold] = means[known[fold]]
        if self.kept is None:
            return list(of_kept.T)
        values = fitted.means[codes]
        values[self.kept] = of_kept
        return list(values.T)


def fit_statistics(
    limit: int | None,
    categories: Sequence[Levels],
    codes: Sequence[np.ndarray],
    answers: tuple[ArrayLike | None, ArrayLike | None],
) -> tuple[list[TargetStatistics], list[np.ndarray]]:
    """Learn the means of y for the levels of columns with more than `limit` of them.

    Parameters
    ----------
    limit : int or None
        Limit of levels; None for no columns.
    categories, codes
        The categorical columns, and their codes of shape (n_samples,).
    answers : tuple
        y and the sample weights, as a user gives them.

    Returns
    -------
    statistics : list of TargetStatistics
    means : list of ndarray of shape (n_samples,)
        Means of the training samples, see `Targets.encode`.
    """
    y, sample_weight = answers
    places = [
        place
        for place, category in enumerate(categories)
        if limit is not None and category.n_levels > limit
    ]
    if not places:
        return [], []
    if y is None:
        raise ValueError(
            f"target_encoding={limit} needs y, whose means are taken for the levels of column "
            f"{categories[places[0]].label!r}. Give y to fit and fit_transform, or set "
            "target_encoding=None."
        )
    targets = Targets.read(y, sample_weight, len(codes[0]))
    statistics = []
    for place in places:
        n_codes, known = categories[place].n_levels + 1, targets.take(codes[place])
        means = average_by_code(known, targets.values, targets.weights, n_codes)
        statistics.append(TargetStatistics(place, means))
    return statistics, [a for s in statistics for a in targets.encode(s, codes[s.place])]


def encode_statistics(
    statistics: Sequence[TargetStatistics],
    codes: Sequence[np.ndarray],
    learned_from: tuple[ArrayLike, ArrayLike | None] | None,
) -> list[np.ndarray]:
    """Return the means for codes (n_samples,) of all categorical columns, arrays (n_samples,).

    `learned_from` are y and sample weights where these are training samples, which get the means
    of other folds.
    """
    if not statistics:
        return []
    if learned_from is None:
        return [array for fitted in statistics for array in fitted.encode(codes[fitted.place])]
    targets = Targets.read(*learned_from, len(codes[0]))
    return [a for s in statistics for a in targets.encode(s, codes[s.place])]


def read_weights(
    sample_weight: ArrayLike | None, n_samples: int
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return positive weights, None if all are equal, and their samples, None for all."""
    weights, kept = check_weights(sample_weight, np.empty((n_samples, 1))), None
    if weights is not None and not weights.all():
        kept = np.flatnonzero(weights)
        weights = weights[kept]
    if weights is not None and np.all(weights == weights[0]):
        weights = None  # to the bit what equal weights say, whatever their size
    return weights, kept


def average_by_code(
    codes: np.ndarray, targets: np.ndarray, weights: np.ndarray | None, n_codes: int
) -> np.ndarray:
    """Return the mean of each target for each code, of shape (n_codes, n_targets).

    Missing targets are left out.
    """
    means = np.empty((n_codes, targets.shape[1]))
    for column, y in enumerate(targets.T):
        kept = ~np.isnan(y)
        weight = np.ones(kept.sum()) if weights is None else weights[kept].astype(np.float64)
        means[:, column] = _average_shrunken(codes[kept], y[kept], weight, n_codes)
    return means


def _average_shrunken(
    codes: np.ndarray, y: np.ndarray, weight: np.ndarray, n_codes: int
) -> np.ndarray:
    """Return means (n_codes,) of y, shrunken to the mean of all samples by empirical Bayes.

    Where levels have normal means of variance t² and samples a variance of s² around them, the
    expected mean of a level with n samples is (sum + m * mean of all) / (n + m) with m = s² / t².
    """
    total = weight.sum()
    if total == 0:
        return np.zeros(n_codes)
    # A weight of 2 is a sample given twice, but weights that sum to 1 are not one sample.
    weight = weight * max(1.0, len(y) / total)
    total = weight.sum()
    center = weight @ y / total
    counts = np.bincount(codes, weight, n_codes)
    sums = np.bincount(codes, weight * y, n_codes)
    of_level = sums / np.where(counts, counts, 1.0)
    n_free = total - np.count_nonzero(counts)
    squares = weight @ np.square(y - of_level[codes])
    variance = weight @ np.square(y - center) / total
    # Without two samples of a level the noise is unknown, and as large as can be.
    noise = squares / n_free if n_free > 0 else variance
    between = variance - noise
    if between <= 1e-6 * variance:  # levels do not differ, or y does not
        return np.full(n_codes, center)
    smooth = noise / between
    means = (sums + smooth * center) / np.where(counts + smooth, counts + smooth, 1.0)
    return np.where(counts, means, center)


def _read_values(y: ArrayLike, n_samples: int) -> np.ndarray:
    """Return y as numbers of shape (n_samples, n_targets), a column of 0 and 1 for each class.

    Two classes are one column. What is a class is said by
    :func:`~sklearn.utils.multiclass.type_of_target`; several columns of y are numbers.
    """
    values = np.asarray(y)
    check_consistent_length(values, np.empty(n_samples))
    if values.ndim != 1:
        return values.reshape(n_samples, -1).astype(np.float64)
    if type_of_target(values, input_name="y") not in ("binary", "multiclass"):
        return values[:, None].astype(np.float64)
    classes = np.unique(values)
    shown = classes[1:] if len(classes) == 2 else classes
    return (values[:, None] == shown).astype(np.float64)

"""A target that comes a chunk at a time: classes and their weights, means and deviations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from sknn.preprocessing import ClassCodec, RunningMoments, ValueCodec

if TYPE_CHECKING:
    from sknn.deep.parts._protocols import Target

Weights = Mapping | Sequence | str | None


class WeightedTarget(Protocol):
    """A `sknn.deep.parts._protocols.Target` whose classes have weights."""

    @property
    def class_weight(self) -> Weights:
        """Class -> weight, a list of such, or ``'balanced'``."""

    def weighted_by(self, class_weight: Weights) -> Target:
        """Return the same target with other weights."""


class ClassSurvey:
    """A `sknn.deep.parts._protocols.TargetSurvey` of labels: counts the samples of each class.

    Attributes
    ----------
    counts : list of dict
        Weight of each class, for each column of y.
    """

    def __init__(self, target: WeightedTarget):
        self.target = target
        self.counts: list[dict] = []
        self.has_columns = self.has_missing = False

    def add(self, y: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray:
        """Take note of a chunk; return the numbers of the samples in it that must be kept."""
        self.has_columns, kept = y.ndim > 1, _find_first_missing(y)[: not self.has_missing]
        self.has_missing |= bool(kept)
        columns = y.reshape(len(y), -1).T
        self.counts = self.counts or [{} for _ in columns]
        for counts, column in zip(self.counts, columns, strict=True):
            classes, firsts, codes = np.unique(column, return_index=True, return_inverse=True)
            weights = np.bincount(codes.ravel(), sample_weight, len(classes))
            if column.dtype.kind == "f":  # NaN is a label that is not known, not a class
                known = ~np.isnan(classes)
                classes, firsts, weights = classes[known], firsts[known], weights[known]
            for label, first, weight in zip(
                classes.tolist(), firsts.tolist(), weights.tolist(), strict=True
            ):
                if label not in counts:
                    kept.append(first)
                counts[label] = counts.get(label, 0.0) + weight
        return np.unique(np.array(kept, dtype=np.int64))

    def get_notes(self) -> list[dict]:
        """Return the weight of each class of each column."""
        return self.counts

    def adopt_notes(self, notes: Sequence[list[dict]]) -> None:
        """Take over the notes of all processes that look at samples of their own."""
        self.counts = [{} for _ in self.counts]
        for counts in notes:
            for mine, others in zip(self.counts, counts, strict=True):
                for label, weight in others.items():
                    mine[label] = mine.get(label, 0.0) + weight

    def make_target(self) -> Target:
        """Return a target whose `class_weight` names every class of every column."""
        given = self.target.class_weight
        if given is None:
            return self.target.weighted_by(None)
        several = given if isinstance(given, list) else [given] * len(self.counts)
        weights = [
            self._weigh_classes(of_column, counts)
            for of_column, counts in zip(several, self.counts, strict=True)
        ]
        return self.target.weighted_by(weights if self.has_columns else weights[0])

    @staticmethod
    def _weigh_classes(given: Mapping | str, counts: dict) -> dict:
        """Return class -> weight; a balanced one is total / (number of classes * own count)."""
        # scikit-learn's function counts samples; handed one sample per class, with the weight of
        # the class as its sample weight, it comes to the result for all samples.
        classes = np.unique(np.array(list(counts)))
        of_classes = {"sample_weight": np.array([counts[label] for label in classes.tolist()])}
        of_classes = of_classes if isinstance(given, str) else {}
        weights = compute_class_weight(given, classes=classes, y=classes, **of_classes)
        return dict(zip(classes.tolist(), weights.tolist(), strict=True))

    def finish(self, codec: ClassCodec) -> ClassCodec:
        """Return the codec: a sample of each class was kept."""
        return codec


class ValueSurvey:
    """A `sknn.deep.parts._protocols.TargetSurvey` of numbers: their mean and deviation."""

    def __init__(self, target: Target):
        self.target, self.has_missing = target, False
        self.moments: RunningMoments | None = None

    def add(self, y: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray:
        """Take note of a chunk; return the numbers of the samples in it that must be kept."""
        columns = y.reshape(len(y), -1)
        if self.moments is None:
            self.moments = RunningMoments(columns.shape[1])
        self.moments.add(columns, sample_weight)
        kept = _find_first_missing(columns)[: not self.has_missing]
        self.has_missing |= bool(kept)
        return np.array(kept, dtype=np.int64)

    def get_notes(self) -> RunningMoments | None:
        """Return the moments of all columns."""
        return self.moments

    def adopt_notes(self, notes: Sequence[RunningMoments]) -> None:
        """Take over the notes of all processes that look at samples of their own."""
        self.moments = RunningMoments.joined(notes)

    def make_target(self) -> Target:
        """Return the target."""
        return self.target

    def finish(self, codec: ValueCodec) -> ValueCodec:
        """Return the codec, with mean and deviation of all samples."""
        if self.moments is not None:
            codec.adopt_moments(self.moments)
        return codec


def _find_first_missing(y: np.ndarray) -> list[int]:
    """Return the number of the first sample of which something is not known, if there is one."""
    if y.dtype.kind != "f":
        return []
    unknown = np.isnan(y.reshape(len(y), -1)).any(axis=1)
    return [int(unknown.argmax())] if unknown.any() else []

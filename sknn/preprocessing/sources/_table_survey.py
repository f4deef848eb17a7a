"""Survey of a table that is read a chunk at a time: levels, missing values and moments."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sknn._validation import MatrixLike
from sknn.preprocessing._moments import RunningMoments
from sknn.preprocessing.tables._columns import Column
from sknn.preprocessing.tables._encoder import TabularEncoder
from sknn.preprocessing.tables._numeric import NumericColumns, check_finite
from sknn.preprocessing.tables._reading import Table, split_table
from sknn.preprocessing.tables._roles import Roles
from sknn.preprocessing.tables._scaling import Affine


class TableSurvey:
    """Reads all chunks of a table, and chooses samples on which an encoder must be fitted.

    An encoder is fitted on samples drawn at random, and on those that this survey keeps: the first
    sample of each level, and for each column the first with and without a missing number. Its means
    and standard deviations are then replaced by those of all samples.

    Parameters
    ----------
    encoder : TabularEncoder
        Encoder fitted on the first chunk, which knows which columns are categorical.
    """

    def __init__(self, encoder: TabularEncoder):
        self.encoder = encoder
        self.seen: list[set] = [set() for _ in range(encoder.n_features_in_)]
        self.moments: RunningMoments | None = None

    @property
    def n_numbers(self) -> int:
        """Number of numbers that a sample holds in memory."""
        return self.encoder.n_features_in_

    def add(self, X: MatrixLike, sample_weight: np.ndarray | None, first: int) -> np.ndarray:
        """Add a chunk; return the numbers of those of its samples that must be kept.

        `first` is the number of its first sample in the source, for messages.
        """
        encoder = self.encoder
        table, _ = encoder._read(X, reset=False, names=False)
        columns, matrix = self._split(table)
        if not np.isfinite(matrix.sum()):
            check_finite(matrix, encoder._numeric.labels, matrix.dtype, first=first)
        if self.moments is None:
            self.moments = RunningMoments(matrix.shape[1])
        self.moments.add(matrix, sample_weight)
        kept = self._find_first_missing(matrix)
        places = np.flatnonzero(encoder.is_categorical_)
        for place, column in zip(places, columns, strict=True):
            kept += _find_new_levels(column, self.seen[place])
        return np.unique(np.array(kept, dtype=np.int64))

    def _split(self, table: Table) -> tuple[list[Column], np.ndarray]:
        """Return categorical columns, and numbers of shape (n_samples, n_numeric).

        Columns that are expanded, such as dates and text, are left out: their encoders learn from
        the samples drawn alone.
        """
        roles = self.encoder._roles
        if isinstance(table, list):
            own = [place for place in range(len(table)) if place not in roles.expansions]
            table, roles = [table[place] for place in own], Roles(roles.is_categorical[own])
        columns, numbers, _ = split_table(table, roles)
        return columns, numbers[:]

    def _find_first_missing(self, matrix: np.ndarray) -> list[int]:
        """Return the first sample with a missing number, for columns without one so far."""
        if not np.isnan(matrix.sum()):
            return []
        missing, found = np.isnan(matrix), []
        for place, j in enumerate(self.encoder._roles.numeric):
            # A column that is empty in one chunk may have numbers in another.
            for what, where in (("missing", missing[:, place]), ("number", ~missing[:, place])):
                if what not in self.seen[j] and where.any():
                    self.seen[j].add(what)
                    found.append(int(where.argmax()))
        return found

    def get_notes(self) -> tuple[list[bool], RunningMoments]:
        """Return whether each column is categorical, and the moments of the columns of numbers."""
        moments = RunningMoments(0) if self.moments is None else self.moments
        return self.encoder.is_categorical_.tolist(), moments

    def adopt_notes(self, notes: Sequence[tuple[list[bool], RunningMoments]]) -> None:
        """Join the notes of all processes, each of which has surveyed samples of its own."""
        kinds = [is_categorical for is_categorical, _ in notes]
        for rank, other in enumerate(kinds):
            for number, (first, second) in enumerate(zip(kinds[0], other, strict=True)):
                if first != second:
                    names = ["numbers", "categories"]
                    raise ValueError(
                        f"Column {number} of X holds {names[first]} in process 0 and "
                        f"{names[second]} in process {rank}. Convert it to one type, or name it in "
                        "categorical_features."
                    )
        self.moments = RunningMoments.joined(moments for _, moments in notes)

    def finish(self, encoder: TabularEncoder) -> TabularEncoder:
        """Return an encoder that was fitted on the kept samples, with the means of all samples."""
        moments, columns = self.moments, encoder._numeric
        if moments is None or len(moments.mean) != len(encoder._roles.numeric):
            return encoder
        if moments.are_finite:
            encoder._numeric = _adopt_moments(columns, moments)
        return encoder


def _find_new_levels(column: Column, seen: set) -> list[int]:
    """Return the first sample of each level that is new; a missing value is a level, too."""
    column.check()
    codes, levels = column.read_levels()
    new = [i for i, level in enumerate(levels) if level not in seen]
    if -1 not in seen:
        new.append(-1)
    if not new:
        return []
    present, firsts = np.unique(codes, return_index=True)
    places = dict(zip(present.tolist(), firsts.tolist(), strict=True))
    there = [i for i in new if i in places]
    seen.update(-1 if i < 0 else levels[i] for i in there)
    return [places[i] for i in there]


def _adopt_moments(columns: NumericColumns, moments: RunningMoments) -> NumericColumns:
    """Return columns that fill and standardise with the moments of all samples.

    The first columns are those of the moments; the others are expanded ones.
    """
    n_own, fill, scale = len(moments.mean), columns.fill.copy(), columns.scale
    fill[:n_own] = np.where(columns.empty[:n_own], 0.0, moments.mean)
    if isinstance(scale, Affine) and not scale.clip:
        center, factor = scale.center.copy(), scale.factor.copy()
        known = columns.scaled < n_own
        own = columns.scaled[known]
        center[known], deviation = moments.mean[own], moments.deviation[own]
        # As StandardScaler does: a deviation that rounding errors explain counts as 0, and a
        # constant column is divided by 1.
        noise = 10 * np.finfo(np.float64).eps * np.abs(center[known])
        factor[known] = 1 / np.where(deviation > noise, deviation, 1.0)
        scale = Affine(center, factor)
    if scale is not None:
        fill[columns.scaled] = scale.center
    return replace(columns, fill=fill, scale=scale)

"""Categorical columns of a table: which they are, their levels, and how these become numbers."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sknn._saved import from_plain, saved, to_plain
from sknn.preprocessing.tables._columns import Column
from sknn.preprocessing.tables._entries import NUMBERS


def make_categorical_mask(
    categorical_features: ArrayLike | None,
    n_features: int,
    names: Sequence[str] | None,
    by_dtype: list[bool] | None,
) -> np.ndarray:
    """Return which columns are categorical, of shape (n_features,).

    `categorical_features` is what `HistGradientBoosting*` take: 'from_dtype', None, or an
    array-like of bool, int or str. `by_dtype` is the choice of 'from_dtype', None for arrays, whose
    dtypes say nothing. Raise ValueError if the parameter does not fit X.
    """
    mask = np.zeros(n_features, dtype=bool)
    if categorical_features is None:
        return mask
    if isinstance(categorical_features, str):
        return mask if by_dtype is None else np.array(by_dtype, dtype=bool)
    try:
        chosen = np.asarray(categorical_features)
    except Exception:  # libraries raise errors of many kinds
        chosen = np.empty((1, 1))
    if chosen.size == 0:
        return mask
    kind = _check_chosen(categorical_features, chosen, n_features)
    if kind == "str":
        chosen = np.array(_find_positions(chosen.tolist(), names))
    mask[chosen] = True
    return mask


def _check_chosen(categorical_features: ArrayLike, chosen: np.ndarray, n_features: int) -> str:
    """Return of which type all items of an array are; raise ValueError if they fit no table."""
    if chosen.ndim != 1:
        raise ValueError(
            "categorical_features must be an array-like of bool, int or str of shape "
            f"(n_categorical_features,) or (n_features,), got: {categorical_features!r:.60}."
        )
    kinds = {type(item).__name__ for item in chosen.tolist()}
    if len(kinds) > 1 or not kinds <= {"bool", "int", "str"}:
        raise ValueError(
            "categorical_features must be an array-like of bool, int or str, got: "
            f"{', '.join(sorted(kinds))}."
        )
    if kinds == {"bool"} and chosen.shape != (n_features,):
        raise ValueError(
            "categorical_features set as a boolean mask must have shape (n_features,), that is "
            f"({n_features},), got: {chosen.shape}."
        )
    if kinds == {"int"} and not (chosen.min() >= 0 and chosen.max() < n_features):
        raise ValueError(
            "categorical_features set as integer indices must be in [0, n_features - 1], that is "
            f"up to {n_features - 1}; got {chosen.tolist()}."
        )
    return kinds.pop()


def _find_positions(chosen: list[str], names: Sequence[str] | None) -> list[int]:
    if names is None:
        raise ValueError(
            "categorical_features should be passed as an array of integers or as a boolean mask "
            f"when the model is fitted on data without feature names; got {chosen!r}."
        )
    names = list(names)
    unknown = [name for name in chosen if name not in names]
    if unknown:
        raise ValueError(
            f"categorical_features has an item value {unknown[0]!r} which is not a valid feature "
            f"name of the training data. Observed feature names: {names}"
        )
    return [names.index(name) for name in chosen]


@saved
@dataclass(frozen=True)
class CategoryColumn:
    """Levels of a categorical column, and the numbers that stand for them.

    Attributes
    ----------
    label : str or int
        Name, or position in an array, for messages.
    levels : tuple
        Levels of the training samples, sorted.
    kind : str
        'text', 'numeric' or the name of another type; empty where there are no levels.
    missing : bool
        Whether a missing value is a level of its own, behind the others.
    one_hot : bool
        Whether the levels become columns; else they become codes.
    """

    label: str | int
    levels: tuple
    kind: str
    missing: bool
    one_hot: bool

    @cached_property
    def numbers(self) -> dict[Hashable, int]:
        """Level -> 1, 2, ...; 0 is for unknown ones."""
        return {level: i for i, level in enumerate(self.levels, start=1)}

    def __getstate__(self) -> dict[str, Any]:
        """Return the attributes, levels as files can hold them."""
        state = {name: to_plain(value) for name, value in vars(self).items()}
        state.pop("numbers", None)  # keys of files are text and whole numbers
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Set the attributes."""
        vars(self).update({name: from_plain(value) for name, value in state.items()})

    @property
    def n_levels(self) -> int:
        """Number of levels, the missing one counted."""
        return len(self.levels) + self.missing

    @property
    def is_pair(self) -> bool:
        """Whether two levels share one column."""
        return self.one_hot and self.n_levels == 2 and not self.missing

    @property
    def n_outputs(self) -> int:
        """Number of columns that `write` fills."""
        return 1 if self.is_pair or not self.one_hot else self.n_levels

    def encode(self, column: Column) -> np.ndarray:
        """Return the number of each sample's level, 0 for unknown ones, of shape (n_samples,).

        Raises
        ------
        ValueError
            If the levels are of another kind than in fit.
        """
        check_levels(column, was=self.kind or "empty")
        codes, levels = column.read_levels()
        has_fractions = any(isinstance(level, float) for level in self.levels)
        kind = _find_kind_of_levels(column, levels, may_be_fractions=has_fractions)
        if kind and self.kind and kind != self.kind:
            raise ValueError(
                f"Column {self.label!r} was {self.kind} in fit and is {kind} now (first value: "
                f"{column.find_first()!r}). Convert it, or refit."
            )
        # 0 is for levels that fit has not seen, and for missing values if it saw none of these. The
        # code of a missing value is -1, which reads the last entry of the array below.
        missing = len(self.levels) + 1 if self.missing else 0
        known = self.numbers.get
        return np.array([*(known(level, 0) for level in levels), missing])[codes]

    def write(self, codes: np.ndarray, out: np.ndarray) -> None:
        """Write the numbers for codes into `out`, zeros of shape (n_samples, n_outputs)."""
        if not self.one_hot:
            out[:, 0] = codes
        elif self.is_pair:  # one column tells two levels apart, -1 and 1, and 0 is neither
            out[:, 0] = np.array([0, -1, 1], out.dtype)[codes]
        else:
            known = np.flatnonzero(codes)  # a level that fit has not seen is 0 in all columns
            out[known, codes[known] - 1] = 1

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Return the levels of numbers from 0, of shape (n_samples,); None for NaN."""
        if self.levels and all(type(level) in (int, float) for level in self.levels):
            known = np.array([*map(float, self.levels), np.nan])
        else:
            known = np.empty(len(self.levels) + 1, dtype=object)
            known[:-1] = self.levels
        return known[np.where(np.isnan(codes), len(self.levels), codes).astype(int)]

    def make_names(self, feature: str) -> list[str]:
        """Return names for the columns that `write` fills."""
        if not self.one_hot:
            return [feature]
        levels = self.levels[1:] if self.is_pair else self.levels
        return [f"{feature}_{level}" for level in levels] + [f"{feature}_missing"] * self.missing


def fit_category_column(
    column: Column, kept: np.ndarray | None, max_one_hot: int | None
) -> tuple[CategoryColumn, np.ndarray]:
    """Learn the levels of a column.

    Parameters
    ----------
    column : Column
        Column of training samples.
    kept : ndarray of int or None
        Samples to learn from; None for all.
    max_one_hot : int or None
        Maximum number of levels that become columns.

    Returns
    -------
    fitted : CategoryColumn
    codes : ndarray of int of shape (n_samples,)
        Codes that `CategoryColumn.encode` returns for this column.
    """
    check_levels(column)
    codes, levels = column.read_levels()
    # Numbers are levels for sure only where the user made categories of them.
    kind = _find_kind_of_levels(column, levels, may_be_fractions=column.kind == "category")
    # Code -1, a missing value, is counted at place 0.
    used = np.bincount((codes if kept is None else codes[kept]) + 1, minlength=len(levels) + 1)
    plain = {i: _simplify(levels[i]) for i in np.flatnonzero(used[1:]).tolist()}
    # Numbers follow the sorted levels, so that they do not depend on the order of the samples.
    order = _order_levels(plain)
    # From the codes of this column to numbers: 0 for a level in samples that are not learned from,
    # and at place -1, where code -1 reads, that of missing values.
    number = np.zeros(len(levels) + 1, dtype=np.int64)
    number[order] = np.arange(1, len(order) + 1)
    missing = bool(used[0])
    number[-1] = len(order) + 1 if missing else 0
    known = tuple(plain[i] for i in order)
    fitted = CategoryColumn(
        label=column.label,
        levels=known,
        kind=kind if known else "",
        missing=missing,
        one_hot=max_one_hot is None or len(known) + missing <= max_one_hot,
    )
    return fitted, number[codes]


def check_levels(column: Column, was: str | None = None) -> None:
    """Raise if a column cannot be levels; `was` is the kind of the levels in fit."""
    column.check()
    if column.kind != "time":
        return
    first = f"holds dates, times or durations{'' if was is None else ' now'} (first value: "
    if was is not None:
        raise ValueError(
            f"Column {column.label!r} was {was} in fit and {first}{column.find_first()!r}). "
            "Convert it, or refit."
        )
    raise ValueError(
        f"Column {column.label!r} {first}{column.find_first()!r}), which are read as numbers and "
        "cycles of their own, but it is in categorical_features. Take it out there, or convert it "
        "to text or to a category dtype."
    )


def _simplify(level: Hashable) -> Hashable:
    """Return a whole number as int, so that 1 and 1.0 have one name, any other as float."""
    if not isinstance(level, NUMBERS) or isinstance(level, bool):
        return level
    return int(level) if level % 1 == 0 else float(level)


def _order_levels(levels: dict) -> list[int]:
    """Return the keys of levels, sorted by these, or by their texts where types differ."""
    try:
        return sorted(levels, key=lambda i: levels[i])
    except TypeError:
        return sorted(levels, key=lambda i: repr(levels[i]))


def _find_kind_of_levels(column: Column, levels: list, *, may_be_fractions: bool) -> str:
    """Return the kind of levels, which are all of one; floats among them only if they may be."""
    kinds = {type(level): level for level in levels}
    words = {
        "text" if issubclass(kind, str) else "numeric" if issubclass(kind, NUMBERS) else kind
        for kind in kinds
    }
    if len(words) > 1:
        raise ValueError(
            f"Column {column.label!r} mixes {' and '.join(sorted(k.__name__ for k in kinds))} "
            f"(for instance {list(kinds.values())!r}). Convert all to one type, text for instance."
        )
    if words == {"numeric"}:
        broken = next((level for level in levels if level % 1 != 0), None)
        if broken is not None and not (may_be_fractions and -np.inf < broken < np.inf):
            raise ValueError(
                f"Column {column.label!r} has categories as floats: {broken!r} is not a whole "
                "number. Convert them to whole numbers, to text or to a category dtype, or take "
                "the column out of categorical_features."
            )
    return next((w if isinstance(w, str) else w.__name__ for w in words), "")

"""Roles of the columns of a table, and names of the encoded columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import check_is_fitted

from sknn._specs import Dtype, InputSpec
from sknn.preprocessing.tables._categories import CategoryColumn
from sknn.preprocessing.tables._columns import Column
from sknn.preprocessing.tables._numeric import NumericColumns
from sknn.preprocessing.tables._statistics import TargetStatistics
from sknn.preprocessing.tables._texts import fit_text_column
from sknn.preprocessing.tables._times import fit_time_column

Feature = TypeVar("Feature")


class Expansion(Protocol):
    """Encoding of a column that becomes several columns of numbers.

    Attributes
    ----------
    label : str or int
        Name, or position in an array.
    kind : str
        Description of the content of the column, for messages.
    n_outputs : int
        Number of columns that `encode` gives.
    is_scaled : ndarray of bool of shape (n_outputs,)
        Whether each of them is scaled.
    """

    @property
    def label(self) -> str | int: ...

    @property
    def kind(self) -> str: ...

    @property
    def n_outputs(self) -> int: ...

    @property
    def is_scaled(self) -> np.ndarray: ...

    def encode(self, column: Column) -> list[np.ndarray]:
        """Return arrays of shape (n_samples,), NaN in all where a value is missing."""

    def make_names(self, feature: str) -> list[str]:
        """Return names for the columns that `encode` gives."""


@dataclass(frozen=True)
class Roles:
    """Roles of the columns of a table.

    Attributes
    ----------
    is_categorical : ndarray of bool of shape (n_features,)
        Columns that become levels.
    expansions : mapping of int to Expansion, default={}
        Columns that become several columns of numbers, by their places; the others are numbers.
    statistics : sequence of TargetStatistics, default=()
        Means of y that stand beside categorical columns.
    """

    is_categorical: np.ndarray
    expansions: Mapping[int, Expansion] = field(default_factory=dict)
    statistics: Sequence[TargetStatistics] = ()

    @cached_property
    def numeric(self) -> np.ndarray:
        """Places of the columns that are numbers themselves."""
        is_numeric = ~self.is_categorical
        is_numeric[list(self.expansions)] = False
        return is_numeric.nonzero()[0]

    @cached_property
    def needs_columns(self) -> bool:
        """Whether some columns are more than numbers."""
        return bool(self.expansions) or bool(self.is_categorical.any())

    def list_numbers(self, features: Sequence[Feature]) -> list[tuple[str, Feature]]:
        """Return name and feature of each column of numbers: own ones, expansions, means of y."""
        columns = []
        for place in self.numeric:
            columns.append((features[place], features[place]))
        for place, expansion in self.expansions.items():
            names = expansion.make_names(str(features[place]))
            columns.extend((name, features[place]) for name in names)
        for statistics in self.statistics:
            feature = features[np.flatnonzero(self.is_categorical)[statistics.place]]
            columns.extend((name, feature) for name in statistics.make_names(str(feature)))
        return columns

    def find_marked(self) -> np.ndarray:
        """Return which columns of numbers may get a mark: of an expansion the first alone."""
        # Where a value is missing all columns of its expansion are NaN, so that one mark tells it;
        # means of y are never missing.
        marked = [np.ones(len(self.numeric), dtype=bool)]
        for expansion in self.expansions.values():
            marked.append(np.arange(expansion.n_outputs) == 0)
        for statistics in self.statistics:
            marked.append(np.zeros(statistics.n_outputs, dtype=bool))
        return np.concatenate(marked)


def fit_roles(
    columns: Sequence[Column],
    is_categorical: np.ndarray,
    is_text: np.ndarray,
    kept: np.ndarray | None,
) -> Roles:
    """Learn what each column is read as; text is no category.

    `kept` are the samples to learn from; None is all of them.
    """
    # A time that the user names as categorical stays so: weekdays or years may be meant as levels.
    is_categorical = is_categorical & ~is_text
    expansions: dict[int, Expansion] = {}
    for place, column in enumerate(columns):
        if is_text[place]:
            expansions[place] = fit_text_column(column, kept)
        elif column.kind == "time" and not is_categorical[place]:
            expansions[place] = fit_time_column(column, kept)
    return Roles(is_categorical, expansions)


def describe_table(
    numeric: NumericColumns, categories: Sequence[CategoryColumn], dtype: Dtype
) -> InputSpec:
    """Return what the encoded array looks like."""
    # A column of codes has one more than its levels: 0 is for levels that were not seen in fit.
    n_numeric, cardinalities = numeric.n_outputs, []
    for category in categories:
        if category.one_hot:
            n_numeric += category.n_outputs
        else:
            cardinalities.append(1 + category.n_levels)
    return InputSpec(
        kind="table", n_numeric=n_numeric, dtype=dtype, cardinalities=tuple(cardinalities)
    )


def order_categories(categories: Sequence[CategoryColumn]) -> list[int]:
    """Return the places of the categorical columns, those that get codes last."""
    # Networks take numbers and one-hot columns as one block, and look up the codes behind it. The
    # sort is stable, so that columns of a kind stay in the order of X.
    return sorted(range(len(categories)), key=lambda i: not categories[i].one_hot)


def make_unique(names: Sequence[str]) -> list[str]:
    """Add ``_`` to a name until no earlier one is the same."""
    seen: dict[str, None] = {}
    for name in names:
        while name in seen:
            name += "_"
        seen[name] = None
    return list(seen)


class NamedOutputs:
    """Names and origins of the columns that a fitted `TabularEncoder` makes."""

    is_categorical_: np.ndarray
    _expansions: Mapping[int, Expansion]
    _statistics: Sequence[TargetStatistics]
    _numeric: NumericColumns
    _categories: Sequence[CategoryColumn]

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Return the names of the encoded columns.

        Parameters
        ----------
        input_features : array-like of str of shape (n_features_in_,), default=None
            Names of the columns of X; by default `feature_names_in_`, or ``x0``, ``x1`` and so on.

        Returns
        -------
        ndarray of str of shape (n_features_out,)
            ``age``, ``age_missing``, ``city_Berlin``, ``street`` for a column of codes; with ``_``
            behind them where an earlier one is the same.
        """
        check_is_fitted(self)
        # scikit-learn's own check of `input_features`, and its default names.
        features = OneToOneFeatureMixin.get_feature_names_out(self, input_features)
        return np.array(make_unique([name for name, _ in self._list_outputs(features)]), object)

    def column_sources(self) -> np.ndarray:
        """Return for each encoded column the number of the column of X that it comes from.

        Returns
        -------
        ndarray of int of shape (n_features_out,)
        """
        check_is_fitted(self)
        features = range(len(self.is_categorical_))
        return np.array([place for _, place in self._list_outputs(features)], dtype=int)

    def _list_outputs(self, features: Sequence[Feature]) -> list[tuple[str, Feature]]:
        """Return name and feature of each encoded column, in their order.

        `features` are names, or numbers, of the columns of X.
        """
        outputs = self._roles.list_numbers(features)
        marked = self._numeric.marked  # columns whose missing values have a column of their own
        outputs.extend((f"{outputs[j][1]}_missing", outputs[j][1]) for j in marked)
        places = np.flatnonzero(self.is_categorical_)
        for i in order_categories(self._categories):
            feature = features[places[i]]
            names = self._categories[i].make_names(str(feature))
            outputs.extend((name, feature) for name in names)
        return outputs

    @property
    def n_numbers(self) -> int:
        """Number of encoded columns that are numbers, without marks of missing values."""
        check_is_fitted(self)
        return len(self._numeric.labels)

    @property
    def uses_y(self) -> bool:
        """Whether means of y stand beside some columns, see `encode_training`."""
        return bool(self._statistics)

    @property
    def _roles(self) -> Roles:
        return Roles(self.is_categorical_, self._expansions, self._statistics)

"""`TabularEncoder`: tables of any kind to one array of numbers for a network."""

from numbers import Integral
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sknn._saved import SavedState
from sknn._sklearn import Interval, StrOptions, fit_context
from sknn._specs import Dtype
from sknn._suggestions import explain_unknown_parameters, validate_params
from sknn._validation import MatrixLike, is_clean_array
from sknn.preprocessing.tables._categories import fit_category_column, make_categorical_mask
from sknn.preprocessing.tables._numeric import Headers, choose_scale, fit_numbers
from sknn.preprocessing.tables._reading import (
    Numbers,
    SideBySide,
    put_beside,
    put_side_by_side,
    read_table,
    split_table,
)
from sknn.preprocessing.tables._roles import NamedOutputs, Roles, describe_table, fit_roles
from sknn.preprocessing.tables._statistics import (
    TargetStatistics,
    encode_statistics,
    fit_statistics,
    read_weights,
)
from sknn.preprocessing.tables._texts import find_texts

#: samples as a network takes them, of shape (n_samples, n_outputs)
Encoded: TypeAlias = np.ndarray | sparse.csr_matrix


class TabularEncoder(SavedState, NamedOutputs, TransformerMixin, BaseEstimator):
    """Turn a table of numbers, categories and missing values into the numbers that a network takes.

    X may be an array, a CSR matrix, or a data frame of pandas, polars or pyarrow. The encoded
    array has, in this order:

    - the numeric columns, in the order of X, scaled if `scale` says so. A missing number becomes
      the mean, or with ``scale='robust'`` or ``'quantile'`` the median, of the training samples.
      Columns of bool are 0 and 1 and never scaled. One without a number in `fit` is always 0;
    - of each column of dates or times its ``<name>_seconds`` since the earliest training sample
      (of times of day since midnight, of durations in all) and ``<name>_year``, scaled as numbers
      are, and sine and cosine of month, day, weekday and hour (with minutes and seconds) as
      angles, as far as these differ in `fit`, in whose time zone clocks and calendars are read;
    - of each column of text that is no category, see `text_features`, up to 30 numbers: the tf-idf
      weights of its words, reduced by a truncated SVD;
    - the means of y beside categories, see `target_encoding`;
    - a column ``<name>_missing`` of 0 and 1 for each numeric column in which `fit` saw a missing
      value. Where one is missing for the first time in `transform`, it is filled in silently;
    - columns for the levels of the categorical columns with up to `max_one_hot` levels: 1 for the
      level that a sample has, else 0. A missing value is a level of its own if `fit` saw one. Two
      levels share one column, -1 for the first and 1 for the second: half the inputs, centred as
      a standardised number is. A level that `fit` has not seen is 0 in all of its columns;
    - a column for each categorical column with more levels, which holds their codes for an
      embedding in the network: 0 for unknown levels, from 1 the sorted levels, and behind them
      the missing one, if `fit` saw it.

    Whole numbers are the same level whatever their type; other floats, intervals and periods are
    levels in columns of a category dtype.

    Parameters
    ----------
    categorical_features : 'from_dtype', None, or array-like of {bool, int, str}, \
default='from_dtype'
        Columns that are categorical, as in ``HistGradientBoosting``: a mask, positions, names,
        None for none; ``'from_dtype'`` for the columns of a data frame that are category, enum or
        text, and for none of an array.
    scale : {'standard', 'robust', 'quantile', 'auto'}, default=None
        Scaling of numeric columns. None leaves them as they are; ``'auto'`` is None if all
        columns are numeric, and ``'standard'`` beside others.

        - ``'standard'``: mean 0, standard deviation 1. Sparse X is divided by the standard
          deviation alone, so that it stays sparse.
        - ``'robust'``: median 0, interquartile range 1 (where that is 0, the whole range is 2),
          then the smooth clip ``x / sqrt(1 + (x / 3)**2)`` to -3 ... 3, see [1]_.
        - ``'quantile'``: the share of training samples below a value, half of those equal to it
          counted, as a quantile of the normal distribution; linear between at most 1000 values.
          Unlike :class:`~sklearn.preprocessing.QuantileTransformer` this knows weights, and
          neither ends nor columns of few values or one lie far out.
    max_one_hot : int or None, default=9
        Maximum number of levels, a missing one counted, that become columns. None is
        no limit: nothing is left to embed.
    dtype : {'float32', 'float64', 'auto'}, default='float32'
        Dtype of the encoded array. Scales are computed in float64. ``'auto'`` keeps float32 where
        all numeric columns have it, or there are none, and is float64 otherwise.
    text_features : 'auto', None, or list of {int, str}, default='auto'
        Columns of text that are not categories, by positions or names; None is none. ``'auto'`` is,
        with ``categorical_features='from_dtype'``, each column of a text dtype in which most of at
        least 50 values differ, or which has more than 9 levels of five words or more on average.
    target_encoding : int or None, default=None
        Number of levels above which means of y stand beside a categorical column, as those of
        :class:`~sklearn.preprocessing.TargetEncoder`: a column for y, for each column of y, or for
        each of more than two classes. `fit_transform` gives a sample the means of other folds,
        `transform` those of all training samples. None is never.

    Attributes
    ----------
    spec_ : InputSpec
        Description of the encoded array: ``n_numeric`` numbers, then codes of ``cardinalities``.
    is_identity_ : bool
        Whether an X of finite numbers of the encoded dtype comes back as it is.
    is_categorical_ : ndarray of bool of shape (n_features_in_,)
        Whether each column of X is categorical.
    categories_ : list of tuple
        Sorted levels of each categorical column, None behind them where missing is one.
    n_features_in_ : int
        Number of columns of X in `fit`.
    feature_names_in_ : ndarray of str of shape (n_features_in_,)
        Names of the columns of X, if all are text.

    See Also
    --------
    sklearn.compose.ColumnTransformer : Any transformer for any column.

    Notes
    -----
    Nested columns, other names or another order than in `fit`, and text among numbers raise errors.
    Another kind of frame with the same names is no change.

    References
    ----------
    .. [1] D. Holzmüller, L. Grinsztajn and I. Steinwart (2024). Better by Default: Strong
       Pre-Tuned MLPs and Boosted Trees on Tabular Data. NeurIPS 37. arXiv:2407.04491.

    Examples
    --------
    >>> import pandas as pd
    >>> from sknn.preprocessing import TabularEncoder
    >>> age, sex = [30.0, None, 50.0], ["m", "f", "f"]
    >>> X = pd.DataFrame({"age": age, "sex": sex, "city": ["Rome", "Berlin", "Oslo"]})
    >>> encoder = TabularEncoder(max_one_hot=2).set_output(transform="pandas")
    >>> encoder.fit_transform(X)
        age  age_missing  sex_m  city
    0  30.0          0.0    1.0   3.0
    1  40.0          1.0   -1.0   1.0
    2  50.0          0.0   -1.0   2.0
    >>> encoder.spec_.n_numeric, encoder.spec_.cardinalities
    (3, (4,))
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "scale": [StrOptions({"standard", "robust", "quantile", "auto"}), None],
        "max_one_hot": [Interval(Integral, 0, None, closed="left"), None],
        "dtype": [StrOptions({"float32", "float64", "auto"})],
        "text_features": [StrOptions({"auto"}), list, tuple, np.ndarray, None],
        "target_encoding": [Interval(Integral, 0, None, closed="left"), None],
    }

    @explain_unknown_parameters()
    def __init__(
        self,
        categorical_features="from_dtype",
        *,
        scale=None,
        max_one_hot=9,
        dtype="float32",
        text_features="auto",
        target_encoding=None,
    ):
        self.categorical_features = categorical_features
        self.scale = scale
        self.max_one_hot = max_one_hot
        self.dtype = dtype
        self.text_features = text_features
        self.target_encoding = target_encoding

    _validate_params = validate_params

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: MatrixLike, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> "TabularEncoder":
        """Learn levels, fillings and scales.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Training samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Only for `target_encoding`: classes or numbers, of several columns numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights for fillings and scales. A sample of weight 0 is left out.

        Returns
        -------
        self : object
            The fitted encoder.

        Raises
        ------
        TypeError
            If X is a lazy frame, or has nested columns.
        ValueError
            If a column is neither numbers nor categories, a number is infinite, or
            `target_encoding` lacks y.
        """
        self._fit(X, y, sample_weight)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(
        self, X: MatrixLike, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> Any:
        """Fit on samples and return them encoded, which reads X once.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Training samples.
        y, sample_weight : array-like, default=None
            Targets and weights, as in `fit`.

        Returns
        -------
        {ndarray, CSR matrix, data frame} of shape (n_samples, n_features_out)
            As `transform` gives them, but for `target_encoding`.
        """
        return self._assemble(*self._fit(X, y, sample_weight))

    def transform(self, X: MatrixLike) -> Any:
        """Return samples encoded.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Columns as in `fit`.

        Returns
        -------
        {ndarray, CSR matrix, data frame} of shape (n_samples, n_features_out)
            A data frame after `set_output`. Where nothing is to do this is X itself.

        Raises
        ------
        TypeError, ValueError
            As `fit` does, and if columns are not those of `fit`.
        """
        if not hasattr(self, "spec_"):  # the check alone takes longer than a clean sample
            check_is_fitted(self)
        return self._encode(X, names=True)

    def encode(self, X: MatrixLike) -> np.ndarray | sparse.csr_matrix:
        """Return samples encoded, without looking at their names.

        For estimators that hold an encoder: they check the names of columns under their own name,
        and `set_output` is not for them.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Columns as in `fit`.

        Returns
        -------
        {ndarray, CSR matrix} of shape (n_samples, n_features_out)
            Where nothing is to do this is X itself. Errors are those of `transform`.
        """
        return self._encode(X, names=False)

    def encode_training(
        self, X: MatrixLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> np.ndarray | sparse.csr_matrix:
        """Return samples encoded as `encode` does, but with means of y of other folds.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        {ndarray, CSR matrix} of shape (n_samples, n_features_out)
        """
        return self._encode(X, names=False, learned_from=(y, sample_weight))

    def _fit(self, X: MatrixLike, y: ArrayLike | None, sample_weight: ArrayLike | None) -> tuple:
        """Fit; return numbers and codes of the same samples, as `_assemble` takes them."""
        table, by_dtype = self._read(X, reset=True, names=True)
        names = getattr(self, "feature_names_in_", None)
        if isinstance(table, list):
            labels, n_samples = [column.label for column in table], len(table[0].values)
            names = labels if by_dtype is not None else names
        else:
            n_samples, n_columns = table.shape
            labels = list(range(n_columns) if names is None else names)
        mask = make_categorical_mask(self.categorical_features, len(labels), names, by_dtype)
        weights, kept = read_weights(sample_weight, n_samples)
        is_text = find_texts(self, table if isinstance(table, list) else None, names, kept)
        roles = fit_roles(table, mask, is_text, kept) if isinstance(table, list) else Roles(mask)
        self.is_categorical_, self._expansions = roles.is_categorical, roles.expansions
        self._statistics: list[TargetStatistics] = []
        columns, numbers, is_scaled = split_table(table, roles)
        # Categories come before numbers: means of y for their levels become columns of numbers,
        # which are filled and scaled as the others are.
        self._categories, codes = [], []
        for column in columns:
            category, code = fit_category_column(column, kept, self.max_one_hot)
            self._categories.append(category)
            codes.append(code)
        self._statistics, means = fit_statistics(
            self.target_encoding, self._categories, codes, (y, sample_weight)
        )
        numbers, is_scaled = put_beside(numbers, is_scaled, means)
        self._is_scaled = is_scaled
        if self._statistics:
            roles = self._roles
        if isinstance(numbers, SideBySide):
            numbers = numbers[:]
        header = tuple(next(zip(*roles.list_numbers(labels), strict=True), ()))
        self._numeric = fit_numbers(
            numbers if kept is None else numbers[kept],
            Headers(header, is_scaled, roles.find_marked()),
            choose_scale(self.scale, has_others=roles.needs_columns),
            weights,
        )
        own: Dtype = "float32" if numbers.dtype == np.float32 else "float64"
        dtype = own if self.dtype == "auto" else self.dtype
        self.spec_ = describe_table(self._numeric, self._categories, dtype)
        self.is_identity_ = not self._categories and self._numeric.changes_nothing
        self.categories_ = [(*c.levels, None) if c.missing else c.levels for c in self._categories]
        return numbers, codes

    def _read(self, X: MatrixLike, *, reset: bool, names: bool) -> tuple:
        chosen = self.categorical_features
        by_column = not (chosen is None or isinstance(chosen, str))
        by_column = by_column or (not reset and self._roles.needs_columns)
        return read_table(self, X, by_column=by_column, reset=reset, names=names)

    def _encode(self, X: MatrixLike, *, names: bool, learned_from: tuple | None = None) -> Encoded:
        """Return X encoded; `learned_from` are y and weights of training samples."""
        by_name = names and hasattr(self, "feature_names_in_")
        if is_clean_array(X, self.n_features_in_) and not by_name:
            if self.is_identity_ and X.dtype == self.spec_.dtype:
                return X
            table = X
        else:
            table, _ = self._read(X, reset=False, names=names)
        columns, numbers, is_scaled = split_table(table, self._roles, self._numeric)
        if sparse.issparse(numbers) and not self._numeric.keeps_zeros:
            raise ValueError(
                f"X is sparse now, but was dense in fit, where scale={self.scale!r} and "
                f"{len(self._numeric.marked)} columns with missing values do not leave 0 as it "
                "is. Give X.toarray(), or refit with sparse X."
            )
        codes = [c.encode(column) for c, column in zip(self._categories, columns, strict=True)]
        means = encode_statistics(self._statistics, codes, learned_from)
        return self._assemble(put_beside(numbers, is_scaled, means)[0], codes)

    def _assemble(self, numbers: Numbers, codes: list[np.ndarray]) -> Encoded:
        return put_side_by_side(self.spec_, self._numeric, numbers, self._categories, codes)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "spec_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        chosen = self.categorical_features
        explicit = not (chosen is None or isinstance(chosen, str))
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = self.scale in (None, "standard", "auto") and not explicit
        tags.input_tags.categorical = chosen is not None
        tags.input_tags.string = explicit
        kept = {"auto": ["float64", "float32"], "float64": ["float64"], "float32": []}
        tags.transformer_tags.preserves_dtype = kept.get(self.dtype, [])
        return tags

"""Samples with labels and without, and the marks that tell them apart."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils.validation import check_consistent_length

from sknn._sklearn import take_rows
from sknn.preprocessing import count_samples, stack_samples

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from sknn._validation import MatrixLike

#: the mark of scikit-learn for samples without labels
UNLABELLED = -1


def check_labels(y: ArrayLike, X: MatrixLike) -> np.ndarray:
    """Return labels of shape (n_samples,), one for each sample of X or -1."""
    check_consistent_length(X, y)
    y = read_labels(y)
    if y.ndim != 1:
        raise ValueError(
            "PseudoLabelClassifier gives each sample without labels one class, but y is of shape "
            f"{y.shape}. Fit a classifier for each label."
        )
    return y


def read_labels(y: ArrayLike) -> np.ndarray:
    """Return y as an array; of a list with texts and -1 one of objects."""
    if isinstance(y, list | tuple) and len({isinstance(label, str) for label in y}) == 2:
        return np.array(y, dtype=object)
    y = np.asarray(y)
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y


def find_unlabelled(y: np.ndarray) -> np.ndarray:
    """Return which samples have no label, by the mark of scikit-learn, shape (n_samples,).

    -1 is no mark where y has a single other value.
    """
    if y.ndim != 1 or y.dtype.kind not in "iufOUS":
        return np.zeros(y.shape[:1], dtype=bool)
    if y.dtype.kind in "fO" and pd.isna(y).any():
        raise ValueError(
            "Input y contains NaN, or another missing value. Write -1 where a sample has no label, "
            "such as by np.where(pandas.isna(y), -1, y)."
        )
    if y.dtype.kind in "OUS" and any(label in ("-1", b"-1") for label in y.tolist()):
        raise ValueError(
            "y holds the text '-1', but samples without labels are marked with the number -1. Give "
            "an array of objects, such as np.array(['a', -1], dtype=object)."
        )
    marked = np.fromiter((_is_mark(label) for label in y), bool, len(y))
    if len(y) and marked.all():
        raise ValueError("y holds no label: it is -1, which stands for none, for all samples.")
    # Of -1 and 1 both are classes, as nothing could be learned of one alone.
    return marked if len(set(y[~marked].tolist())) > 1 else np.zeros(len(y), dtype=bool)


def _is_mark(label: object) -> bool:
    return isinstance(label, Real) and not isinstance(label, bool) and label == UNLABELLED


@dataclass(frozen=True)
class PartlyLabelled:
    """Samples with labels, and behind them those without.

    Attributes
    ----------
    X : {ndarray, sparse matrix, data frame} of shape (n_samples, n_features)
        All of them.
    y : ndarray of shape (n_labelled,)
        Labels of the first.
    weight : ndarray of shape (n_samples,)
        How much they count.
    is_weighted : bool
        Whether the user has given weights.
    X_labelled, X_unlabelled : {ndarray, sparse matrix, data frame}
        Both parts of X.
    """

    X: MatrixLike
    y: np.ndarray
    weight: np.ndarray
    is_weighted: bool
    X_labelled: MatrixLike
    X_unlabelled: MatrixLike

    def take_labelled(
        self, numbers: np.ndarray | None = None
    ) -> tuple[MatrixLike, np.ndarray, np.ndarray | None]:
        """Return X, y and weights of all samples with labels, or of some of them."""
        weight = self.weight[: len(self.y)] if self.is_weighted else None
        if numbers is None:
            return self.X_labelled, self.y, weight
        some = None if weight is None else weight[numbers]
        return take_rows(self.X_labelled, numbers), self.y[numbers], some


def make_csr(X: MatrixLike | None) -> MatrixLike | None:
    """Return a sparse X as CSR, of which samples can be taken, and others as they are."""
    return cast("Any", X).tocsr() if sparse.issparse(X) else X


def gather_samples(
    X: MatrixLike,
    y: np.ndarray,
    weight: np.ndarray | None,
    marked: np.ndarray,
    unlabelled: MatrixLike | None,
) -> PartlyLabelled:
    """Return samples of X that are not `marked`, those that are, and others without labels.

    The last have the mean weight of samples with labels.
    """
    known = np.flatnonzero(~marked)
    X, unlabelled = (make_csr(given) for given in (X, unlabelled))
    first = X if len(known) == len(y) else take_rows(X, known)
    rest = unlabelled
    if marked.any():
        rest = take_rows(X, np.flatnonzero(marked))
        rest = rest if unlabelled is None else stack_samples(rest, unlabelled)
    whole = stack_samples(first, rest)
    weights = np.ones(count_samples(whole))
    if weight is not None:
        weights[:] = weight[known].mean()
        weights[: len(y)] = np.concatenate([weight[known], weight[marked]])
    return PartlyLabelled(whole, y[known], weights, weight is not None, first, rest)

"""The rows a perceptron learns from: classes or several labels a row, parts, a held-out share."""

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from sknn.threshold._linear_base import (
    Rows,
    check_two_classes,
    multilabel_rows,
    weighted_rows,
)


def fit_rows(X: Any, y: Any, sample_weight: np.ndarray | None, class_weight: Any) -> Rows:
    """Return the rows of a whole fit.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,), or {ndarray, sparse matrix} of shape (n_samples, n_labels)
    sample_weight : ndarray of shape (n_samples,) or None
    class_weight : dict, 'balanced' or None

    Returns
    -------
    Rows

    Raises
    ------
    ValueError
        If y has only one class, is neither classes nor labels, or there are class weights for
        labels.
    """
    if is_multilabel(y):
        return multilabel_rows(X, _labels(y, class_weight), sample_weight)
    rows = weighted_rows(X, y, sample_weight, class_weight)
    check_two_classes(rows.classes)
    return rows


def partial_fit_rows(
    X: Any, y: Any, sample_weight: np.ndarray | None, class_weight: Any, classes: np.ndarray
) -> Rows:
    """Return the rows of a part.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,), or {ndarray, sparse matrix} of shape (n_samples, n_labels)
    sample_weight : ndarray of shape (n_samples,) or None
    class_weight : dict or None
    classes : ndarray of shape (n_classes,)
        All labels, sorted.

    Returns
    -------
    Rows

    Raises
    ------
    ValueError
        If y has other labels, or another number of them.
    """
    if is_multilabel(y):
        y = _labels(y, class_weight)
        if not np.array_equal(classes, np.arange(y.shape[1])):
            raise ValueError(
                f"y has {y.shape[1]} columns of labels, but the classes are {classes.tolist()}. "
                "Leave classes out for multilabel y, and give the same columns in each call."
            )
        return multilabel_rows(X, y, sample_weight)
    check_two_classes(classes)
    unknown = np.setdiff1d(y, classes)
    if len(unknown):
        raise ValueError(
            f"y holds the label {unknown.tolist()[0]!r}, which is not in classes "
            f"{classes.tolist()}. Name all labels in the first call of partial_fit."
        )
    return weighted_rows(X, y, sample_weight, class_weight, classes)


def check_parts_will_do(class_weight: Any, early_stopping: bool) -> None:
    """Refuse parameters that need all rows at once.

    Parameters
    ----------
    class_weight : dict, 'balanced' or None
    early_stopping : bool

    Raises
    ------
    ValueError
        If `class_weight` is ``'balanced'`` or `early_stopping` is true.
    """
    if isinstance(class_weight, str):
        raise ValueError(
            "class_weight='balanced' needs all rows at once, which partial_fit never sees. "
            "Give a dictionary, as from sklearn.utils.class_weight.compute_class_weight."
        )
    if early_stopping:
        raise ValueError(
            "early_stopping=True holds out some of all rows, which partial_fit never sees. "
            "Set early_stopping=False, and look at the score on rows of your own."
        )


def is_multilabel(y: Any) -> bool:
    """Return whether y has a column for each label.

    Parameters
    ----------
    y : ndarray or sparse matrix

    Returns
    -------
    bool
    """
    return y.ndim == 2


def checked_target(y: Any) -> Any:
    """Refuse a y that is neither classes nor columns of labels.

    Parameters
    ----------
    y : {ndarray, sparse matrix} of shape (n_samples,) or (n_samples, n_columns)

    Returns
    -------
    ndarray of shape (n_samples,), or {ndarray, sparse matrix} of shape (n_samples, n_labels)

    Raises
    ------
    ValueError
        If y is continuous, or has several columns with other values than 0 and 1.
    """
    if is_multilabel(y) and y.shape[1] == 1:
        y = column_or_1d(y.toarray() if sparse.issparse(y) else y, warn=True)
    check_classification_targets(y)
    if is_multilabel(y):
        values = np.unique(y.data if sparse.issparse(y) else y)
        if not np.all(np.isin(values, [0, 1])):
            raise ValueError(
                f"y has {y.shape[1]} columns with the values {values[:5].tolist()}. Give one "
                "column of classes, or a column of 0 and 1 for each label."
            )
    return y


def all_classes(y: Any, classes: Any, known: np.ndarray | None) -> np.ndarray:
    """Return the labels of all parts, and check that they stay the same.

    Parameters
    ----------
    y : {ndarray, sparse matrix} of shape (n_samples,) or (n_samples, n_labels)
    classes : array-like of shape (n_classes,) or None
        As given to ``partial_fit``.
    known : ndarray of shape (n_classes,) or None
        From earlier calls.

    Returns
    -------
    ndarray of shape (n_classes,)

    Raises
    ------
    ValueError
        If neither is there, or they differ.
    """
    given = None if classes is None else np.unique(classes)
    if known is None:
        if given is None and not is_multilabel(y):
            raise ValueError("classes must be passed on the first call to partial_fit.")
        return np.arange(y.shape[1]) if given is None else given
    if given is not None and not np.array_equal(given, known):
        raise ValueError(
            f"`classes={given.tolist()}` is not the same as on last call to partial_fit, was: "
            f"{known.tolist()}. Name the same in each call, or leave them out after the first."
        )
    return known


def _labels(y: Any, class_weight: Any) -> np.ndarray:
    if class_weight is not None:
        raise ValueError(
            "class_weight needs rows of one class each, but y has a column for each label, got "
            f"class_weight={class_weight!r}. Leave it out, or give sample_weight."
        )
    return y.toarray() if sparse.issparse(y) else y


def held_out(rows: Rows, fraction: float, random_state: Any) -> tuple[Rows, Rows]:
    """Split the rows into those to learn from and those to tell when to stop.

    Parameters
    ----------
    rows : Rows
    fraction : float
        Share of the rows to hold out, of each class the same.
    random_state : int or RandomState instance

    Returns
    -------
    learning, held : Rows

    Raises
    ------
    ValueError
        If a class has a single row, or there are fewer held-out rows than classes.
    """
    if rows.codes is None:
        split = ShuffleSplit(1, test_size=fraction, random_state=random_state)
    else:
        split = StratifiedShuffleSplit(1, test_size=fraction, random_state=random_state)
    learning, held = next(split.split(np.zeros((len(rows.weights), 1)), rows.codes))
    return rows.part(np.sort(learning)), rows.part(np.sort(held))


def check_same_table(coef: np.ndarray, classes: np.ndarray, rows: Rows) -> None:
    """Refuse to go on with other classes or features.

    Parameters
    ----------
    coef : ndarray of shape (n_units, n_features)
        Learned before.
    classes : ndarray of shape (n_classes,)
        Of the fit before.
    rows : Rows

    Raises
    ------
    ValueError
        If `rows` has others.
    """
    if not np.array_equal(classes, rows.classes) or len(coef) != rows.signs.shape[1]:
        raise ValueError(
            f"warm_start=True goes on with the classes {classes.tolist()}, but y has "
            f"{rows.classes.tolist()}. Set warm_start=False, or give rows of every class."
        )
    if coef.shape[1] != rows.X.shape[1]:
        raise ValueError(
            f"warm_start=True goes on with {coef.shape[1]} features, but X has "
            f"{rows.X.shape[1]}. Set warm_start=False, or give the same features."
        )

"""What classifiers made of one threshold unit per class share: their rows and their answers."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import check_is_fitted, validate_data


@dataclass(frozen=True)
class Rows:
    """The training rows that have a weight.

    Attributes
    ----------
    X : {ndarray, CSR matrix} of shape (n_rows, n_features)
    signs : ndarray of shape (n_rows, n_units)
        What each unit should answer, 1 or -1. Two classes need one unit, which stands for the
        second; more need a unit each, and so do labels that may go together.
    codes : ndarray of int of shape (n_rows,), or None
        Class numbers, positions in `classes`; None where labels may go together.
    weights : ndarray of shape (n_rows,)
        Sample weight times class weight, above 0.
    classes : ndarray of shape (n_classes,)
        Labels, sorted, also those without a row.
    """

    X: Any
    signs: np.ndarray
    codes: np.ndarray | None
    weights: np.ndarray
    classes: np.ndarray

    def part(self, chosen: np.ndarray) -> "Rows":
        """Return some of the rows.

        Parameters
        ----------
        chosen : ndarray of int of shape (n_chosen,)
            Row numbers.

        Returns
        -------
        Rows
        """
        codes = None if self.codes is None else self.codes[chosen]
        signs, weights = self.signs[chosen], self.weights[chosen]
        return Rows(self.X[chosen], signs, codes, weights, self.classes)


def weighted_rows(
    X: Any,
    y: np.ndarray,
    sample_weight: np.ndarray | None,
    class_weight: Any,
    classes: np.ndarray | None = None,
) -> Rows:
    """Leave out rows of weight 0, and multiply sample weights by class weights.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
        Labels.
    sample_weight : ndarray of shape (n_samples,) or None
        Non-negative; None means 1 each.
    class_weight : dict, 'balanced' or None
        As in scikit-learn; ``'balanced'`` counts sample weights, not rows.
    classes : ndarray of shape (n_classes,) or None, default=None
        All labels, sorted, those of y among them. None means those of y.

    Returns
    -------
    Rows

    Raises
    ------
    ValueError
        If a class weight is negative, or all rows get weight 0.
    """
    labels, codes = np.unique(y, return_inverse=True)
    if classes is not None:
        labels, codes = classes, np.searchsorted(classes, labels)[codes]
    weights = np.ones(len(y)) if sample_weight is None else sample_weight
    X, codes, weights = _kept(weights > 0, X, codes, weights)
    if class_weight is not None:
        weights = weights * _class_weights(class_weight, labels, codes, weights)[codes]
        X, codes, weights = _kept(weights > 0, X, codes, weights)
    if len(codes) == 0:
        raise ValueError(
            f"class_weight gives all rows weight 0: {class_weight!r}. Give one of their classes a "
            "weight above 0."
        )
    units = [1] if len(labels) == 2 else range(len(labels))
    signs = np.where(codes[:, None] == np.asarray(units), 1.0, -1.0)
    return Rows(X, signs, codes, weights, labels)


def _class_weights(
    class_weight: Any, labels: np.ndarray, codes: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Return a weight for each label, 1 for one without rows."""
    there, place = np.unique(codes, return_inverse=True)
    y = labels[there][place]
    if isinstance(class_weight, dict):  # those of labels without rows are of no use here
        gone = np.delete(labels, there)
        class_weight = {key: w for key, w in class_weight.items() if not np.any(gone == key)}
    of_class = np.ones(len(labels))
    of_class[there] = compute_class_weight(
        class_weight, classes=labels[there], y=y, sample_weight=weights
    )
    if np.any(of_class < 0):
        raise ValueError(f"class_weight must hold weights >= 0, got {class_weight!r}.")
    return of_class


def multilabel_rows(X: Any, y: np.ndarray, sample_weight: np.ndarray | None) -> Rows:
    """Return rows that may have several labels; a unit for each label.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
    y : ndarray of shape (n_samples, n_labels)
        1 for a label that a row has, 0 for others.
    sample_weight : ndarray of shape (n_samples,) or None
        Non-negative; None means 1 each. Rows of weight 0 are left out.

    Returns
    -------
    Rows
        Whose classes are the column numbers.
    """
    weights = np.ones(len(y)) if sample_weight is None else sample_weight
    X, y, weights = _kept(weights > 0, X, y, weights)
    return Rows(X, np.where(y > 0, 1.0, -1.0), None, weights, np.arange(y.shape[1]))


def _kept(mask: np.ndarray, *arrays: Any) -> tuple[Any, ...]:
    return arrays if mask.all() else tuple(array[mask] for array in arrays)


def check_two_classes(classes: np.ndarray) -> None:
    """Raise scikit-learn's error if there is nothing to tell apart.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)

    Raises
    ------
    ValueError
        If there is only one.
    """
    if len(classes) == 1:
        raise ValueError(
            "This solver needs samples of at least 2 classes in the data, but the data contains "
            f"only one class: {classes.tolist()[0]!r}. Give rows of another."
        )


def class_numbers(decision: np.ndarray, fires: Any) -> np.ndarray:
    """Return the class that the units chose.

    Parameters
    ----------
    decision : ndarray of shape (n_samples,) or (n_samples, n_classes)
        Margins of one unit for two classes, or of a unit per class.
    fires : callable
        From margins of a single unit to bool.

    Returns
    -------
    ndarray of int of shape (n_samples,)
    """
    return fires(decision).astype(int) if decision.ndim == 1 else decision.argmax(axis=1)


class OneUnitPerClass(ClassifierMixin, BaseEstimator, ABC):
    """A linear classifier: one threshold unit for two classes, else one per class."""

    #: whether y had a column for each label
    _multilabel = False

    @abstractmethod
    def _fires(self, decision: np.ndarray) -> np.ndarray:
        """Return bool for the margins of a single unit: the second class or not."""

    @abstractmethod
    def predict_proba(self, X: Any) -> np.ndarray:
        """Return class probabilities of shape (n_samples, n_classes)."""

    def decision_function(self, X: Any) -> np.ndarray:
        """Return how far each row is above the threshold of each unit.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows; sparse only if the classifier was able to fit sparse rows.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            ``X @ coef_.T + intercept_``; for two classes that of the unit for ``classes_[1]``; for
            multilabel y a column for each label.
        """
        check_is_fitted(self)
        accepted = "csr" if self.__sklearn_tags__().input_tags.sparse else False
        X = validate_data(self, X, accept_sparse=accepted, dtype=np.float64, reset=False)
        decision = safe_sparse_dot(X, self.coef_.T, dense_output=True) + self.intercept_
        return decision.ravel() if len(self.coef_) == 1 else decision

    def predict(self, X: Any) -> np.ndarray:
        """Return the class of the unit that fires; of more than two the one that fires most.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows; sparse only if the classifier was able to fit sparse rows.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
            Labels out of ``classes_``; for multilabel y 1 for each label whose unit fires, else 0.
        """
        decision = self.decision_function(X)
        if self._multilabel:
            return self._fires(decision).astype(int)
        return self.classes_[class_numbers(decision, self._fires)]

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the natural logarithm of `predict_proba`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows; sparse only if the classifier was able to fit sparse rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        with np.errstate(divide="ignore"):  # a probability may have underflowed to 0
            return np.log(self.predict_proba(X))

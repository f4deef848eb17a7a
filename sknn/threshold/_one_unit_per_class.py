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
    codes : ndarray of int of shape (n_rows,)
        Class numbers, positions in `classes`.
    weights : ndarray of shape (n_rows,)
        Sample weight times class weight, above 0.
    classes : ndarray of shape (n_classes,)
        Labels, sorted.
    """

    X: Any
    codes: np.ndarray
    weights: np.ndarray
    classes: np.ndarray

    @property
    def signs(self) -> np.ndarray:
        """What each unit should answer, 1 or -1, of shape (n_rows, n_units).

        Two classes need one unit, which stands for the second; more need a unit each.
        """
        units = [1] if len(self.classes) == 2 else range(len(self.classes))
        return np.where(self.codes[:, None] == np.asarray(units), 1.0, -1.0)


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
        All labels, sorted. None means those that have a row with a weight.

    Returns
    -------
    Rows

    Raises
    ------
    ValueError
        If a class weight is negative, or all rows get weight 0.
    """
    weights = np.ones(len(y)) if sample_weight is None else sample_weight
    X, y, weights = _kept(weights > 0, X, y, weights)
    labels, codes = np.unique(y, return_inverse=True)
    of_class = compute_class_weight(class_weight, classes=labels, y=y, sample_weight=weights)
    if np.any(of_class < 0):
        raise ValueError(f"class_weight must hold weights >= 0, got {class_weight!r}.")
    weights = weights * of_class[codes]
    X, y, weights = _kept(weights > 0, X, y, weights)
    if len(y) == 0:
        raise ValueError(
            f"class_weight gives all rows weight 0: {class_weight!r}. Give one of their classes a "
            "weight above 0."
        )
    classes = np.unique(y) if classes is None else classes
    return Rows(X, np.searchsorted(classes, y), weights, classes)


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
            f"only one class: {classes.tolist()[0]!r}. Give rows of another, with a "
            "weight above 0."
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
            ``X @ coef_.T + intercept_``; for two classes that of the unit for ``classes_[1]``.
        """
        check_is_fitted(self)
        accepted = "csr" if self.__sklearn_tags__().input_tags.sparse else False
        X = validate_data(self, X, accept_sparse=accepted, dtype=np.float64, reset=False)
        decision = safe_sparse_dot(X, self.coef_.T, dense_output=True) + self.intercept_
        return decision.ravel() if len(self.classes_) == 2 else decision

    def predict(self, X: Any) -> np.ndarray:
        """Return the class of the unit that fires, for more than two classes the most.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows; sparse only if the classifier was able to fit sparse rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels out of ``classes_``.
        """
        numbers = class_numbers(self.decision_function(X), self._fires)
        return self.classes_[numbers]

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

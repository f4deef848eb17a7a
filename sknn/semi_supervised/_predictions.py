"""Predictions by the classifier of the last round."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sknn._sklearn import take_rows
from sknn._targets import read_labels_of_objects
from sknn.semi_supervised._samples import UNLABELLED, find_unlabelled, read_labels

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from sknn._validation import MatrixLike


def has_decision_function(classifier: PredictsByLastRound) -> bool:
    """Return whether the classifier of the last round has a decision function."""
    inner = vars(classifier).get("estimator_", classifier._usual())
    return hasattr(inner, "decision_function")


class PredictsByLastRound(ClassifierMixin):
    """Classifier that predicts as its ``estimator_`` does."""

    estimator_: BaseEstimator
    classes_: np.ndarray

    def _usual(self) -> BaseEstimator:
        """Return what ``estimator_`` is to be a clone of."""
        raise NotImplementedError

    def predict(self, X: MatrixLike) -> np.ndarray:
        """Return the most probable class of each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            Class labels.
        """
        check_is_fitted(self)
        return self.estimator_.predict(X)

    def predict_proba(self, X: MatrixLike) -> np.ndarray:
        """Return the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of ``classes_``.
        """
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    def score(self, X: MatrixLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the share of right classes among samples that have a label.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            Their classes; samples of -1 are left out, if classes are others.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        float
        """
        check_is_fitted(self)
        marked = find_unlabelled(read_labels(y)) if UNLABELLED not in self.classes_ else None
        if marked is None or not marked.any():
            return super().score(X, read_labels_of_objects(y), sample_weight)
        known = np.flatnonzero(~marked)
        weight = None if sample_weight is None else np.asarray(sample_weight)[known]
        return super().score(take_rows(X, known), read_labels(y)[known], weight)

    @available_if(has_decision_function)
    def decision_function(self, X: MatrixLike) -> np.ndarray:
        """Return the decision function of the classifier of the last round.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Confidence in each class; with two classes that in the second one.
        """
        check_is_fitted(self)
        return self.estimator_.decision_function(X)

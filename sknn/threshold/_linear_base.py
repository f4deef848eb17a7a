"""Base class of linear classifiers with one threshold unit per class."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import check_is_fitted

from sknn._saved import SavedState
from sknn._suggestions import validate_params
from sknn._targets import read_labels_of_objects
from sknn._validation import MatrixLike, check_class_weights
from sknn.threshold._inputs import FeatureMatrix, validate_samples

ClassWeight = Mapping[object, float] | Literal["balanced"] | None


@dataclass(frozen=True)
class TrainingSet:
    """The training samples whose weight is above 0.

    Attributes
    ----------
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
    signs : ndarray of shape (n_samples, n_units)
        Target of each unit, 1 or -1. Two classes need one unit, which stands for the second; more
        need a unit each, and so do labels that may go together.
    codes : ndarray of int of shape (n_samples,), or None
        Positions in `classes`; None where labels may go together.
    weights : ndarray of shape (n_samples,)
        Sample weight times class weight, above 0.
    numbers : ndarray of int of shape (n_samples,)
        Positions of the samples in the X of the user.
    classes : ndarray of shape (n_classes,)
        Labels, sorted, also those without a sample.
    """

    X: FeatureMatrix
    signs: np.ndarray
    codes: np.ndarray | None
    weights: np.ndarray
    numbers: np.ndarray
    classes: np.ndarray

    def select(self, chosen: np.ndarray) -> "TrainingSet":
        """Return the samples whose numbers are `chosen`, of shape (n_chosen,)."""
        codes = None if self.codes is None else self.codes[chosen]
        signs, weights, numbers = (a[chosen] for a in (self.signs, self.weights, self.numbers))
        return TrainingSet(self.X[chosen], signs, codes, weights, numbers, self.classes)


@dataclass(frozen=True)
class SingleLabelSet(TrainingSet):
    """Training samples of one class each."""

    codes: np.ndarray


def make_training_set(
    X: FeatureMatrix,
    y: np.ndarray,
    sample_weight: np.ndarray | None,
    class_weight: ClassWeight,
    classes: np.ndarray | None = None,
) -> SingleLabelSet:
    """Leave out samples of weight 0, and multiply sample weights by class weights.

    `classes` are all labels, sorted; None means those of y. Labels y, weights: (n_samples,).
    """
    labels, codes = np.unique(y, return_inverse=True)
    if classes is not None:
        labels, codes = classes, np.searchsorted(classes, labels)[codes]
    weights = np.ones(len(y)) if sample_weight is None else sample_weight
    numbers = np.arange(len(y))
    X, codes, weights, numbers = _keep(weights > 0, X, codes, weights, numbers)
    if class_weight is not None:
        weights = weights * _compute_class_weights(class_weight, labels, codes, weights)[codes]
        X, codes, weights, numbers = _keep(weights > 0, X, codes, weights, numbers)
    if len(codes) == 0:
        raise ValueError(
            f"class_weight gives all samples weight 0: {class_weight!r}. Give one of their classes "
            "a weight above 0."
        )
    with np.errstate(over="ignore"):
        if not np.isfinite(weights.sum()):
            raise ValueError(
                "The sum of sample weights times class weights overflows. Divide all of them by "
                "their largest: their ratios alone matter."
            )
    units = [1] if len(labels) == 2 else range(len(labels))
    signs = np.where(codes[:, None] == np.asarray(units), 1.0, -1.0)
    return SingleLabelSet(X, signs, codes, weights, numbers, labels)


def _compute_class_weights(
    class_weight: ClassWeight, labels: np.ndarray, codes: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Return a weight for each label, 1 for one without samples; ``'balanced'`` sums weights."""
    there, place = np.unique(codes, return_inverse=True)
    y = labels[there][place]
    if isinstance(class_weight, dict):  # those of labels without samples are of no use here
        gone = np.delete(labels, there)
        class_weight = {key: w for key, w in class_weight.items() if not np.any(gone == key)}
    of_class = np.ones(len(labels))
    of_class[there] = compute_class_weight(
        class_weight, classes=labels[there], y=y, sample_weight=weights
    )
    check_class_weights(of_class, class_weight)
    return of_class


def make_multilabel_set(
    X: FeatureMatrix, y: np.ndarray, sample_weight: np.ndarray | None
) -> TrainingSet:
    """Return samples that may have several labels, with a unit for each; y: (n_samples, n_labels).

    The classes are the column numbers of y.
    """
    weights = np.ones(len(y)) if sample_weight is None else sample_weight
    X, y, weights, numbers = _keep(weights > 0, X, y, weights, np.arange(len(y)))
    signs, classes = np.where(y > 0, 1.0, -1.0), np.arange(y.shape[1])
    return TrainingSet(X, signs, None, weights, numbers, classes)


def _keep(mask: np.ndarray, *arrays: FeatureMatrix) -> tuple[FeatureMatrix, ...]:
    return arrays if mask.all() else tuple(array[mask] for array in arrays)


def check_two_classes(classes: np.ndarray) -> None:
    """Raise scikit-learn's error where there is a single class."""
    if len(classes) == 1:
        raise ValueError(
            "This solver needs samples of at least 2 classes in the data, but the data contains "
            f"only one class: {classes.tolist()[0]!r}. Give samples of another."
        )


def choose_classes(decision: np.ndarray, fires: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return the class positions (n_samples,) that one unit, or one per class, chooses."""
    return fires(decision).astype(int) if decision.ndim == 1 else decision.argmax(axis=1)


def compute_decision(X: FeatureMatrix, coef: np.ndarray, intercept: np.ndarray) -> np.ndarray:
    """Return ``X @ coef.T + intercept``, of shape (n_samples, n_units); refuse to overflow."""
    with np.errstate(over="ignore", invalid="ignore"):  # an error follows
        decision = safe_sparse_dot(X, coef.T, dense_output=True) + intercept
    if not np.all(np.isfinite(decision)):
        sample = np.argwhere(~np.isfinite(decision))[0, 0]
        raise ValueError(
            f"The weighted sum of sample {sample} overflows: its values or the weights are too "
            "large. Scale X, and fit again."
        )
    return decision


class OneUnitPerClass(SavedState, ClassifierMixin, BaseEstimator, ABC):
    """A linear classifier: one threshold unit for two classes, else one per class."""

    #: whether y had a column for each label
    _multilabel = False

    _validate_params = validate_params

    @abstractmethod
    def _is_firing(self, decision: np.ndarray) -> np.ndarray:
        """Return bool for the margins of a single unit: the second class or not."""

    @abstractmethod
    def predict_proba(self, X: MatrixLike) -> np.ndarray:
        """Return class probabilities of shape (n_samples, n_classes)."""

    def decision_function(self, X: MatrixLike) -> np.ndarray:
        """Return how far each sample is above the threshold of each unit.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples; sparse only if the classifier can fit sparse samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            ``X @ coef_.T + intercept_``; for two classes that of the unit for ``classes_[1]``; for
            multilabel y a column for each label.

        Raises
        ------
        ValueError
            If X does not fit the classifier, or a weighted sum overflows.
        """
        check_is_fitted(self)
        accepted = "csr" if self.__sklearn_tags__().input_tags.sparse else False
        X = validate_samples(self, X, accept_sparse=accepted, reset=False)
        decision = compute_decision(X, self.coef_, self.intercept_)
        return decision.ravel() if len(self.coef_) == 1 else decision

    def predict(self, X: MatrixLike) -> np.ndarray:
        """Return the class of the unit that fires; of more than two the one that fires most.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples; sparse only if the classifier can fit sparse samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
            Labels out of ``classes_``; for multilabel y 1 for each label whose unit fires, else 0.
        """
        decision = self.decision_function(X)
        if self._multilabel:
            return self._is_firing(decision).astype(int)
        return self.classes_[choose_classes(decision, self._is_firing)]

    def score(self, X: MatrixLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the accuracy of the predictions; of label sets the share that is entirely right.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples; sparse only if the classifier can fit sparse samples.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            True labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        float
        """
        return super().score(X, read_labels_of_objects(y), sample_weight)

    def predict_log_proba(self, X: MatrixLike) -> np.ndarray:
        """Return the natural logarithm of `predict_proba`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples; sparse only if the classifier can fit sparse samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        with np.errstate(divide="ignore"):  # a probability may have underflowed to 0
            return np.log(self.predict_proba(X))

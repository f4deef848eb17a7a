"""Targets in and out of the network: class labels, label sets, numbers."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from sknn._specs import TargetSpec


class ClassCodec:
    """Class labels to numbers and back: binary, multiclass or multilabel.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted labels; ``0 ... n_labels - 1`` for multilabel y.
    spec_ : TargetSpec
        How `encode` writes.
    """

    def fit(self, y: Any, classes: Iterable | None = None) -> "ClassCodec":
        """Learn the classes.

        Parameters
        ----------
        y : array-like of shape (n_samples,) or {array-like, sparse} of shape (n_samples, n_labels)
            Labels, or an indicator matrix of label sets.
        classes : array-like of shape (n_classes,), default=None
            All classes, where y may lack some (``partial_fit``). An indicator matrix knows its
            own.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If y is continuous, or has several columns of classes.
        """
        check_classification_targets(y)
        multilabel = _has_columns(y)
        if multilabel:
            if type_of_target(y) != "multilabel-indicator":
                raise ValueError(
                    "Multioutput target data is not supported: y has several columns, but is no "
                    "indicator matrix of 0 and 1. Fit one classifier a column, as "
                    "sklearn.multioutput.MultiOutputClassifier does."
                )
            # scikit-learn's binarizer gives label sets back dense or sparse, as they came.
            self._binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._binarizer.classes_
        else:
            self.classes_ = np.unique(y if classes is None else np.asarray(classes))
        n_classes = len(self.classes_)
        if multilabel:
            self.spec_ = TargetSpec("multilabel", n_classes, "binary_log_loss")
        elif n_classes > 2:
            self.spec_ = TargetSpec("multiclass", n_classes, "log_loss")
        else:
            self.spec_ = TargetSpec("binary", 1, "binary_log_loss")
        return self

    def check_same_classes(self, y: Any) -> None:
        """Raise ValueError unless y has exactly the classes that `fit` saw."""
        found = unique_labels(y)
        if set(found) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {self.classes_}, `y` has {found}"
            )

    def encode(self, y: Any, dtype: Any) -> np.ndarray:
        """Return y as the network's losses take it; see `TargetSpec`.

        Parameters
        ----------
        y : as in `fit`
            Labels that `fit` has seen.
        dtype : dtype
            Of 0/1 targets; class numbers are int64.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)

        Raises
        ------
        ValueError
            If y has a class that `fit` has not seen, or another number of labels.
        """
        if self.spec_.kind == "multilabel":
            return self._encode_label_sets(y, dtype)
        codes = self._class_numbers(y)
        if self.spec_.kind == "multiclass":
            return codes.astype(np.int64)
        return codes.astype(dtype).reshape(-1, 1)

    def _class_numbers(self, y: Any) -> np.ndarray:
        if not _has_columns(y):
            y = np.asarray(y)
            try:
                codes = np.searchsorted(self.classes_, y).clip(max=len(self.classes_) - 1)
                if np.all(self.classes_[codes] == y):
                    return codes
            except TypeError:  # text cannot be compared with numbers: there is no such class
                pass
        found = unique_labels(y)
        raise ValueError(
            "`y` has classes not in `self.classes_`. "
            f"`self.classes_` has {self.classes_}. 'y' has {found}."
        )

    def _encode_label_sets(self, y: Any, dtype: Any) -> np.ndarray:
        y = y if sparse.issparse(y) else np.asarray(y)
        if type_of_target(y) != "multilabel-indicator" or y.shape[1] != len(self.classes_):
            raise ValueError(
                f"y must be an indicator matrix with {len(self.classes_)} columns, as in the "
                f"first call; got {type_of_target(y)!r} y of shape {np.shape(y)}."
            )
        dense = y.toarray() if sparse.issparse(y) else np.asarray(y)
        return (dense != 0).astype(dtype)

    def decode(self, decision: np.ndarray) -> Any:
        """Return the labels for raw outputs of the network.

        Parameters
        ----------
        decision : ndarray of shape (n_samples, n_outputs)
            Log-odds, or unnormalised log-probabilities of the classes.

        Returns
        -------
        ndarray of shape (n_samples,), or {ndarray, sparse} of shape (n_samples, n_labels)
            Sparse if y was.
        """
        if self.spec_.kind == "multilabel":
            return self._binarizer.inverse_transform((decision > 0).astype(np.int64))
        if self.spec_.kind == "multiclass":
            return self.classes_[decision.argmax(axis=1)]
        fires = (decision[:, 0] > 0) & (len(self.classes_) == 2)
        return self.classes_[fires.astype(np.intp)]

    def decode_target(self, y: np.ndarray) -> np.ndarray:
        """Return the labels that `encode` made y from.

        Parameters
        ----------
        y : ndarray
            Encoded.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
        """
        if self.spec_.kind == "multilabel":
            return y.astype(np.int64)
        return self.classes_[y.astype(np.intp).ravel()]


def _has_columns(y: Any) -> bool:
    return sparse.issparse(y) or (np.ndim(y) == 2 and np.shape(y)[1] > 1)


class ValueCodec:
    """Numbers to standardised numbers and back.

    Parameters
    ----------
    loss : {'squared_error', 'poisson'}
        The counts of a Poisson loss stay as they are.
    standardize : bool
        Whether to subtract the mean and divide by the standard deviation.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_outputs,)
        ``y = encoded * scale_ + mean_``.
    spec_ : TargetSpec
        How `encode` writes.
    """

    def __init__(self, loss: str, standardize: bool):
        self.loss = loss
        self.standardize = standardize and loss == "squared_error"

    def fit(self, y: np.ndarray, sample_weight: np.ndarray | None = None) -> "ValueCodec":
        """Learn mean and sample standard deviation, weighted.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Numbers.
        sample_weight : ndarray of shape (n_samples,), default=None
            Non-negative.

        Returns
        -------
        self
        """
        columns = y.reshape(len(y), -1).astype(np.float64)
        n_outputs = columns.shape[1]
        self.mean_, self.scale_ = np.zeros(n_outputs), np.ones(n_outputs)
        if self.standardize:
            self.mean_ = np.average(columns, axis=0, weights=sample_weight)
            spread = np.abs(columns - self.mean_).max(axis=0)
            spread = np.where(spread > 0, spread, 1.0)  # squares of y near 1e200 overflow
            squares = np.square((columns - self.mean_) / spread)
            variance = np.average(squares, axis=0, weights=sample_weight)
            # That of a sample, divided by n - 1; n is the sum of weights, so that a weight of 2
            # is a row given twice. Weights that sum to 1 or so cannot mean counts of rows.
            n = len(y) if sample_weight is None else float(np.sum(sample_weight))
            deviation = spread * np.sqrt(variance * n / max(n - 1, n / 2))
            # A constant target has a deviation of rounding errors alone.
            noise = 10 * np.finfo(np.float64).eps * np.abs(self.mean_)
            self.scale_ = np.where(deviation > noise, deviation, 1.0)
        self.spec_ = TargetSpec("values", n_outputs, self.loss)
        return self

    def encode(self, y: np.ndarray, dtype: Any) -> np.ndarray:
        """Return y standardised.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Numbers; at least 0 for a Poisson loss.
        dtype : dtype
            Of the result.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs)

        Raises
        ------
        ValueError
            If a Poisson loss gets a number below 0, or the number of columns has changed.
        """
        columns = y.reshape(len(y), -1)
        if columns.shape[1] != self.spec_.n_outputs:
            raise ValueError(
                f"y has {columns.shape[1]} columns, but {self.spec_.n_outputs} in the first call "
                "to fit or partial_fit. Give as many, or fit anew."
            )
        if self.loss == "poisson" and columns.min() < 0:
            raise ValueError(
                "Some value(s) of y are out of the valid range of the loss 'poisson': it needs "
                f"y >= 0, the smallest here is {float(columns.min())!r}."
            )
        return ((columns - self.mean_) / self.scale_).astype(dtype)

    def decode(self, output: np.ndarray) -> np.ndarray:
        """Return predictions in the units of y.

        Parameters
        ----------
        output : ndarray of shape (n_samples, n_outputs)
            Raw outputs of the network.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs), or (n_samples,) for one output
            In the dtype of `output`.
        """
        if self.loss == "poisson":
            values = np.exp(output)
        else:
            values = (output * self.scale_ + self.mean_).astype(output.dtype)
        return values.ravel() if values.shape[1] == 1 else values

    def decode_target(self, y: np.ndarray) -> np.ndarray:
        """Return the numbers that `encode` made y from.

        Parameters
        ----------
        y : ndarray of shape (n_samples, n_outputs)
            Encoded.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs), or (n_samples,) for one output
        """
        values = y * self.scale_ + self.mean_
        return values.ravel() if values.shape[1] == 1 else values

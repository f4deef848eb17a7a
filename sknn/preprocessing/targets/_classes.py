"""Classes in and out of the network: labels and label sets."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike
from scipy import sparse
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from sknn._saved import saved
from sknn._specs import TargetKind, TargetSpec
from sknn._targets import is_plain_column
from sknn._validation import MatrixLike, to_dense
from sknn.losses import ClassLoss, Loss, find_class_loss, read_settings
from sknn.preprocessing.targets._measured import check_measured, has_missing_values


@saved
class ClassCodec:
    """Codec between class labels and numbers: binary, multiclass or multilabel.

    Parameters
    ----------
    loss : {'log_loss', 'focal', 'hinge'} or callable, default='log_loss'
        Loss that the network is trained on.
    loss_params : mapping, default=None
        Settings of the loss: ``label_smoothing`` of the first two, ``gamma`` of 'focal'.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted labels; ``0 ... n_labels - 1`` for multilabel y.
    spec_ : TargetSpec
        Description of what `encode` returns.
    out_activation_ : {'softmax', 'logistic', 'identity'}
        Function from raw predictions to probabilities; 'identity' if there are none.

    Raises
    ------
    ValueError
        If the loss is unknown, or a setting is not as it should be.
    """

    def __init__(self, loss: Loss = "log_loss", loss_params: Mapping[str, Any] | None = None):
        self.loss = loss
        self._settings = read_settings(loss, self._entry.settings, loss_params)

    @property
    def _entry(self) -> ClassLoss:  # not an attribute: a file names losses of the table
        return find_class_loss(self.loss)

    def fit(self, y: MatrixLike, classes: ArrayLike | None = None) -> "ClassCodec":
        """Learn the classes.

        Parameters
        ----------
        y : array-like of shape (n_samples,) or {array-like, sparse} of shape (n_samples, n_labels)
            Labels, or an indicator matrix of label sets. NaN in the matrix stands for a label that
            is not known; the loss leaves it out.
        classes : array-like of shape (n_classes,), default=None
            All classes, if y may lack some (``partial_fit``); not needed for an indicator matrix.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If y is continuous, or has several columns of classes.
        """
        has_missing = has_missing_values(y)
        if has_missing:
            entry = self._entry
            has_formulas = (entry.per_label or entry.per_class) is not None
            check_measured(np.asarray(y), None, has_formulas, self.loss)
            y = np.nan_to_num(y, nan=0.0)
        found = None
        if is_plain_column(y):
            found = np.unique(y)
        # Whole numbers that repeat are classes. Where few do scikit-learn warns, at half of them.
        if found is None or 2 * len(found) >= np.shape(y)[0]:
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
        elif classes is not None:
            self.classes_ = np.unique(np.asarray(classes))
        else:
            self.classes_ = np.unique(y) if found is None else found
        n_classes = len(self.classes_)
        if multilabel:
            self._set_spec("multilabel", n_classes, has_missing)
        elif n_classes > 2:
            self._set_spec("multiclass", n_classes)
        else:
            self._set_spec("binary", 1)
        return self

    def _set_spec(self, kind: TargetKind, n_outputs: int, has_missing: bool = False) -> None:
        several, entry = kind == "multiclass", self._entry
        function, other = entry.per_class, entry.per_label
        if not several:
            function, other = other, function
        if function is None and other is not None:
            have, lack = "three and more", "two classes or labels"
            if several:
                have, lack = lack, have
            raise ValueError(
                f"loss {entry.name!r} has no formula for {lack}, only for {have}, but y is "
                f"{kind}. Take another loss, or write that formula into its entry."
            )
        self.spec_ = TargetSpec(kind, n_outputs, self.loss, self._settings, has_missing)
        self.out_activation_ = entry.out_activation(several)

    def check_same_classes(self, y: MatrixLike) -> None:
        """Raise ValueError unless y has exactly the classes that `fit` saw."""
        found = unique_labels(np.nan_to_num(y, nan=0.0) if has_missing_values(y) else y)
        if set(found) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {self.classes_}, `y` has {found}"
            )

    def encode(self, y: MatrixLike, dtype: DTypeLike) -> np.ndarray:
        """Return y as the network's losses take it; see `TargetSpec`.

        Parameters
        ----------
        y : as in `fit`
            Labels that `fit` has seen.
        dtype : dtype
            Dtype of targets of 0 and 1; class numbers are int64.

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
        codes = self._find_class_numbers(y)
        if self.spec_.kind == "multiclass":
            return codes.astype(np.int64)
        return codes.astype(dtype).reshape(-1, 1)

    def _find_class_numbers(self, y: MatrixLike) -> np.ndarray:
        if not _has_columns(y):
            y = np.asarray(y)
            try:
                # The place of each label among the sorted classes, which is its number if the class
                # there is the same.
                codes = np.minimum(self.classes_.searchsorted(y), len(self.classes_) - 1)
                if np.all(self.classes_[codes] == y):
                    return codes
            except TypeError:  # text cannot be compared with numbers: there is no such class
                pass
        found = unique_labels(y)
        raise ValueError(
            "`y` has classes not in `self.classes_`. "
            f"`self.classes_` has {self.classes_}. 'y' has {found}. Leave out samples of other "
            "classes, or give all classes to the first call."
        )

    def _encode_label_sets(self, y: MatrixLike, dtype: DTypeLike) -> np.ndarray:
        if has_missing_values(y):
            if not self.spec_.has_missing:
                raise ValueError(
                    "y has missing values (NaN), but the first call to fit had none. Give samples "
                    "with some in the first call, or leave these samples out."
                )
            labels = self._encode_label_sets(np.nan_to_num(y, nan=0.0), dtype)
            labels[np.isnan(y)] = np.nan
            return labels
        if type_of_target(y) != "multilabel-indicator" or np.shape(y)[1] != len(self.classes_):
            raise ValueError(
                f"y must be an indicator matrix with {len(self.classes_)} columns, as in the "
                f"first call; got {type_of_target(y)!r} y of shape {np.shape(y)}."
            )
        return (to_dense(y) != 0).astype(dtype)

    def decode(self, decision: np.ndarray) -> np.ndarray | sparse.csr_matrix:
        """Return the labels for raw predictions of the network.

        Parameters
        ----------
        decision : ndarray of shape (n_samples, n_outputs)
            Log-odds, or unnormalised log-probabilities of the classes.

        Returns
        -------
        ndarray of shape (n_samples,), or {ndarray, sparse} of shape (n_samples, n_labels)
            Labels; sparse if y was.
        """
        if self.spec_.kind == "multilabel":
            return self._binarizer.inverse_transform((decision > 0).astype(np.int64))
        if self.spec_.kind == "multiclass":
            return self.classes_[decision.argmax(axis=1)]
        fires = (decision[:, 0] > 0) & (len(self.classes_) == 2)
        return self.classes_[fires.astype(np.intp)]

    def decode_target(self, y: np.ndarray) -> np.ndarray:
        """Return the labels of an encoded y.

        Parameters
        ----------
        y : ndarray
            Encoded targets.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
        """
        if self.spec_.kind == "multilabel":
            return y if has_missing_values(y) else y.astype(np.int64)
        return self.classes_[y.astype(np.intp).ravel()]


def _has_columns(y: MatrixLike) -> bool:
    return sparse.issparse(y) or (np.ndim(y) == 2 and np.shape(y)[1] > 1)

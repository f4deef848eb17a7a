"""Methods of all deep classifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if

from sknn._sklearn import check_partial_fit_first_call, fit_context, with_callbacks
from sknn._targets import is_plain_column, read_labels_of_objects
from sknn._validation import restore_on_error, sort_classes, to_dense
from sknn.deep._array_api import follow_array_api
from sknn.deep._available import offers_probabilities, supports_partial_fit
from sknn.deep._base import DeepEstimator
from sknn.deep._fit_arguments import explain_unknown_arguments, join_validation, make_fit_data
from sknn.deep.parts._preparation import FitData
from sknn.deep.parts._targets import read_incomplete_target, score_known_labels
from sknn.deep.sources._predict import read_by_chunk, read_for_score

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike
    from sklearn.utils import Tags


class DeepClassifier(ClassifierMixin, DeepEstimator):
    """Labels in and out; binary, multiclass and multilabel."""

    _make_fit_data = staticmethod(make_fit_data)

    @with_callbacks
    @fit_context(prefer_skip_nested_validation=True)
    @explain_unknown_arguments
    @follow_array_api
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | str | None = None,
        sample_weight: ArrayLike | str | None = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
        X_unlabelled: ArrayLike | None = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, source} of shape (n_samples, n_features)
            Training samples; networks for sequences take strings, of shape (n_samples,). A
            ``pathlib.Path`` or another source, see :doc:`/guide/large_data`, is read a chunk at a
            time. Sparse ones stay sparse, or become dense a mini-batch at a time.
        y : array-like of shape (n_samples,) or (n_samples, n_labels), or str, default=None
            Column of X, or class labels, or an indicator matrix, NaN where a label is not known.
            None only if the chunks of a source hold y.
        sample_weight : array-like of shape (n_samples,) or str, default=None
            Non-negative weights of the samples; a sample of weight 0 is left out.
        X_val, y_val : array-like, default=None
            Validation samples such as X and y, in place of samples held out by `early_stopping`.
            Without it they are only scored after each epoch, see ``history_``. In a ``Pipeline``
            let X_val be transformed as X is: ``Pipeline(steps, transform_input=["X_val"])``.
        sample_weight_val : array-like of shape (n_val_samples,), default=None
            Weights of the validation samples.
        X_unlabelled : array-like, default=None
            Samples without labels, for an autoencoder that is not fitted yet, or for filters that
            predict hidden letters; see `pretrained`.

        Returns
        -------
        self : object
            The fitted estimator. If fitting fails it is as it was before.

        Raises
        ------
        ValueError
            If a parameter, X, y or the weights are not as described.
        sknn.exceptions.NonFiniteLossError
            If training diverges; a ``ValueError`` too.
        """
        validation = {"X_val": X_val, "y_val": y_val, "sample_weight_val": sample_weight_val}
        data = self._make_fit_data(X, y, sample_weight, X_unlabelled=X_unlabelled, **validation)
        return self._fit_watched(data)

    @available_if(supports_partial_fit)
    @fit_context(prefer_skip_nested_validation=True)
    @explain_unknown_arguments
    @follow_array_api
    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> Self:
        """Train for one more epoch on the given samples.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Training samples.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels, or an indicator matrix.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the samples.
        classes : array-like of shape (n_classes,), default=None
            All classes of all calls. Required at the first call, can be omitted afterwards; y
            need not contain all of them.
        X_val, y_val, sample_weight_val : array-like, default=None
            Samples to score after the epoch, such as those of `fit`, see ``history_``.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If `classes` is missing or changes, y has another class, or
            ``early_stopping=True``.
        """
        validation = join_validation(X_val, y_val, sample_weight_val)
        data = FitData(X, y, sample_weight, classes, validation)
        with restore_on_error(self):  # so that the call after a first one that failed is the first
            if classes is not None:
                sort_classes(classes)
            check_partial_fit_first_call(self, classes)
            return self._fit(data, incremental=True)

    @follow_array_api
    @read_by_chunk
    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Return the raw predictions of the network.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, source} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Log-odds of ``classes_[1]`` for two classes, and of each label for multilabel y;
            otherwise unnormalised log-probabilities, of which the largest wins.
        """
        output = self._forward(X)
        return output[:, 0] if output.shape[1] == 1 else output

    @follow_array_api
    @read_by_chunk
    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the most probable class of each sample, or its set of labels.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, source} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
        """
        output = self._forward(X)  # which says so if the estimator is not fitted
        return self._codec.decode(output)

    @available_if(offers_probabilities)
    @follow_array_api
    @read_by_chunk
    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Return the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, source} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of ``classes_``; they sum to 1 unless y is multilabel. They
            are never quite 0 or 1, however sure the network is, so that no logarithm is infinite.
        """
        output = self._forward(X)
        if len(self.classes_) == 1:
            return np.ones_like(output)
        kind = self._codec.spec_.kind
        output = np.hstack([-output, output]) if kind == "binary" else output
        proba = softmax(output, axis=1) if kind == "multiclass" else expit(output)
        one = proba.dtype.type(1)
        return np.clip(proba, np.finfo(proba.dtype).tiny, np.nextafter(one, 0 * one))

    @available_if(offers_probabilities)
    @follow_array_api
    @read_by_chunk
    def predict_log_proba(self, X: ArrayLike) -> np.ndarray:
        """Return the logarithm of the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, source} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        return np.log(self.predict_proba(X))

    @follow_array_api
    @read_for_score
    def score(
        self,
        X: ArrayLike,
        y: ArrayLike | str | None = None,
        sample_weight: ArrayLike | str | None = None,
    ) -> float:
        """Return the accuracy of the predictions; of label sets the share that is entirely right.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, source} of shape (n_samples, n_features)
            Samples.
        y : str, or array-like of shape (n_samples,) or (n_samples, n_labels), default=None
            Column of X; or true labels; or an indicator matrix, NaN where a label is not known.
            None only if the chunks of a source hold y.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        float
            A set is right if all its known labels are.
        """
        table = read_incomplete_target(y)
        if table is not None:
            return score_known_labels(table, to_dense(self.predict(X)), sample_weight)
        if sample_weight is None and is_plain_column(y):
            predicted = self.predict(X)
            if is_plain_column(predicted) and predicted.shape == y.shape:
                return float(np.mean(predicted == y))  # scikit-learn's checks take longer than this
        return super().score(X, read_labels_of_objects(y), sample_weight)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        self._make_parts().reader.set_tags(tags)
        tags.classifier_tags.multi_label = True
        return tags

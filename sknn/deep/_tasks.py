"""The two halves of a deep estimator that differ by task: classification and regression."""

import copy
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight
from sklearn.utils.metaestimators import available_if

from sknn._sklearn import check_partial_fit_first_call, check_y, fit_context
from sknn._validation import restore_on_error
from sknn.deep._base import DeepEstimator, validation_of
from sknn.engine import forward
from sknn.losses import VALUE_LOSSES, find_value_loss, gives_probabilities
from sknn.preprocessing import ClassCodec, ValueCodec


def _can_go_on(estimator: Any) -> bool:
    return estimator._check_solver()


def _can_go_on_with_classes(estimator: Any) -> bool:
    if estimator.class_weight == "balanced":
        raise AttributeError(
            "class_weight='balanced' needs to see all of y, but partial_fit sees a part. Give a "
            "dict of weights, as from sklearn.utils.class_weight.compute_class_weight."
        )
    return estimator._check_solver()


def _balanced_weight(y: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray:
    """Return weights of rows that make classes weigh the same; of several labels their product."""
    y = y.toarray() if sparse.issparse(y) else y
    weight = np.ones(len(y))
    if sample_weight is not None and not sample_weight.all():  # a class of weight 0 is none
        kept = np.flatnonzero(sample_weight)
        weight[kept] = _balanced_weight(y[kept], sample_weight[kept])
        return weight
    for column in y.reshape(len(y), -1).T:
        classes, codes = np.unique(column, return_inverse=True)
        of_class = compute_class_weight(
            "balanced", classes=classes, y=column, sample_weight=sample_weight
        )
        weight *= of_class[codes]
    return weight


def _gives_probabilities(estimator: Any) -> bool:
    if not gives_probabilities(estimator.loss):
        raise AttributeError(
            f"loss={estimator.loss!r} gives no probabilities. Use decision_function, or "
            "loss='log_loss'."
        )
    return True


def _checked_y(estimator: Any, y: Any, **options: Any) -> np.ndarray:
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but the target y "
            "is None."
        )
    y = check_y(y, multi_output=True, estimator=estimator, **options)
    return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y


class DeepClassifier(ClassifierMixin, DeepEstimator):
    """Labels in and out; binary, multiclass and multilabel."""

    def _check_y(self, y):
        return _checked_y(self, y)

    def _class_weighted(self, y, sample_weight):
        if self.class_weight is None:
            return sample_weight
        if self.class_weight == "balanced":
            weight = _balanced_weight(y, sample_weight)
        else:
            weight = compute_sample_weight(self.class_weight, y)
        return weight if sample_weight is None else weight * sample_weight

    def _fit_codec(self, y, sample_weight, classes):
        settings = self._nested_arguments("loss")
        if self.label_smoothing:
            settings["label_smoothing"] = self.label_smoothing
        codec = ClassCodec(self.loss, settings).fit(y, classes)
        self.classes_ = codec.classes_
        return codec

    def _check_same_target(self, y):
        self._codec.check_same_classes(y)

    def _score_output(self, y, output, sample_weight):
        if self._codec.spec_.kind == "multiclass":
            correct = output.argmax(axis=1) == y
        else:
            correct = ((output > 0) == (y > 0.5)).all(axis=1)
        return np.average(correct, weights=sample_weight)

    @available_if(_can_go_on_with_classes)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X,
        y,
        sample_weight=None,
        classes=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
    ):
        """Train for one more epoch on the given rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels, or an indicator matrix.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the rows.
        classes : array-like of shape (n_classes,), default=None
            All classes of all calls. Required at the first call, can be omitted afterwards; y
            need not contain all of them.
        X_val, y_val, sample_weight_val : as in `fit`, default=None
            Rows to score after the epoch, see ``history_``.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If `classes` is missing or changes, y has another class, or
            ``early_stopping=True``.
        """
        validation = validation_of(X_val, y_val, sample_weight_val)
        with restore_on_error(self):  # so that the call after a first one that failed is the first
            check_partial_fit_first_call(self, classes)
            return self._fit(
                X, y, sample_weight, incremental=True, classes=classes, validation=validation
            )

    def decision_function(self, X):
        """Return the network's output before the link.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Log-odds of ``classes_[1]`` for two classes, and of each label for multilabel y;
            otherwise unnormalised log-probabilities, of which the largest wins.
        """
        output = self._forward(X)
        return output[:, 0] if output.shape[1] == 1 else output

    def predict(self, X):
        """Return the most probable class of each row, or its set of labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
        """
        output = self._forward(X)
        return self._codec.decode(output)

    @available_if(_gives_probabilities)
    def predict_proba(self, X):
        """Return the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``; rows sum to 1 unless y is multilabel. Never quite 0
            or 1, however sure the network is, so that no logarithm of it is infinite.
        """
        output = self._forward(X)
        if len(self.classes_) == 1:
            return np.ones_like(output)
        kind = self._codec.spec_.kind
        if kind == "binary":
            output = np.hstack([-output, output])
        proba = softmax(output, axis=1) if kind == "multiclass" else expit(output)
        one = proba.dtype.type(1)
        return np.clip(proba, np.finfo(proba.dtype).tiny, np.nextafter(one, 0 * one))

    @available_if(_gives_probabilities)
    def predict_log_proba(self, X):
        """Return the logarithm of the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        return np.log(self.predict_proba(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class DeepRegressor(RegressorMixin, DeepEstimator):
    """Numbers in and out, one or several a row."""

    def _check_y(self, y):
        return _checked_y(self, y, y_numeric=True)

    def _class_weighted(self, y, sample_weight):
        return sample_weight

    def _calibrate(self, plan, result):
        validation = plan.validation
        if validation is not None and self._codec.has_levels:
            codec = self._codec = copy.copy(self._codec)  # that of before stays as it is
            output = forward(result.net, validation.X)
            codec.calibrate(validation.y, output, validation.sample_weight)

    def _refit_codec(self, sample):
        self._codec = self._fit_codec(sample.y, sample.sample_weight, None)

    def _fit_codec(self, y, sample_weight, classes):
        settings = self._nested_arguments("loss")
        if self.quantile is not None:
            if "quantiles" not in find_value_loss(self.loss).settings:
                raise ValueError(
                    f"quantile={self.quantile!r} is for loss='quantile', but loss is "
                    f"{self.loss!r}. Leave it out, or change the loss."
                )
            settings["quantiles"] = self.quantile
        codec = ValueCodec(self.loss, self.standardize_target, settings).fit(y, sample_weight)
        self.target_mean_, self.target_scale_ = codec.mean_, codec.scale_
        return codec

    def _score_output(self, y, output, sample_weight):
        return self._codec.score(y, output, sample_weight)

    def _scores_loss(self):
        return find_value_loss(self.loss).scores_loss

    @available_if(_can_go_on)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None
    ):
        """Train for one more epoch on the given rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers. The first call fixes how they are standardised.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the rows.
        X_val, y_val, sample_weight_val : as in `fit`, default=None
            Rows to score after the epoch, see ``history_``.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If ``early_stopping=True``, or X or y are not as in the first call.
        """
        validation = validation_of(X_val, y_val, sample_weight_val)
        return self._fit(X, y, sample_weight, incremental=True, validation=validation)

    def predict(self, X, return_std=False):
        """Return the expected value of y for each row, or its quantiles.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Rows to judge.
        return_std : bool, default=False
            Return standard deviations too; only after training with ``loss='gaussian_nll'``.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the units of y and the dtype of the computation. After training with
            ``loss='quantile'`` of several levels these are an axis of their own, the last, along
            which values never decrease.
        std : ndarray of the shape of y
            Only with `return_std`.

        Raises
        ------
        ValueError
            If standard deviations are asked for and the loss was another.
        """
        output = self._forward(X)
        y = self._codec.decode(output)
        return (y, self._codec.decode_std(output)) if return_std else y

    def score(self, X, y, sample_weight=None):
        """Return R² of the predictions; of quantiles D², the same for the pinball loss.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Rows to judge.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True values.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        float
            1 is perfect, 0 as good as a constant. D² (``sklearn.metrics.d2_pinball_score``) is
            averaged over levels.
        """
        if not self._codec.has_levels:
            return super().score(X, y, sample_weight)
        y = self._check_y(y)
        return self._codec.score(self._codec.encode(y, y.dtype), self._forward(X), sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        loss = VALUE_LOSSES.get(self.loss) if isinstance(self.loss, str) else self.loss
        tags.target_tags.positive_only = bool(getattr(loss, "lowest", ""))
        return tags

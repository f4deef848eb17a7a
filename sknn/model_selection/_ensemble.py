"""Deep ensembles: networks that differ by their seeds, trained together, and their mean."""

from abc import ABC, abstractmethod
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logit
from sklearn.base import BaseEstimator, clone
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sknn._saved import SavedState
from sknn._sklearn import fit_context
from sknn._suggestions import explain_unknown_parameters, validate_params
from sknn._validation import make_local_random_state, restore_on_error
from sknn.deep import (
    DeepClassifier,
    DeepEstimator,
    DeepMLPClassifier,
    DeepMLPRegressor,
    DeepRegressor,
    follow_array_api,
    hold_seed,
)
from sknn.model_selection._members import (
    CONSTRAINTS,
    LabelsScoreMixin,
    MembersScoreMixin,
    average_members,
    check_member,
    check_no_source,
    give_probabilities,
    plan_members,
    train_all,
)
from sknn.model_selection._plans import finish_fit


class DeepEnsemble(SavedState, BaseEstimator, ABC):
    """Fit for both tasks."""

    #: what members are instances of
    _task: type
    _validate_params = validate_params

    @abstractmethod
    def _usual(self) -> BaseEstimator:
        """Return what `estimator` is where it is None."""

    def _network(self) -> DeepEstimator:
        """Return the estimator that members are clones of, checked."""
        usual = self._usual()
        if self.estimator is None:
            return usual
        return check_member(self.estimator, self._task, type(usual).__name__)

    @fit_context(prefer_skip_nested_validation=True)
    @follow_array_api
    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> "DeepEnsemble":
        """Train all members together.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Training samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels or an indicator matrix for a classifier, numbers for a regressor.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the samples; a sample of weight 0 is left out.

        Returns
        -------
        self : object

        Raises
        ------
        TypeError
            If `estimator` is no network of this package for the task.
        ValueError
            If a parameter, X, y or the weights are not as described.
        sknn.exceptions.NonFiniteLossError
            If the training of a member diverges; a ``ValueError`` too.
        """
        with restore_on_error(self):
            return self._fit_members(X, y, sample_weight)

    def _fit_members(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None) -> Self:
        check_no_source(X)
        network, random_state = self._network(), make_local_random_state(self.random_state)
        if self.checkpoint is not None:
            network = clone(network).set_params(
                checkpoint=self.checkpoint, checkpoint_every=self.checkpoint_every
            )
        with hold_seed(self, (X, y, sample_weight), random_state):
            members, plans = plan_members(
                [network] * self.n_members,
                (X, y, sample_weight),
                random_state,
                bootstrap=self.bootstrap,
            )
            results = train_all(plans, self.n_jobs)
        self.estimators_ = [
            finish_fit(*trained) for trained in zip(members, plans, results, strict=True)
        ]
        self.n_features_in_ = members[0].n_features_in_
        for name in ("feature_names_in_", "classes_"):
            self.__dict__.pop(name, None)  # of an earlier fit
            if hasattr(members[0], name):
                setattr(self, name, getattr(members[0], name))
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        of_member = get_tags(self.estimator or self._usual())
        tags.input_tags, tags.array_api_support = of_member.input_tags, of_member.array_api_support
        return tags


class DeepEnsembleClassifier(LabelsScoreMixin, DeepEnsemble):
    """Average of the probabilities of networks that differ by their seeds [1]_.

    An ensemble is more accurate than its members, and less sure where they disagree. The members
    are trained together, see `sknn.engine.train_many`.

    Parameters
    ----------
    estimator : DeepMLPClassifier, default=None
        Network of which the members are clones; its `random_state` is replaced. None is
        ``DeepMLPClassifier()``.
    n_members : int, default=5
        Number of networks.
    bootstrap : bool, default=False
        Whether each member is trained on as many samples drawn with replacement. It is not needed,
        because members differ enough by first weights and the order of samples [1]_.
    n_jobs : int, default=None
        Number of threads that train members at the same time, or of processes if the members can
        only be trained one by one; None is 1.
    random_state : int, RandomState instance or None, default=None
        Source of the members' seeds, and of their samples.
    checkpoint : str or path-like, default=None
        Folder for the state of training, from which the same `fit` goes on after its process was
        killed, to the same model; see "Checkpoints" in the guide.
    checkpoint_every : int, str, timedelta or None, default=None
        Time between checkpoints: epochs, or ``'30s'``, ``'5min'``, ``'1h'``. None is a second, or
        more, so that writing takes 2 % of the time at most.

    Attributes
    ----------
    estimators_ : list of DeepMLPClassifier
        Fitted members.
    classes_ : ndarray of shape (n_classes,)
        Sorted class labels; label numbers for multilabel y.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if all are strings.

    See Also
    --------
    DeepEnsembleRegressor : The estimator for regression.
    sklearn.ensemble.BaggingClassifier : For all other estimators.

    References
    ----------
    .. [1] B. Lakshminarayanan, A. Pritzel and C. Blundell, "Simple and scalable predictive
       uncertainty estimation using deep ensembles", NIPS 2017, arXiv:1612.01474.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import DeepMLPClassifier
    >>> from sknn.model_selection import DeepEnsembleClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = DeepMLPClassifier((8,), learning_rate_init=0.05, max_iter=30, n_iter_no_change=30)
    >>> ensemble = DeepEnsembleClassifier(mlp, n_members=3, random_state=0).fit(X, y)
    >>> ensemble.predict_proba(X).shape
    (150, 3)
    >>> print(f"{ensemble.score(X, y):.2f}")
    0.97
    """

    _parameter_constraints = CONSTRAINTS

    @explain_unknown_parameters()
    def __init__(
        self,
        estimator=None,
        n_members=5,
        *,
        bootstrap=False,
        n_jobs=None,
        random_state=None,
        checkpoint=None,
        checkpoint_every=None,
    ):
        self.estimator = estimator
        self.n_members = n_members
        self.bootstrap = bootstrap
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.checkpoint = checkpoint
        self.checkpoint_every = checkpoint_every

    _task = DeepClassifier

    def _usual(self):
        return DeepMLPClassifier()

    @available_if(give_probabilities)
    @follow_array_api
    def predict_proba(self, X):
        """Return the probability of each class, averaged over the members.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Samples to evaluate on.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``; rows sum to 1 unless y is multilabel.
        """
        check_is_fitted(self)
        return np.mean([member.predict_proba(X) for member in self.estimators_], axis=0)

    @available_if(give_probabilities)
    @follow_array_api
    def predict_log_proba(self, X):
        """Return the logarithm of the averaged probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Samples to evaluate on.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        return np.log(self.predict_proba(X))

    @follow_array_api
    def decision_function(self, X):
        """Return the averaged probabilities as `DeepMLPClassifier` gives its logits.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Log-odds of ``classes_[1]`` for two classes, and of each label for multilabel y;
            otherwise log-probabilities, of which the largest wins. Of members whose loss gives no
            probabilities, and of one class, the averaged logits.
        """
        scores = self._scores(X)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    @follow_array_api
    def predict(self, X):
        """Return the most probable class of each sample on average, or its set of labels.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Samples to evaluate on.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
        """
        scores = self._scores(X)  # which says so if there are no members yet
        return self.estimators_[0]._codec.decode(scores)

    def _scores(self, X):
        """Return the logits that a network would have for the averaged probabilities."""
        check_is_fitted(self)
        first = self.estimators_[0]
        if len(self.classes_) == 1 or not hasattr(first, "predict_proba"):
            scores = np.mean([member.decision_function(X) for member in self.estimators_], axis=0)
            return scores.reshape(len(scores), -1)
        proba, kind = self.predict_proba(X), first._codec.spec_.kind
        if kind == "multiclass":
            return np.log(proba)
        return logit(proba[:, -1:] if kind == "binary" else proba)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class DeepEnsembleRegressor(MembersScoreMixin, DeepEnsemble):
    """Average of networks that differ by their seeds, with their standard deviation [1]_.

    An ensemble is more accurate than its members. They are trained together, see
    `sknn.engine.train_many`.

    Parameters
    ----------
    estimator : DeepMLPRegressor, default=None
        Network of which the members are clones; its `random_state` is replaced. None is
        ``DeepMLPRegressor()``.
    n_members : int, default=5
        Number of networks.
    bootstrap : bool, default=False
        Whether each member is trained on as many samples drawn with replacement. It is not needed,
        because members differ enough by first weights and the order of samples [1]_.
    n_jobs : int, default=None
        Number of threads that train members at the same time, or of processes if the members can
        only be trained one by one; None is 1.
    random_state : int, RandomState instance or None, default=None
        Source of the members' seeds, and of their samples.
    checkpoint : str or path-like, default=None
        Folder for the state of training, from which the same `fit` goes on after its process was
        killed, to the same model; see "Checkpoints" in the guide.
    checkpoint_every : int, str, timedelta or None, default=None
        Time between checkpoints: epochs, or ``'30s'``, ``'5min'``, ``'1h'``. None is a second, or
        more, so that writing takes 2 % of the time at most.

    Attributes
    ----------
    estimators_ : list of DeepMLPRegressor
        Fitted members.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if all are strings.

    See Also
    --------
    DeepEnsembleClassifier : The same for classes.
    sklearn.ensemble.BaggingRegressor : For all other estimators.

    References
    ----------
    .. [1] B. Lakshminarayanan, A. Pritzel and C. Blundell, "Simple and scalable predictive
       uncertainty estimation using deep ensembles", NIPS 2017, arXiv:1612.01474.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sknn import DeepMLPRegressor
    >>> from sknn.model_selection import DeepEnsembleRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> mlp = DeepMLPRegressor(hidden_layer_sizes=(8,), max_iter=20, n_iter_no_change=20)
    >>> ensemble = DeepEnsembleRegressor(mlp, n_members=3, random_state=0).fit(X, y)
    >>> mean, std = ensemble.predict(X[:4], return_std=True)
    >>> mean.shape, std.shape
    ((4,), (4,))
    """

    _parameter_constraints = CONSTRAINTS

    @explain_unknown_parameters()
    def __init__(
        self,
        estimator=None,
        n_members=5,
        *,
        bootstrap=False,
        n_jobs=None,
        random_state=None,
        checkpoint=None,
        checkpoint_every=None,
    ):
        self.estimator = estimator
        self.n_members = n_members
        self.bootstrap = bootstrap
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.checkpoint = checkpoint
        self.checkpoint_every = checkpoint_every

    _task = DeepRegressor

    def _usual(self):
        return DeepMLPRegressor()

    @follow_array_api
    def predict(self, X, return_std=False):
        """Return the expected value of y for each sample, averaged over the members.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Samples to evaluate on.
        return_std : bool, default=False
            Whether to return standard deviations too.

        Returns
        -------
        mean : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Means, in the units of y.
        std : ndarray of the same shape
            Standard deviations between the members; with ``loss='gaussian_nll'`` or
            ``'ordered_bins'`` they include the noise in y.
        """
        check_is_fitted(self)
        return average_members(self.estimators_, X, return_std)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        network = self._usual() if self.estimator is None else self.estimator
        tags.target_tags.multi_output = True
        tags.target_tags.positive_only = get_tags(network).target_tags.positive_only
        return tags

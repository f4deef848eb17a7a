"""Rosenblatt's perceptron."""

from numbers import Integral, Real
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from sknn._sklearn import Interval, StrOptions, fit_context
from sknn._suggestions import explain_unknown_parameters
from sknn._validation import MatrixLike, check_weights, make_local_random_state, restore_on_error
from sknn.threshold._inputs import FeatureMatrix, validate_samples
from sknn.threshold._linear_base import OneUnitPerClass, TrainingSet
from sknn.threshold.perceptron._learning import fit_link, learn
from sknn.threshold.perceptron._moments import Moments
from sknn.threshold.perceptron._monitor import ErrorMonitor
from sknn.threshold.perceptron._platt import compute_probabilities
from sknn.threshold.perceptron._state import LinearUnits, PerceptronState, fires, make_config
from sknn.threshold.perceptron._targets import (
    TargetMatrix,
    check_parts_will_do,
    check_same_table,
    check_target,
    choose_all_classes,
    hold_out,
    make_part,
    make_whole_set,
)


class PerceptronClassifier(OneUnitPerClass):
    """Rosenblatt's perceptron, with a threshold unit for each class.

    A unit fires where ``X @ coef + intercept > 0``, and learns from misclassified samples alone:
    their features, times the target (1 or -1), are added to its weights. If y has a column
    for each label, so has the layer a unit, and a sample may have several labels or none.

    Parameters
    ----------
    update : {'batch', 'online'}, default='batch'
        Learning rule. ``'online'`` is Rosenblatt's: samples one after the other, the weights change
        at each error. With ``shuffle=False`` it gives the weights of
        `sklearn.linear_model.Perceptron`, but its result depends on the order of the samples, and
        a weight of 2 is not the same as a sample given twice. ``'batch'`` adds the weighted mean
        over all misclassified samples, once an epoch: the subgradient of the perceptron criterion.
        It depends on no order, treats weights exactly, and is a few matrix products, hence the
        default. It computes with features that are centred and divided by their spread, σ^¾ r^¼
        with the standard deviation σ and the largest distance r from the mean, so that rare words
        do not outweigh the others.
    average : bool, default=False
        Whether to predict with the mean of the weights after every step, a sample or an epoch,
        instead of the last weights (Freund and Schapire's averaged perceptron).
    pocket : bool or 'auto', default='auto'
        Whether to keep the weights (or averages) that misclassified the fewest samples at the end
        of an epoch (Gallant's pocket, looked at once an epoch), as without a separating plane the
        last ones may be bad. ``'auto'`` is True under ``'batch'``, and False under ``'online'``,
        where scikit-learn keeps the last ones.
    penalty : {'l2', 'l1', 'elasticnet'} or None, default=None
        Penalty on the weights, not on intercepts; under ``'batch'`` on the weights of features
        divided by their spread.
    alpha : float, default=0.0001
        Strength of the penalty.
    l1_ratio : float, default=0.15
        Share of the L1 penalty, used only if ``penalty='elasticnet'``.
    fit_intercept : bool, default=True
        Whether to learn an intercept (minus the threshold) or to leave it at 0.
    max_iter : int, default=1000
        Maximum number of epochs, passes over the samples, of `fit`.
    tol : float or None, default=1e-3
        Smallest progress: under ``'batch'`` a fall of the smallest number of errors by this share
        of the samples, under ``'online'`` a fall of the mean loss by this much, of each unit by
        itself. None means `max_iter` epochs.
    n_iter_no_change : int or 'auto', default='auto'
        Number of epochs without progress before the end. ``'auto'`` is 5, as in scikit-learn,
        under ``'online'``, and 10 under ``'batch'``, where an epoch is a single step.
    early_stopping : bool, default=False
        Whether to hold out samples, and to look for progress (and for the pocket) in the share of
        these that is classified correctly.
    validation_fraction : float, default=0.1
        Share of the samples held out, of each class the same, used only if
        ``early_stopping=True``.
    shuffle : bool, default=True
        Whether ``'online'`` draws a new order of the samples for each epoch; ``'batch'`` has none.
    eta0 : float, default=1.0
        Step size. Without penalty, and from a cold start, it does not change the predictions.
    class_weight : dict, 'balanced' or None, default=None
        Weight of each class, ``{label: weight}``, multiplied with the sample weights;
        ``'balanced'`` is inversely proportional to the weight of its samples. Not for multilabel y.
    warm_start : bool, default=False
        Whether `fit` begins with the weights of the fit before.
    record_weights : {'epoch', 'update'} or None, default=None
        Steps of learning whose weights are kept in `history_`: every epoch, or every single update
        of ``'online'`` (of ``'batch'``, an epoch is one). It takes the memory of the weights for
        each entry, and changes no result.
    callbacks : list or tuple of callable, default=None
        Functions of an epoch's entry, a dict with ``'epoch'``, ``'errors'``, ``'coef'`` and
        ``'intercept'``; one that returns True stops `fit`.
    n_jobs : int or None, default=None
        Number of threads that share the units of ``'online'`` among them; None is 1, -1 all
        processors. The result is the same. It pays for many classes and penalties, if at all: one
        thread goes over the samples for all units at once. ``'batch'`` is matrix products alone,
        which use as many threads as NumPy's BLAS may.
    random_state : int, RandomState instance or None, default=None
        Seed of the order of the samples under ``'online'``, and of the choice of those held out.
    verbose : int, default=0
        Verbosity; above 0 the misclassified weight is printed after each epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted; the column numbers of multilabel y.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Weights; with two classes there is one unit, which fires for ``classes_[1]``.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Minus the thresholds.
    link_slope_ : float or ndarray of shape (n_labels,)
        Slope of the logistic function in `predict_proba`; for multilabel y one for each label.
    errors_curve_ : list of float
        Weight (sample times class weight) of the misclassified samples after each epoch; for
        multilabel y a sample counts once for each wrong label.
    history_ : dict of str to ndarray
        Weights step by step, if `record_weights` is given, else empty: ``'coef'`` of shape
        (n_entries, n_units, n_features), ``'intercept'``, ``'epoch'``, which is 0 for the weights
        at the start, and ``'sample'``, the position in X of the sample that was learned from, -1
        for a whole epoch.
    n_iter_ : int
        Number of epochs of the last call.
    n_updates_ : ndarray of int of shape (1,) or (n_classes,)
        Number of times each unit learned from an error since the last cold start: samples under
        ``'online'``, epochs under ``'batch'``.
    t_ : float
        1 plus the number of samples gone through, over all epochs.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if X had string names.

    See Also
    --------
    sklearn.linear_model.Perceptron : The online rule, compiled.
    ThresholdLogicClassifier : Minimises the number of errors directly.
    sknn.inspection.DecisionLineDisplay : The line of a perceptron, as it moves.

    Notes
    -----
    With sparse X ``update='online'`` learns intercepts at a hundredth of the step size, as
    scikit-learn does; ``'batch'`` gives the same for dense and sparse X. Samples of weight 0 are
    left out; their classes stay in `classes_`. Ctrl-C ends `fit` with a warning after the last
    whole epoch, and the classifier has the weights of its pocket, or of that epoch.

    References
    ----------
    .. [1] Rosenblatt, F. (1958). "The perceptron: A probabilistic model for information storage
       and organization in the brain." Psychological Review 65, 386-408.
       doi:10.1037/h0042519
    .. [2] Gallant, S. I. (1990). "Perceptron-based learning algorithms." IEEE Transactions on
       Neural Networks 1, 179-191. doi:10.1109/72.80230
    .. [3] Freund, Y., & Schapire, R. E. (1999). "Large margin classification using the perceptron
       algorithm." Machine Learning 37, 277-296. doi:10.1023/A:1007662407062
    .. [4] Platt, J. C. (1999). "Probabilistic outputs for support vector machines and comparisons
       to regularized likelihood methods." Advances in Large Margin Classifiers, 61-74.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import PerceptronClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> perceptron = PerceptronClassifier().fit(X, y)
    >>> perceptron.predict(X[[0, 75, 149]])
    array([0, 1, 2])
    >>> round(perceptron.score(X, y), 2)
    0.95

    Averages of the online rule do well where samples are many and labels noisy, and a sample may
    have several labels:

    >>> layer = PerceptronClassifier(update="online", average=True, random_state=0)
    >>> layer.fit(X, [[k > 0, k > 1] for k in y]).predict(X[[0, 75, 149]])
    array([[0, 0],
           [1, 0],
           [1, 1]])

    Rosenblatt's rule, update by update, on AND:

    >>> rule = PerceptronClassifier(update="online", shuffle=False, record_weights="update")
    >>> rule.fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1]).history_["sample"][:4]
    array([-1,  0,  3,  0])
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "update": [StrOptions({"batch", "online"})],
        "average": ["boolean"],
        "pocket": ["boolean", StrOptions({"auto"})],
        "penalty": [StrOptions({"l2", "l1", "elasticnet"}), None],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "fit_intercept": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left"), None],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "shuffle": ["boolean"],
        "eta0": [Interval(Real, 0, None, closed="neither")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "warm_start": ["boolean"],
        "record_weights": [StrOptions({"epoch", "update"}), None],
        "callbacks": [list, tuple, None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    @explain_unknown_parameters()
    def __init__(
        self,
        *,
        update="batch",
        average=False,
        pocket="auto",
        penalty=None,
        alpha=0.0001,
        l1_ratio=0.15,
        fit_intercept=True,
        max_iter=1000,
        tol=1e-3,
        n_iter_no_change="auto",
        early_stopping=False,
        validation_fraction=0.1,
        shuffle=True,
        eta0=1.0,
        class_weight=None,
        warm_start=False,
        record_weights=None,
        callbacks=None,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.update = update
        self.average = average
        self.pocket = pocket
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.shuffle = shuffle
        self.eta0 = eta0
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.record_weights = record_weights
        self.callbacks = callbacks
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: MatrixLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn until there is no more progress.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training samples.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Their classes, or 1 for each label that they have and 0 for others.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Non-negative weights. Samples of weight 0 are left out.

        Returns
        -------
        PerceptronClassifier
            The classifier itself.

        Raises
        ------
        ValueError
            If X and y do not fit together or X holds other things than finite numbers, there is
            only one class, a weight is negative, multilabel y meets class weights, or
            ``warm_start`` meets other classes or another number of features than before.
        NonFiniteLossError
            If the weights overflow.
        """
        with restore_on_error(self):
            X, y = self._validate(X, y)
            weights = check_weights(sample_weight, X)
            training = make_whole_set(X, y, weights, self.class_weight)
            state, before = self._start(training)
            random_state, held_out = make_local_random_state(self.random_state), None
            if self.early_stopping:
                training, held_out = hold_out(training, self.validation_fraction, random_state)
            moments = Moments.of_nothing(X.shape[1])
            monitor = ErrorMonitor(training, held_out, make_config(self.get_params()), before)
            state, moments = learn(self.update, monitor, state, moments, random_state)
            self.t_ = 1.0
            self.errors_curve_: list[float] = []
            return self._record(monitor, state, moments)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: MatrixLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Go over the given samples once, from the weights there are.

        The batch rule takes a single step, with the means and variances of all samples that it has
        seen so far.
        There is no pocket, as the errors of different parts cannot be compared; averages go on. The
        slope of `predict_proba` is fitted to the samples of the last call, which alone are in
        `history_`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training samples.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Their classes, or 1 for each label that they have and 0 for others.
        classes : array-like of shape (n_classes,) or None, default=None
            All labels of this and later calls; needed in the first call, except for multilabel y.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Non-negative weights.

        Returns
        -------
        PerceptronClassifier
            The classifier itself.

        Raises
        ------
        ValueError
            If `classes` is missing in the first call or changes, y has other labels, or
            ``class_weight='balanced'`` or ``early_stopping=True``, which need all samples at once.
        NonFiniteLossError
            If the weights overflow.
        """
        with restore_on_error(self):
            check_parts_will_do(self.class_weight, self.early_stopping)
            first = not hasattr(self, "coef_")
            X, y = self._validate(X, y, reset=first)
            classes = choose_all_classes(y, classes, None if first else self.classes_)
            weights = check_weights(sample_weight, X)
            training = make_part(X, y, weights, self.class_weight, classes)
            state = PerceptronState.start(training.signs.shape[1], X.shape[1])
            state = state if first else self._state
            moments = getattr(self, "_moments", Moments.of_nothing(X.shape[1]))
            monitor = ErrorMonitor(
                training, None, make_config(self.get_params(), one_epoch=True), None
            )
            random_state = make_local_random_state(self.random_state)
            state, moments = learn(self.update, monitor, state, moments, random_state)
            return self._record(monitor, state, moments)

    def predict_proba(self, X: MatrixLike) -> np.ndarray:
        """Return class probabilities, the largest for the class predicted.

        A perceptron has no probabilities. These come from a logistic function fitted to the
        margins of the training samples, with Platt's targets and the training weights: for two
        classes ``1 / (1 + exp(-link_slope_ * decision))``, and the same for each label of
        multilabel y, else the softmax of ``link_slope_ * decision``.
        Margins of training samples are more decided than those of new samples, so that the
        probabilities are somewhat overconfident; `sklearn.calibration.CalibratedClassifierCV`
        mends that.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``; they add up to 1, except for multilabel y.
        """
        return compute_probabilities(self.decision_function(X), self.link_slope_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_label = True
        return tags

    def _is_firing(self, decision: np.ndarray) -> np.ndarray:
        return fires(decision)

    def _validate(
        self, X: MatrixLike, y: ArrayLike, reset: bool = True
    ) -> tuple[FeatureMatrix, TargetMatrix]:
        checks = {"reset": reset, "multi_output": True}
        X, y = validate_samples(self, X, y, accept_sparse="csr", **checks)
        return X, check_target(y)

    def _start(self, training: TrainingSet) -> tuple[PerceptronState, LinearUnits | None]:
        """Return the state to go on from, and the answer of the fit before."""
        if not (self.warm_start and hasattr(self, "coef_")):
            return PerceptronState.start(training.signs.shape[1], training.X.shape[1]), None
        check_same_table(self.coef_, self.classes_, training)
        return self._state, LinearUnits(self.coef_, self.intercept_)

    def _record(self, monitor: ErrorMonitor, state: PerceptronState, moments: Moments) -> Self:
        self.link_slope_ = fit_link(monitor)
        training, outcome = monitor.training, monitor.outcome
        self._multilabel, self.classes_ = training.codes is None, training.classes
        self.coef_, self.intercept_ = outcome.units.coef, outcome.units.intercept
        errors = monitor.errors[: outcome.n_epochs]
        self.errors_curve_ = [*getattr(self, "errors_curve_", []), *errors]
        recorded = monitor.config.record_weights is not None
        self.history_ = monitor.history.as_arrays(outcome.n_epochs) if recorded else {}
        self.n_iter_, self.n_updates_ = outcome.n_epochs, state.n_updates
        self.t_ = getattr(self, "t_", 1.0) + self.n_iter_ * len(training.weights)
        self._state, self._moments = state, moments
        return self

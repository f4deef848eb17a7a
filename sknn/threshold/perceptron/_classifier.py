"""Rosenblatt's perceptron."""

import warnings
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from joblib import effective_n_jobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import validate_data

from sknn._sklearn import Interval, StrOptions, fit_context
from sknn._validation import local_random_state, validated_weights
from sknn.threshold._linear_base import OneUnitPerClass, Rows
from sknn.threshold.perceptron._moments import Moments
from sknn.threshold.perceptron._online_rule import learn_online
from sknn.threshold.perceptron._platt import fit_slopes, link_probabilities
from sknn.threshold.perceptron._state import (
    Course,
    LearningConfig,
    Units,
    Watch,
    fires,
    learn_batch,
)
from sknn.threshold.perceptron._targets import (
    all_classes,
    check_parts_will_do,
    check_same_table,
    checked_target,
    fit_rows,
    held_out,
    partial_fit_rows,
)

#: epochs without progress before the end: an epoch is a single step of the batch rule
_PATIENCE = {"batch": 10, "online": 5}


class PerceptronClassifier(OneUnitPerClass):
    """Rosenblatt's perceptron, with a threshold unit for each class.

    A unit fires where ``X @ coef + intercept > 0``, and learns from rows it gets wrong alone:
    their features, times the answer wanted (1 or -1), are added to its weights. If y has a column
    for each label, so has the layer a unit, and a row may have several labels or none.

    Parameters
    ----------
    update : {'batch', 'online'}, default='batch'
        ``'online'`` is Rosenblatt's rule: rows one after the other, the weights change at each
        error. With ``shuffle=False`` it gives the weights of `sklearn.linear_model.Perceptron`,
        but its result depends on the order of the rows, and a weight of 2 is not the same as
        a row given twice. ``'batch'`` adds the weighted mean over all misclassified rows, once an
        epoch: the subgradient of the perceptron criterion. It depends on no order, treats
        weights exactly, and is a few matrix products, hence the default. It computes with
        features that are centred and divided by their spread, σ^¾ r^¼ with the standard deviation
        σ and the largest distance r from the mean, so that rare words do not outweigh the others.
    average : bool, default=False
        Whether to answer with the mean of the weights after every step, be it a row or an epoch,
        instead of the last ones (Freund and Schapire's averaged perceptron).
    pocket : bool or 'auto', default='auto'
        Whether to keep the weights (or averages) that misclassified the fewest rows at the end of
        an epoch (Gallant's pocket, looked at once an epoch), as without a separating plane the
        last ones may be bad. ``'auto'`` is True under ``'batch'``, and False under ``'online'``,
        where scikit-learn keeps the last ones.
    penalty : {'l2', 'l1', 'elasticnet'} or None, default=None
        Penalty on the weights, not on intercepts; under ``'batch'`` on the weights of
        features divided by their spread.
    alpha : float, default=0.0001
        Strength of the penalty.
    l1_ratio : float, default=0.15
        Share of the L1 penalty, used only if ``penalty='elasticnet'``.
    fit_intercept : bool, default=True
        Whether to learn an intercept (minus the threshold) or to leave it at 0.
    max_iter : int, default=1000
        Largest number of epochs, passes over the rows, of `fit`.
    tol : float or None, default=1e-3
        What counts as progress: under ``'batch'`` a fall of the smallest number of errors by this
        share of the rows, under ``'online'`` a fall of the mean loss by this much, of each unit
        by itself. None means `max_iter` epochs.
    n_iter_no_change : int or 'auto', default='auto'
        Epochs without progress before the end. ``'auto'`` is 5, as in scikit-learn, under
        ``'online'``, and 10 under ``'batch'``, where an epoch is a single step.
    early_stopping : bool, default=False
        Whether to hold out rows, and to look for progress (and for the pocket) in the share of
        these that is classified correctly.
    validation_fraction : float, default=0.1
        Share of the rows held out, of each class the same, used only if ``early_stopping=True``.
    shuffle : bool, default=True
        Whether ``'online'`` draws a new order of the rows for each epoch; ``'batch'`` has none.
    eta0 : float, default=1.0
        Step size. Without penalty, and from a cold start, it does not change the predictions.
    class_weight : dict, 'balanced' or None, default=None
        Weight of each class, ``{label: weight}``, multiplied with the sample weights;
        ``'balanced'`` is inversely proportional to the weight of its rows. Not for multilabel y.
    warm_start : bool, default=False
        Whether `fit` begins with the weights of the fit before.
    n_jobs : int or None, default=None
        Threads that share the units of ``'online'`` among them; None is 1, -1 all processors. The
        result is the same. It pays for many classes and penalties, if at all: one thread goes
        over the rows for all units at once. ``'batch'`` is matrix products alone, which use as
        many threads as NumPy's BLAS may.
    random_state : int, RandomState instance or None, default=None
        Gives the order of the rows under ``'online'``, and the rows held out.
    verbose : int, default=0
        Above 0 prints the misclassified weight after each epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted; the column numbers of multilabel y.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Weights; with two classes there is one unit, which fires for ``classes_[1]``.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Minus the thresholds.
    link_slope_ : float or ndarray of shape (n_labels,)
        Slope of the logistic link in `predict_proba`; for multilabel y one for each label.
    errors_curve_ : list of float
        Weight (sample times class weight) of the misclassified rows after each epoch; for
        multilabel y a row counts once for each wrong label.
    n_iter_ : int
        Epochs of the last call.
    n_updates_ : ndarray of int of shape (1,) or (n_classes,)
        How often each unit learned from an error since the last cold start: rows under
        ``'online'``, epochs under ``'batch'``.
    t_ : float
        1 plus the number of rows gone through, over all epochs.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if X had string names.

    See Also
    --------
    sklearn.linear_model.Perceptron : The online rule, compiled.
    ThresholdLogicClassifier : Minimises the number of errors directly.

    Notes
    -----
    With sparse X ``update='online'`` learns intercepts at a hundredth of the step size, as
    scikit-learn does; ``'batch'`` gives the same for dense and sparse X. Rows of weight 0 are left
    out; their classes stay in `classes_`.

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

    Averages of the online rule do well where rows are many and labels noisy, and a row may have
    several labels:

    >>> layer = PerceptronClassifier(update="online", average=True, random_state=0)
    >>> layer.fit(X, [[k > 0, k > 1] for k in y]).predict(X[[0, 75, 149]])
    array([[0, 0],
           [1, 0],
           [1, 1]])
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
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

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
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn until there is no more progress.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Their classes, or 1 for each label that they have and 0 for others.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Non-negative weights. Rows of weight 0 are left out.

        Returns
        -------
        PerceptronClassifier
            The classifier itself.

        Raises
        ------
        ValueError
            If X and y do not fit together, there is only one class, a weight is negative,
            multilabel y meets class weights, or ``warm_start`` meets other classes or another
            number of features than before.
        NonFiniteLossError
            If the weights overflow.
        """
        X, y = self._validated(X, y)
        rows = fit_rows(X, y, validated_weights(sample_weight, X), self.class_weight)
        course, before = self._start(rows)
        random_state, held = local_random_state(self.random_state), None
        learning = rows
        if self.early_stopping:
            learning, held = held_out(rows, self.validation_fraction, random_state)
        moments = Moments.of_nothing(X.shape[1]).with_rows(learning.X, learning.weights)
        watch = Watch(learning, held, self._config(), before)
        course = self._learn(watch, course, moments, random_state)
        if not watch.converged:
            warnings.warn(
                f"The perceptron was still learning after {self.max_iter} epochs. Raise max_iter, "
                "or standardise X.",
                ConvergenceWarning,
                stacklevel=2,
            )
        self.t_, self.errors_curve_ = 1.0, []
        return self._record(watch, course, moments)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Go over the given rows once, from the weights there are.

        The batch rule takes a single step, with the means and variances of all rows so far. There
        is no pocket, as the errors of different parts cannot be compared; averages go on. The
        link of `predict_proba` is fitted to the rows of the last call.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Their classes, or 1 for each label that they have and 0 for others.
        classes : array-like of shape (n_classes,) or None, default=None
            All labels there will ever be; needed in the first call, but not for multilabel y.
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
            ``class_weight='balanced'`` or ``early_stopping=True``, which need all rows at once.
        NonFiniteLossError
            If the weights overflow.
        """
        check_parts_will_do(self.class_weight, self.early_stopping)
        first = not hasattr(self, "coef_")
        X, y = self._validated(X, y, reset=first)
        known = None if first else self.classes_
        classes = all_classes(y, classes, known)
        weights = validated_weights(sample_weight, X)
        rows = partial_fit_rows(X, y, weights, self.class_weight, classes)
        nothing = Moments.of_nothing(X.shape[1])
        moments = getattr(self, "_moments", nothing).with_rows(rows.X, rows.weights)
        watch = Watch(rows, None, self._config(one_epoch=True), None)
        course = Course.beginning(rows.signs.shape[1], X.shape[1]) if first else self._course
        course = self._learn(watch, course, moments, local_random_state(self.random_state))
        return self._record(watch, course, moments)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return class probabilities, the largest for the class predicted.

        A perceptron knows no probabilities. These come from a logistic link fitted to the margins
        of the training rows, with Platt's targets and the training weights: for two classes
        ``1 / (1 + exp(-link_slope_ * decision))``, and the same for each label of multilabel y,
        else the softmax of ``link_slope_ * decision``.
        Margins of training rows are more decided than those of new rows, so the probabilities
        are somewhat too sure; `sklearn.calibration.CalibratedClassifierCV` mends that.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``; they add up to 1, except for multilabel y.
        """
        return link_probabilities(self.decision_function(X), self.link_slope_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_label = True
        return tags

    def _fires(self, decision: np.ndarray) -> np.ndarray:
        return fires(decision)

    def _validated(self, X: Any, y: Any, reset: bool = True) -> tuple[Any, Any]:
        params = {"accept_sparse": "csr", "dtype": np.float64, "multi_output": True}
        X, y = validate_data(self, X, y, reset=reset, **params)
        return X, checked_target(y)

    def _start(self, rows: Rows) -> tuple[Course, Units | None]:
        if not (self.warm_start and hasattr(self, "coef_")):
            return Course.beginning(rows.signs.shape[1], rows.X.shape[1]), None
        check_same_table(self.coef_, self.classes_, rows)
        return self._course, Units(self.coef_, self.intercept_)

    def _learn(
        self, watch: Watch, course: Course, moments: Moments, random_state: np.random.RandomState
    ) -> Course:
        with np.errstate(over="ignore", invalid="ignore"):  # an error follows
            if self.update == "batch":
                return learn_batch(watch, course, moments, watch.config)
            return learn_online(watch, course, watch.config, random_state)

    def _config(self, one_epoch: bool = False) -> LearningConfig:
        l1_share = {None: 0.0, "l2": 0.0, "l1": 1.0, "elasticnet": self.l1_ratio}[self.penalty]
        alpha = 0.0 if self.penalty is None else self.alpha
        patience, pocket = self.n_iter_no_change, self.pocket
        return LearningConfig(
            eta0=self.eta0,
            l2=alpha * (1 - l1_share),
            l1=alpha * l1_share,
            fit_intercept=self.fit_intercept,
            max_iter=1 if one_epoch else self.max_iter,
            tol=None if one_epoch else self.tol,
            patience=_PATIENCE[self.update] if patience == "auto" else patience,
            shuffle=self.shuffle,
            average=self.average,
            pocket=not one_epoch and (self.update == "batch" if pocket == "auto" else pocket),
            n_jobs=effective_n_jobs(self.n_jobs),
            verbose=self.verbose,
        )

    def _record(self, watch: Watch, course: Course, moments: Moments) -> Self:
        rows, units = watch.rows, watch.units
        self._multilabel, self.classes_ = rows.codes is None, rows.classes
        self.coef_, self.intercept_ = units.coef, units.intercept
        self.link_slope_ = fit_slopes(watch.margins, rows)
        self.errors_curve_ = [*getattr(self, "errors_curve_", []), *watch.errors]
        self.n_iter_, self.n_updates_ = len(watch.errors), course.n_updates
        self.t_ = getattr(self, "t_", 1.0) + self.n_iter_ * len(rows.weights)
        self._course, self._moments = course, moments
        return self

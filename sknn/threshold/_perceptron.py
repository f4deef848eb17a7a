"""Rosenblatt's perceptron."""

import warnings
from copy import deepcopy
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from sknn._sklearn import Interval, StrOptions, check_partial_fit_first_call, fit_context
from sknn._validation import local_random_state, validated_weights
from sknn.threshold._link import fit_slope, logistic_link
from sknn.threshold._one_unit_per_class import (
    OneUnitPerClass,
    Rows,
    check_two_classes,
    weighted_rows,
)
from sknn.threshold._rosenblatt import (
    LearningConfig,
    Units,
    decide,
    fires,
    learn_batch,
    learn_online,
)

#: epochs without progress before the end: an epoch is a single step of the batch rule
_PATIENCE = {"batch": 20, "online": 5}


class PerceptronClassifier(OneUnitPerClass):
    """Rosenblatt's perceptron, with a threshold unit for each class.

    A unit fires where ``X @ coef + intercept > 0``, and learns from rows it gets wrong alone:
    their features, times the answer wanted (1 or -1), are added to its weights.

    Parameters
    ----------
    update : {'batch', 'online'}, default='batch'
        ``'online'`` is Rosenblatt's rule: rows one after the other, the weights change at each
        error. With ``shuffle=False`` it gives the weights of `sklearn.linear_model.Perceptron`,
        but its result depends on the order of the rows, and a weight of 2 is not the same as
        a row given twice. ``'batch'`` adds the weighted mean over all misclassified rows, once an
        epoch: the subgradient of the perceptron criterion. It depends on no order, treats
        weights exactly, and is a few matrix products, hence the default. It computes with
        standardised features, and keeps the weights that misclassified the fewest rows on the
        way (Gallant's pocket), as without a separating plane the last weights may be bad ones.
    penalty : {'l2', 'l1', 'elasticnet'} or None, default=None
        Penalty on the weights, not on intercepts; under ``'batch'`` on the weights of
        standardised features.
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
        share of the rows, under ``'online'`` a fall of the mean loss by this much. None means
        `max_iter` epochs.
    n_iter_no_change : int or 'auto', default='auto'
        Epochs without progress before the end. ``'auto'`` is 5, as in scikit-learn, under
        ``'online'``, and 20 under ``'batch'``, where an epoch is a single step.
    shuffle : bool, default=True
        Whether ``'online'`` draws a new order of the rows for each epoch; ``'batch'`` has none.
    eta0 : float, default=1.0
        Step size. Without penalty, and from a cold start, it does not change the predictions.
    class_weight : dict, 'balanced' or None, default=None
        Weight of each class, ``{label: weight}``, multiplied with the sample weights;
        ``'balanced'`` is inversely proportional to the weight of its rows.
    warm_start : bool, default=False
        Whether `fit` begins with the weights of the fit before.
    random_state : int, RandomState instance or None, default=None
        Gives the order of the rows under ``'online'``.
    verbose : int, default=0
        Above 0 prints the misclassified weight after each epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels that have rows with a weight above 0, sorted.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Weights; with two classes there is one unit, which fires for ``classes_[1]``.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Minus the thresholds.
    link_slope_ : float
        Slope of the logistic link in `predict_proba`.
    errors_curve_ : list of float
        Weight (sample times class weight) of the misclassified rows after each epoch.
    n_iter_ : int
        Epochs of the last call.
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
    scikit-learn does; ``'batch'`` gives the same for dense and sparse X.

    References
    ----------
    .. [1] Rosenblatt, F. (1958). "The perceptron: A probabilistic model for information storage
       and organization in the brain." Psychological Review 65, 386-408.
       doi:10.1037/h0042519
    .. [2] Gallant, S. I. (1990). "Perceptron-based learning algorithms." IEEE Transactions on
       Neural Networks 1, 179-191. doi:10.1109/72.80230
    .. [3] Platt, J. C. (1999). "Probabilistic outputs for support vector machines and comparisons
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
    0.97
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "update": [StrOptions({"batch", "online"})],
        "penalty": [StrOptions({"l2", "l1", "elasticnet"}), None],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "fit_intercept": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left"), None],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "shuffle": ["boolean"],
        "eta0": [Interval(Real, 0, None, closed="neither")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        update="batch",
        penalty=None,
        alpha=0.0001,
        l1_ratio=0.15,
        fit_intercept=True,
        max_iter=1000,
        tol=1e-3,
        n_iter_no_change="auto",
        shuffle=True,
        eta0=1.0,
        class_weight=None,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.update = update
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.shuffle = shuffle
        self.eta0 = eta0
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn until there is no more progress.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,)
            Their labels.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Non-negative weights. Rows of weight 0 are left out, with their class if it has no
            others.

        Returns
        -------
        PerceptronClassifier
            The classifier itself.

        Raises
        ------
        ValueError
            If X and y do not fit together, there is only one class, a weight is negative, or
            ``warm_start`` meets other classes or another number of features than before.
        NonFiniteLossError
            If the weights overflow.
        """
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=np.float64)
        check_classification_targets(y)
        rows = weighted_rows(X, y, validated_weights(sample_weight, X), self.class_weight)
        check_two_classes(rows.classes)
        warm = self.warm_start and hasattr(self, "coef_")
        start = self._last_units(rows) if warm else _zeros(rows)
        scaler = StandardScaler(with_mean=False).fit(rows.X, sample_weight=rows.weights)
        units = self._learn(rows, start, scaler)
        if not units.converged:
            warnings.warn(
                f"The perceptron was still learning after {self.max_iter} epochs. Raise max_iter, "
                "or standardise X.",
                ConvergenceWarning,
                stacklevel=2,
            )
        self.classes_, self.t_, self.errors_curve_ = rows.classes, 1.0, []
        return self._keep(rows, units, scaler)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Go over the given rows once, from the weights there are.

        The batch rule takes a single step, with the means and variances of all rows so far, and
        keeps its result. The link of `predict_proba` is fitted to the rows of the last call.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,)
            Their labels.
        classes : array-like of shape (n_classes,) or None, default=None
            All labels there will ever be; needed in the first call.
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
            ``class_weight='balanced'``, which needs all rows at once.
        NonFiniteLossError
            If the weights overflow.
        """
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' needs all rows at once, which partial_fit never sees. "
                "Give a dictionary, as from sklearn.utils.class_weight.compute_class_weight."
            )
        first = not hasattr(self, "classes_")
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=np.float64, reset=first)
        check_classification_targets(y)
        labels = np.unique(classes) if first and classes is not None else None
        labels = getattr(self, "classes_", labels)
        if labels is not None:
            _check_labels(y, labels)
        weights = validated_weights(sample_weight, X)
        check_partial_fit_first_call(self, classes)
        rows = weighted_rows(X, y, weights, self.class_weight, self.classes_)
        start = Units(self.coef_, self.intercept_) if hasattr(self, "coef_") else _zeros(rows)
        scaler = deepcopy(getattr(self, "_scaler", StandardScaler(with_mean=False)))
        scaler.partial_fit(rows.X, sample_weight=rows.weights)
        return self._keep(rows, self._learn(rows, start, scaler, one_epoch=True), scaler)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return class probabilities, the largest for the class predicted.

        A perceptron knows no probabilities. These come from a logistic link fitted to the margins
        of the training rows, with Platt's targets and the training weights: for two classes
        ``1 / (1 + exp(-link_slope_ * decision))``, else the softmax of ``link_slope_ * decision``.
        Margins of training rows are more decided than those of new rows, so the probabilities
        are somewhat too sure; `sklearn.calibration.CalibratedClassifierCV` mends that.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``.
        """
        decision = self.decision_function(X)
        return logistic_link(decision, self.link_slope_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _fires(self, decision: np.ndarray) -> np.ndarray:
        return fires(decision)

    def _learn(
        self, rows: Rows, start: Units, scaler: StandardScaler, one_epoch: bool = False
    ) -> Units:
        config = self._config(one_epoch)
        with np.errstate(over="ignore", invalid="ignore"):  # an error follows
            if self.update == "batch":
                return learn_batch(rows, start, scaler, config, pocket=not one_epoch)
            return learn_online(rows, start, config, local_random_state(self.random_state))

    def _config(self, one_epoch: bool) -> LearningConfig:
        l1_share = {None: 0.0, "l2": 0.0, "l1": 1.0, "elasticnet": self.l1_ratio}[self.penalty]
        alpha = 0.0 if self.penalty is None else self.alpha
        auto = self.n_iter_no_change == "auto"
        return LearningConfig(
            eta0=self.eta0,
            l2=alpha * (1 - l1_share),
            l1=alpha * l1_share,
            fit_intercept=self.fit_intercept,
            max_iter=1 if one_epoch else self.max_iter,
            tol=None if one_epoch else self.tol,
            patience=_PATIENCE[self.update] if auto else self.n_iter_no_change,
            shuffle=self.shuffle,
            verbose=self.verbose,
        )

    def _last_units(self, rows: Rows) -> Units:
        if not np.array_equal(self.classes_, rows.classes):
            raise ValueError(
                f"warm_start=True goes on with the classes {self.classes_.tolist()}, but y has "
                f"{rows.classes.tolist()}. Set warm_start=False, or give rows of every class."
            )
        if self.coef_.shape[1] != rows.X.shape[1]:
            raise ValueError(
                f"warm_start=True goes on with {self.coef_.shape[1]} features, but X has "
                f"{rows.X.shape[1]}. Set warm_start=False, or give the same features."
            )
        return Units(self.coef_, self.intercept_, last=self._last)

    def _keep(self, rows: Rows, units: Units, scaler: StandardScaler) -> Self:
        decision = decide(rows.X, units)
        self.coef_, self.intercept_ = units.coef, units.intercept
        self.link_slope_ = fit_slope(decision, rows.codes, rows.weights, len(rows.classes))
        self.errors_curve_ = [*getattr(self, "errors_curve_", []), *units.errors]
        self.n_iter_ = len(units.errors)
        self.t_ = getattr(self, "t_", 1.0) + self.n_iter_ * len(rows.codes)
        self._scaler, self._last = scaler, units.last
        return self


def _zeros(rows: Rows) -> Units:
    n_units = rows.signs.shape[1]
    return Units(np.zeros((n_units, rows.X.shape[1])), np.zeros(n_units))


def _check_labels(y: np.ndarray, labels: np.ndarray) -> None:
    check_two_classes(labels)
    unknown = np.setdiff1d(y, labels)
    if len(unknown):
        raise ValueError(
            f"y holds the label {unknown.tolist()[0]!r}, which is not in classes "
            f"{labels.tolist()}. Name all labels in the first call of partial_fit."
        )

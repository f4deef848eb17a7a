"""McCulloch and Pitts' threshold logic unit as a classifier."""

from dataclasses import replace
from numbers import Integral, Real
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.preprocessing import StandardScaler
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from sknn._sklearn import Interval, StrOptions, fit_context
from sknn._suggestions import explain_unknown_parameters
from sknn._validation import (
    MatrixLike,
    check_weights,
    make_local_random_state,
    restore_on_error,
)
from sknn.activations import ACTIVATIONS
from sknn.exceptions import NonFiniteLossError, warn_user
from sknn.threshold._inputs import validate_samples
from sknn.threshold._linear_base import (
    OneUnitPerClass,
    SingleLabelSet,
    check_two_classes,
    choose_classes,
    compute_decision,
    make_training_set,
)
from sknn.threshold.zero_one._binary import BinaryProblem
from sknn.threshold.zero_one._local_search import SearchConfig, SearchResult, minimise_errors
from sknn.threshold.zero_one._multiclass import ClassesProblem


class ThresholdLogicClassifier(OneUnitPerClass):
    """Threshold logic units: fixed ones, or learned with as few errors as possible.

    A unit fires where the weighted sum of its inputs reaches its threshold, ``X @ w >= θ``. With
    inputs in {0, 1} it computes logic: weights (1, 1) and θ = 2 are AND, θ = 1 is OR; an
    inhibitory input has weight -1, so that weight -1 and θ = 0 are NOT. With `weights` and
    `threshold` given, `fit` changes nothing about the unit. Otherwise it learns a unit per class,
    of which the one with the largest margin decides (one alone for two classes). It minimises the
    weight of misclassified samples itself, not a smooth surrogate of it: exact line searches, along
    single weights, thresholds and random lines, from logistic regressions as starts, repeated
    from disturbed solutions.

    Parameters
    ----------
    weights : array-like of shape (n_features,) or None, default=None
        Weights of a fixed unit for two classes. None means to learn.
    threshold : float or None, default=None
        Threshold of the fixed unit; goes with `weights`.
    step : {'heaviside', 'sign'}, default='heaviside'
        Step function of a single unit. They differ for a sum equal to the threshold:
        ``'heaviside'`` fires, ``'sign'`` is 0 and does not. A learned threshold lies between
        samples.
    max_iter : int, default=100
        Maximum number of epochs of a descent; an epoch is a line search along every weight, the
        threshold, and as many random lines.
    n_iter_no_change : int, default=5
        Number of epochs without fewer errors before a descent ends.
    n_restarts : int, default=5
        Number of further descents, from disturbed copies of the best units so far. One that would
        not catch up with those within `n_iter_no_change` epochs, at the pace of its last one, is
        given up.
    class_weight : dict, 'balanced' or None, default=None
        Weight of each class, ``{label: weight}``, multiplied with the sample weights;
        ``'balanced'`` is inversely proportional to the weight of its samples.
    random_state : int, RandomState instance or None, default=None
        Seed of the order of the line searches, the random lines and the restarts.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Weights; with two classes there is one unit, which fires for ``classes_[1]``. Once
        features are divided by their standard deviations, the squared norms of learned units are
        1 on average.
    threshold_ : ndarray of shape (1,) or (n_classes,)
        Thresholds.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Minus `threshold_`.
    n_errors_ : float
        Weight (sample times class weight) of the training samples that `predict` gets wrong.
    class_shares_ : ndarray of shape (n_classes, n_classes)
        Row i is what `predict_proba` answers where `predict` answers ``classes_[i]``.
    n_iter_ : int
        Number of epochs of the longest descent, the search for the first threshold counted as one;
        0 for a fixed unit.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if X had string names.

    See Also
    --------
    PerceptronClassifier : Learns from errors, sample by sample or all at once; takes sparse X.

    Notes
    -----
    Samples are first sorted, and equal ones put together: their order does not matter, and a sample
    of weight 2 is a sample given twice. To find the fewest errors is NP-hard: the search may
    end a little above the minimum. Classes that planes separate are left without errors unless
    the gap between them is tiny, as the last logistic regressions have next to no penalty. Errors
    of less than a millionth of all weight count as none. Ctrl-C ends `fit` with a warning, and the
    classifier has the best units found so far.

    References
    ----------
    .. [1] McCulloch, W. S., & Pitts, W. (1943). "A logical calculus of the ideas immanent in
       nervous activity." Bulletin of Mathematical Biophysics 5, 115-133.
       doi:10.1007/bf02478259
    .. [2] Li, L., & Lin, H.-T. (2007). "Optimizing 0/1 loss for perceptrons by random coordinate
       descent." International Joint Conference on Neural Networks, 749-754.
       doi:10.1109/IJCNN.2007.4371051

    Examples
    --------
    >>> from sknn import ThresholdLogicClassifier
    >>> X = [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> conjunction = ThresholdLogicClassifier(weights=[1, 1], threshold=2)
    >>> conjunction.fit(X, [0, 0, 0, 1]).predict(X)
    array([0, 0, 0, 1])
    >>> ThresholdLogicClassifier(random_state=0).fit(X, [0, 1, 1, 1]).predict(X)
    array([0, 1, 1, 1])

    No unit computes XOR; the best one is wrong once:

    >>> ThresholdLogicClassifier(random_state=0).fit(X, [0, 1, 1, 0]).n_errors_
    1.0
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "weights": ["array-like", None],
        "threshold": [Interval(Real, None, None, closed="neither"), None],
        "step": [StrOptions({"heaviside", "sign"})],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "n_restarts": [Interval(Integral, 0, None, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "random_state": ["random_state"],
    }

    @explain_unknown_parameters()
    def __init__(
        self,
        *,
        weights=None,
        threshold=None,
        step="heaviside",
        max_iter=100,
        n_iter_no_change=5,
        n_restarts=5,
        class_weight=None,
        random_state=None,
    ):
        self.weights = weights
        self.threshold = threshold
        self.step = step
        self.max_iter = max_iter
        self.n_iter_no_change = n_iter_no_change
        self.n_restarts = n_restarts
        self.class_weight = class_weight
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn the units, or check and record the fixed one.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training samples.
        y : array-like of shape (n_samples,)
            Their labels.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Non-negative weights. Samples of weight 0 are left out; a class without others is never
            predicted for a training sample.

        Returns
        -------
        ThresholdLogicClassifier
            The classifier itself.

        Raises
        ------
        ValueError
            If X and y do not fit together, there is only one class, a weight is negative, only
            one of `weights` and `threshold` is given, or a fixed unit meets more than two classes
            or another number of features than it has weights.
        """
        with restore_on_error(self):
            self._check_both_or_none()
            X, y = validate_samples(self, X, y)
            check_classification_targets(y)
            if self.weights is not None and (kind := type_of_target(y)) != "binary":
                raise ValueError(
                    f"Only binary classification is supported. The type of the target is {kind}. "
                    "Leave weights and threshold out to learn a unit per class."
                )
            weights = check_weights(sample_weight, X)
            training = make_training_set(X, y, weights, self.class_weight)
            check_two_classes(training.classes)
            learn = self._learn if self.weights is None else self._check_fixed
            self.coef_, self.threshold_, self.n_iter_ = learn(training)
            self.classes_, self.intercept_ = training.classes, -self.threshold_
            return self._record_training(training)

    def predict_proba(self, X: MatrixLike) -> np.ndarray:
        """Return the shares of the classes among the training samples that were predicted alike.

        The weights of the samples are summed, and 1 is added for each class (Laplace). Where that
        would make another class the likeliest, the predicted one is raised to just above it, so
        that the largest probability is always that of the class predicted.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``; as many different rows as there are classes.
        """
        predicted = choose_classes(self.decision_function(X), self._is_firing)
        return self.class_shares_[predicted]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = self.weights is None
        return tags

    def _is_firing(self, decision: np.ndarray) -> np.ndarray:
        return ACTIVATIONS[self.step].value(decision) > 0

    def _check_both_or_none(self) -> None:
        if (self.weights is None) != (self.threshold is None):
            raise ValueError(
                "A fixed unit needs both weights and threshold, got "
                f"weights={self.weights!r} and threshold={self.threshold!r}. Give both, or "
                "neither to learn them."
            )

    def _check_fixed(self, training: SingleLabelSet) -> tuple[np.ndarray, np.ndarray, int]:
        weights = np.asarray(self.weights, dtype=np.float64)
        if weights.shape != (training.X.shape[1],):
            raise ValueError(
                f"weights must hold one number for each of the {training.X.shape[1]} features, got "
                f"an array of shape {weights.shape}."
            )
        if not np.all(np.isfinite(weights)):
            raise ValueError(f"weights must be finite numbers, got {weights.tolist()}.")
        return weights[None, :], np.array([float(self.threshold)]), 0

    def _learn(self, training: SingleLabelSet) -> tuple[np.ndarray, np.ndarray, int]:
        # sorted and distinct: neither order nor repeats of the samples reach the search
        X, place = np.unique(training.X + 0.0, axis=0, return_inverse=True)
        of_class = np.zeros((len(X), len(training.classes)))
        np.add.at(of_class, (place.ravel(), training.codes), training.weights)
        # weights matter by their ratios alone, and dividing by a power of 2 rounds nothing
        of_class /= 2.0 ** np.floor(np.log2(of_class.max()))
        totals = of_class.sum(axis=1)
        with np.errstate(over="ignore", invalid="ignore"):  # an error follows
            scaler = StandardScaler().set_output(transform="default")
            scaler.fit(X, sample_weight=totals)
            Z = scaler.transform(X)
        if not (np.all(np.isfinite(scaler.scale_)) and np.all(np.isfinite(Z))):
            raise NonFiniteLossError(
                "X has values so large that their squares overflow. Divide the features by powers "
                "of ten."
            )
        config = SearchConfig(self.max_iter, self.n_iter_no_change, self.n_restarts)
        with np.errstate(over="ignore"):  # beside a slope that is nearly 0 a line ends nowhere
            result = _learn_units(Z, of_class, config, make_local_random_state(self.random_state))
        if result.interrupted:
            warn_user("Training was interrupted; the classifier has the best units found so far.")
        # w·(x - m) / s >= θ is (w / s)·x >= θ + (w / s)·m
        norm = np.sqrt(np.mean(np.sum(result.units[:, :-1] ** 2, axis=1)))
        units = result.units / (norm if norm > 0 else 1.0)
        coef = units[:, :-1] / scaler.scale_
        return coef, units[:, -1] + coef @ scaler.mean_, result.n_epochs

    def _record_training(self, training: SingleLabelSet) -> Self:
        decision = compute_decision(training.X, self.coef_, self.intercept_)
        decision = decision.ravel() if len(self.classes_) == 2 else decision
        predicted = choose_classes(decision, self._is_firing)
        n_classes = len(training.classes)
        counts = np.ones((n_classes, n_classes))
        np.add.at(counts, (predicted, training.codes), training.weights)
        others = np.where(np.eye(n_classes, dtype=bool), 0.0, counts).max(axis=1)
        np.fill_diagonal(counts, np.maximum(counts.diagonal(), others * (1 + 1e-9)))
        self.class_shares_ = counts / counts.sum(axis=1, keepdims=True)
        self.n_errors_ = float(training.weights[predicted != training.codes].sum())
        return self


def _learn_units(
    Z: np.ndarray,
    of_class: np.ndarray,
    config: SearchConfig,
    random_state: np.random.RandomState,
) -> SearchResult:
    """Return a unit for two classes, else one per class; weights (n_units, n_features + 1)."""
    if of_class.shape[1] == 2:
        binary = BinaryProblem(Z, of_class[:, 1], of_class[:, 0])
        result = minimise_errors(binary, config, random_state)
        return replace(result, units=result.units[None, :])
    there = np.flatnonzero(of_class.any(axis=0))
    units = np.zeros((of_class.shape[1], Z.shape[1] + 1))
    result, reach = SearchResult(units, 1), 0.0
    if len(there) > 1:
        problem = ClassesProblem(Z, of_class[:, there])
        result = minimise_errors(problem, config, random_state)
        units[there] = result.units
        reach = np.max(np.abs(problem.inputs @ result.units.T))
    # classes without samples get thresholds that are out of reach
    units[np.setdiff1d(np.arange(len(units)), there), -1] = 1.0 + reach
    return replace(result, units=units)

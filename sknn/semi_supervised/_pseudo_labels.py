"""A classifier that gives labels to samples without labels, and learns from them, too."""

from __future__ import annotations

from functools import partial
from numbers import Integral, Real
from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from sknn._saved import SavedState
from sknn._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    check_sample_weight,
    fit_context,
    take_rows,
)
from sknn._suggestions import check_no_class, explain_unknown_parameters, validate_params
from sknn._validation import make_local_random_state, restore_on_error
from sknn.deep import DeepMLPClassifier
from sknn.preprocessing import count_samples, is_source
from sknn.semi_supervised._choice import choose_spread, list_candidates
from sknn.semi_supervised._fits import (
    choose_surest,
    find_places,
    fit_autoencoders,
    fit_one,
    predict_mean,
    predict_without,
)
from sknn.semi_supervised._neighbors import connect_neighbors, spread_probabilities
from sknn.semi_supervised._predictions import PredictsByLastRound
from sknn.semi_supervised._samples import (
    PartlyLabelled,
    check_labels,
    find_unlabelled,
    gather_samples,
    read_labels,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from sklearn.utils import Tags

    from sknn._validation import MatrixLike

#: probability below which a class is left out of a soft label
LEAST = 1e-3
#: attributes that some fits have and others have not
OF_ONE_FIT = (
    "pseudo_labels_",
    "transduction_",
    "neighbor_share_",
    "teacher_weight_",
    "feature_names_in_",
)


class PseudoLabelClassifier(MetaEstimatorMixin, PredictsByLastRound, SavedState, BaseEstimator):
    """Classifier that gives labels to samples without labels, and learns from these, too.

    At first one or more classifiers, the teachers, learn from the few samples with labels. They
    label the others, and a new classifier learns from both. Several rounds repeat this, and may
    begin with the labels of which the teachers are surest [1]_.

    Parameters
    ----------
    estimator : classifier, default=None
        Classifier with ``predict_proba``, of which a clone is fitted in the last round. If its
        `pretrained` is an autoencoder that is not fitted, that is fitted once, on all samples.
        None is ``DeepMLPClassifier()``.
    teachers : list of classifiers, default=None
        Classifiers whose mean probabilities label the samples, fitted in all rounds but the last;
        None is `estimator` alone. Several teachers that differ in their seeds, or in their first
        weights, err less often, and the classifier that learns from them is nearly as good [3]_.
    n_rounds : int, default=1
        Number of rounds in which samples without labels get one.
    first_share : float, default=1.0
        Share of the samples of each class that get a label in the first of several rounds, in
        (0, 1]: those of which the teachers are surest. It rises evenly to 1 in the last round.
    soft : bool, default=True
        Whether a sample counts for each class, weighted by its probability, which needs
        ``fit(sample_weight=)``. Otherwise it counts for its most probable class alone; then fits
        are faster, and probabilities less calibrated.
    n_neighbors : int, default=5
        Number of nearest samples whose probabilities are mixed into those of a sample before it is
        labelled [2]_. If there is an autoencoder, they are the nearest by its codes or its inputs,
        see `neighbor_share`. 0 mixes none.
    round_params : dict, default=None
        Parameters of the classifiers that learn from both kinds of samples, such as
        ``{"max_iter": 15}``, as an epoch has more steps there than with few labels.
    random_state : int, RandomState instance or None, default=None
        Source of the seed of each classifier that is fitted.
    neighbor_share : 'auto' or float, default='auto'
        Share of its neighbours in the probabilities of a sample, in [0, 1): the larger, the farther
        labels spread. ``'auto'`` takes, with `teacher_weight` and the kind of neighbours, what fits
        best to labels that are held out, a fifth at a time, by the log loss if `soft` and the
        squared error of probabilities if not, and 0 unless neighbours are ahead by a standard
        error; with two numbers neighbours are those by codes.
    teacher_weight : 'auto' or float, default='auto'
        Weight, in [0, 1], of what teachers say of a sample beside that of a label before
        probabilities spread. 0 spreads labels alone, as
        `sklearn.semi_supervised.LabelSpreading` does.

    Attributes
    ----------
    estimator_ : classifier
        Classifier of the last round.
    classes_ : ndarray of shape (n_classes,)
        Sorted class labels.
    pseudo_labels_ : ndarray of shape (n_unlabelled,)
        Classes that samples without labels had in the last round, those marked in y first; only if
        there were some.
    transduction_ : ndarray of shape (n_samples,)
        Labels of X, with those of `pseudo_labels_` where y has none; only if there were some.
    neighbor_share_, teacher_weight_ : float
        What was chosen; only if neighbours count.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, where all are strings.

    See Also
    --------
    AutoencoderTransformer : Autoencoder for the parameter `pretrained` of a network.
    sklearn.semi_supervised.SelfTrainingClassifier : Labels by a threshold, which then stay.

    Notes
    -----
    Neighbours are searched among all samples, so that time grows with the square of their number.
    An `estimator` with ``early_stopping=True`` holds out samples of both kinds, those with given
    labels and those whose labels come from teachers.

    References
    ----------
    .. [1] P. Cascante-Bonilla, F. Tan, Y. Qi and V. Ordonez, "Curriculum labeling: Revisiting
       pseudo-labeling for semi-supervised learning", AAAI 2021, arXiv:2001.06001.
    .. [2] A. Iscen, G. Tolias, Y. Avrithis and O. Chum, "Label propagation for deep semi-supervised
       learning", CVPR 2019, arXiv:1904.04717.
    .. [3] C. Buciluǎ, R. Caruana and A. Niculescu-Mizil, "Model compression", KDD 2006,
       doi:10.1145/1150402.1150464.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sknn import DeepMLPClassifier
    >>> from sknn.semi_supervised import PseudoLabelClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X = X / 16
    >>> mlp = DeepMLPClassifier((64,), n_iter_no_change=200, random_state=0)
    >>> print(f"{mlp.fit(X[:40], y[:40]).score(X[1000:], y[1000:]):.2f}")
    0.79
    >>> model = PseudoLabelClassifier(mlp, round_params={"max_iter": 30}, random_state=0)
    >>> model = model.fit(X[:40], y[:40], X_unlabelled=X[40:1000])
    >>> print(f"{model.score(X[1000:], y[1000:]):.2f}")
    0.87
    """

    _parameter_constraints = {  # noqa: RUF012 - as scikit-learn
        "estimator": [HasMethods(["fit", "predict_proba"]), None],
        "teachers": [list, tuple, None],
        "n_rounds": [Interval(Integral, 1, None, closed="left")],
        "first_share": [Interval(Real, 0, 1, closed="right")],
        "soft": ["boolean"],
        "n_neighbors": [Interval(Integral, 0, None, closed="left")],
        "round_params": [dict, None],
        "random_state": ["random_state"],
        "neighbor_share": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="left")],
        "teacher_weight": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="both")],
    }
    _validate_params = validate_params

    @explain_unknown_parameters(
        {
            "base_estimator": "Write 'estimator'.",
            "threshold": "Labels are chosen by their rank, see first_share.",
            "alpha": "Write 'neighbor_share'.",
            "max_iter": "Write 'n_rounds', or round_params={'max_iter': ...} for epochs.",
        }
    )
    def __init__(
        self,
        estimator=None,
        *,
        teachers=None,
        n_rounds=1,
        first_share=1.0,
        soft=True,
        n_neighbors=5,
        round_params=None,
        random_state=None,
        neighbor_share="auto",
        teacher_weight="auto",
    ):
        self.estimator = estimator
        self.teachers = teachers
        self.n_rounds = n_rounds
        self.first_share = first_share
        self.soft = soft
        self.n_neighbors = n_neighbors
        self.round_params = round_params
        self.random_state = random_state
        self.neighbor_share = neighbor_share
        self.teacher_weight = teacher_weight

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: MatrixLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_unlabelled: MatrixLike | None = None,
    ) -> Self:
        """Learn from samples with labels, and from others without.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Training samples with labels.
        y : array-like of shape (n_samples,)
            Class labels. The number -1 is scikit-learn's mark for a sample without a label, if
            there are two other classes at least; -1 and 1 are both classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the samples; those of `X_unlabelled` get the mean of samples
            with labels.
        X_unlabelled : {array-like, sparse matrix, data frame}, default=None
            Samples without labels, with the columns of X. If there are none here or in X,
            `estimator` is fitted once.

        Returns
        -------
        self : object
            The fitted estimator. If fitting fails it is as it was before.

        Raises
        ------
        TypeError
            If samples lie in a source, if `estimator` or a teacher is not a classifier with
            ``predict_proba``, or if its ``fit`` takes no sample weights although `soft` is set.
        ValueError
            If a parameter, X, y or the weights are not as described.
        """
        with restore_on_error(self):
            for given in (X, X_unlabelled):
                if is_source(given):
                    raise TypeError(
                        "PseudoLabelClassifier takes samples in memory; got a source of them "
                        f"({type(given).__name__}). Read it first, such as by pandas.read_parquet."
                    )
            for name in OF_ONE_FIT:
                self.__dict__.pop(name, None)
            self.estimator_ = self._fit_all(X, y, sample_weight, X_unlabelled)
            for name in ("classes_", "n_features_in_", "feature_names_in_"):
                if hasattr(self.estimator_, name):
                    setattr(self, name, getattr(self.estimator_, name))
        return self

    def _fit_all(
        self,
        X: MatrixLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None,
        unlabelled: MatrixLike | None,
    ) -> BaseEstimator:
        """Return the classifier of the last round."""
        random_state = make_local_random_state(self.random_state)
        student, teachers = self._usual(), self._list_teachers()
        marked = find_unlabelled(read_labels(y))
        if unlabelled is None and not marked.any():
            return fit_one(student, random_state, {}, (X, y, sample_weight))
        y = check_labels(y, X)
        if unlabelled is not None and not count_samples(unlabelled):
            raise ValueError("X_unlabelled holds no samples. Leave it out, or give some.")
        weight = None if sample_weight is None else check_sample_weight(sample_weight, X)
        samples = gather_samples(X, y, weight, marked, unlabelled)
        fitted = self._fit_rounds(samples, [student, *teachers], random_state)
        self.transduction_ = y.copy()
        # Of samples without a label those marked in y come before those of `X_unlabelled`.
        self.transduction_[marked] = self.pseudo_labels_[: marked.sum()]
        return fitted

    def _fit_rounds(
        self,
        samples: PartlyLabelled,
        classifiers: list[BaseEstimator],
        random_state: np.random.RandomState,
    ) -> BaseEstimator:
        """Return the classifier of the last round; the first of `classifiers` is the student."""
        student, *teachers = fit_autoencoders(classifiers, samples.X, random_state)
        data, others = samples.take_labelled(), samples.X_unlabelled
        models = [fit_one(teacher, random_state, {}, data, others) for teacher in teachers]
        classes = models[0].classes_
        # Samples with a label come first in X and in the weights; -1 are those without.
        codes = np.full(len(samples.weight), -1)
        codes[: len(samples.y)] = np.searchsorted(classes, samples.y)
        spread = None
        if self.n_neighbors:
            places = find_places(student, models[0], samples.X)
            graphs = [connect_neighbors(Z, self.n_neighbors) for Z in places]
            candidates = list_candidates(graphs, self.neighbor_share, self.teacher_weight)
            learn = partial(predict_without, teachers, samples, random_state=random_state)
            neighbors, spread = choose_spread(
                candidates, codes, samples.weight, learn, random_state, by_log_loss=self.soft
            )
            self.neighbor_share_, self.teacher_weight_ = spread.share, spread.teacher_weight
        shares, params = self._list_shares(), self.round_params or {}
        for i, share in enumerate(shares, start=1):
            if spread is None:
                proba = predict_mean(models, others)
            else:
                proba = predict_mean(models, samples.X)
                proba = spread_probabilities(neighbors, proba, codes, spread)[codes < 0]
            data = self._label(samples, classes, proba, choose_surest(proba, share))
            # Teachers label for each other until the last round, in which the student learns from
            # all.
            fitted = teachers if i < len(shares) else [student]
            models = [fit_one(model, random_state, params, data, others) for model in fitted]
        self.pseudo_labels_ = classes[proba.argmax(axis=1)]
        return models[0]

    def _list_shares(self) -> np.ndarray:
        """Return the share of the samples that get a label in each round, of shape (n_rounds,)."""
        if self.n_rounds == 1 and self.first_share < 1:
            raise ValueError(
                f"first_share={self.first_share} needs several rounds, after which all samples "
                "have a label, but n_rounds=1. Raise n_rounds, or leave first_share at 1."
            )
        # From the end to the start, so that a single round takes all: a linspace of one number is
        # its start.
        return np.linspace(1, self.first_share, self.n_rounds)[::-1]

    def _usual(self) -> BaseEstimator:
        """Return `estimator`, or the classifier that None stands for."""
        return DeepMLPClassifier() if self.estimator is None else self.estimator

    def _list_teachers(self) -> list[BaseEstimator]:
        """Return the classifiers that label samples, checked."""
        teachers = [self._usual()] if self.teachers is None else list(self.teachers)
        if not teachers:
            raise ValueError("teachers is empty. Give classifiers, or None for estimator alone.")
        for given in (self.estimator, *teachers):
            check_no_class(given, "PseudoLabelClassifier")
            if given is not None and not hasattr(given, "predict_proba"):
                raise TypeError(
                    "Teachers label samples by their probabilities, but one has no predict_proba: "
                    f"{given!r}. Give a classifier that has it."
                )
            if given is not None and self.soft and not has_fit_parameter(given, "sample_weight"):
                raise TypeError(
                    "soft=True weighs the classes of a sample, but fit takes no sample_weight: "
                    f"{given!r}. Set soft=False; or, of a pipeline, give the last step alone and "
                    "put the other steps in front of PseudoLabelClassifier."
                )
        return teachers

    def _label(
        self, samples: PartlyLabelled, classes: np.ndarray, proba: np.ndarray, chosen: np.ndarray
    ) -> tuple[MatrixLike, np.ndarray, np.ndarray | None]:
        """Return X, y and weights of samples with labels, and of others that get one.

        `proba` is of shape (n_unlabelled, n_classes), and `chosen` are numbers of samples.
        """
        numbers, codes = chosen, proba[chosen].argmax(axis=1)
        parts = np.ones(len(chosen))
        if self.soft:
            # A sample stands for each of its classes, with the probability as its weight: the
            # gradient of the log loss is the same as that of the cross-entropy to probabilities.
            places, codes = np.nonzero(proba[chosen] >= LEAST)
            numbers, parts = chosen[places], proba[chosen][places, codes]
        known = len(samples.y)
        taken = np.concatenate([np.arange(known), known + numbers])
        y = np.concatenate([samples.y, classes[codes]])
        weight = samples.weight[taken] * np.concatenate([np.ones(known), parts])
        counts = self.soft or samples.is_weighted
        return take_rows(samples.X, taken), y, weight if counts else None

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self._usual()).input_tags
        return tags

"""Members of an ensemble: which they may be, their samples, and their training."""

from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.metrics import r2_score

from sknn._sklearn import HasMethods, Interval
from sknn._specs import TrainPlan, TrainResult
from sknn._suggestions import check_no_class
from sknn._targets import read_labels_of_objects, read_values
from sknn._validation import MatrixLike, draw_seed, to_dense
from sknn.deep import (
    DeepEstimator,
    follow_array_api,
    read_incomplete_target,
    score_known_labels,
    training_constraints,
)
from sknn.engine import TrainingThreads, train_many
from sknn.losses import gives_probabilities
from sknn.model_selection._plans import Prepared, is_watched, plan_fit
from sknn.model_selection._sharing import CommonArrays
from sknn.preprocessing import is_source, score_measured

#: parameters of ensembles
CONSTRAINTS: dict[str, list] = {
    "estimator": [HasMethods(["fit", "predict"]), None],
    "n_members": [Interval(Integral, 1, None, closed="left")],
    "bootstrap": ["boolean"],
    "n_jobs": [Integral, None],
    **training_constraints("random_state", "checkpoint", "checkpoint_every"),
}


def train_all(plans: list[TrainPlan], n_jobs: int | None) -> list[TrainResult]:
    """Return the trained members; Ctrl-C ends the whole."""
    try:
        found = _train_in_threads(plans, n_jobs)
        others = [i for i in range(len(plans)) if i not in found]
        trained = train_many([plans[i] for i in others], n_jobs=n_jobs)
        found.update(zip(others, trained, strict=True))
        results = [found[i] for i in range(len(plans))]
        is_cut = any(result.progress.stopped_because == "interrupted" for result in results)
    except KeyboardInterrupt:
        is_cut = True
    if is_cut:
        raise KeyboardInterrupt(
            "The ensemble was interrupted before all members were trained; nothing was fitted."
        )
    return results


def _train_in_threads(plans: list[TrainPlan], n_jobs: int | None) -> dict[int, TrainResult]:
    """Return results by number, of the plans for compiled steps; the first error is raised."""
    outcomes = {}
    with TrainingThreads(effective_n_jobs(n_jobs)) as threads:
        for i, plan in enumerate(plans):
            threads.offer(i, plan)
        for i, outcome, _ in threads.iterate():
            outcomes[i] = outcome
        if threads.is_interrupted:
            raise KeyboardInterrupt
    results = {}
    for i, outcome in sorted(outcomes.items()):
        if isinstance(outcome, BaseException):
            raise outcome
        results[i] = outcome
    return results


def plan_members(
    networks: Sequence[DeepEstimator],
    data: tuple,
    random_state: np.random.RandomState,
    *,
    bootstrap: bool,
) -> tuple[list[DeepEstimator], list[TrainPlan]]:
    """Return clones with seeds of their own, and how to train them; `data` is X, y and weights."""
    X, y, sample_weight = data
    members, plans, common = [], [], CommonArrays(X)
    numbers = np.arange(len(X)) if isinstance(X, np.ndarray) else None
    for network in networks:
        seed = draw_seed(random_state)
        member = clone(network).set_params(random_state=seed)
        plan = plan_fit(member, Prepared([], X, y, {"sample_weight": sample_weight}), {})
        plan = common.share(plan, member, numbers)
        plans.append(draw_samples(plan, random_state) if bootstrap else plan)
        members.append(member)
    return members, plans


def draw_samples(plan: TrainPlan, random_state: np.random.RandomState) -> TrainPlan:
    """Return a plan of as many samples, drawn with replacement."""
    numbers = random_state.randint(len(plan.y), size=len(plan.y))
    weight = None if plan.sample_weight is None else plan.sample_weight[numbers]
    own = numbers if plan.numbers is None else plan.numbers[numbers]
    # Of n draws with replacement a sample is missed by all with (1 - 1 / n)^n, about 1 / e: 63 %
    # of the samples are a member's, some of them several times.
    spec = None if plan.checkpoint is None else plan.checkpoint.with_samples(numbers)
    return replace(plan, numbers=own, y=plan.y[numbers], sample_weight=weight, checkpoint=spec)


def check_member(estimator: BaseEstimator, kind: type, name: str) -> BaseEstimator:
    """Return the estimator of members, checked to be a `kind`, which users know by `name`."""
    check_no_class(estimator, "An ensemble")
    if not isinstance(estimator, kind):
        raise TypeError(
            f"estimator must be a {name}; got {estimator!r}. Put the other steps of a pipeline in "
            "front of the ensemble."
        )
    if is_watched(estimator):
        raise ValueError(
            "Members of an ensemble are trained together, and tell scikit-learn's callbacks "
            "nothing; but estimator was given some by set_callbacks(). Call set_callbacks() "
            "without arguments, or give the parameter callbacks."
        )
    return estimator


def check_no_source(X: object) -> None:
    """Raise TypeError for samples that lie in a file or come a chunk at a time."""
    if is_source(X):
        raise TypeError(
            f"An ensemble takes samples in memory; got a source of them ({type(X).__name__}). Read "
            "it first, by pandas.read_parquet for instance."
        )


def give_probabilities(ensemble: BaseEstimator) -> bool:
    """Return whether members can give probabilities; else raise, with the reason."""
    network = ensemble._usual() if ensemble.estimator is None else ensemble.estimator
    loss = getattr(network, "loss", None)
    if loss is not None and not gives_probabilities(loss):
        raise AttributeError(
            f"The members' loss={loss!r} gives no probabilities. Use decision_function, or members "
            "with loss='log_loss'."
        )
    return True


class MembersScoreMixin(RegressorMixin):
    """The score of an ensemble of regressors: that of its members."""

    @follow_array_api
    def score(self, X: MatrixLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return R² of the predictions; of quantiles D², the same for the pinball loss.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True values; NaN, of several columns, where one is not known.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        float
            1 is perfect, 0 as good as a constant. D² is averaged over levels. A column counts by
            the samples whose value is known.
        """
        predicted, table = self.predict(X), read_incomplete_target(y)
        codec = self.estimators_[0]._codec
        if codec.has_levels:
            y = read_values(y) if table is None else table
            return codec.score_predictions(y, predicted, sample_weight)
        if table is None:
            return super().score(X, y, sample_weight)
        weights = None if sample_weight is None else np.asarray(sample_weight)
        return score_measured(r2_score, table, predicted, weights)


class LabelsScoreMixin(ClassifierMixin):
    """The score of an ensemble of classifiers: that of its members."""

    @follow_array_api
    def score(self, X: MatrixLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the accuracy of the predictions; of label sets the share that is entirely right.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            True labels; or an indicator matrix, NaN where a label is not known.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        float
            A set is right if all its known labels are.
        """
        table = read_incomplete_target(y)
        if table is None:
            return super().score(X, read_labels_of_objects(y), sample_weight)
        return score_known_labels(table, to_dense(self.predict(X)), sample_weight)


def average_members(
    members: list[BaseEstimator], X: ArrayLike, return_std: bool
) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """Return the mean prediction for each sample, and with `return_std` its standard deviation."""
    if not (return_std and members[0]._codec.has_std):
        values = np.stack([member.predict(X) for member in members])
        return (values.mean(axis=0), values.std(axis=0)) if return_std else values.mean(axis=0)
    pairs = [member.predict(X, return_std=True) for member in members]
    values, noise = map(np.stack, zip(*pairs, strict=True))
    # Law of total variance: the variance of the means, and the mean of the members' variances.
    return values.mean(axis=0), np.hypot(values.std(axis=0), np.sqrt(np.mean(noise**2, axis=0)))

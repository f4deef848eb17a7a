"""Plans of estimators for samples: everything that ``fit`` does before training."""

import copy
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from sknn._specs import TrainPlan, TrainResult
from sknn._validation import copy_random_state
from sknn.architectures import copy_network
from sknn.deep import FOR_TRAINING_ALONE, DeepEstimator


def last_step(estimator: BaseEstimator) -> BaseEstimator:
    """Return the last step of a pipeline, or the estimator itself."""
    return estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator


def is_watched(estimator: BaseEstimator) -> bool:
    """Return whether callbacks of scikit-learn, set by ``set_callbacks``, want to see epochs."""
    return bool(getattr(last_step(estimator), "_skl_callbacks", None))


def was_interrupted(estimator: BaseEstimator) -> bool:
    """Return whether Ctrl-C ended the training of a network, or of the last step of a pipeline."""
    result = vars(last_step(estimator)).get("_result")
    return result is not None and result.progress.stopped_because == "interrupted"


def name_of_last_step(estimator: BaseEstimator) -> str | None:
    """Return the name of the last step of a pipeline, or None."""
    return estimator.steps[-1][0] if isinstance(estimator, Pipeline) else None


class _Recorder(BaseEstimator):
    """Stands for the last step of a pipeline, and notes what it is to be fitted on."""

    def __init__(self, network: DeepEstimator):
        self.network = network

    def fit(self, X: ArrayLike, y: ArrayLike | None = None, **params: Any) -> "_Recorder":
        """Note the arguments."""
        self.call = X, y, params
        return self

    def get_metadata_routing(self) -> Any:
        """Return what the network asks for."""
        return self.network.get_metadata_routing()


@dataclass(frozen=True)
class Prepared:
    """Training samples as the steps before the network have transformed them.

    Attributes
    ----------
    steps : list of (name, transformer)
        Fitted steps; empty without a pipeline.
    X, y : array-like
        Samples and targets of the network.
    params : mapping
        And with which other arguments of ``fit``.
    """

    steps: list
    X: Any
    y: Any
    params: Mapping[str, Any]


def fit_first_steps(
    estimator: BaseEstimator, X: ArrayLike, y: ArrayLike, fit_params: Mapping[str, Any]
) -> Prepared:
    """Fit all steps of a pipeline but the last, in place, on training samples."""
    recorder = _Recorder(last_step(estimator))
    if not isinstance(estimator, Pipeline):
        recorder.fit(X, y, **fit_params)
        return Prepared([], *recorder.call)
    # scikit-learn's own code does all that comes before the last step
    pipeline = copy.copy(estimator)
    pipeline.steps = [*estimator.steps[:-1], (estimator.steps[-1][0], recorder)]
    pipeline.fit(X, y, **fit_params)
    return Prepared(pipeline.steps[:-1], *recorder.call)


def plan_fit(estimator: BaseEstimator, prepared: Prepared, plans: dict) -> TrainPlan:
    """Do what the ``fit`` of an estimator does before training; a pipeline takes the fitted steps.

    `plans` are those for the same samples that were made before and not yet trained, by what they
    differ in; another one is noted here. What they have in common is done once.
    """
    final = last_step(estimator)
    if prepared.steps:
        estimator.steps = [*prepared.steps, estimator.steps[-1]]
    key = _key_of_preparation(final)
    if key in plans:
        final._validate_params()
        return final._prepare_like(*plans[key])
    plan = _plan_anew(final, prepared)
    if plan.checkpoint is not None:
        plan = replace(plan, checkpoint=plan.checkpoint.quietly())
    if key is not None:  # both change in training
        kept = replace(plan, module=copy_network(plan.module))
        kept = replace(kept, random_state=copy_random_state(plan.random_state))
        plans[key] = _copy_attributes(final), kept
    return plan


def _copy_attributes(estimator: DeepEstimator) -> DeepEstimator:
    """Return an estimator with the same attributes, which later changes do not reach."""
    copied = object.__new__(type(estimator))
    copied.__dict__.update(vars(estimator))
    return copied


def _plan_anew(final: DeepEstimator, prepared: Prepared) -> TrainPlan:
    inspect.signature(final.fit).bind(prepared.X, prepared.y, **prepared.params)
    final._validate_params()
    return final._prepare(final._make_fit_data(prepared.X, prepared.y, **prepared.params))


def _key_of_preparation(network: DeepEstimator) -> tuple | None:
    """Return what tells apart networks that are prepared in different ways; None if chance does."""
    if not isinstance(network.random_state, Integral):
        return None
    params = network.get_params(deep=False)
    names = sorted(params.keys() - FOR_TRAINING_ALONE)
    key = type(network), *((name, repr(params[name]), params[name]) for name in names)
    try:
        hash(key)
    except TypeError:
        return None
    return key


def finish_fit(estimator: BaseEstimator, plan: TrainPlan, result: TrainResult) -> BaseEstimator:
    """Do what the ``fit`` of an estimator does after training, and return the estimator."""
    last_step(estimator)._finish(plan, result)
    return estimator

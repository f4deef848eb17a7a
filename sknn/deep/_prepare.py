"""The first verb of a fit: from what a user gave to a plan for the engine.

A new fit and a continued one (``warm_start``, ``partial_fit``) are two preparations; a third takes
over what another estimator prepared for the same samples.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from sknn._specs import Sample, TrainPlan, TrainResult
from sknn._validation import copy_random_state
from sknn.architectures import copy_network
from sknn.deep._checkpoint import plan_checkpoint, plan_checkpoint_like
from sknn.deep._held_out import RawOutputScorer
from sknn.deep._params import check_fixed_params, read_fixed_params
from sknn.deep.parts._effects import check_effects
from sknn.deep.parts._preparation import (
    Arrangement,
    Circumstances,
    FitData,
    Parts,
    Preparation,
    check_samples,
    drop_zero_weights,
)
from sknn.deep.parts._protocols import Codec
from sknn.deep.sources._prepare import SourcePreparation

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

    from sknn.engine import CheckpointSpec


def prepare_new(estimator: BaseEstimator, data: FitData, *, incremental: bool = False) -> TrainPlan:
    """Return the plan for a new network; set the attributes that follow from the data alone."""
    parts = estimator._make_parts()
    parts.check_pretraining(data)
    if parts.pretraining is not None:
        parts = parts.pretraining.begin(estimator, parts, data, incremental=incremental)
    estimator._fixed = read_fixed_params(estimator, parts.network.fixed_params())
    samples = check_samples(estimator, parts, data.samples, None)
    random_state = data.make_random_state(estimator.random_state)
    codec = parts.target.fit_codec(samples.y, samples.sample_weight, data.classes)
    checkpoint = plan_checkpoint(estimator, _get_arrays(samples), data, random_state)
    samples = drop_zero_weights(samples, parts.reader.weight_dtype(samples.X))
    preparation = Preparation(estimator, parts, samples, data.validation, random_state, codec)
    _configure(preparation, incremental)
    arranged = parts.training.arrange_new(preparation)
    estimator._encoder = preparation.encoder
    estimator._inputs = preparation.encoder.spec_
    return _make_plan(preparation, arranged, data, checkpoint)


def prepare_continued(
    estimator: BaseEstimator, data: FitData, previous: TrainResult, *, incremental: bool = False
) -> TrainPlan:
    """Return the plan to train the network of an earlier call further."""
    parts, codec, encoder = estimator._make_parts(), estimator._codec, estimator._encoder
    check_fixed_params(estimator._fixed, read_fixed_params(estimator, parts.network.fixed_params()))
    if parts.pretraining is not None:
        parts = parts.pretraining.go_on(estimator, parts, previous)
    samples = check_samples(estimator, parts, data.samples, encoder)
    random_state = data.make_random_state(estimator.random_state)
    if not incremental:
        parts.target.check_same(codec, samples.y)
    checkpoint = plan_checkpoint(estimator, _get_arrays(samples), data, random_state, previous)
    samples = drop_zero_weights(samples, parts.reader.weight_dtype(samples.X))
    preparation = Preparation(estimator, parts, samples, data.validation, random_state, codec)
    preparation.encoder = encoder
    preparation.interrupted_split = vars(estimator).get("_interrupted_split")
    _configure(preparation, incremental)
    arranged = parts.continued_training.arrange_continued(preparation)
    return _make_plan(preparation, arranged, data, checkpoint, previous)


def prepare_streamed(
    preparation: SourcePreparation, data: FitData, previous: TrainResult | None
) -> TrainPlan:
    """Return the plan to train on a source, a new network or that of an earlier call."""
    estimator, training = preparation.estimator, preparation.parts.source_training
    drawn, overview = preparation.samples, preparation.overview
    # Those drawn, always the same ones, and the number of all stand for the samples of a source.
    y = (drawn.y, overview.n_samples, overview.total_weight)
    known = (drawn.X, y, drawn.sample_weight)
    random_state = preparation.random_state
    checkpoint = plan_checkpoint(estimator, known, data, random_state, previous)
    arranged = training.arrange_source(preparation, is_new=previous is None)
    estimator._encoder = preparation.encoder
    estimator._inputs = preparation.encoder.spec_
    return _make_plan(preparation, arranged, data, checkpoint, previous)


def prepare_like(estimator: BaseEstimator, other: BaseEstimator, plan: TrainPlan) -> TrainPlan:
    """Return the plan that `prepare_new` would, in far less time.

    `other` is of the same class, with equal parameters but for
    `sknn.deep._params.FOR_TRAINING_ALONE`; it was prepared by `plan` for the same samples, with an
    int as random state, and is not yet trained.
    """
    params = estimator.get_params(deep=False)
    vars(estimator).update({name: v for name, v in vars(other).items() if name not in params})
    parts = estimator._make_parts()
    return replace(
        plan,
        module=copy_network(plan.module),
        config=parts.training.make_config(estimator._circumstances),
        score=_choose_score(estimator, parts, estimator._codec),
        random_state=copy_random_state(plan.random_state),
        checkpoint=plan_checkpoint_like(estimator, plan.checkpoint),
    )


def _get_arrays(samples: Sample) -> tuple:
    """Return X, y and sample weights."""
    return samples.X, samples.y, samples.sample_weight


def _configure(preparation: Preparation, incremental: bool) -> None:
    """Note how to train, and what that depends on."""
    n_samples, weight = preparation.samples.X.shape[0], preparation.samples.sample_weight
    circumstances = Circumstances(
        n_samples,
        float(n_samples if weight is None else weight.sum()),
        incremental,
        preparation.validation is not None,
    )
    preparation.estimator._circumstances = circumstances
    preparation.config = preparation.parts.training.make_config(circumstances)


def _make_plan(
    preparation: Preparation,
    arranged: Arrangement,
    data: FitData,
    checkpoint: CheckpointSpec | None,
    previous: TrainResult | None = None,
) -> TrainPlan:
    """Return the plan, and let the estimator have codec and split."""
    estimator, codec, training = preparation.estimator, arranged.codec, arranged.training
    config = preparation.config
    if not estimator._circumstances.is_incremental:
        check_effects(estimator, has_held_out=arranged.held_out is not None)
    if config.time_limit is not None:
        # The limit counts from the call: what preparing took is gone.
        left = config.time_limit - (time.perf_counter() - data.began)
        config = replace(config, time_limit=left)
    estimator._codec = codec
    vars(estimator).update(preparation.parts.target.fitted_attributes(codec))
    if arranged.split is not None:
        estimator._last_split = arranged.split
    return TrainPlan(
        module=arranged.module,
        X=training.X,
        y=training.y,
        sample_weight=training.sample_weight,
        numbers=arranged.numbers,
        config=config,
        target=codec.spec_,
        codec=codec,
        score=_choose_score(estimator, preparation.parts, codec),
        random_state=preparation.random_state,
        validation=arranged.held_out,
        watcher=data.watcher,
        incremental=estimator._circumstances.is_incremental,
        previous=previous,
        checkpoint=checkpoint,
    )


def _choose_score(
    estimator: BaseEstimator, parts: Parts, codec: Codec
) -> Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]:
    """Return the score of raw predictions against encoded y: the default one, or by `scoring`."""
    scoring = parts.training.scoring
    if scoring is None or scoring == "loss":
        return partial(parts.target.score, codec)
    return RawOutputScorer(estimator, scoring)

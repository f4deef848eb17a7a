"""A fit on its way to a plan: what the user gave, checked, divided, and encoded."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast, overload

import numpy as np
from sklearn.utils.validation import check_consistent_length

from sknn._sklearn import take_rows
from sknn._specs import Sample, TrainConfig, TrainPlan, TrainResult, Watcher
from sknn._validation import (
    RandomStateLike,
    check_weights,
    make_local_random_state,
    rescale_weights,
)
from sknn.deep.parts._protocols import (
    Codec,
    Encoder,
    InputReader,
    Network,
    NetworkBuilder,
    Samples,
    SourceReader,
    Target,
)
from sknn.engine import explain_memory
from sknn.preprocessing import TabularEncoder, WrappedFrame

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from sklearn.base import BaseEstimator

    from sknn.engine import Peers

Split = tuple[np.ndarray, np.ndarray]

#: what kind of reader, target, builder and training an estimator holds
ReaderT_co = TypeVar("ReaderT_co", bound=InputReader, covariant=True)
TargetT_co = TypeVar("TargetT_co", bound=Target, covariant=True)
BuilderT_co = TypeVar("BuilderT_co", bound=NetworkBuilder, covariant=True)
TrainingT_co = TypeVar("TrainingT_co", bound="Training", covariant=True)
PartsT_contra = TypeVar("PartsT_contra", contravariant=True)
PreparationT_contra = TypeVar("PreparationT_contra", bound="Preparation", contravariant=True)


@dataclass(frozen=True)
class FitData:
    """Arguments of ``fit`` or ``partial_fit``, and the time of the call.

    Attributes
    ----------
    X, y, sample_weight, classes : array-like
        Data as the user gave them.
    validation : tuple or None, default=None
        X, y and sample weights of the validation samples.
    watcher : Watcher or None, default=None
        Object that is told of each epoch.
    unlabelled : array-like or None, default=None
        Samples without labels, for an autoencoder.
    seed : int or None, default=None
        Seed of processes that train together, where the estimator has none.
    peers : Peers or None, default=None
        Processes that train together, where each has samples of its own.
    began : float
        Time of the call, in seconds of ``time.perf_counter``; `time_limit` counts from it.
    """

    X: ArrayLike
    y: ArrayLike | None = None
    sample_weight: ArrayLike | None = None
    classes: ArrayLike | None = None
    validation: tuple | None = None
    watcher: Watcher | None = None
    unlabelled: ArrayLike | None = None
    seed: int | None = None
    peers: Peers | None = None
    began: float = field(default_factory=time.perf_counter)

    @property
    def samples(self) -> tuple:
        """X, y and sample weights."""
        return self.X, self.y, self.sample_weight

    def make_random_state(self, random_state: RandomStateLike) -> np.random.RandomState:
        """Return the generator that an estimator's `random_state` asks for."""
        return make_local_random_state(self.seed if random_state is None else random_state)

    def watched_by(self, watcher: Watcher) -> FitData:
        """Return the same with a watcher, who is told of each epoch."""
        return replace(self, watcher=watcher)


@dataclass(frozen=True)
class Circumstances:
    """Circumstances on which the configuration of a fit depends, beside the parameters.

    Attributes
    ----------
    n_samples : int
        Samples of a positive weight, held-out ones included.
    total_weight : float
        The sum of their weights.
    is_incremental : bool
        Whether this is ``partial_fit``.
    has_validation : bool
        Whether the user gave validation samples.
    """

    n_samples: int
    total_weight: float
    is_incremental: bool
    has_validation: bool


@dataclass
class Preparation:
    """A fit on its way to a plan.

    Attributes
    ----------
    estimator : object
        Estimator that is fitted.
    parts : Parts
        Held parts of the estimator.
    samples : Sample
        Checked, weighted, without samples of weight 0, not yet encoded.
    validation : tuple or None
        The validation samples as the user gave them.
    random_state : numpy.random.RandomState
        Source of the held-out samples and of the first weights.
    codec : Codec
        Codec that was fitted on all samples.
    encoder : Encoder
        There once it is fitted, or known from an earlier fit.
    config : TrainConfig
        Configuration of the training, once `configure` was called.
    interrupted_split : tuple of ndarray or None
        Held-out samples of a fit that Ctrl-C ended, from which this one goes on.
    """

    estimator: BaseEstimator
    parts: Parts
    samples: Sample
    validation: tuple | None
    random_state: np.random.RandomState
    codec: Codec
    encoder: Encoder = field(init=False)
    config: TrainConfig = field(init=False)
    interrupted_split: Split | None = None

    def fit_encoder(self, samples: Sample) -> None:
        """Fit the encoder on samples."""
        self.encoder = self.parts.reader.fit_encoder(
            samples.X, samples.sample_weight, partial(self._make_targets, samples)
        )

    def _make_targets(self, samples: Sample) -> np.ndarray:
        """Return y as numbers (n_samples, n_targets), a column for each of several classes."""
        y = self.codec.encode(samples.y, np.float64)
        if self.codec.spec_.kind == "multiclass":
            return np.eye(self.codec.spec_.n_outputs)[y.astype(int)]
        return y.reshape(len(y), -1)

    def build(self, samples: Sample | None = None) -> Network:
        """Return a new network for the encoder and the codec."""
        spec = self.codec.spec_
        with explain_memory(
            "The memory is not enough for the weights of a network of these sizes. Make its layers "
            "narrower; the weights between two layers are the product of their widths."
        ):
            return self.parts.network.build(self.encoder, spec, self.random_state, samples)

    def validation_samples(self) -> Sample | None:
        """Return the user's validation samples, if any, checked; the encoder must be fitted."""
        if self.validation is None:
            return None
        try:
            samples = check_samples(self.estimator, self.parts, self.validation, self.encoder)
            if self.validation[1] is not None:
                self.codec.encode(samples.y, np.float64)  # names targets that fit cannot know
            return samples
        except (TypeError, ValueError) as error:
            if type(error) not in (TypeError, ValueError):
                raise
            raise type(error)(f"In the validation set, X_val and y_val: {error}") from error

    @overload
    def encode(self, samples: Sample) -> Sample: ...
    @overload
    def encode(self, samples: None) -> None: ...
    def encode(self, samples: Sample | None) -> Sample | None:
        """Return samples as the network takes them."""
        return None if samples is None else encode_samples(self.encoder, self.codec, samples)

    def encode_training(self, samples: Sample) -> Sample:
        """Return training samples as the network takes them: see `TabularEncoder.encode_training`.

        Means of y that an encoder has learned of them are those of other samples.
        """
        encoder, weight = self.encoder, samples.sample_weight
        if not (isinstance(encoder, TabularEncoder) and encoder.uses_y):
            return self.encode(samples)
        X = encoder.encode_training(samples.X, self._make_targets(samples), weight)
        return encode_rest(X, self.codec, samples)


@dataclass(frozen=True)
class Arrangement:
    """Result of a `Training` for a `Preparation`.

    Attributes
    ----------
    training, held_out : Sample
        Encoded samples; `held_out` is None if nothing is scored.
    codec : Codec
        Codec that has learned from the training samples.
    module : Network or None, default=None
        New module; None if a network is trained further.
    split : tuple of ndarray or None, default=None
        Numbers of the training and of the held-out samples, where they were drawn.
    numbers : ndarray of int or None, default=None
        Numbers of the training samples, where X of `training` has the held-out ones, too.
    """

    training: Sample
    held_out: Sample | None
    codec: Codec
    module: Network | None = None
    split: Split | None = None
    numbers: np.ndarray | None = None


class Training(Protocol):
    """Choice of the held-out samples, and training of the network on the others.

    Training can go on, see `ContinuedTraining`, and samples come a chunk at a time, see
    `SourceTraining`.
    """

    @property
    def scoring(self) -> str | Callable | None:
        """Score of held-out samples; None, or ``'loss'``, leaves it to the target."""

    def obstacle_to_partial_fit(self) -> str | None:
        """Return why training cannot go on a part of X at a time, or None."""

    def make_config(self, circumstances: Circumstances) -> TrainConfig:
        """Return how to train."""

    def arrange_new(self, preparation: Preparation) -> Arrangement:
        """Return a new network, its encoder and codec, and the samples to train and validate on."""

    def finish(self, estimator: BaseEstimator, plan: TrainPlan, result: TrainResult) -> None:
        """Set further attributes of a trained estimator."""


class ContinuedTraining(Training, Protocol):
    """A `Training` that can go on."""

    def arrange_continued(self, preparation: Preparation) -> Arrangement:
        """Return the samples to train a network further on."""


class SourceTraining(Training, Protocol[PreparationT_contra]):
    """A `Training` on samples that come a chunk at a time, too."""

    def obstacle_to_source(self) -> str | None:
        """Return why training cannot read its samples a chunk at a time, or None."""

    def arrange_source(self, preparation: PreparationT_contra, *, is_new: bool) -> Arrangement:
        """Return samples of a source as a stream, those to validate on, and a network if new."""


class Pretraining(Protocol[PartsT_contra]):
    """Training on samples without labels, before a new fit."""

    def begin(
        self, estimator: BaseEstimator, parts: PartsT_contra, data: FitData, *, incremental: bool
    ) -> Parts:
        """Return the parts that a new fit takes."""

    def go_on(self, estimator: BaseEstimator, parts: PartsT_contra, previous: TrainResult) -> Parts:
        """Return the parts that a fit takes which goes on training an earlier network."""

    def check_used(self, data: FitData) -> None:
        """Raise ValueError for what is given for an autoencoder that is not there."""

    def obstacle_to_source(self) -> str | None:
        """Return why samples that are read a chunk at a time cannot be trained on, or None."""


@dataclass(frozen=True)
class PartsOf(Generic[ReaderT_co, TargetT_co, BuilderT_co, TrainingT_co]):
    """Held parts of a deep estimator, see `sknn.deep.parts._protocols`.

    A prediction needs no network builder and no training; these are made where they are asked for.
    """

    reader: ReaderT_co
    target: TargetT_co
    make_network: Callable[[], BuilderT_co]
    make_training: Callable[[], TrainingT_co]
    pretraining: Pretraining | None = None

    @cached_property
    def network(self) -> BuilderT_co:
        """Builder of the network."""
        return self.make_network()

    @cached_property
    def training(self) -> TrainingT_co:
        """Training of the network."""
        return self.make_training()

    # A fit that goes on, and a source, were refused before where the parts cannot follow: by
    # the parameter `warm_start`, `obstacle_to_partial_fit`, and a target that makes no survey.

    @property
    def continued_training(self) -> ContinuedTraining:
        """Training of a network that goes on."""
        return cast(ContinuedTraining, self.training)

    @property
    def source_reader(self) -> SourceReader:
        """Reader of chunks of X."""
        return cast(SourceReader, self.reader)

    @property
    def source_training(self) -> SourceTraining:
        """Training on a source."""
        return cast(SourceTraining, self.training)

    def check_pretraining(self, data: FitData) -> None:
        """Raise ValueError for what is given for an autoencoder that is not there."""
        if self.pretraining is not None:
            self.pretraining.check_used(data)

    def obstacle_to_source(self) -> str | None:
        """Return why samples cannot be read a chunk at a time, or None."""
        obstacle = self.source_training.obstacle_to_source() or self.reader.obstacle_to_chunks()
        if obstacle is not None or self.pretraining is None:
            return obstacle
        return self.pretraining.obstacle_to_source()


#: of an estimator of any kind
Parts = PartsOf[InputReader, Target, NetworkBuilder, Training]


def check_samples(
    estimator: BaseEstimator, parts: Parts, given: tuple, encoder: Encoder | None
) -> Sample:
    """Return X, y and sample weights as given, checked; classes weigh what `class_weight` says."""
    X, y, weight = given
    X = parts.reader.check(estimator, X, encoder)
    y = parts.target.check(estimator, y, X)
    check_consistent_length(X, y)
    weight = parts.target.weigh(y, check_weights(weight, X))
    return Sample(X, y, None if weight is None else rescale_weights(weight))


def encode_samples(encoder: Encoder, codec: Codec, samples: Sample) -> Sample:
    """Return samples as the network takes them, all in one dtype."""
    return encode_rest(encoder.encode(samples.X), codec, samples)


def encode_rest(X: np.ndarray, codec: Codec, samples: Sample) -> Sample:
    """Return samples with an encoded X, y and weights in its dtype."""
    dtype, weight = str(X.dtype), samples.sample_weight
    weight = None if weight is None else weight.astype(dtype)
    return Sample(X, codec.encode(samples.y, dtype), weight)


def take_samples(samples: Sample, numbers: np.ndarray) -> Sample:
    """Return the samples of these numbers."""
    weight = None if samples.sample_weight is None else samples.sample_weight[numbers]
    return Sample(_take(samples.X, numbers), _take(samples.y, numbers), weight)


def take_targets(samples: Sample, numbers: np.ndarray) -> Sample:
    """Return y and weights of the samples of these numbers, with X of all."""
    weight = None if samples.sample_weight is None else samples.sample_weight[numbers]
    return Sample(samples.X, _take(samples.y, numbers), weight)


def _take(values: Samples, numbers: np.ndarray) -> Any:
    if isinstance(values, WrappedFrame):
        return values.take_samples(numbers)
    return take_rows(values, numbers)


def drop_zero_weights(samples: Sample, dtype: str) -> Sample:
    """Leave out samples whose weight is 0 in a dtype, so that they cannot change the batches."""
    if samples.sample_weight is None:
        return samples
    weight = samples.sample_weight.astype(dtype)
    kept = np.flatnonzero(weight)
    if len(kept) == 0:
        raise ValueError(
            "All samples have weight 0: the product of sample_weight and the weight of their "
            "class. Give one of them a positive weight."
        )
    samples = replace(samples, sample_weight=weight)
    return samples if len(kept) == len(weight) else take_samples(samples, kept)

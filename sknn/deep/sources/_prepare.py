"""The first verb of a fit on a source: from what a user gave to a plan for the engine."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from sknn._memory import give_back_memory
from sknn._specs import Sample, TrainResult
from sknn.deep._params import check_fixed_params, read_fixed_params
from sknn.deep.parts._preparation import (
    Circumstances,
    FitData,
    Preparation,
    encode_samples,
    take_samples,
)
from sknn.deep.sources._reservoir import DRAWN_BY
from sknn.deep.sources._shard_stream import Shard
from sknn.deep.sources._stream import EncodedStream, add_members
from sknn.deep.sources._survey import Limits, Overview, survey_source, weigh_samples
from sknn.preprocessing import Source, convert_table, is_source, open_source, read_all, split_frame

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from sklearn.base import BaseEstimator

#: samples that are held out at most: the accuracy of a class is then known to 0.2 %
MOST_HELD_OUT = 50_000
#: samples kept for what looks at a few, such as callbacks
N_KEPT = 4096


def read_names(data: FitData) -> FitData:
    """Return what a user gave, columns that are given by their names taken out of data frames."""
    X, y, weight = data.samples
    if not is_source(X) and (isinstance(y, str) or isinstance(weight, str)):
        X, y, weight = split_frame(X, y, weight)
        data = replace(data, X=X, y=y, sample_weight=weight)
    if data.validation is not None:
        data = replace(data, validation=read_validation(*data.validation))
    if data.unlabelled is not None and is_source(data.unlabelled):
        unlabelled = convert_table(read_all(open_source(data.unlabelled))[0], X)
        data = replace(data, unlabelled=unlabelled)
    return data


def read_validation(
    X: ArrayLike, y: ArrayLike | str | None, sample_weight: ArrayLike | str | None
) -> tuple:
    """Return validation samples, which are always held in memory."""
    if is_source(X):
        return read_all(open_source(X, y, sample_weight))
    return split_frame(X, y, sample_weight)


@dataclass
class SourcePreparation(Preparation):
    """A fit on a source on its way to a plan; its samples are those that were drawn.

    Attributes
    ----------
    source : Source
        All samples.
    overview : Overview
        Overview of the samples.
    shard : Shard or None, default=None
        Samples of this process among those of all, if each has its own.
    """

    source: Source = field(kw_only=True)
    overview: Overview = field(kw_only=True)
    shard: Shard | None = field(kw_only=True, default=None)

    def fit_encoder(self, samples: Sample) -> None:
        """Fit the encoder on samples, and let it know of all of them."""
        super().fit_encoder(samples)
        weighs_classes = getattr(self.parts.target, "class_weight", None) is not None
        if not weighs_classes:  # means of all samples do not know these weights
            self.encoder = self.overview.inputs.finish(self.encoder)

    def encode_drawn(self) -> Sample:
        """Return all samples that were drawn, encoded; the encoder must be fitted."""
        return encode_samples(self.encoder, self.codec, self.samples)

    def draw_held_out(self, fraction: float) -> np.ndarray:
        """Return the places, among the samples drawn, of those that are held out."""
        random = np.flatnonzero(self.overview.drawn.is_random)
        # At most half of those drawn at random are held out, as the encoder learns from the others.
        n = min(int(np.ceil(fraction * self.overview.n_samples)), MOST_HELD_OUT, len(random) // 2)
        if n < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of "
                "your dataset."
            )
        chosen = np.random.RandomState(DRAWN_BY).permutation(random)[:n]
        return np.sort(chosen)

    def make_stream(
        self, kept: Sample, left_out: np.ndarray, members: np.ndarray | None = None
    ) -> Sample:
        """Return encoded training samples as a stream.

        Parameters
        ----------
        kept : Sample
            Encoded training samples, of which a few are held in memory.
        left_out : ndarray of int
            Places, among the samples drawn, of those that are held out.
        members : ndarray of int, default=None
            Member that holds each sample out; it is a training sample of all others.
        """
        overview, n_samples = self.overview, self.overview.n_samples
        random = np.random.RandomState(DRAWN_BY).permutation(len(kept.y))
        kept = take_samples(kept, np.sort(random[:N_KEPT]))
        numbers = overview.drawn.numbers[left_out]
        shard, trains_all = self.shard, members is not None
        if shard is None:
            n_own = n_samples if trains_all else n_samples - len(left_out)
        else:
            counts = shard.count_without(numbers[:0] if trains_all else numbers)
            own = shard.find_own(numbers)
            numbers, n_own = shard.number_own(numbers[own]), counts[shard.rank]
            members = None if members is None else members[own]
        stream = EncodedStream(
            self.estimator,
            self.parts,
            self.encoder,
            self.codec,
            self.source,
            overview.largest_weight,
            numbers,
            members,
            n_own,
            kept,
        )
        X = stream if shard is None else shard.make_stream(stream, counts)
        return Sample(X, kept.y, kept.sample_weight)

    def leave_out(self, samples: Sample, members: np.ndarray) -> tuple[Sample, Sample]:
        """Return encoded samples as a stream and those that some member leaves out.

        `members`, of shape (n_samples,), says which member holds each of them out, -1 for none.
        """
        samples = add_members(samples, members)
        left_out = np.flatnonzero(members >= 0)
        # Held-out samples of one member lie together, so that it predicts them in one pass.
        ordered = left_out[np.argsort(members[left_out], kind="stable")]
        return (
            self.make_stream(samples, left_out, members[left_out]),
            take_samples(samples, ordered),
        )


def prepare_source(
    estimator: BaseEstimator,
    data: FitData,
    previous: TrainResult | None,
    *,
    incremental: bool = False,
    limits: Limits | None = None,
) -> SourcePreparation | FitData:
    """Return a fit on its way to a plan, or data in memory where a source is small.

    Parameters
    ----------
    estimator : DeepEstimator
        Estimator in `fit`.
    data : FitData
        X is a source.
    previous : TrainResult or None
        Result of an earlier fit, from which this one goes on.
    incremental : bool, default=False
        Whether this is ``partial_fit``.
    limits : Limits, default=None
        Limits of what is held in memory; by default `Limits`.
    """
    name = type(estimator).__name__
    if incremental:
        raise TypeError(
            f"{name}.partial_fit takes samples in memory, a chunk a call; got a source of them "
            f"({type(data.X).__name__}). Call it for each chunk, or give the source to fit."
        )
    parts = estimator._make_parts()
    parts.check_pretraining(data)
    source = open_source(data.X, data.y, data.sample_weight)
    source.wraps = True
    random_state = np.random.RandomState(DRAWN_BY)
    overview = survey_source(
        estimator, parts, source, random_state, Limits() if limits is None else limits
    )
    give_back_memory()
    if isinstance(overview, tuple):
        X, y, weight = overview
        return replace(data, X=X, y=y, sample_weight=weight)
    return make_preparation(estimator, data, source, overview, previous)


def make_preparation(
    estimator: BaseEstimator,
    data: FitData,
    source: Source,
    overview: Overview,
    previous: TrainResult | None,
    *,
    shard: Shard | None = None,
) -> SourcePreparation:
    """Return a fit on its way to a plan, once all is known of the samples.

    Parameters
    ----------
    estimator : DeepEstimator
        Estimator in `fit`.
    data : FitData
        Data as the user gave them.
    source : Source
        Samples, of this process alone where there is a `shard`.
    overview : Overview
        Overview of all samples.
    previous : TrainResult or None
        Result of an earlier fit, from which this one goes on.
    shard : Shard, default=None
        Place of the samples of the source among all samples.
    """
    parts = overview.parts
    fixed = read_fixed_params(estimator, parts.network.fixed_params())
    codec, encoder = None, None
    if previous is None:
        estimator._fixed = fixed
    else:
        check_fixed_params(estimator._fixed, fixed)
        codec, encoder = estimator._codec, estimator._encoder
        parts.target.check_same(codec, overview.drawn.samples.y)
    samples = weigh_samples(overview.drawn.samples, parts, overview.largest_weight)
    if codec is None:
        codec = parts.target.fit_codec(samples.y, samples.sample_weight, None)
        codec = overview.targets.finish(codec)
    preparation = SourcePreparation(
        estimator,
        parts,
        samples,
        data.validation,
        data.make_random_state(estimator.random_state),
        codec,
        source=source,
        overview=overview,
        shard=shard,
    )
    if encoder is not None:
        preparation.encoder = encoder
    circumstances = Circumstances(
        overview.n_samples,
        overview.total_weight,
        is_incremental=False,
        has_validation=data.validation is not None,
    )
    estimator._circumstances = circumstances
    preparation.config = parts.training.make_config(circumstances)
    return preparation

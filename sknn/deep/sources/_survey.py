"""The first pass over a source: all that must be known of its samples before training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from sklearn.utils.validation import check_consistent_length

from sknn._specs import Sample
from sknn._validation import check_weights, rescale_weights
from sknn.deep.parts._preparation import take_samples
from sknn.deep.sources._reservoir import Drawn, Reservoir
from sknn.preprocessing import Chunk, Source, join_chunks

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

    from sknn.deep.parts._preparation import Parts
    from sknn.deep.parts._protocols import Encoder, InputSurvey, TargetSurvey


@dataclass(frozen=True)
class Limits:
    """Limits of what is held of a source in memory.

    Attributes
    ----------
    whole : int, default=2**21
        Numbers of X up to which a source is read as a whole, and trained on as an array is.
    drawn : int, default=2**21
        Numbers of the samples that are drawn from a larger one.
    most_drawn : int, default=100_000
        Maximum number of these samples.
    """

    whole: int = 2**21
    drawn: int = 2**21
    most_drawn: int = 100_000


@dataclass(frozen=True)
class Overview:
    """Results of the first pass.

    Attributes
    ----------
    n_samples : int
        Samples of a positive weight.
    total_weight, largest_weight : float
        Sum of the weights, and the largest.
    drawn : Drawn
        Samples drawn at random, and those that must not be missed; checked, not encoded.
    parts : Parts
        Held parts of the estimator, whose target knows all classes.
    inputs, targets : InputSurvey, TargetSurvey
        Surveys of X and y, which finish encoder and codec after their fit on the samples drawn.
    """

    n_samples: int
    total_weight: float
    largest_weight: float
    drawn: Drawn
    parts: Parts
    inputs: InputSurvey
    targets: TargetSurvey


def survey_source(
    estimator: BaseEstimator,
    parts: Parts,
    source: Source,
    random_state: np.random.RandomState,
    limits: Limits,
) -> tuple | Overview:
    """Read all samples once.

    Returns
    -------
    tuple or Overview
        X, y and sample weights as a whole if the source is small; else an overview of them.
    """
    survey: Survey | None = None
    chunks: list[Chunk] | None = []
    for chunk in source.read():
        if survey is None:
            survey = Survey(
                estimator, parts, chunk, source, random_state=random_state, limits=limits
            )
        survey.add(chunk)
        if chunks is not None:
            chunks.append(chunk)
            if survey.n_numbers > limits.whole:
                chunks = None
                if (obstacle := parts.obstacle_to_source()) is not None:
                    raise ValueError(obstacle)
    return survey.finish() if survey is not None and chunks is None else join_chunks(chunks or [])


class Survey:
    """Looks at all chunks of a source, one after the other."""

    def __init__(
        self,
        estimator: BaseEstimator,
        parts: Parts,
        first: Chunk,
        source: Source,
        *,
        random_state: np.random.RandomState,
        limits: Limits,
    ):
        self.limits = limits
        self.estimator, self.parts, self.source = estimator, parts, source
        self.targets = parts.target.make_survey()
        with explain_chunk(source, first):
            X = parts.reader.check(estimator, first.X, None)
            self.encoder: Encoder = parts.reader.fit_encoder(X, None)
        self.inputs: InputSurvey = parts.source_reader.make_survey(self.encoder)
        self.reservoir = Reservoir(random_state)
        self.n_samples, self.n_numbers = 0, 0
        self.total_weight, self.largest_weight = 0.0, 0.0

    @property
    def size(self) -> int:
        """Samples to draw."""
        limits = self.limits
        return max(1, min(limits.most_drawn, limits.drawn // max(self.inputs.n_numbers, 1)))

    def add(self, chunk: Chunk) -> None:
        """Look at a chunk."""
        with explain_chunk(self.source, chunk):
            samples, numbers = check_chunk(self.estimator, self.parts, chunk, self.encoder)
            if len(numbers) == 0:
                return
            weight = samples.sample_weight
            kept = self.inputs.add(samples.X, weight, chunk.first)
            kept = np.concatenate([kept, self.targets.add(samples.y, weight)])
        self.n_samples += len(numbers)
        self.n_numbers += len(numbers) * self.inputs.n_numbers
        self.total_weight += len(numbers) if weight is None else float(weight.sum())
        self.largest_weight = max(
            self.largest_weight, 1.0 if weight is None else float(weight.max())
        )
        self.reservoir.add(samples, numbers, kept, self.size)

    def finish(self) -> Overview:
        """Return the overview of all samples."""
        parts = replace(self.parts, target=self.targets.make_target())
        drawn = self.reservoir.finish(self.size)
        return Overview(
            self.n_samples,
            self.total_weight,
            self.largest_weight,
            drawn,
            parts,
            self.inputs,
            self.targets,
        )


def check_chunk(
    estimator: BaseEstimator, parts: Parts, chunk: Chunk, encoder: Encoder
) -> tuple[Sample, np.ndarray]:
    """Return the samples of a chunk that have a weight, checked, and their numbers."""
    X = parts.reader.check(estimator, chunk.X, encoder)
    y, weight = parts.target.check(estimator, chunk.y, X), chunk.sample_weight
    check_consistent_length(X, y)
    numbers = chunk.first + np.arange(X.shape[0])
    if weight is None:
        return Sample(X, y), numbers
    given = np.asarray(weight)
    has_none = given.shape == y.shape[:1] and given.dtype.kind in "biuf" and not given.any()
    checked = np.zeros(len(y)) if has_none else np.asarray(check_weights(given, X))
    places = np.flatnonzero(checked)
    if len(places) == len(checked):
        return Sample(X, y, checked), numbers
    return take_samples(Sample(X, y, checked), places), numbers[places]


def weigh_samples(samples: Sample, parts: Parts, largest_weight: float) -> Sample:
    """Return samples with the weights of their classes, at the size that a network can hold."""
    weight = samples.sample_weight
    if weight is not None:  # of all samples, not of those at hand
        # With the largest weight of all samples beside those of a chunk, each chunk is scaled
        # alike.
        weight = rescale_weights(np.append(weight, largest_weight))[:-1]
    return replace(samples, sample_weight=parts.target.weigh(samples.y, weight))


@contextmanager
def explain_chunk(source: Source, chunk: Chunk) -> Iterator[None]:
    """Let an error say which chunk it is about, as its sample numbers count from there."""
    try:
        yield
    except (TypeError, ValueError) as error:
        error.add_note(
            f"In the {source.tables.kind} given as X, in the chunk that begins with sample "
            f"{chunk.first}."
        )
        raise

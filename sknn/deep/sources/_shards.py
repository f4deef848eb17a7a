"""Preparation of a fit in which each process has samples of its own: their surveys are joined."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_consistent_length

from sknn._memory import give_back_memory
from sknn._specs import TrainResult
from sknn._validation import is_costly_to_copy
from sknn.deep.parts._preparation import FitData
from sknn.deep.sources._prepare import SourcePreparation, make_preparation
from sknn.deep.sources._reservoir import DRAWN_BY, Part
from sknn.deep.sources._shard_stream import Shard
from sknn.deep.sources._survey import Limits, Overview, Survey
from sknn.preprocessing import Source, WrappedFrame, hold_tables, is_source, open_source

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

    from sknn.deep.parts._preparation import Parts
    from sknn.engine import Peers


class JoinedSurvey(Protocol):
    """A survey of X or y that can be joined with those of other processes."""

    def get_notes(self) -> Any:
        """Return the results of the survey in a form that can be pickled."""

    def adopt_notes(self, notes: list) -> None:
        """Join the notes of all processes."""


@dataclass(frozen=True)
class ShardNotes:
    """Survey of the samples of one process, which is sent to all others.

    Attributes
    ----------
    looks : dict of str to str
        Kinds and names of X, y and weights, which must be equal in all processes.
    n_read, n_samples : int
        Number of samples that were read, and of those with a positive weight.
    total_weight, largest_weight : float
        Sum of the weights, and the largest weight.
    drawn : list of Part
        Samples drawn at random, and samples that must be kept.
    inputs, targets : object
        Notes of the surveys of X and y.
    """

    looks: dict[str, str]
    n_read: int
    n_samples: int
    total_weight: float
    largest_weight: float
    drawn: list[Part]
    inputs: Any
    targets: Any


def prepare_shards(
    estimator: BaseEstimator, data: FitData, previous: TrainResult | None
) -> SourcePreparation:
    """Return the preparation of a fit in which each process has samples of its own.

    Raises
    ------
    ValueError
        If samples of this kind, or an estimator with these parameters, cannot be sharded.
    """
    peers = data.peers
    if peers is None:
        raise ValueError(
            "n_processes='shards' is for one fit at a time, which all processes call together; "
            "batched searches, and ensembles, prepare several. Set n_processes='world', and give "
            "all processes all samples."
        )
    parts = estimator._make_parts()
    parts.check_pretraining(data)
    if (obstacle := parts.obstacle_to_source()) is not None:
        raise ValueError(f"n_processes='shards' takes samples as a source gives them. {obstacle}")
    source = _open(data)
    overview, starts, counts = survey_shards(estimator, parts, source, peers, Limits())
    give_back_memory()
    is_held = not (is_source(data.X) or sparse.issparse(data.X) or is_costly_to_copy(data.X))
    shuffles = getattr(estimator, "shuffle", True)
    shard = Shard(peers.rank, starts, counts, is_held, shuffles)
    return make_preparation(estimator, data, source, overview, previous, shard=shard)


def _open(data: FitData) -> Source:
    """Return the samples that the user gave, as a source."""
    if is_source(data.X):
        source = open_source(data.X, data.y, data.sample_weight)
        source.wraps = True
        return source
    given = [v for v in (data.y, data.sample_weight) if v is not None and np.ndim(v)]
    check_consistent_length(data.X, *given)
    return Source(hold_tables(data.X, data.y, data.sample_weight))


def survey_shards(
    estimator: BaseEstimator, parts: Parts, source: Source, peers: Peers, limits: Limits
) -> tuple[Overview, np.ndarray, tuple[int, ...]]:
    """Return the joined surveys of the samples of all processes.

    Returns
    -------
    overview : Overview
        Overview of all samples, equal in all processes. Samples are numbered through, process by
        process.
    starts : ndarray of int of shape (n_processes + 1,)
        Number of the first sample of each process, and then the number of all samples.
    counts : tuple of int
        Number of samples with a positive weight of each process.
    """
    survey: Survey | None = None
    random_state = np.random.RandomState([DRAWN_BY, peers.rank])
    for chunk in source.read():
        if survey is None:
            survey = Survey(
                estimator, parts, chunk, source, random_state=random_state, limits=limits
            )
        survey.add(chunk)
    survey = cast("Survey", survey)  # a source without samples raised an error
    if survey.n_samples == 0:
        raise ValueError(
            f"All samples of process {peers.rank} have a weight of 0. Give each process at least "
            "one sample with a positive weight."
        )
    notes = peers.gather(_make_notes(estimator, survey, source.starts[-1]))
    _check_alike(notes)
    _join(survey, notes)
    counts = tuple(note.n_samples for note in notes)
    return survey.finish(), np.cumsum([0, *(note.n_read for note in notes)]), counts


def _make_notes(estimator: BaseEstimator, survey: Survey, n_read: int) -> ShardNotes:
    drawn = survey.reservoir.get_parts(survey.size)
    X, y = drawn[0].X, cast("np.ndarray", drawn[0].y)
    names = getattr(estimator, "feature_names_in_", None)
    y_kind = "text" if y.dtype.kind in "OUS" else "numbers"
    kind = (
        f"a frame of {X.frame.implementation.value}" if isinstance(X, WrappedFrame) else "an array"
    )
    columns = f"{estimator.n_features_in_} columns"
    looks = {
        "X is": kind,
        "X has": columns if names is None else f"the columns {', '.join(map(str, names))}",
        "y has": f"{y_kind} of shape {('n_samples', *y.shape[1:])}".replace("'", ""),
        "sample_weight is": "None" if drawn[0].sample_weight is None else "an array",
    }
    return ShardNotes(
        looks,
        n_read,
        survey.n_samples,
        survey.total_weight,
        survey.largest_weight,
        drawn,
        cast("JoinedSurvey", survey.inputs).get_notes(),
        cast("JoinedSurvey", survey.targets).get_notes(),
    )


def _check_alike(notes: list[ShardNotes]) -> None:
    """Raise ValueError if processes were given samples of different kinds."""
    for rank, note in enumerate(notes):
        for name, look in note.looks.items():
            if look != notes[0].looks[name]:
                raise ValueError(
                    f"The processes of n_processes='shards' were given samples of different kinds: "
                    f"{name} {notes[0].looks[name]} in process 0, and {look} in process {rank}. "
                    "Give all samples of one kind, with the same columns."
                )


def _join(survey: Survey, notes: list[ShardNotes]) -> None:
    """Join the notes of all processes into a survey."""
    cast("JoinedSurvey", survey.inputs).adopt_notes([note.inputs for note in notes])
    cast("JoinedSurvey", survey.targets).adopt_notes([note.targets for note in notes])
    survey.n_samples = sum(note.n_samples for note in notes)
    survey.total_weight = sum(note.total_weight for note in notes)
    survey.largest_weight = max(note.largest_weight for note in notes)
    # The reservoir of each process holds the samples with the smallest random keys, each key drawn
    # by itself. So the smallest keys of all reservoirs together are a random sample of all.
    start, parts = 0, []
    for note in notes:
        parts += [replace(part, numbers=part.numbers + start) for part in note.drawn]
        start += note.n_read
    survey.reservoir.set_parts(parts)

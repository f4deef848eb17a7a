"""Networks whose filters come from sequences without labels, or from another network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from sklearn.exceptions import NotFittedError

from sknn._specs import TargetSpec, TrainConfig, TrainPlan, TrainResult
from sknn.architectures import MaskedSequences, SequenceCNN, copy_first_filters
from sknn.deep.mlp._pretrained import drop_unweighted
from sknn.deep.parts._preparation import FitData, Parts, PartsOf
from sknn.deep.parts._pretrained_builder import PretrainedBuilder
from sknn.deep.parts._protocols import InputReader, Network, NetworkBuilder, Target
from sknn.deep.parts._training import OneNetwork
from sknn.engine import train
from sknn.preprocessing import SequenceInputs, stack_samples, strings_in

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from sklearn.base import BaseEstimator

#: steps of predicting hidden letters, maximum number of epochs, sequences in a step, and most that
#: are read
STEPS, MOST_EPOCHS, BATCH, MOST_SAMPLES = 1500, 100, 64, 100_000
#: how they are taken, whatever the parameters of the network that comes after
TRAINING: dict[str, Any] = {
    "solver": "adam",
    "solver_params": {},
    "beta_1": 0.9,
    "beta_2": 0.999,
    "epsilon": 1e-8,
    "alpha": 0.0,
    "learning_rate": "cosine",
    "learning_rate_params": {},
    "learning_rate_init": 0.002,
    "warmup_epochs": 0.0,
    "max_grad_norm": None,
    "early_stopping": False,
    "n_iter_no_change": np.inf,
    "callbacks": (),
    "verbose": False,
    "runs_to_the_end": True,
}

Start = Callable[[Network, SequenceInputs, np.random.RandomState], None]


class LengthReader(InputReader[np.ndarray, SequenceInputs], Protocol):
    """An `InputReader` of sequences, which have a greatest length."""

    def with_length(self, length: int | None) -> LengthReader:
        """Return a reader of sequences of at most this length."""


SequenceParts = PartsOf[LengthReader, Target, NetworkBuilder, OneNetwork]


@dataclass(frozen=True)
class FilterPretraining:
    """A `sknn.deep.parts._preparation.Pretraining` of the filters of the first layer.

    Attributes
    ----------
    source : SequenceCNNClassifier, SequenceCNNRegressor, 'masked' or None
        Estimator whose filters are copied; ``'masked'`` for new ones that predict hidden letters.
    """

    source: BaseEstimator | str | None

    def begin(
        self, estimator: BaseEstimator, parts: SequenceParts, data: FitData, *, incremental: bool
    ) -> Parts:
        """Return the parts that a new fit takes."""
        if self.source is None:
            return parts
        if not isinstance(self.source, str):
            return _change_builder(parts, _plan_copy(self.source, data))
        X = _join_sequences(drop_unweighted(data.X, data.sample_weight), data.unlabelled)
        checked = parts.reader.check(estimator, X, None)
        encoder = parts.reader.fit_encoder(checked, None)
        if encoder.kind_ == "strings":  # positions for the longest of all
            parts = replace(parts, reader=parts.reader.with_length(encoder.spec_.length))
        params = {**parts.training.params, **TRAINING}

        def start(
            network: Network, encoder: SequenceInputs, random_state: np.random.RandomState
        ) -> None:
            cnn = cast("SequenceCNN", network)
            train_filters(cnn, encoder.encode(_take_evenly(checked)), params, random_state)

        return _change_builder(parts, start)

    def go_on(
        self, estimator: BaseEstimator, parts: SequenceParts, previous: TrainResult
    ) -> SequenceParts:
        """Return the parts as they are: filters train from the first epoch on."""
        return parts

    def check_used(self, data: FitData) -> None:
        """Raise ValueError for samples that no pretraining would look at."""
        if self.source is None and data.unlabelled is not None:
            raise ValueError(
                "X_unlabelled is for filters that predict hidden letters, but pretrained is None. "
                "Set pretrained='masked'."
            )

    def obstacle_to_source(self) -> str | None:
        """Return why samples that are read a chunk at a time cannot be trained on, or None."""
        if self.source is None:
            return None
        return (
            "pretrained needs all samples in memory, which a source that does not fit into it "
            "cannot give. Give fewer samples, or set pretrained=None."
        )


def train_filters(
    network: SequenceCNN,
    X: np.ndarray,
    params: dict[str, Any],
    random_state: np.random.RandomState,
) -> None:
    """Let filters learn to predict hidden positions of encoded X (n_samples, n_numbers)."""
    masked = MaskedSequences(network)
    masked.initialize_weights(random_state)
    batch_size = min(BATCH, len(X))
    # About `STEPS` steps, whatever the number of sequences: ceil(steps / (n / batch)).
    n_epochs = min(MOST_EPOCHS, -(-STEPS * batch_size // len(X)))
    plan = TrainPlan(
        module=masked,
        X=X,
        y=X,
        sample_weight=None,
        config=TrainConfig(**{**params, "batch_size": batch_size, "max_iter": n_epochs}),
        target=TargetSpec("values", X.shape[1], "squared_error"),
        score=score_nothing,
        random_state=random_state,
    )
    train(plan).net.module_.copy_filters(network)


def _plan_copy(source: BaseEstimator, data: FitData) -> Start:
    """Return what copies the filters of a fitted estimator."""
    if not hasattr(source, "net_"):
        raise NotFittedError(
            f"pretrained={source!r} is not fitted. Fit it first, or set pretrained='masked' to "
            "let filters predict hidden letters of X and X_unlabelled."
        )
    if not isinstance(source.module_, SequenceCNN):
        raise TypeError(
            "pretrained must be a fitted SequenceCNNClassifier or SequenceCNNRegressor, or "
            f"'masked'; got {source!r}."
        )
    if data.unlabelled is not None:
        raise ValueError(
            "X_unlabelled is for filters that predict hidden letters, but pretrained is a "
            "fitted estimator. Leave X_unlabelled out, or set pretrained='masked'."
        )

    def start(
        network: Network, encoder: SequenceInputs, random_state: np.random.RandomState
    ) -> None:
        cnn = cast("SequenceCNN", network)
        _check_same_filters(source, cnn, encoder)
        copy_first_filters(source.module_, cnn)

    return start


def score_nothing(y: np.ndarray, output: np.ndarray, sample_weight: np.ndarray | None) -> float:
    """Return 0: no samples are held out."""
    return 0.0


def _change_builder(parts: SequenceParts, start: Start) -> Parts:
    network = PretrainedBuilder(parts.network, start)
    return PartsOf(
        parts.reader, parts.target, lambda: network, parts.make_training, parts.pretraining
    )


def _join_sequences(X: ArrayLike, unlabelled: ArrayLike | None) -> ArrayLike:
    """Return the sequences of X, then those without labels."""
    if unlabelled is None:
        return X
    ours, theirs = strings_in(X), strings_in(unlabelled)
    if (ours is None) != (theirs is None):
        kinds = ["numbers" if strings is None else "strings" for strings in (ours, theirs)]
        raise ValueError(
            f"X holds {kinds[0]}, but X_unlabelled holds {kinds[1]}. Give both in the same form."
        )
    return stack_samples(X, unlabelled) if ours is None else np.concatenate([ours, theirs])


def _take_evenly(X: np.ndarray) -> np.ndarray:
    """Return at most `MOST_SAMPLES` samples, evenly chosen."""
    if len(X) <= MOST_SAMPLES:
        return X
    return X[np.linspace(0, len(X) - 1, MOST_SAMPLES).astype(int)]


def _check_same_filters(
    source: BaseEstimator, network: SequenceCNN, encoder: SequenceInputs
) -> None:
    """Raise ValueError unless filters of a fitted estimator fit into a network."""
    theirs, ours = (tuple(m.bank.weight.shape) for m in (source.module_, network))
    letters = [_name_letters(of) for of in (source._encoder, encoder)]
    if theirs == ours and letters[0] == letters[1]:
        return
    shown = [
        f"{n} filters of {size} positions of {channels} ({of})"
        for (n, size, channels), of in zip((theirs, ours), letters, strict=True)
    ]
    raise ValueError(
        f"pretrained has {shown[0]}, but this network is to have {shown[1]}. Set the same "
        "n_filters, kernel_size and alphabet."
    )


def _name_letters(encoder: SequenceInputs) -> str:
    return (encoder.letters_ or "numbers").replace("U", "T")

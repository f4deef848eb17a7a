"""Training of one network: its held-out samples, and the engine's configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn._specs import Sample, TrainConfig, TrainPlan, TrainResult
from sknn._validation import is_costly_to_copy
from sknn.deep._held_out import split_samples
from sknn.deep._params import is_by_loss, name_score, nested_arguments, read_training_params
from sknn.deep.parts._preparation import (
    Arrangement,
    Circumstances,
    Preparation,
    Split,
    take_samples,
    take_targets,
)
from sknn.deep.parts._protocols import Network
from sknn.deep.parts._ranking import forget_ranking, keep_for_ranking

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

    from sknn.deep.parts._protocols import DrawnPreparation


@dataclass(frozen=True)
class OneNetwork:
    """A `Training` of one network, with some samples held out or all in training.

    Attributes
    ----------
    params : dict
        Fields of `TrainConfig`.
    scoring : str, callable or None
        Score of held-out samples.
    choose : callable, default=None
        ``choose(params, circumstances)`` returns further fields, which depend on the samples.
    refine : callable, default=None
        ``refine(preparation, arrangement)`` returns the network to train in place of a new one.
    ranks_features : bool, default=False
        Whether `finish` keeps samples for ``feature_importances_``.
    """

    params: Mapping[str, Any]
    scoring: str | Callable | None
    choose: Callable[[Mapping[str, Any], Circumstances], dict[str, Any]] | None = None
    refine: Callable[[Preparation, Arrangement], Network] | None = None
    ranks_features: bool = False

    @classmethod
    def of(
        cls,
        estimator: BaseEstimator,
        *,
        scores_loss: bool,
        choose: Callable | None = None,
        refine: Callable | None = None,
        ranks_features: bool = False,
    ) -> OneNetwork:
        """Return the training for an estimator's parameters.

        `scores_loss` says whether the loss is the default score.
        """
        scoring, dtype = vars(estimator).get("scoring"), estimator.dtype
        params = {
            **read_training_params(estimator),
            "stop_on_loss": is_by_loss(scoring, scores_loss),
            "score_name": name_score(scoring),
            "precision": dtype if dtype in ("tf32", "bfloat16") else "full",
            "callbacks": () if estimator.callbacks is None else estimator.callbacks,
            "solver_params": nested_arguments(estimator, "solver"),
            "learning_rate_params": nested_arguments(estimator, "learning_rate"),
        }
        return cls(params, scoring, choose, refine, ranks_features)

    def obstacle_to_partial_fit(self) -> str | None:
        """Return why training cannot go on a part of X at a time, or None."""
        if self.params["solver"] == "lbfgs":
            return (
                "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic."
            )
        return None

    def make_config(self, circumstances: Circumstances) -> TrainConfig:
        """Return how to train."""
        if circumstances.is_incremental and self.params["early_stopping"] is True:
            raise ValueError("partial_fit does not support early_stopping=True")
        chosen = {} if self.choose is None else self.choose(self.params, circumstances)
        return TrainConfig(**{**self.params, **chosen})

    def arrange_new(self, preparation: Preparation) -> Arrangement:
        """Return a new network, and the samples to train and validate on."""
        # Scikit-learn draws the first weights before it splits off what is held out, and estimators
        # that promise its results must draw in that order. Where the encoder learns from samples,
        # the network comes later: it is to be fitted to training samples alone.
        whole, module = preparation.samples, None
        preparation.fit_encoder(whole)
        if preparation.encoder.is_identity_:  # scikit-learn's order of chance
            module = preparation.build()
        training, held_out, split = self._hold_out(preparation)
        if module is None:
            if training is not whole:
                preparation.fit_encoder(training)
            module = preparation.build()
        if held_out is not None:
            target = preparation.parts.target
            preparation.codec = target.refit_codec(preparation.codec, training)
        arranged = _arrange(preparation, (training, held_out, split), module)
        if self.refine is None:
            return arranged
        return replace(arranged, module=self.refine(preparation, arranged))

    def arrange_continued(self, preparation: Preparation) -> Arrangement:
        """Return the samples to train a network further on."""
        return _arrange(preparation, self._hold_out(preparation))

    def obstacle_to_source(self) -> str | None:
        """Return why training cannot read its samples a chunk at a time, or None."""
        if self.params["solver"] == "lbfgs":
            return (
                "solver='lbfgs' looks at all samples in each step, which a source that does not "
                "fit into memory cannot give. Take solver='adam', or give fewer samples."
            )
        return None

    def arrange_source(self, preparation: DrawnPreparation, *, is_new: bool) -> Arrangement:
        """Return samples of a source as a stream, those to validate on, and a network if new."""
        samples, left_out, held_out = preparation.samples, np.empty(0, np.int64), None
        if preparation.validation is None and preparation.config.early_stopping:
            left_out = preparation.draw_held_out(self.params["validation_fraction"])
            held_out = take_samples(samples, left_out)
            others = np.setdiff1d(np.arange(samples.X.shape[0]), left_out)
            samples = take_samples(samples, others)
        if is_new:
            preparation.fit_encoder(samples)
        if preparation.validation is not None:
            held_out = preparation.validation_samples()
        module = preparation.build() if is_new else None
        stream = preparation.make_stream(preparation.encode(samples), left_out)
        return Arrangement(stream, preparation.encode(held_out), preparation.codec, module)

    def finish(self, estimator: BaseEstimator, plan: TrainPlan, result: TrainResult) -> None:
        """Keep a few samples from which importances can be computed, see `rank_features`."""
        if self.ranks_features and not plan.incremental:
            keep_for_ranking(estimator, plan)
        else:
            forget_ranking(estimator)

    def _hold_out(self, preparation: Preparation) -> tuple[Sample, Sample | None, Split | None]:
        """Return the samples to train on, those to validate on, and their numbers where drawn."""
        whole, given = preparation.samples, preparation.validation_samples()
        if given is not None:
            return whole, given, None
        if not preparation.config.early_stopping or self.params["solver"] == "lbfgs":
            return whole, None, None
        split, n_samples = preparation.interrupted_split, whole.X.shape[0]
        if split is None or n_samples != sum(map(len, split)):
            codec, fraction = preparation.codec, self.params["validation_fraction"]
            y = codec.encode(whole.y, np.float64)
            split = split_samples(y, codec.spec_.kind, fraction, preparation.random_state)
        held_out = take_samples(whole, split[1])
        if preparation.encoder.is_identity_ and is_costly_to_copy(whole.X):
            return take_targets(whole, split[0]), held_out, split
        return take_samples(whole, split[0]), held_out, split


def _arrange(
    preparation: Preparation,
    divided: tuple[Sample, Sample | None, Split | None],
    module: Network | None = None,
) -> Arrangement:
    training, held_out, split = divided
    numbers = split[0] if split is not None and len(split[0]) < training.X.shape[0] else None
    return Arrangement(
        preparation.encode_training(training),
        preparation.encode(held_out),
        preparation.codec,
        module,
        split,
        numbers,
    )

"""Parts of both ensembles for tables: defaults that follow the data, members, and folds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn._sklearn import Interval, StrOptions
from sknn._specs import Sample, TargetSpec, TrainConfig, TrainPlan, TrainResult
from sknn.architectures import TabularEnsemble, TabularOptions, multiplies_bfloat16
from sknn.deep._params import (
    TABLE_CONSTRAINTS,
    TARGET_ENCODING,
    is_by_loss,
    name_score,
    read_training_params,
    training_constraints,
)
from sknn.deep.autoencoder import AutoencoderTransformer
from sknn.deep.parts._importances import permutation_importances
from sknn.deep.parts._preparation import (
    Arrangement,
    Circumstances,
    PartsOf,
    Preparation,
)
from sknn.deep.parts._table_reader import TableReader
from sknn.deep.parts._targets import TargetT, deviate_members
from sknn.deep.tabular._folds import leave_out
from sknn.deep.tabular._pretrained import MembersPretraining
from sknn.deep.tabular._single_values import fit_single_values
from sknn.engine import Net
from sknn.preprocessing import (
    TabularEncoder,
    ValueCodec,
    fill_with_means,
    fit_knots,
)

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

    from sknn.deep.sources._prepare import SourcePreparation

#: sum of weights below which there are too few samples to hold any out, or to drop units. Means of
#: accuracy or R² on iris, wine, breast cancer, digits and diabetes with samples held out, and
#: without, are .72 and .73 from 20 samples, .79 and .76 from 32, .81 and .78 from 45, .82 and .80
#: from 63. The log loss of wine alone is larger with them, up to 100 samples.
FEW_SAMPLES = 32
#: maximum number of epochs on fewer samples than `FEW_SAMPLES`
EPOCHS_OF_FEW = 60
#: maximum number of columns with an embedding, the best by trees; others are numbers alone. R² or
#: accuracy with none, 64 and 256 are .49, .79, .78 on Friedman's data with 400 columns, .89, .95,
#: .93 on digits beside copies in another order, .13, .47, .63 where each of 200 columns matters.
MOST_EMBEDDED = 256
#: number of samples from which ``dtype='auto'`` is float32; on fewer it saves little. Scores are
#: equal in both up to .001: .433 on diabetes, .967 on breast cancer, .974 and .975 on digits.
SAMPLES_FOR_FLOAT32 = 1000
#: number of samples that are copied together
SAMPLES_AT_ONCE = 8192
#: number of mini-batches of an epoch, and limits of their size, for batch_size='auto'
BATCHES, SMALLEST, LARGEST = 40, 32, 256
#: number of samples from which mini-batches are larger than `LARGEST`: 512 samples, and from twice
#: that number on 1,024. On 200,000 made-up flights an epoch then takes a third of the time.
MANY_SAMPLES = 80_000
#: maximum number of stretches between knots, and samples of classes from which it is twice that:
#: where knots are twofold a tree cuts half as often. On 20,000 samples that lowers the log loss of
#: electricity by .8 %, and of marketing, credit and incomes by .1 to .5 %.
STRETCHES, SAMPLES_FOR_STRETCHES = 32, 16_000

CONSTRAINTS: dict[str, list] = {
    **training_constraints(
        "learning_rate_init",
        "weight_decay",
        "batch_size",
        "max_iter",
        "time_limit",
        "callbacks",
        "verbose",
        "device",
        "dtype",
        "random_state",
        "checkpoint",
        "checkpoint_every",
        "n_processes",
        "scoring",
    ),
    "n_members": [Interval(Integral, 1, None, closed="left")],
    "n_hidden_layers": [Interval(Integral, 0, None, closed="left")],
    "hidden_width": [Interval(Integral, 1, None, closed="left")],
    "dropout": [Interval(Real, 0, 1, closed="left")],
    "numerical_embedding": [StrOptions({"piecewise", "periodic"}), None],
    "embedding_width": [Interval(Integral, 1, None, closed="left")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
    "solver": [StrOptions({"adamw", "muon"})],
    **TABLE_CONSTRAINTS,
    **TARGET_ENCODING,
    "pretrained": [AutoencoderTransformer, None],
}

#: parameter of other estimators -> advice for these
ELSEWHERE = {
    "early_stopping": "Training always stops early, by samples that the members hold out: "
    "n_iter_no_change is its patience. Give fit X_val and y_val to choose them yourself.",
    "validation_fraction": "Each of n_members members holds out its own share of the samples, one "
    "in n_members (of five at least). Give fit X_val and y_val to choose them yourself.",
    "warm_start": "Each fit is a new one, because scales, knots and held-out samples follow from "
    "all samples. Raise max_iter, or take a DeepMLP estimator.",
    "hidden_layer_sizes": "Write n_hidden_layers=... and hidden_width=....",
    "alpha": "Write weight_decay=..., by which AdamW shrinks weights.",
    "activation": "It is ReLU; take a DeepMLP estimator for another.",
    "learning_rate": "It is constant, learning_rate_init=..., and weights are averaged instead.",
    "n_estimators": "Write n_members=....",
    "scale": "Numbers always become normal scores; take a DeepMLP estimator for another scale.",
    "tol": "Each improvement counts. Write n_iter_no_change=... for patience.",
}

#: fields of `TrainConfig` that no parameter sets
TRAINING: dict[str, Any] = {
    "beta_1": 0.9,
    "beta_2": 0.99,
    "epsilon": 1e-8,
    "learning_rate": "constant",
    "warmup_epochs": 0.5,
    "averaged_epochs": 2.0,
    "patience_share": 0.3,
    "alpha": 0.0,
    "power_t": 0.5,
    "momentum": 0.95,
    "nesterovs_momentum": True,
    "shuffle": True,
    "tol": 0.0,
    "validation_fraction": 0.0,
    "max_fun": 1,
    "scores_training_samples": False,
    "runs_to_the_end": True,
}


@dataclass(frozen=True)
class EnsembleBuilder:
    """A `sknn.deep.parts._protocols.NetworkBuilder` of ensembles for tables.

    Attributes
    ----------
    options : TabularOptions
        Members and their layers.
    """

    options: TabularOptions

    @classmethod
    def of(cls, estimator: BaseEstimator) -> EnsembleBuilder:
        """Return the builder for an estimator's parameters."""
        return cls(
            TabularOptions(
                n_members=int(estimator.n_members),
                hidden_layer_sizes=(int(estimator.hidden_width),) * int(estimator.n_hidden_layers),
                dropout=float(estimator.dropout),
                numerical_embedding=estimator.numerical_embedding,
                embedding_width=int(estimator.embedding_width),
                trains_in_bfloat16=is_roundable(estimator),
            )
        )

    def fixed_params(self) -> dict[str, Any]:
        """Return no parameters: each fit has a new network."""
        return {}

    def build(
        self,
        encoder: TabularEncoder,
        target: TargetSpec,
        random_state: np.random.RandomState,
        samples: Sample,
    ) -> TabularEnsemble:
        """Return the network with its first weights, knots and means, which follow the samples."""
        options, weight = self.options, samples.sample_weight
        if is_small(len(samples.y), 0.0 if weight is None else float(weight.sum())):
            options = replace(options, dropout=0.0)
        knots = self._fit_knots(encoder, target, samples)
        values = self._fit_values(target, samples, knots)
        ensemble = TabularEnsemble(encoder.spec_, target, knots, options, values)
        ensemble.initialize_weights(random_state)
        ensemble.center(samples.X, weight)
        return ensemble

    def _fit_knots(
        self, encoder: TabularEncoder, target: TargetSpec, samples: Sample
    ) -> dict[int, np.ndarray]:
        if self.options.numerical_embedding is None:
            return {}
        has_classes = target.kind != "values"
        return fit_knots(
            samples.X[:, : encoder.n_numbers],
            fill_with_means(samples.y),  # a tree takes no missing targets
            is_multiclass=target.kind == "multiclass",
            # With jumps the log loss of thyroids falls by a quarter, and of other tables of classes
            # by .3 % in the mean; the error of house prices grows by 2 %.
            jumps=has_classes,
            max_stretches=choose_stretches(len(samples.y)) if has_classes else STRETCHES,
            sample_weight=samples.sample_weight,
            max_columns=MOST_EMBEDDED,
        )

    def _fit_values(
        self, target: TargetSpec, samples: Sample, columns: Iterable[int]
    ) -> dict[int, np.ndarray]:
        y = fill_with_means(samples.y)
        if target.kind == "multiclass":
            y = np.eye(target.n_outputs)[y]
        return fit_single_values(
            samples.X, y.reshape(len(y), -1), columns, sample_weight=samples.sample_weight
        )


class MembersPredictor:
    """A `sknn.deep.parts._targets.ValuePredictor` of several members, in float64."""

    def predict(self, codec: ValueCodec, output: np.ndarray) -> np.ndarray:
        """Return predictions, in the units of y."""
        return codec.decode(self.widen(output))

    def widen(self, output: np.ndarray) -> np.ndarray:
        """Return raw predictions in float64."""
        return output.astype(np.float64)

    def deviate(
        self, codec: ValueCodec, net: Net, encoded: np.ndarray | None, output: np.ndarray
    ) -> np.ndarray:
        """Return the members' disagreement, and the noise in y where the loss estimates it."""
        return deviate_members(codec, net, encoded, self.widen(output))


@dataclass(frozen=True)
class EnsembleTraining:
    """A `Training` of members each of which holds out samples of its own.

    Attributes
    ----------
    params : mapping
        Fields of `TrainConfig`.
    n_members : int
        Number of members.
    scoring
        See `sknn.deep.parts._preparation.Training`.
    """

    params: Mapping[str, Any]
    n_members: int
    scoring: str | Callable | None = None

    @classmethod
    def of(cls, estimator: BaseEstimator, *, scores_loss: bool) -> EnsembleTraining:
        """Return the training for an estimator's parameters; `scores_loss` as in `OneNetwork`."""
        params = {
            **read_training_params(estimator),
            **TRAINING,
            "stop_on_loss": is_by_loss(estimator.scoring, scores_loss),
            "score_name": name_score(estimator.scoring),
            "precision": estimator.dtype if estimator.dtype in ("tf32", "bfloat16") else "full",
            "callbacks": () if estimator.callbacks is None else estimator.callbacks,
        }
        return cls(params, int(estimator.n_members), estimator.scoring)

    def obstacle_to_partial_fit(self) -> str:
        """Return why training cannot go on a part of X at a time."""
        return (
            "TabularMLP estimators have no partial_fit: scales, knots and the samples that members "
            "leave out follow from all samples. Fit anew, or take a DeepMLP estimator."
        )

    def make_config(self, circumstances: Circumstances) -> TrainConfig:
        """Return the configuration of training for so many samples."""
        n_samples = circumstances.n_samples
        few = is_small(n_samples, circumstances.total_weight)
        has_validation = circumstances.has_validation or not few
        size = LARGEST if few else choose_batch_size(n_samples)
        chosen: dict[str, Any] = {"early_stopping": has_validation, "auto_batch_size": size}
        if self.params["batch_size"] == "auto" and size > LARGEST:
            # The standard deviation of a mean gradient falls with the root of the batch's size B.
            # With a learning rate times sqrt(B / B0) a step has the same noise as with B0 samples.
            rate = self.params["learning_rate_init"]
            chosen["learning_rate_init"] = rate * (size / LARGEST) ** 0.5
        if not has_validation:
            n_epochs = min(self.params["max_iter"], EPOCHS_OF_FEW)
            chosen.update(n_iter_no_change=np.inf, max_iter=n_epochs)
        return TrainConfig(**{**self.params, **chosen})

    def arrange_new(self, preparation: Preparation) -> Arrangement:
        """Return a new network, and the samples to train and validate on."""
        preparation.fit_encoder(preparation.samples)
        # Encoder and knots are fitted to all samples: those that one member holds out are training
        # samples of all others.
        training, held_out = preparation.encode_training(preparation.samples), None
        module = preparation.build(training)
        if preparation.validation is not None:
            held_out = preparation.encode(preparation.validation_samples())
        elif preparation.config.early_stopping:
            training, held_out = self._leave_out(training, preparation.random_state)
        return Arrangement(training, held_out, preparation.codec, module)

    def obstacle_to_source(self) -> None:
        """Return None: samples may be read a chunk at a time."""

    def arrange_source(self, preparation: SourcePreparation, *, is_new: bool) -> Arrangement:
        """Return samples of a source as a stream, those to validate on, and a new network."""
        preparation.fit_encoder(preparation.samples)
        drawn, held_out = preparation.encode(preparation.samples), None
        module = preparation.build(drawn)
        if preparation.validation is not None:
            held_out = preparation.encode(preparation.validation_samples())
        if held_out is not None or not preparation.config.early_stopping:
            stream = preparation.make_stream(drawn, np.empty(0, np.int64))
        else:
            members = np.full(len(drawn.y), -1)
            random = np.flatnonzero(preparation.overview.drawn.is_random)
            members[random] = leave_out(drawn.y[random], self.n_members, preparation.random_state)
            stream, held_out = preparation.leave_out(drawn, members)
        return Arrangement(stream, held_out, preparation.codec, module)

    def finish(self, estimator: BaseEstimator, plan: TrainPlan, result: TrainResult) -> None:
        """Set ``feature_importances_``."""
        # Training never goes on from here; the moments of the weights would triple each file.
        result.net.optimizer_.state.clear()
        own = plan.X.kept if plan.is_streamed else plan.select_own_samples()
        estimator.feature_importances_ = permutation_importances(
            result,
            plan.validation or Sample(own.X, own.y, own.sample_weight),
            estimator._encoder.column_sources(),
            estimator.n_features_in_,
            plan.random_state,
        )

    def _leave_out(
        self, samples: Sample, random_state: np.random.RandomState
    ) -> tuple[Sample, Sample]:
        """Return samples with a column of the member that holds each out, and the held-out ones.

        The latter are the end of the former, in the order of members, and share their memory.
        """
        members = leave_out(samples.y, self.n_members, random_state)
        order = np.argsort(members, kind="stable")  # so the held-out samples are one slice
        X = np.empty((len(order), samples.X.shape[1] + 1), dtype=samples.X.dtype)
        for start in range(0, len(order), SAMPLES_AT_ONCE):
            part = order[start : start + SAMPLES_AT_ONCE]
            X[start : start + SAMPLES_AT_ONCE, :-1] = samples.X[part]
        X[:, -1] = members[order]
        weight = None if samples.sample_weight is None else samples.sample_weight[order]
        y, kept = samples.y[order], slice(int(np.count_nonzero(members < 0)), None)
        held_out = Sample(X[kept], y[kept], None if weight is None else weight[kept])
        return Sample(X, y, weight), held_out


def choose_batch_size(n_samples: int) -> int:
    """Return the size of mini-batches for ``batch_size='auto'``, a power of two."""
    if n_samples >= MANY_SAMPLES:
        return LARGEST * (2 if n_samples < 2 * MANY_SAMPLES else 4)
    return int(np.clip(2 ** round(np.log2(max(n_samples / BATCHES, 1))), SMALLEST, LARGEST))


def choose_stretches(n_samples: int) -> int:
    """Return the maximum number of stretches between knots where y are classes."""
    return STRETCHES * (2 if n_samples >= SAMPLES_FOR_STRETCHES else 1)


def is_small(n_samples: int, total_weight: float) -> bool:
    """Return whether samples are too few to hold any out, or to drop units."""
    # A weight of 2 is a sample given twice, but weights that sum to 1 are not one sample: the
    # larger of both counts.
    return max(n_samples, total_weight) < FEW_SAMPLES


def is_roundable(estimator: BaseEstimator) -> bool:
    """Return whether steps of training may compute in bfloat16 although `dtype` is 'auto'."""
    # bfloat16 has 8 significant bits, so that it rounds by one part in 512 at most. That is little
    # beside dropout, which takes one unit in five or ten away. Several processes would round other
    # sums than one.
    is_free = estimator.dtype == "auto" and estimator.n_processes is None
    return is_free and estimator.dropout > 0 and multiplies_bfloat16()


def make_tabular_parts(
    estimator: BaseEstimator, target: TargetT, *, scores_loss: bool
) -> PartsOf[TableReader, TargetT, EnsembleBuilder, EnsembleTraining]:
    """Return the held parts of an ensemble for tables; `scores_loss` is as in `OneNetwork.of`."""
    reader = TableReader(
        estimator.categorical_features,
        "quantile",
        estimator.dtype,
        text_features=estimator.text_features,
        target_encoding=estimator.target_encoding,
        is_dense=True,
        orders_by_name=True,
        samples_for_float32=SAMPLES_FOR_FLOAT32,
    )
    return PartsOf(
        reader,
        target,
        make_network=lambda: EnsembleBuilder.of(estimator),
        make_training=lambda: EnsembleTraining.of(estimator, scores_loss=scores_loss),
        pretraining=MembersPretraining(estimator.pretrained),
    )

"""Common parts of both autoencoders: parameters, their limits, the network and its target."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from scipy import sparse

from sknn._sklearn import Interval, StrOptions
from sknn._specs import Sample, TargetSpec, TrainConfig, TrainPlan, TrainResult
from sknn._validation import check_layer_sizes
from sknn.activations import SYNONYMS, TRAINABLE
from sknn.architectures import (
    INITIALIZERS,
    Autoencoder,
    AutoencoderOptions,
    Corruption,
    MLPOptions,
    count_carried,
    start_from_principal,
    supports_principal_start,
)
from sknn.deep._params import TABLE_CONSTRAINTS, training_constraints
from sknn.deep.autoencoder._images import ImageReader
from sknn.deep.autoencoder._principal import fit_principal
from sknn.deep.parts._preparation import Arrangement, Circumstances, PartsOf, Preparation
from sknn.deep.parts._protocols import Samples
from sknn.deep.parts._table_reader import TableReader
from sknn.deep.parts._training import OneNetwork
from sknn.losses import NUMPY, compute_reconstruction_loss, view_as_array
from sknn.preprocessing import TableCodec, TableSurvey, TabularEncoder, find_number_columns

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from sklearn.base import BaseEstimator

    from sknn.deep.sources._prepare import SourcePreparation

#: what a hidden layer is given: an activation or a dropout rate
Option = TypeVar("Option")
KINDS = ("plain", "denoising", "masked", "variational")
CONSTRAINTS: dict[str, list] = {
    **training_constraints(but=("time_limit", "scoring", "n_processes")),
    "n_components": [Interval(Integral, 1, None, closed="left")],
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [StrOptions({*TRAINABLE, *SYNONYMS}), callable, "array-like"],
    "kind": [StrOptions(set(KINDS))],
    "tied_weights": ["boolean"],
    "noise": [Interval(Real, 0, None, closed="left")],
    "mask_fraction": [Interval(Real, 0, 1, closed="left")],
    "kl_weight": [Interval(Real, 0, None, closed="left")],
    "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
    "initializer": [StrOptions({"pca", "auto", *INITIALIZERS}), callable],
    **TABLE_CONSTRAINTS,
    "scale": [StrOptions({"auto", "standard", "robust", "quantile"}), None],
}


@dataclass(frozen=True)
class TableTarget:
    """A `sknn.deep.parts._protocols.Target`: the table itself.

    Attributes
    ----------
    categorical_features, scale, text_features
        See `sknn.preprocessing.TabularEncoder`.
    kl_weight : float or None
        Weight of the divergence, see `sknn.preprocessing.TableCodec`.
    """

    categorical_features: ArrayLike | str | None
    scale: str | None
    kl_weight: float | None
    text_features: ArrayLike | str | None = "auto"

    def obstacle_to_partial_fit(self) -> None:
        """Return None: training can go on a part of X at a time."""

    def check(self, estimator: BaseEstimator, y: ArrayLike | None, X: Samples) -> Samples:
        """Return X, which is checked."""
        return X

    def weigh(self, y: Samples, sample_weight: np.ndarray | None) -> np.ndarray | None:
        """Return the sample weights: there are no classes."""
        return sample_weight

    def fit_codec(
        self, y: Samples, sample_weight: np.ndarray | None, classes: ArrayLike | None = None
    ) -> TableCodec:
        """Return a codec of the values of the table."""
        return TableCodec(self.make_encoder(), self.kl_weight).fit(y, sample_weight)

    def make_encoder(self) -> TabularEncoder:
        """Return an encoder of the values, not fitted."""
        return TabularEncoder(
            self.categorical_features,
            scale=self.scale,
            dtype="float64",
            text_features=self.text_features,
        )

    def make_survey(self) -> CodedTableSurvey:
        """Return what looks at chunks of the table."""
        return CodedTableSurvey(self)

    def refit_codec(self, codec: TableCodec, training: Sample) -> TableCodec:
        """Return a codec that knows the values of the training samples alone."""
        return self.fit_codec(training.y, training.sample_weight)

    def check_same(self, codec: TableCodec, y: Samples) -> None:
        """Accept every table; the reader checks its columns."""

    def fitted_attributes(self, codec: TableCodec) -> dict[str, np.ndarray]:
        """Return nothing: what the codec learns of the table is shown by no attribute."""
        return {}

    def score(
        self,
        codec: TableCodec,
        y: np.ndarray,
        output: np.ndarray,
        sample_weight: np.ndarray | None,
    ) -> float:
        """Return the negative mean loss of raw predictions against encoded values."""
        # The loss is written for outputs of shape (n_outputs, n_samples), as layers compute them.
        raw, target = view_as_array(output.T), view_as_array(y.T)
        losses = compute_reconstruction_loss(
            NUMPY, raw, target, n_levels=codec.n_levels_, kl_weight=codec.kl_weight or 0.0
        )
        return -float(np.average(np.asarray(losses), weights=sample_weight))

    def calibrate(self, codec: TableCodec, plan: TrainPlan, result: TrainResult) -> TableCodec:
        """Return the codec: nothing is adjusted."""
        return codec


class CodedTableSurvey:
    """A `sknn.deep.parts._protocols.TargetSurvey` of a table that is its own target."""

    def __init__(self, target: TableTarget):
        self.target = target
        self.survey: TableSurvey | None = None

    def add(self, y: Samples, sample_weight: np.ndarray | None) -> np.ndarray:
        """Take note of a chunk; return the numbers of the samples in it that must be kept."""
        if self.survey is None:
            self.survey = TableSurvey(self.target.make_encoder().fit(y))
        return self.survey.add(y, sample_weight, 0)

    def make_target(self) -> TableTarget:
        """Return the target: there are no classes."""
        return self.target

    def finish(self, codec: TableCodec) -> TableCodec:
        """Return the codec, with the means of all samples."""
        codec.encoder = cast(TableSurvey, self.survey).finish(codec.encoder)
        return codec


@dataclass(frozen=True)
class AutoencoderBuilder:
    """A `sknn.deep.parts._protocols.NetworkBuilder` of autoencoders.

    Attributes
    ----------
    layers : mapping
        The parameters ``n_components``, ``hidden_layer_sizes``, ``activation``, ``dropout``,
        ``initializer`` and ``tied_weights``.
    kind : {'plain', 'denoising', 'masked', 'variational'}
        Task of the network beside reconstruction.
    noise, mask_fraction : float
        Strengths of the corruption, see `Corruption`.
    """

    layers: Mapping[str, Any]
    kind: str
    noise: float
    mask_fraction: float

    @classmethod
    def of(cls, estimator: BaseEstimator) -> AutoencoderBuilder:
        """Return the builder for an estimator's parameters."""
        names = ("n_components", "hidden_layer_sizes", "activation", "dropout", "initializer")
        layers = {name: getattr(estimator, name) for name in (*names, "tied_weights")}
        noise, share = float(estimator.noise), float(estimator.mask_fraction)
        return cls(layers, estimator.kind, noise, share)

    def fixed_params(self) -> dict[str, Any]:
        """Return the parameters that shape the network, checked, in a form that can be compared."""
        return {"hidden_layer_sizes": check_layer_sizes(self.layers["hidden_layer_sizes"])}

    def build(
        self,
        encoder: TabularEncoder,
        target: TargetSpec,
        random_state: np.random.RandomState,
        samples: Sample | None = None,
    ) -> Autoencoder:
        """Return the network with its first weights, drawn at random."""
        inputs, of = encoder.spec_, self.layers
        hidden = check_layer_sizes(of["hidden_layer_sizes"])
        # The divergence of the code is an output of the whole, and of no layer.
        n_outputs = target.n_outputs - (self.kind == "variational")
        middle = (*hidden, int(of["n_components"]), *hidden[::-1])
        activations = mirror(of["activation"], len(hidden), "activation", "identity")
        dropout = mirror(of["dropout"], len(hidden), "dropout", 0.0)
        initializer = "auto" if _is_pca(of["initializer"]) else of["initializer"]
        options = (
            MLPOptions(dropout=dropout, initializer=initializer),
            AutoencoderOptions(
                n_encoder_layers=len(hidden) + 1,
                corruption=self._make_corruption(encoder),
                is_variational=self.kind == "variational",
                is_tied=bool(of["tied_weights"]),
            ),
        )
        autoencoder = Autoencoder.from_widths(inputs, n_outputs, middle, activations, options)
        autoencoder.initialize_weights(random_state)
        return autoencoder

    def _make_corruption(self, encoder: TabularEncoder) -> Corruption | None:
        """Return the layer that adds noise to numbers and hides features, or only hides them."""
        if self.kind not in ("denoising", "masked"):
            return None
        sources, is_number = encoder.column_sources(), find_number_columns(encoder)
        # All columns that come from one feature are hidden together, as its one-hot columns or its
        # mark of missing values would give the answer away.
        if self.kind == "masked":
            return Corruption(0.0, self.mask_fraction, [False] * len(sources), sources.tolist())
        features = np.where(encoder.is_categorical_[sources], sources, -1)
        return Corruption(self.noise, self.mask_fraction, is_number.tolist(), features.tolist())

    def start(self, autoencoder: Autoencoder, samples: Sample, codec: TableCodec) -> None:
        """Let a new network reconstruct as principal components do, if it is to start so."""
        if not _is_pca(self.layers["initializer"]) or not supports_principal_start(autoencoder):
            return
        n_numeric, n_carried = autoencoder.layer_sizes[0], count_carried(autoencoder)
        X, y, weight = samples.X[:, :n_numeric], samples.y, samples.sample_weight
        n_carried = min(n_carried, n_numeric)
        if n_carried:
            # Numbers start as their linear prediction from the components. Levels start as their
            # shares: softmax(log p) = p is the constant prediction with the smallest log loss.
            numbers = y[:, : codec.n_numbers_]
            principal = fit_principal(X, numbers, weight, n_carried)
            shares = codec.compute_log_shares(y, weight)
            start_from_principal(autoencoder, principal, np.concatenate([*shares, np.empty(0)]))


def _is_pca(initializer: str | Callable) -> bool:
    return isinstance(initializer, str) and initializer == "pca"


def mirror(given: Option | Sequence[Option], n_hidden: int, name: str, of_code: Option) -> list:
    """Return what holds for each layer: that of the encoder, the code, and the same turned round.

    `given` is for all hidden layers of the encoder, or a sequence with one for each.
    """
    several = isinstance(given, Sequence | np.ndarray) and not isinstance(given, str)
    each = list(cast("Sequence", given)) if several else [given] * n_hidden
    if len(each) != n_hidden:
        raise ValueError(
            f"{name} must be one value, or one for each of the {n_hidden} hidden layers of the "
            f"encoder; got {len(each)}: {given!r}."
        )
    return [*each, of_code, *each[::-1]]


@dataclass(frozen=True)
class AutoencoderTraining:
    """A `sknn.deep.parts._preparation.Training` that starts a new network from the samples.

    Attributes
    ----------
    one : OneNetwork
        Training that holds samples out.
    network : AutoencoderBuilder
        Part that gives the network its first weights.
    """

    one: OneNetwork
    network: AutoencoderBuilder
    scoring: None = None

    def obstacle_to_partial_fit(self) -> str | None:
        """Return why training cannot go on a part of X at a time, or None."""
        return self.one.obstacle_to_partial_fit()

    def make_config(self, circumstances: Circumstances) -> TrainConfig:
        """Return how to train."""
        return self.one.make_config(circumstances)

    def arrange_new(self, preparation: Preparation) -> Arrangement:
        """Return a new network, and the samples to train and validate on."""
        arranged = self.one.arrange_new(preparation)
        # X may be that of all samples, with the numbers of those that train.
        samples = arranged.training
        if arranged.numbers is not None:
            samples = replace(samples, X=samples.X[arranged.numbers])
        if arranged.split is not None and arranged.held_out is not None:
            # What is held out only decides when to stop. As principal components of all samples fit
            # them, too well if anything, an epoch has to be better on them to be kept.
            samples = _join(samples, arranged.held_out)
        # What the builder of `make_autoencoder_parts` has built, and its target has fitted.
        network, codec = cast(Autoencoder, arranged.module), cast(TableCodec, arranged.codec)
        self.network.start(network, samples, codec)
        return arranged

    def arrange_continued(self, preparation: Preparation) -> Arrangement:
        """Return the samples to train a network further on."""
        return self.one.arrange_continued(preparation)

    def obstacle_to_source(self) -> str | None:
        """Return why training cannot read its samples a chunk at a time, or None."""
        return self.one.obstacle_to_source()

    def arrange_source(self, preparation: SourcePreparation, *, is_new: bool) -> Arrangement:
        """Return samples of a source as a stream, those to validate on, and a network if new.

        Principal components are those of the samples drawn.
        """
        arranged = self.one.arrange_source(preparation, is_new=is_new)
        if is_new:
            network, codec = cast(Autoencoder, arranged.module), cast(TableCodec, arranged.codec)
            self.network.start(network, preparation.encode_drawn(), codec)
        return arranged

    def finish(self, estimator: BaseEstimator, plan: TrainPlan, result: TrainResult) -> None:
        """Set nothing further."""


def _join(one: Sample, other: Sample) -> Sample:
    """Return the samples of both."""
    stack = sparse.vstack if sparse.issparse(one.X) else np.vstack
    weight = one.sample_weight
    if weight is not None:
        weight = np.concatenate([weight, other.sample_weight])
    return Sample(stack([one.X, other.X]), np.vstack([one.y, other.y]), weight)


AutoencoderParts = PartsOf[ImageReader, TableTarget, AutoencoderBuilder, AutoencoderTraining]


def get_network(estimator: BaseEstimator) -> Autoencoder:
    """Return the network of a fitted autoencoder."""
    return estimator.module_


def make_autoencoder_parts(estimator: BaseEstimator, *, is_dense: bool = False) -> AutoencoderParts:
    """Return what an autoencoder holds; `is_dense` is whether sparse X becomes dense."""

    def make_training() -> AutoencoderTraining:
        one = OneNetwork.of(
            estimator, scores_loss=True, choose=lambda params, circumstances: {"scores_start": True}
        )
        return AutoencoderTraining(one, AutoencoderBuilder.of(estimator))

    kl_weight = float(estimator.kl_weight) if estimator.kind == "variational" else None
    return PartsOf(
        reader=ImageReader(
            TableReader(
                estimator.categorical_features,
                estimator.scale,
                estimator.dtype,
                estimator.text_features,
                is_dense,
            )
        ),
        target=TableTarget(
            estimator.categorical_features, estimator.scale, kl_weight, estimator.text_features
        ),
        make_network=lambda: AutoencoderBuilder.of(estimator),
        make_training=make_training,
    )

"""Networks whose first layers come from an autoencoder that needs no labels."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from sklearn.base import clone

from sknn._sklearn import check_sample_weight, take_rows
from sknn._specs import Sample, TrainResult
from sknn.activations import SYNONYMS
from sknn.architectures import MLP, copy_first_layers
from sknn.deep.autoencoder import AutoencoderTransformer, get_network
from sknn.deep.mlp._network import MLPBuilder, hidden_sizes
from sknn.deep.parts._preparation import FitData, PartsOf
from sknn.deep.parts._pretrained_builder import PretrainedBuilder
from sknn.deep.parts._protocols import MakeTargets, Network, Samples
from sknn.deep.parts._table_reader import TableReader
from sknn.deep.parts._targets import TargetT
from sknn.deep.parts._training import OneNetwork
from sknn.engine import make_freezing_callbacks
from sknn.exceptions import warn_user
from sknn.preprocessing import TabularEncoder, stack_samples

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from sklearn.base import BaseEstimator
    from sklearn.utils import Tags

    from sknn._validation import MatrixLike
    from sknn.preprocessing import WrappedFrame


@dataclass(frozen=True)
class PretrainedReader:
    """A `sknn.deep.parts._protocols.InputReader` that encodes X as an autoencoder does.

    Attributes
    ----------
    reader : TableReader
        Checks X.
    autoencoder : AutoencoderTransformer
        Fitted autoencoder.
    """

    reader: TableReader
    autoencoder: AutoencoderTransformer

    def check(
        self, estimator: BaseEstimator, X: MatrixLike | WrappedFrame, encoder: TabularEncoder | None
    ) -> Samples:
        """Return X checked: its columns must be those of the autoencoder."""
        checked = self.reader.check(estimator, X, encoder)
        ours, theirs = (_get_columns(fitted) for fitted in (estimator, self.autoencoder))
        if ours != theirs:
            raise ValueError(
                f"pretrained was fitted on {_describe(theirs)}, but X has {_describe(ours)}. Give "
                "the columns that it knows, or an autoencoder that is not fitted."
            )
        return checked

    def weight_dtype(self, X: Samples) -> str:
        """Return the dtype of the sample weights that belong to a checked X."""
        return self.reader.weight_dtype(X)

    def obstacle_to_chunks(self) -> str | None:
        """Return why X cannot be learned from a part at a time, or None."""
        return self.reader.obstacle_to_chunks()

    def fit_encoder(
        self, X: Samples, sample_weight: np.ndarray | None, make_targets: MakeTargets | None = None
    ) -> TabularEncoder:
        """Return the autoencoder's encoder."""
        return copy.deepcopy(self.autoencoder._encoder)

    def set_tags(self, tags: Tags) -> None:
        """Say in scikit-learn's tags what X may be."""
        self.reader.set_tags(tags)


MLPParts = PartsOf[TableReader, TargetT, MLPBuilder, OneNetwork]
PretrainedParts = PartsOf[PretrainedReader, TargetT, PretrainedBuilder, OneNetwork]


@dataclass(frozen=True)
class AutoencoderPretraining:
    """Fits an autoencoder, if it is not yet, and lets a network begin with its layers.

    Attributes
    ----------
    autoencoder : AutoencoderTransformer or None
        Autoencoder; None if the first weights are random.
    freeze_epochs : int
        Number of epochs in which the copied layers do not train.
    """

    autoencoder: AutoencoderTransformer | None
    freeze_epochs: int

    def begin(
        self,
        estimator: BaseEstimator,
        parts: MLPParts[TargetT],
        data: FitData,
        *,
        incremental: bool,
    ) -> MLPParts[TargetT] | PretrainedParts[TargetT]:
        """Return the parts that a new fit takes; sets ``pretrained_``."""
        vars(estimator).pop("pretrained_", None)
        if self.autoencoder is None:
            return parts
        if estimator.module is not None:
            raise ValueError(
                "pretrained is for the layers of an MLP, but a module was given, which has layers "
                "of its own. Copy weights in the function that builds the module."
            )
        check_encoding(estimator)
        fitted = estimator.pretrained_ = fit_autoencoder(self.autoencoder, estimator, data)
        training = self._freeze(parts, fitted, incremental)
        start = plan_copy(fitted, parts.network.layers)
        network: PretrainedBuilder[TabularEncoder, Sample | None]
        network = PretrainedBuilder(parts.network, start)
        return PartsOf(
            PretrainedReader(parts.reader, fitted),
            parts.target,
            make_network=lambda: network,
            make_training=lambda: training,
            pretraining=self,
        )

    def go_on(
        self, estimator: BaseEstimator, parts: MLPParts[TargetT], previous: TrainResult
    ) -> MLPParts[TargetT]:
        """Return the parts that a fit takes which goes on training an earlier network.

        Layers that are frozen still, as that ended early, train from the same epoch on.
        """
        if all(parameter.requires_grad for parameter in previous.net.module_.parameters()):
            return parts
        training = self._add_freezing(parts, estimator.pretrained_)
        return replace(parts, make_training=lambda: training)

    def _freeze(
        self, parts: MLPParts, fitted: AutoencoderTransformer, incremental: bool
    ) -> OneNetwork:
        """Return the training, in which the copied layers may be frozen at first."""
        count_copied(fitted, hidden_sizes(parts.network.layers))  # which refuses other widths
        if not self.freeze_epochs:
            return parts.training
        if incremental or parts.training.params["solver"] == "lbfgs":
            raise ValueError(
                "freeze_epochs counts the epochs of fit with a stochastic solver, but this is "
                f"{'partial_fit' if incremental else 'L-BFGS'}. Leave it at 0."
            )
        n_epochs = parts.training.params["max_iter"]
        if self.freeze_epochs >= n_epochs:
            warn_user(
                f"freeze_epochs={self.freeze_epochs} is not below max_iter={n_epochs}, so that the "
                "copied layers do not train in this fit. Raise max_iter if they are to."
            )
        return self._add_freezing(parts, fitted)

    def _add_freezing(self, parts: MLPParts, fitted: AutoencoderTransformer) -> OneNetwork:
        """Return the training with callbacks that freeze the copied layers, and let them go."""
        training, sizes = parts.training, hidden_sizes(parts.network.layers)
        n_copied = count_copied(fitted, sizes)
        names = [f"linears.{i}.*" for i in range(n_copied)] + ["embeddings.*"]
        freezing = make_freezing_callbacks(names, self.freeze_epochs)
        callbacks = (*training.params["callbacks"], *freezing)
        return replace(training, params={**training.params, "callbacks": callbacks})

    def check_used(self, data: FitData) -> None:
        """Raise ValueError for what is given for an autoencoder that is not there."""
        if self.autoencoder is not None:
            return
        if self.freeze_epochs:
            raise ValueError(
                f"freeze_epochs={self.freeze_epochs} is for the layers of an autoencoder, but "
                "pretrained is None. Give pretrained=AutoencoderTransformer(...)."
            )
        check_no_unlabelled(data)

    def obstacle_to_source(self) -> str | None:
        """Return why samples that are read a chunk at a time cannot be trained on, or None."""
        return explain_obstacle_to_source(self.autoencoder)


def plan_copy(
    fitted: AutoencoderTransformer, layers: Mapping[str, Any]
) -> Callable[[Network, TabularEncoder, np.random.RandomState], None]:
    """Return what copies layers of an autoencoder to a network of these parameters."""

    def start(
        network: Network, encoder: TabularEncoder, random_state: np.random.RandomState
    ) -> None:
        mlp, known = cast("MLP", network), get_network(fitted)
        copy_first_layers(known, mlp)
        # The code has no activation of its own, so that any may stand behind it.
        n_hidden = min(count_copied(fitted, hidden_sizes(layers)), known.n_encoder_layers - 1)
        check_same_activations(fitted, mlp.activation_names[:n_hidden])

    return start


def check_no_unlabelled(data: FitData) -> None:
    """Raise ValueError for samples without labels, where there is no autoencoder for them."""
    if data.unlabelled is not None:
        raise ValueError(
            "X_unlabelled is for an autoencoder, but pretrained is None. Give "
            "pretrained=AutoencoderTransformer(...), which is fitted on X and X_unlabelled."
        )


def explain_obstacle_to_source(autoencoder: AutoencoderTransformer | None) -> str | None:
    """Return why a network that begins as an autoencoder does not learn from chunks, or None."""
    if autoencoder is None:
        return None
    return (
        "pretrained needs all samples in memory, which a source that does not fit into it "
        "cannot give. Give fewer samples, or set pretrained=None."
    )


def check_encoding(estimator: BaseEstimator) -> None:
    """Raise ValueError if an estimator with `pretrained` wants another encoder than that has."""
    if estimator.target_encoding is not None:
        raise ValueError(
            f"target_encoding={estimator.target_encoding} needs an encoder that knows y, but that "
            "of pretrained has learned without it. Set one of the two to None."
        )


def check_same_activations(autoencoder: AutoencoderTransformer, ours: tuple[str, ...]) -> None:
    """Warn if copied layers have other activations than they were trained with."""
    known = get_network(autoencoder)
    n_copied = min(len(ours), known.n_encoder_layers - 1)
    theirs, ours = (
        tuple(SYNONYMS.get(name, name) for name in names[:n_copied])
        for names in (known.activation_names, ours)
    )
    if theirs != ours:
        warn_user(
            f"The layers of pretrained were trained with activation={', '.join(theirs)}, and "
            f"this network has {', '.join(ours)} behind them, so that they compute something "
            "else than they have learned. Give both estimators the same activation."
        )


def fit_autoencoder(
    given: AutoencoderTransformer, estimator: BaseEstimator, data: FitData
) -> AutoencoderTransformer:
    """Return an autoencoder, fitted on X and on samples without labels if it is not yet."""
    if is_fitted(given):
        if data.unlabelled is not None:
            raise ValueError(
                "X_unlabelled is for an autoencoder that is not fitted yet, but pretrained "
                "is. Leave X_unlabelled out, or give sklearn.base.clone(pretrained)."
            )
        return given
    autoencoder = clone(given)
    if autoencoder.random_state is None and isinstance(estimator.random_state, int):
        autoencoder.set_params(random_state=estimator.random_state)
    X = drop_unweighted(data.X, data.sample_weight)
    X = X if data.unlabelled is None else stack_samples(X, data.unlabelled)
    return autoencoder.fit(X)


def drop_unweighted(X: ArrayLike, sample_weight: ArrayLike | None) -> ArrayLike:
    """Return X without samples of weight 0; as it is where the weights are not one a sample."""
    if sample_weight is None:
        return X
    weight = check_sample_weight(sample_weight, X)
    kept = np.flatnonzero(weight)
    return X if len(kept) in (0, len(weight)) else take_rows(X, kept)


def is_fitted(autoencoder: AutoencoderTransformer) -> bool:
    """Return whether an autoencoder is fitted."""
    return hasattr(autoencoder, "net_")


def count_copied(
    autoencoder: AutoencoderTransformer, ours: tuple[int, ...], given: str = ""
) -> int:
    """Return the number of hidden layers that are copied; raise ValueError if there are none.

    `ours` are the widths of the network, and `given` is what gives them, for the message.
    """
    module = get_network(autoencoder)
    theirs = tuple(module.layer_sizes[1 : module.n_encoder_layers + 1])
    n_copied = 0
    while n_copied < min(len(ours), len(theirs)) and ours[n_copied] == theirs[n_copied]:
        n_copied += 1
    if n_copied == 0:
        name = f"{given} {ours}, which" if given else f"hidden_layer_sizes={ours}"
        raise ValueError(
            f"{name} begins with another width than the encoder of pretrained, whose layers have "
            f"{theirs} units. Let it begin with the same widths, such as {theirs[:1]}."
        )
    return n_copied


def _get_columns(estimator: BaseEstimator) -> tuple[int, list | None]:
    names = getattr(estimator, "feature_names_in_", None)
    return estimator.n_features_in_, None if names is None else list(names)


def _describe(columns: tuple[int, list | None]) -> str:
    n_features, names = columns
    return f"{n_features} features" + ("" if names is None else f" named {names}")

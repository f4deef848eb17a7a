"""Ensembles for tables whose members begin with the layers of an autoencoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from sknn._specs import TrainResult
from sknn.architectures import TabularEnsemble, copy_layers_to_members
from sknn.deep.autoencoder import AutoencoderTransformer, get_network
from sknn.deep.mlp._pretrained import (
    PretrainedReader,
    check_encoding,
    check_no_unlabelled,
    check_same_activations,
    count_copied,
    explain_obstacle_to_source,
    fit_autoencoder,
)
from sknn.deep.parts._preparation import FitData, Parts, PartsOf
from sknn.deep.parts._pretrained_builder import PretrainedBuilder
from sknn.deep.parts._protocols import Network
from sknn.preprocessing import TabularEncoder

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator


@dataclass(frozen=True)
class MembersPretraining:
    """Fits an autoencoder, unless it is fitted, and copies its layers to all members.

    Attributes
    ----------
    autoencoder : AutoencoderTransformer or None
        Autoencoder; None if the first weights are drawn.
    """

    autoencoder: AutoencoderTransformer | None

    def begin(
        self, estimator: BaseEstimator, parts: PartsOf, data: FitData, *, incremental: bool
    ) -> Parts:
        """Return the parts that a new fit takes; sets ``pretrained_``."""
        vars(estimator).pop("pretrained_", None)
        if self.autoencoder is None:
            return parts
        check_encoding(estimator)
        fitted = estimator.pretrained_ = fit_autoencoder(self.autoencoder, estimator, data)
        sizes = parts.network.options.hidden_layer_sizes
        n_copied = count_copied(fitted, sizes, "n_hidden_layers and hidden_width give")
        check_same_activations(fitted, ("relu",) * n_copied)

        def start(
            network: Network, encoder: TabularEncoder, random_state: np.random.RandomState
        ) -> None:
            copy_layers_to_members(get_network(fitted), cast("TabularEnsemble", network))

        network = PretrainedBuilder(parts.network, start)
        return PartsOf(
            PretrainedReader(parts.reader, fitted),
            parts.target,
            make_network=lambda: network,
            make_training=parts.make_training,
            pretraining=self,
        )

    def go_on(self, estimator: BaseEstimator, parts: PartsOf, previous: TrainResult) -> Parts:
        """Return the parts as they are: each fit is a new one."""
        return parts

    def check_used(self, data: FitData) -> None:
        """Raise ValueError if samples without labels are given, but no autoencoder."""
        if self.autoencoder is None:
            check_no_unlabelled(data)

    def obstacle_to_source(self) -> str | None:
        """Return why samples that are read a chunk at a time cannot be trained on, or None."""
        return explain_obstacle_to_source(self.autoencoder)

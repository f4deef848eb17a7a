"""Held parts of a multilayer perceptron."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sknn.deep.mlp._network import MLPBuilder
from sknn.deep.mlp._pretrained import AutoencoderPretraining
from sknn.deep.parts._preparation import PartsOf
from sknn.deep.parts._table_reader import TableReader
from sknn.deep.parts._targets import TargetT
from sknn.deep.parts._training import OneNetwork

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator


def make_mlp_parts(
    estimator: BaseEstimator, target: TargetT, *, scores_loss: bool
) -> PartsOf[TableReader, TargetT, MLPBuilder, OneNetwork]:
    """Return what a multilayer perceptron holds; `scores_loss` as for `OneNetwork.of`."""
    return PartsOf(
        reader=TableReader(
            estimator.categorical_features,
            estimator.scale,
            estimator.dtype,
            estimator.text_features,
            target_encoding=estimator.target_encoding,
        ),
        target=target,
        make_network=lambda: MLPBuilder.of(estimator),
        make_training=lambda: OneNetwork.of(
            estimator, ranks_features=True, scores_loss=scores_loss
        ),
        pretraining=AutoencoderPretraining(estimator.pretrained, estimator.freeze_epochs),
    )

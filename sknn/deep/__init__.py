"""Deep networks on PyTorch as scikit-learn estimators."""

from sknn import _memory as _memory
from sknn.deep._array_api import follow_array_api
from sknn.deep._base import DeepEstimator
from sknn.deep._checkpoint import hold_seed, read_params
from sknn.deep._params import FOR_TRAINING_ALONE, training_constraints
from sknn.deep.autoencoder._detector import AutoencoderOutlierDetector
from sknn.deep.autoencoder._transformer import AutoencoderTransformer
from sknn.deep.mlp._classifier import DeepMLPClassifier
from sknn.deep.mlp._regressor import DeepMLPRegressor
from sknn.deep.parts._targets import read_incomplete_target, score_known_labels
from sknn.deep.sequence._classifier import SequenceCNNClassifier
from sknn.deep.sequence._regressor import SequenceCNNRegressor
from sknn.deep.tabular._classifier import TabularMLPClassifier
from sknn.deep.tabular._regressor import TabularMLPRegressor
from sknn.deep.tasks._classifier import DeepClassifier
from sknn.deep.tasks._regressor import DeepRegressor

__all__ = [
    "FOR_TRAINING_ALONE",
    "AutoencoderOutlierDetector",
    "AutoencoderTransformer",
    "DeepClassifier",
    "DeepEstimator",
    "DeepMLPClassifier",
    "DeepMLPRegressor",
    "DeepRegressor",
    "SequenceCNNClassifier",
    "SequenceCNNRegressor",
    "TabularMLPClassifier",
    "TabularMLPRegressor",
    "follow_array_api",
    "hold_seed",
    "read_incomplete_target",
    "read_params",
    "score_known_labels",
    "training_constraints",
]

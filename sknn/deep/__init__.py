"""Deep networks on PyTorch as scikit-learn estimators."""

from sknn import _memory as _memory
from sknn.deep.autoencoder._detector import AutoencoderOutlierDetector
from sknn.deep.autoencoder._transformer import AutoencoderTransformer
from sknn.deep.mlp._classifier import DeepMLPClassifier
from sknn.deep.mlp._regressor import DeepMLPRegressor
from sknn.deep.sequence._classifier import SequenceCNNClassifier
from sknn.deep.sequence._regressor import SequenceCNNRegressor
from sknn.deep.tabular._classifier import TabularMLPClassifier
from sknn.deep.tabular._regressor import TabularMLPRegressor

__all__ = [
    "AutoencoderOutlierDetector",
    "AutoencoderTransformer",
    "DeepMLPClassifier",
    "DeepMLPRegressor",
    "SequenceCNNClassifier",
    "SequenceCNNRegressor",
    "TabularMLPClassifier",
    "TabularMLPRegressor",
]

"""Deep networks on PyTorch as scikit-learn estimators."""

from sknn.deep._mlp_classifier import DeepMLPClassifier
from sknn.deep._mlp_regressor import DeepMLPRegressor
from sknn.deep._sequence_classifier import SequenceCNNClassifier
from sknn.deep._sequence_regressor import SequenceCNNRegressor
from sknn.deep._tabular_classifier import TabularMLPClassifier
from sknn.deep._tabular_regressor import TabularMLPRegressor

__all__ = [
    "DeepMLPClassifier",
    "DeepMLPRegressor",
    "SequenceCNNClassifier",
    "SequenceCNNRegressor",
    "TabularMLPClassifier",
    "TabularMLPRegressor",
]

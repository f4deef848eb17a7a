"""Deep networks on PyTorch as scikit-learn estimators."""

from sknn.deep._mlp_classifier import DeepMLPClassifier
from sknn.deep._mlp_regressor import DeepMLPRegressor

__all__ = ["DeepMLPClassifier", "DeepMLPRegressor"]

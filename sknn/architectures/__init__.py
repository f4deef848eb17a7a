"""Torch modules; they know neither scikit-learn nor skorch."""

from sknn.architectures._describe import describe
from sknn.architectures._mlp import MLP

__all__ = ["MLP", "describe"]

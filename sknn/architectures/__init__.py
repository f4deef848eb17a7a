"""Torch modules; they know neither scikit-learn nor skorch."""

from sknn.architectures._mlp import MLP
from sknn.architectures._mlp_options import MLPOptions
from sknn.architectures._unsteady import unsteady_layers
from sknn.architectures._user_module import build_user_module

__all__ = ["MLP", "MLPOptions", "build_user_module", "unsteady_layers"]

"""Torch modules; they know neither scikit-learn nor skorch."""

from sknn.architectures._mlp import MLP
from sknn.architectures._sequence_cnn import SequenceCNN
from sknn.architectures._sequence_options import SequenceOptions

__all__ = ["MLP", "SequenceCNN", "SequenceOptions"]

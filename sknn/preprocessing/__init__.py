"""From what users have to what networks take, and back."""

from sknn.preprocessing._target import ClassCodec
from sknn.preprocessing._target_losses import (
    CLASS_LOSSES,
    VALUE_LOSSES,
    gives_probabilities,
    quantile_steps,
)
from sknn.preprocessing._target_values import ValueCodec

__all__ = [
    "CLASS_LOSSES",
    "VALUE_LOSSES",
    "ClassCodec",
    "ValueCodec",
    "gives_probabilities",
    "quantile_steps",
]

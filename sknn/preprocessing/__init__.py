"""From what users have to what networks take, and back."""

from sknn.preprocessing._columns import is_plain_numbers
from sknn.preprocessing._tabular import TabularEncoder
from sknn.preprocessing._target import ClassCodec, ValueCodec

__all__ = ["ClassCodec", "TabularEncoder", "ValueCodec", "is_plain_numbers"]

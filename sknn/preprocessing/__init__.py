"""From what users have to what networks take, and back."""

from sknn.preprocessing._target import ClassCodec, ValueCodec

__all__ = ["ClassCodec", "ValueCodec"]

"""Nested plain values as bytes, and back: no class is named in a file, and none is made.

A file is a mark, a hash of what follows, the length of a text, that text in JSON, and the memory of
all arrays, one after the other. The text is a pair: a head of plain JSON, which can be read alone,
and the value. What in a value is not plain JSON stands there as a dict with a single key:

    {"tuple": [...]}  {"dict": [[key, value], ...]}  {"array": [dtype, shape, order, offset]}  ...
"""

import hashlib
import json
import struct
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sknn.engine.net._serialization import KnownTensor, PlainDtype, PlainTensor

#: of the axes of an array in memory: the last one, or the first, varies fastest
Order = Literal["C", "F"]

MARK = b"sknn checkpoint 1\n"
N_HASH = 32
LENGTH = struct.Struct("<Q")
#: word in a file -> class, which has plain values alone as fields
RECORDS = {"tensor": PlainTensor, "known": KnownTensor, "dtype": PlainDtype}
WORDS = {kind: word for word, kind in RECORDS.items()}
CONTAINERS = {"tuple": tuple, "set": set}


def pack(head: dict[str, Any], value: Any) -> bytes:
    """Return a head, of plain JSON, and a value as the content of a file.

    Values are None, numbers, text, arrays, lists, tuples, sets and dicts; others raise TypeError.
    """
    writer = _Writer()
    text = json.dumps([head, writer.write(value, "state")]).encode()
    # The mark of the format, a hash of all that follows, the length of the text, the text, and the
    # bytes of all arrays, to which the text refers by their offsets: what is damaged is seen before
    # anything is read, and the head can be read without the rest.
    body = b"".join([LENGTH.pack(len(text)), text, *writer.pieces])
    return MARK + _hash(body) + body


def unpack(content: bytes) -> tuple[dict[str, Any], Any]:
    """Return the head and the value that `pack` was given; arrays have memory of their own.

    Raises
    ------
    ValueError
        If the content is not whole, or no checkpoint.
    """
    start = len(MARK) + N_HASH
    if not content.startswith(MARK):
        raise ValueError("it is no checkpoint of this version of sknn")
    body = memoryview(content)[start:]
    if _hash(body) != content[len(MARK) : start]:
        raise ValueError("it is not whole: its hash is not that of its content")
    (n_text,) = LENGTH.unpack_from(body)
    first = LENGTH.size + n_text
    head, value = json.loads(bytes(body[LENGTH.size : first]))
    return head, _Reader(body[first:]).read(value)


def read_head(path: Path) -> dict[str, Any] | None:
    """Return the head of a file, without a look at the rest; None if it is damaged."""
    try:
        with open(path, "rb") as file:
            if file.read(len(MARK)) != MARK:
                return None
            file.seek(N_HASH, 1)
            (n_text,) = LENGTH.unpack(file.read(LENGTH.size))
            return json.loads(file.read(min(n_text, path.stat().st_size)))[0]
    except (OSError, ValueError, struct.error, IndexError, TypeError):
        return None


def is_packable(value: Any) -> bool:
    """Return whether `pack` can write a value."""
    try:
        _Writer().write(value, "")
    except TypeError:
        return False
    return True


def _hash(body: bytes | memoryview) -> bytes:
    return hashlib.blake2b(body, digest_size=N_HASH).digest()


class _Writer:
    """One call of `pack`."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.n_bytes = 0

    def write(self, value: Any, place: str) -> Any:
        """Return a value for JSON; `place` says where it is in the whole."""
        kind = type(value)
        if value is None or kind in (bool, int, float, str):
            return value
        if kind is list:
            return self._write_items(value, place)
        if kind in (tuple, set):
            return {kind.__name__: self._write_items(value, place)}
        if isinstance(value, dict):
            word = "ordered" if kind is OrderedDict else "dict"
            pairs = [
                [self.write(key, place), self.write(item, f"{place}[{key!r}]")]
                for key, item in value.items()
            ]
            return {word: pairs}
        if kind in WORDS:
            parts = [getattr(value, field.name) for field in fields(kind)]
            return {WORDS[kind]: self._write_items(parts, place)}
        if isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject:
            return {"array" if isinstance(value, np.ndarray) else "number": self._keep(value)}
        raise TypeError(
            f"{place} is of {kind}, but a checkpoint holds numbers, text, arrays, tensors and "
            "containers of these alone"
        )

    def _write_items(self, values: Any, place: str) -> list:
        return [self.write(item, f"{place}[{i}]") for i, item in enumerate(values)]

    def _keep(self, value: np.ndarray | np.generic) -> list:
        """Keep the memory of an array; return dtype, shape, order of its axes and offset."""
        is_fortran = value.ndim > 1 and value.flags.f_contiguous and not value.flags.c_contiguous
        # Sums depend on the order in memory: an array that lay column by column has to lie so
        # again, for training to go on to the same bits.
        order: Order = "F" if is_fortran else "C"
        offset, piece = self.n_bytes, value.tobytes(order)
        self.pieces.append(piece)
        self.n_bytes += len(piece)
        return [value.dtype.str, list(value.shape), order, offset]


class _Reader:
    """One call of `unpack`."""

    def __init__(self, memory: memoryview):
        self.memory = memory

    def read(self, value: Any) -> Any:
        """Return the value that stands so in JSON."""
        if isinstance(value, list):
            return [self.read(item) for item in value]
        if not isinstance(value, dict):
            return value
        ((word, parts),) = value.items()
        if word in CONTAINERS:
            return CONTAINERS[word](self.read(parts))
        if word in ("dict", "ordered"):
            make: Callable = dict if word == "dict" else OrderedDict
            return make((self.read(key), self.read(item)) for key, item in parts)
        if word in RECORDS:
            return RECORDS[word](*self.read(parts))
        if word in ("array", "number"):
            array = self._take(*parts)
            return array if word == "array" else array[()]
        raise ValueError(f"it holds something unknown: {word!r}")

    def _take(self, dtype: str, shape: list[int], order: Order, offset: int) -> np.ndarray:
        count = int(np.prod(shape, dtype=np.int64))  # frombuffer refuses more than there is
        flat = np.frombuffer(self.memory, dtype=np.dtype(dtype), count=count, offset=offset)
        return flat.reshape(shape, order=order).copy(order="K")

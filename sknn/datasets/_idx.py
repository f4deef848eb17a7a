"""The IDX file format of MNIST and its successors.

A file of unsigned bytes is, all numbers big-endian::

    bytes  0-1   zero
    byte   2     8, the code for unsigned bytes
    byte   3     d, the number of dimensions
    then         d numbers of 4 bytes, the length of each dimension
    then         the values in C order, a byte each
"""

import gzip
import math
from pathlib import Path

import numpy as np

from sknn._files import PIECE, read_pieces, replace_file

_UNSIGNED_BYTE = 8


def read_idx(path: Path, n_dimensions: int) -> np.ndarray:
    """Read an IDX file of unsigned bytes, compressed by gzip or not.

    The header is checked first, and no more is read than it announces.

    Parameters
    ----------
    path : pathlib.Path
        Path of the file. Its content says whether it is compressed.
    n_dimensions : int
        Dimensions it must have: 1 for labels, 3 for images.

    Returns
    -------
    ndarray of uint8

    Raises
    ------
    ValueError
        If it is not such a file, or is damaged.
    """
    content, start = bytearray(), 4 + 4 * n_dimensions
    pieces = read_pieces(path, PIECE)
    shape = None
    for piece in pieces:
        content += piece
        if shape is None and len(content) >= start:
            shape = _read_shape(path, content, n_dimensions)
        if shape is not None and len(content) > start + math.prod(shape):
            break
    if shape is None:
        _check_magic(path, content, n_dimensions)
        raise ValueError(f"{str(path)!r} ends within its header. Get it again.")
    n_values = len(content) - start
    if math.prod(shape) != n_values:
        held = f"{n_values} or more" if next(pieces, b"") else n_values
        raise ValueError(
            f"{str(path)!r} announces {math.prod(shape)} values, of shape {shape}, and holds "
            f"{held}. Get it again."
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _read_shape(path: Path, content: bytearray, n_dimensions: int) -> tuple[int, ...]:
    """Return the lengths of the dimensions that a header announces."""
    _check_magic(path, content, n_dimensions)
    return tuple(np.frombuffer(bytes(content), ">u4", n_dimensions, offset=4).tolist())


def _check_magic(path: Path, content: bytearray, n_dimensions: int) -> None:
    magic, expected = bytes(content[:4]), bytes([0, 0, _UNSIGNED_BYTE, n_dimensions])
    if magic != expected:
        raise ValueError(
            f"{str(path)!r} must start with the bytes {expected.hex(' ')} (IDX, unsigned bytes, "
            f"{n_dimensions} dimensions) and starts with {magic.hex(' ')!r}. "
            "Is it another file under this name? Replace it."
        )


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write an array of uint8 as a gzip-compressed IDX file, as a whole or not at all."""
    header = bytes([0, 0, _UNSIGNED_BYTE, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    with replace_file(path) as unfinished, gzip.open(unfinished, "wb", compresslevel=6) as file:
        file.write(header + array.tobytes())

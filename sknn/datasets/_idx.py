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
import os
import zlib
from pathlib import Path

import numpy as np

_UNSIGNED_BYTE = 8
_GZIP_START = b"\x1f\x8b"


def read_idx(path: Path, n_dimensions: int) -> np.ndarray:
    """Read an IDX file of unsigned bytes, compressed by gzip or not.

    Parameters
    ----------
    path : pathlib.Path
        The file. Whether it is compressed is told from its content.
    n_dimensions : int
        Dimensions it must have: 1 for labels, 3 for images.

    Returns
    -------
    ndarray of uint8
        Read-only.

    Raises
    ------
    ValueError
        If it is not such a file, or is damaged.
    """
    content = _decompressed(path)
    magic, expected = content[:4], bytes([0, 0, _UNSIGNED_BYTE, n_dimensions])
    if magic != expected:
        raise ValueError(
            f"{str(path)!r} must start with the bytes {expected.hex(' ')} (IDX, unsigned bytes, "
            f"{n_dimensions} dimensions) and starts with {magic.hex(' ')!r}. "
            "Is it another file under this name? Replace it."
        )
    start = 4 + 4 * n_dimensions
    if len(content) < start:
        raise ValueError(f"{str(path)!r} ends within its header. Fetch it again.")
    shape = tuple(np.frombuffer(content, ">u4", n_dimensions, offset=4).tolist())
    if math.prod(shape) != len(content) - start:
        raise ValueError(
            f"{str(path)!r} announces {math.prod(shape)} values, of shape {shape}, and holds "
            f"{len(content) - start}. Fetch it again."
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write bytes as a gzip-compressed IDX file; an interrupted call leaves no file of this name.

    Parameters
    ----------
    path : pathlib.Path
        The file to write or replace.
    array : ndarray of uint8
        Its values.
    """
    header = bytes([0, 0, _UNSIGNED_BYTE, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with gzip.open(unfinished, "wb", compresslevel=6) as file:
            file.write(header + array.tobytes())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _decompressed(path: Path) -> bytes:
    content = path.read_bytes()
    if not content.startswith(_GZIP_START):
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(
            f"{str(path)!r} is a damaged gzip file ({error}). Fetch it again."
        ) from error

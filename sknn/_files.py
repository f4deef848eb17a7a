"""Files: written whole or not at all, and read in pieces, with a limit on what they unfold to."""

import codecs
import gzip
import io
import os
import secrets
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

GZIP_MAGIC = b"\x1f\x8b"
#: ASCII's; Unicode's separators may stand in a name
BLANKS = " \t\v\f"
#: bytes that are read at once
PIECE = 1 << 20
#: a packed file may unfold to this many bytes whatever its size ...
UNFOLDED_FREELY = 64 << 20
#: ... and beyond them to this many times its size; sequences and images stay below 20
MAX_RATIO = 100


@contextmanager
def replace_file(path: str | os.PathLike, label: str = "") -> Iterator[Path]:
    """Yield where to write; at the end of the block that file takes the place of `path`.

    The new file lies beside the old one until it is complete and on the disk. If the block fails
    or is interrupted, the old file stays as it was. Links are followed, the permissions of an old
    file are kept, and what is no regular file (a pipe, ``/dev/stdout``) is written directly.
    `label` is a part of the name by which files that a killed process left are found; an OSError
    names `path`, not the temporary file.
    """
    target = Path(os.path.realpath(path))
    mode = target.stat().st_mode if target.exists() else None
    if mode is not None and not stat.S_ISREG(mode):
        yield Path(path)
        return
    unfinished = target.with_name(f".sknn-{label}{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        with open(unfinished, "xb"):  # with the permissions that a new file gets
            if mode is not None:
                os.chmod(unfinished, stat.S_IMODE(mode))
        yield unfinished
        _flush(unfinished)
        os.replace(unfinished, target)
        _flush_folder(target.parent)
    except OSError as error:
        if error.filename in (None, str(unfinished)) and error.errno is not None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        unfinished.unlink(missing_ok=True)


def write_file(path: str | os.PathLike, content: bytes | str, label: str = "") -> None:
    """Write bytes, or text in UTF-8, as a whole; see `replace_file`."""
    content = content.encode("utf-8") if isinstance(content, str) else content
    with replace_file(path, label) as unfinished:
        unfinished.write_bytes(content)


def _flush(path: Path) -> None:
    """Wait until a file's content is on the disk."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_folder(folder: Path) -> None:
    """Wait until a new name is on the disk, where the system can open folders."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:  # some network file systems do not know it; the file itself is complete
        pass
    finally:
        os.close(descriptor)


def read_pieces(path: str | os.PathLike, size: int = PIECE) -> Iterator[bytes]:
    """Yield the content of a file, plain or gzip, in pieces of at most `size` bytes.

    The first bytes say whether the file is packed. A file that is damaged, or that unpacks to far
    more bytes than data of any kind have, raises ValueError.
    """
    with open(path, "rb") as file:
        if not file.peek(len(GZIP_MAGIC)).startswith(GZIP_MAGIC):
            yield from iter(lambda: file.read(size), b"")
            return
        n_packed, n_bytes = os.fstat(file.fileno()).st_size, 0
        with gzip.GzipFile(fileobj=file) as unfolded:
            while piece := _read_packed(path, unfolded, size):
                n_bytes += len(piece)
                if n_bytes > max(UNFOLDED_FREELY, MAX_RATIO * n_packed):
                    raise ValueError(
                        f"{str(path)!r} has {n_packed} bytes and unpacks to more than {n_bytes}, "
                        "which no data of this kind do. If the file is right, unpack it with "
                        "gunzip and give the plain file."
                    )
                yield piece


def _read_packed(path: str | os.PathLike, unfolded: gzip.GzipFile, size: int) -> bytes:
    try:
        return unfolded.read(size)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(
            f"{str(path)!r} is a damaged gzip file ({error}). Get it again, or unpack it with "
            "gunzip."
        ) from error


def read_lines(path: str | os.PathLike) -> Iterator[tuple[int, str]]:
    r"""Yield number (from 1) and text of each line of a text file in UTF-8, plain or gzip.

    Parameters
    ----------
    path : str or path-like
        Path of the file.

    Yields
    ------
    number : int
    line : str
        Without its end.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is a damaged gzip file, is not UTF-8, or holds a NUL byte.
    """
    # Lines end at ``\n``, ``\r\n`` or ``\r`` and nowhere else: Unicode's separators, which
    # `str.splitlines` takes for ends of lines, may stand in a name.
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    ends = io.IncrementalNewlineDecoder(decoder, translate=True)
    number = 1
    pending: list[str] = []
    for piece in chain(read_pieces(path), [None]):  # None: what the decoders still hold
        try:
            text = ends.decode(b"" if piece is None else piece, final=piece is None)
        except UnicodeDecodeError as error:
            number += error.object[: error.start].count(b"\n")
            raise ValueError(
                f"Line {number} of {str(path)!r} is not text in UTF-8 ({error.reason}: byte "
                f"{error.object[error.start]:#04x}). Convert the file to UTF-8, or give the one "
                "that is meant."
            ) from None
        *lines, rest = text.split("\n")
        if "\0" in text:
            number += text[: text.index("\0")].count("\n")
            raise ValueError(f"Line {number} of {str(path)!r} holds a NUL byte: it is not text.")
        for line in lines:
            yield number, "".join([*pending, line])
            number, pending = number + 1, []
        pending.append(rest)
    if any(pending):
        yield number, "".join(pending)

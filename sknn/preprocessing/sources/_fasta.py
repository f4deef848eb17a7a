"""Sequences in FASTA files, a block of records at a time."""

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise
from pathlib import Path

import numpy as np

from sknn._files import GZIP_MAGIC, PIECE, read_lines
from sknn.preprocessing.sequences._fasta import iterate_records

#: endings of the names of files of sequences
ENDINGS = (".fa", ".fasta", ".fna", ".ffn", ".faa", ".fas")
#: number of records of a piece, and of a chunk
BLOCK, CHUNK = 256, 4096


class FastaRecords:
    """A `sknn.preprocessing.sources._tables.Tables` of sequences, as arrays of shape (n_samples,).

    The places of records in plain files are found first, so that blocks of records can be read in
    any order; a compressed file (gz) is one piece.
    """

    kind, names = "FASTA file", None

    def __init__(self, paths: Sequence[Path]):
        self.pieces = [piece for path in paths for piece in _divide(path)]
        self.n_pieces = len(self.pieces)

    def read(self, piece: int, names: list[str] | None) -> Iterator[np.ndarray]:
        """Yield the sequences of a block of records."""
        records = (sequence for _, sequence in iterate_records(*self._open(piece)))
        while sequences := list(islice(records, CHUNK)):
            yield np.array(sequences, dtype=object)

    def _open(self, piece: int) -> tuple[Iterable[tuple[int, str]], Path]:
        """Return the numbered lines of a piece, and the file they are in."""
        path, start, stop = self.pieces[piece]
        if stop is None:
            return read_lines(path), path
        with open(path, "rb") as file:
            file.seek(start)
            text = file.read(stop - start).decode("utf-8-sig")
        lines = io.StringIO(text, newline=None)
        return enumerate((line.rstrip("\n") for line in lines), start=1), path


def is_fasta(path: Path) -> bool:
    """Return whether a file's name says that it holds sequences."""
    return path.name.lower().removesuffix(".gz").endswith(ENDINGS)


def _divide(path: Path) -> list[tuple[Path, int, int | None]]:
    """Return blocks of records of a file, with the bytes where they begin and end."""
    # A record begins with ">" at the start of a line. The last byte of each part of the file is put
    # in front of the next one, so that a line break and its ">" in two parts are found, too.
    with open(path, "rb") as file:
        if file.read(2) == GZIP_MAGIC:
            return [(path, 0, None)]
        file.seek(0)
        starts, place, before = [], 0, b"\n"
        while content := file.read(PIECE):
            joined = before + content
            starts += [place + i for i in _find_all(joined, b"\n>")]
            place, before = place + len(content), content[-1:]
    edges = [0, *starts[BLOCK::BLOCK], os.path.getsize(path)]
    return [(path, start, stop) for start, stop in pairwise(edges)]


def _find_all(content: bytes, mark: bytes) -> Iterator[int]:
    """Yield the places of a mark."""
    place = content.find(mark)
    while place >= 0:
        yield place
        place = content.find(mark, place + 1)

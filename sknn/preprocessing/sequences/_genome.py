"""Bases of a genome, read from an indexed FASTA file where they are asked for."""

import os
from pathlib import Path
from types import TracebackType

from sknn._optional import require


class Genome:
    """An indexed FASTA file; the index, ``.fai``, is written beside it unless there is one.

    Parameters
    ----------
    path : str or path-like
        FASTA file, plain or packed by bgzip.

    Raises
    ------
    OptionalDependencyError
        If pyfaidx is not installed.
    ValueError
        If the file is no FASTA, or is packed by gzip, which cannot be read from the middle.
    """

    def __init__(self, path: str | os.PathLike):
        pyfaidx = require("pyfaidx", "Reading regions of a genome")
        self.path = str(path)
        if not Path(path).is_file():
            raise FileNotFoundError(f"There is no FASTA file {self.path!r}.")
        try:
            self._fasta = pyfaidx.Fasta(self.path, as_raw=True)
        except Exception as error:  # pyfaidx raises classes of many kinds
            raise ValueError(
                f"{self.path!r} cannot be read as an indexed FASTA file: {error}. Unpack it or "
                "pack it with bgzip; where its folder cannot be written to, make the index "
                "elsewhere with 'samtools faidx'."
            ) from error
        self.lengths = {name: len(self._fasta[name]) for name in self._fasta.keys()}  # noqa: SIM118

    def fetch(self, chrom: str, start: int, end: int) -> str:
        """Return bases from `start`, counted from 0, to before `end`, in the case they have.

        Positions beyond the ends of the chromosome are N.

        Parameters
        ----------
        chrom : str
            Name of a chromosome of the file.
        start, end : int
            First base, and the one after the last; `start` may be negative and `end` beyond the
            last base.

        Returns
        -------
        str of length ``end - start``

        Raises
        ------
        ValueError
            If there is no such chromosome.
        """
        length = self.lengths.get(chrom)
        if length is None:
            raise ValueError(self._explain_missing(chrom))
        first, last = min(max(start, 0), length), max(min(end, length), 0)
        inside = str(self._fasta[chrom][first:last]) if first < last else ""
        if not inside:
            return "N" * (end - start)
        return "N" * (first - start) + inside + "N" * (end - last)

    def _explain_missing(self, chrom: str) -> str:
        """Return what to say of a name that the file has not."""
        names = list(self.lengths)
        short = chrom.removeprefix("chr")
        # Mitochondria are 'chrM' or 'MT'.
        shorts = [short, *{"M": ["MT"], "MT": ["M"]}.get(short, ())]
        others = [name for s in shorts for name in (s, f"chr{s}") if name in self.lengths]
        advice = f" It has {others[0]!r}: rename the chromosomes." if others else ""
        return (
            f"{self.path!r} has no chromosome {chrom!r}; it has {names[:5]}"
            f"{' and others' if len(names) > 5 else ''}.{advice}"
        )

    def close(self) -> None:
        """Close the file."""
        self._fasta.close()

    def __enter__(self) -> "Genome":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

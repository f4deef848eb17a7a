"""Sequences from FASTA files."""

import os
from collections.abc import Iterable, Iterator

from sknn._files import BLANKS, read_lines


def read_fasta(path: str | os.PathLike) -> tuple[list[str], list[str]]:
    r"""Read a FASTA file.

    Parameters
    ----------
    path : str or path-like
        FASTA file, plain or gz.

    Returns
    -------
    names : list of str of length n_samples
        Header lines without ``>`` and blanks at their ends.
    sequences : list of str of length n_samples
        Sequences, with their lines joined, without blanks, in their own case.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If text comes before the first header, a header has no sequence, or there is none; if the
        file is not text in UTF-8, or a gz file is damaged or unpacks to far more than sequences do.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from sknn.preprocessing import read_fasta
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "two.fasta"
    ...     _ = path.write_text(">first\nACGT\nAC\n>second\nTTTT\n")
    ...     names, sequences = read_fasta(path)
    >>> names, sequences
    (['first', 'second'], ['ACGTAC', 'TTTT'])
    """
    records = list(iterate_records(read_lines(path), path))
    if not records:
        raise ValueError(f"{str(path)!r} has no sequence; a FASTA file has lines '>name'.")
    names, sequences = map(list, zip(*records, strict=True))
    return names, sequences


def iterate_records(
    lines: Iterable[tuple[int, str]], path: str | os.PathLike
) -> Iterator[tuple[str, str]]:
    """Yield name and sequence of each record of numbered lines, as `read_fasta` returns them."""
    name, header_line = None, 0
    parts: list[str] = []
    without_blanks = str.maketrans("", "", BLANKS)

    def join_parts() -> str:
        if not parts:
            raise ValueError(
                f"Header {name!r} in line {header_line} of {str(path)!r} has no sequence after "
                "it. Put one there, or delete the header."
            )
        return "".join(parts).translate(without_blanks)

    for number, line in lines:
        line = line.strip(BLANKS)
        if line.startswith(">"):
            if name is not None:
                yield name, join_parts()
            name, parts, header_line = line[1:].strip(BLANKS), [], number
        elif line and not line.startswith(";"):  # a comment, in the oldest files
            if name is None:
                raise ValueError(
                    f"Line {number} of {str(path)!r} is {line[:40]!r}, before any header. A FASTA "
                    "file begins with a line '>name'."
                )
            parts.append(line)
    if name is not None:
        yield name, join_parts()

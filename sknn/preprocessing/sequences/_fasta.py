"""Sequences from FASTA files."""

import gzip
import os
from pathlib import Path

#: the first bytes of a gz file
GZIP_MAGIC = b"\x1f\x8b"


def read_fasta(path: str | os.PathLike) -> tuple[list[str], list[str]]:
    r"""Read a FASTA file.

    Parameters
    ----------
    path : str or path-like
        Plain or gz, told by the first bytes.

    Returns
    -------
    names : list of str of length n_samples
        Header lines without ``>``.
    sequences : list of str of length n_samples
        Their lines joined, without blanks, in the case they have.

    Raises
    ------
    ValueError
        If text comes before the first header, a header has no sequence, or there is none.

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
    content = Path(path).read_bytes()
    if content.startswith(GZIP_MAGIC):
        content = gzip.decompress(content)
    names: list[str] = []
    parts: list[list[str]] = []
    for number, line in enumerate(content.decode("utf-8-sig").splitlines(), start=1):
        line = line.strip()
        if line.startswith(">"):
            names.append(line[1:].strip())
            parts.append([])
        elif line and not line.startswith(";"):  # a comment, in the oldest files
            if not names:
                raise ValueError(
                    f"Line {number} of {str(path)!r} is {line[:40]!r}, before any header. A FASTA "
                    "file begins with a line '>name'."
                )
            parts[-1].append(line)
    if not names:
        raise ValueError(f"{str(path)!r} has no sequence; a FASTA file has lines '>name'.")
    sequences = ["".join("".join(lines).split()) for lines in parts]
    for name, sequence in zip(names, sequences, strict=True):
        if not sequence:
            raise ValueError(f"Header {name!r} in {str(path)!r} has no sequence after it.")
    return names, sequences

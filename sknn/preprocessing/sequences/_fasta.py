"""Sequences from FASTA files."""

import os

from sknn._files import BLANKS, read_lines


def read_fasta(path: str | os.PathLike) -> tuple[list[str], list[str]]:
    r"""Read a FASTA file.

    Parameters
    ----------
    path : str or path-like
        Plain or gz, told by the first bytes.

    Returns
    -------
    names : list of str of length n_samples
        Header lines without ``>`` and blanks at their ends.
    sequences : list of str of length n_samples
        Their lines joined, without blanks, in the case they have.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If text comes before the first header, a header has no sequence, or there is none; if the
        file is not text in UTF-8, or a gz file is damaged or unfolds to far more than sequences do.

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
    names: list[str] = []
    parts: list[list[str]] = []
    header_lines: list[int] = []
    for number, line in read_lines(path):
        line = line.strip(BLANKS)
        if line.startswith(">"):
            names.append(line[1:].strip(BLANKS))
            parts.append([])
            header_lines.append(number)
        elif line and not line.startswith(";"):  # a comment, in the oldest files
            if not names:
                raise ValueError(
                    f"Line {number} of {str(path)!r} is {line[:40]!r}, before any header. A FASTA "
                    "file begins with a line '>name'."
                )
            parts[-1].append(line)
    if not names:
        raise ValueError(f"{str(path)!r} has no sequence; a FASTA file has lines '>name'.")
    without_blanks = str.maketrans("", "", BLANKS)
    sequences = ["".join(lines).translate(without_blanks) for lines in parts]
    if "" in sequences:
        empty = sequences.index("")
        raise ValueError(
            f"Header {names[empty]!r} in line {header_lines[empty]} of {str(path)!r} has no "
            "sequence after it. Put one there, or delete the header."
        )
    return names, sequences

"""Motifs in files, in the formats of MEME and of JASPAR."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from sknn.motifs._motif import Motif

#: sites that a motif of a MEME file has where the file does not say
MEME_SITES = 20


def read_motifs(path: str | os.PathLike) -> list[Motif]:
    """Read motifs from a file in MEME's or JASPAR's format, told by its first line.

    Parameters
    ----------
    path : str or path-like
        A text file.

    Returns
    -------
    list of Motif
        Named as in the file, the identifier before the name. Counts of a MEME file are its
        probabilities times the number of sites, with no pseudocount.

    Raises
    ------
    ValueError
        If the file has neither format, or no motif, or a matrix is damaged.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import numpy as np
    >>> from sknn.motifs import Motif, read_motifs
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "one.meme"
    ...     _ = path.write_text(Motif("box", np.eye(4) * 30, 30).to_meme())
    ...     motifs = read_motifs(path)
    >>> motifs[0].name, motifs[0].consensus
    ('box', 'ACGT')
    """
    lines = [line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines()]
    first = next((line for line in lines if line), "")
    if first.startswith("MEME"):
        motifs = _read_meme(lines, str(path))
    elif first.startswith(">"):
        motifs = _read_jaspar(lines, str(path))
    else:
        raise ValueError(
            f"{str(path)!r} begins with {first[:40]!r}. A MEME file begins with 'MEME version', a "
            "JASPAR file with '>'."
        )
    if not motifs:
        raise ValueError(f"{str(path)!r} has no motif.")
    return motifs


def write_motifs(motifs: Iterable[Motif], path: str | os.PathLike, format: str = "meme") -> None:
    """Write motifs into one file.

    Parameters
    ----------
    motifs : iterable of Motif
        One at least, all over the same alphabet.
    path : str or path-like
        Where to; what is there is replaced.
    format : {'meme', 'jaspar'}, default='meme'
        Probabilities and numbers of sites, or counts.

    Raises
    ------
    ValueError
        If there is no motif, or there are several alphabets, or the format is unknown.
    """
    motifs = list(motifs)
    if format not in ("meme", "jaspar"):
        raise ValueError(f"format must be 'meme' or 'jaspar'; got {format!r}.")
    if len({motif.alphabet for motif in motifs}) != 1:
        raise ValueError(
            "motifs must be one or more over one alphabet; got "
            f"{sorted({motif.alphabet for motif in motifs})} in {len(motifs)} motifs."
        )
    if format == "meme":
        text = motifs[0].to_meme() + "".join(motif.meme_block() for motif in motifs[1:])
    else:
        text = "".join(motif.to_jaspar() for motif in motifs)
    Path(path).write_text(text, encoding="utf-8")


def _read_meme(lines: list[str], path: str) -> list[Motif]:
    alphabet, name, motifs = "ACGT", "", []
    for i, line in enumerate(lines):
        if line.startswith("ALPHABET="):
            alphabet = line.partition("=")[2].strip()
        elif line.startswith("MOTIF"):
            name = line.removeprefix("MOTIF").strip()
        elif line.startswith("letter-probability matrix"):
            settings = dict(re.findall(r"(\w+)=\s*(\S+)", line))
            sites = int(float(settings.get("nsites", MEME_SITES)))
            rows = []
            for row in lines[i + 1 :]:
                if not re.match(r"[-+.\d]", row):
                    break
                rows.append(row)
            shares = _matrix(rows, len(alphabet), name, path)
            if len(shares) != int(settings.get("w", len(shares))):
                raise ValueError(
                    f"Motif {name!r} in {path!r} has w= {settings['w']} and {len(shares)} rows."
                )
            motifs.append(Motif(name, shares * sites, sites, 0.0, None, alphabet))
    return motifs


def _read_jaspar(lines: list[str], path: str) -> list[Motif]:
    motifs = []
    starts = [i for i, line in enumerate(lines) if line.startswith(">")]
    for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True):
        name = " ".join(lines[start][1:].split())
        rows = [line for line in lines[start + 1 : stop] if line]
        letters = [row[0] for row in rows if row[0].isalpha()]
        alphabet = "".join(letters) if len(letters) == len(rows) else "ACGT"
        numbers = [re.sub(r"^[A-Za-z]?\s*\[?|\]", "", row) for row in rows]
        width = len(numbers[0].split()) if numbers else 0
        counts = _matrix(numbers, width, name, path)
        if len(counts) != len(alphabet):
            raise ValueError(
                f"Motif {name!r} in {path!r} has {len(counts)} rows; expected one for each letter "
                f"of {alphabet!r}."
            )
        motifs.append(Motif(name, counts.T, round(counts.sum(axis=0).max()), alphabet=alphabet))
    return motifs


def _matrix(rows: list[str], width: int, name: str, path: str) -> np.ndarray:
    try:
        matrix = np.array([list(map(float, row.split())) for row in rows])
    except ValueError as error:  # no number, or rows of several lengths
        raise ValueError(
            f"The matrix of motif {name!r} in {path!r} is damaged: {error}."
        ) from error
    if matrix.ndim != 2 or matrix.shape[1] != width or not len(matrix):
        raise ValueError(
            f"The matrix of motif {name!r} in {path!r} is damaged: expected rows of {width} "
            f"numbers, got shape {matrix.shape}."
        )
    return matrix

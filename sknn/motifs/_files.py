"""Motifs in files, in the formats of MEME and of JASPAR."""

import os
import re
from collections.abc import Iterable
from itertools import takewhile
from math import isfinite

import numpy as np

from sknn._files import BLANKS, read_lines, write_file
from sknn._refusals import show
from sknn.motifs._motif import Motif

#: sites that a motif of a MEME file has where the file does not say
MEME_SITES = 20
#: beyond it floats do not tell whole numbers apart
MOST_SITES = 2**53
#: MEME's names of alphabets that are written without their letters
MEME_ALPHABETS = {
    "DNA-LIKE": "ACGT",
    "RNA-LIKE": "ACGU",
    "PROTEIN-LIKE": "ACDEFGHIKLMNPQRSTVWY",
}
#: how far the probabilities of a position may be from 1 together, as they are rounded
ROUNDING = 0.1
#: a blank line, a rule, or a word such as URL or MOTIF; all else is a row, or a damaged one
END_OF_MATRIX = r"$|---|(?!nan|inf)[a-z]{3}"

Line = tuple[int, str]


def read_motifs(path: str | os.PathLike) -> list[Motif]:
    """Return the motifs of a file in MEME's or JASPAR's format, which its first line tells apart.

    Parameters
    ----------
    path : str or path-like
        Text file in UTF-8, plain or gz.

    Returns
    -------
    list of Motif
        Motifs with the names of the file, the identifier before the name. Counts of a MEME file
        are its probabilities times the number of sites, without a pseudocount.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If the file has neither format, or no motif, or something in it is damaged; names file and
        line.

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
    return _read(read_lines(path), repr(str(path)))


def write_motifs(motifs: Iterable[Motif], path: str | os.PathLike, format: str = "meme") -> None:
    """Write motifs into one file, completely or not at all.

    `read_motifs` gives back the same names, alphabet and matrices: the counts of JASPAR's format
    exactly, the probabilities of MEME's up to rounding, with the number of sites.

    Parameters
    ----------
    motifs : iterable of Motif
        Motifs, at least one, all over the same alphabet.
    path : str or path-like
        File to write; an existing one is replaced.
    format : {'meme', 'jaspar'}, default='meme'
        Probabilities and numbers of sites, or counts.

    Raises
    ------
    OSError
        If the file cannot be written.
    ValueError
        If there is no motif, or there are several alphabets, or the format is unknown, or cannot
        hold a name or an alphabet.
    """
    motifs = list(motifs)
    if format not in ("meme", "jaspar"):
        raise ValueError(f"format must be 'meme' or 'jaspar'; got {format!r}.")
    if len({motif.alphabet for motif in motifs}) != 1:
        raise ValueError(
            "motifs must be one or more over one alphabet; got "
            f"{sorted({motif.alphabet for motif in motifs})} in {len(motifs)} motifs."
        )
    for motif in motifs:
        _check_survives(motif, format)
    if format == "meme":
        text = motifs[0].to_meme() + "".join(motif.meme_block() for motif in motifs[1:])
    else:
        text = "".join(motif.to_jaspar() for motif in motifs)
    write_file(path, text)


def _check_survives(motif: Motif, format: str) -> None:
    """Raise ValueError unless a motif is read back as it is."""
    text = motif.to_meme() if format == "meme" else motif.to_jaspar()
    try:
        text.encode("utf-8")
        (again,) = _read(enumerate(re.split(r"\r\n|\r|\n", text), start=1), "the file")
        names = ["name", "alphabet"] + ["n_sites"] * (format == "meme")  # JASPAR's has counts alone
        changes = [
            f"{name} {getattr(motif, name)!r} would become {getattr(again, name)!r}"
            for name in names
            if getattr(motif, name) != getattr(again, name)
        ]
        changes += ["a NUL byte is no text"] * ("\0" in text)
    except ValueError as error:
        changes = [str(error)]
    if changes:
        raise ValueError(
            f"Motif {motif.name!r} cannot be written in format {format!r} so that it is read back: "
            f"{', '.join(changes)}. A name is one line without tabs or blanks at its ends, an "
            "alphabet different letters, n_sites a whole number. Change it by dataclasses.replace."
        )


def _read(lines: Iterable[Line], origin: str) -> list[Motif]:
    """Return the motifs of numbered lines, in either format."""
    stripped = [(number, line.strip(BLANKS)) for number, line in lines]
    number, first = next((line for line in stripped if line[1]), (1, ""))
    if first.startswith("MEME"):
        motifs = _read_meme(stripped, origin)
    elif first.startswith(">"):
        motifs = _read_jaspar(stripped, origin)
    else:
        raise ValueError(
            f"Line {number} of {origin} begins with {first[:40]!r}. A MEME file begins with 'MEME "
            "version', a JASPAR file with '>'."
        )
    if not motifs:
        raise ValueError(f"{origin} has no motif.")
    return motifs


def _read_meme(lines: list[Line], origin: str) -> list[Motif]:
    alphabet, name, motifs = "ACGT", "", []
    for i, (number, line) in enumerate(lines):
        if line.startswith("ALPHABET"):
            alphabet = _read_alphabet(line, f"Line {number} of {origin}")
        elif line.startswith("MOTIF"):
            name = _read_name(line.removeprefix("MOTIF"))
        elif line.startswith("letter-probability matrix"):
            where = f"Motif {name!r} in line {number} of {origin}"
            rows = list(takewhile(_is_in_matrix, lines[i + 1 :]))
            motifs.append(_read_meme_matrix(line, rows, (name, alphabet), where))
    return motifs


def _is_in_matrix(line: Line) -> bool:
    return re.match(END_OF_MATRIX, line[1], re.IGNORECASE) is None


def _read_alphabet(line: str, where: str) -> str:
    """Return the letters of a line such as ``ALPHABET= ACGT`` or ``ALPHABET "RNA" RNA-LIKE``."""
    letters = line.removeprefix("ALPHABET").strip()
    if letters.startswith("="):
        return letters[1:].strip()
    kind = letters.rpartition(" ")[2].upper()
    if kind not in MEME_ALPHABETS:
        raise ValueError(
            f"{where} is {line[:60]!r}; expected the letters, such as 'ALPHABET= ACGT', or one of "
            f"{sorted(MEME_ALPHABETS)} behind the alphabet's name."
        )
    return MEME_ALPHABETS[kind]


def _read_meme_matrix(header: str, rows: list[Line], known: tuple[str, str], where: str) -> Motif:
    """Return the motif of a matrix of probabilities; `known` are its name and alphabet."""
    name, alphabet = known
    settings = dict(re.findall(r"(\w+)=\s*(\S+)", header))
    sites = _read_whole(settings, "nsites", MEME_SITES, where)
    _check_alphabet(alphabet, where)
    shares = _read_matrix(rows, len(alphabet), where)
    if len(shares) != _read_whole(settings, "w", len(shares), where):
        raise ValueError(
            f"{where} is damaged: it has w= {settings['w']} and {len(shares)} rows of numbers."
        )
    sums = shares.sum(axis=1)
    if np.abs(sums - 1).max() > ROUNDING:
        wrong = int(np.abs(sums - 1).argmax())
        raise ValueError(
            f"{where} is damaged: probabilities sum to 1, but those of line {rows[wrong][0]} sum "
            f"to {sums[wrong]:g}."
        )
    return Motif(name, shares * (sites or MEME_SITES), sites, 0.0, None, alphabet)


def _read_whole(settings: dict[str, str], key: str, default: int, where: str) -> int:
    """Return a setting such as ``nsites= 20``, also written ``2e1``."""
    text = settings.get(key)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value) or not 0 <= value <= MOST_SITES:
        raise ValueError(f"{where} has {key}= {text}; expected a whole number, 0 or more.")
    return int(value)


def _read_jaspar(lines: list[Line], origin: str) -> list[Motif]:
    motifs = []
    starts = [i for i, (_, line) in enumerate(lines) if line.startswith(">")]
    for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True):
        number, header = lines[start]
        name = _read_name(header[1:])
        where = f"Motif {name!r} in line {number} of {origin}"
        rows = [line for line in lines[start + 1 : stop] if line[1]]
        letters = "".join(row[0] for _, row in rows if re.match(r"\D\s*\[|[^\W\d]\s", row))
        alphabet = letters or "ACGT"
        if letters and len(letters) != len(rows):
            raise ValueError(
                f"{where} is damaged: it has {len(rows)} rows, {letters!r} of letters."
            )
        _check_alphabet(alphabet, where)
        counts = _read_matrix(
            [(i, row[bool(letters) :].strip().strip("[]")) for i, row in rows], None, where
        )
        if len(counts) != len(alphabet):
            raise ValueError(
                f"{where} has {len(counts)} rows; expected one for each letter of {alphabet!r}."
            )
        sites = round(counts.sum(axis=0).max())
        motifs.append(Motif(name, counts.T, sites, alphabet=alphabet))
    return motifs


def _read_name(text: str) -> str:
    """Return a name as one text, the identifier and what follows a tab with a blank between."""
    return re.sub(r" *\t[ \t]*", " ", text.strip(BLANKS))


def _read_matrix(rows: list[Line], width: int | None, where: str) -> np.ndarray:
    """Return numbers of shape (n_rows, width), each of them 0 or more; None is any width."""
    matrix = []
    for number, row in rows:
        try:
            numbers = [float(word) for word in row.split()]
        except ValueError:
            raise ValueError(
                f"{where} is damaged in line {number}: expected numbers, got {show(row)}."
            ) from None
        width = len(numbers) if width is None else width
        if len(numbers) != width or not width:
            raise ValueError(
                f"{where} is damaged in line {number}: expected {width or 'some'} numbers, got "
                f"{len(numbers)}."
            )
        wrong = next((v for v in numbers if not 0 <= v <= MOST_SITES), None)
        if wrong is not None:
            raise ValueError(
                f"{where} is damaged in line {number}: expected numbers from 0 to 2**53, got "
                f"{wrong!r}."
            )
        matrix.append(numbers)
    if not matrix:
        raise ValueError(f"{where} is damaged: no row of numbers follows.")
    return np.array(matrix)


def _check_alphabet(alphabet: str, where: str) -> None:
    if len(set(alphabet)) != len(alphabet) or not alphabet:
        raise ValueError(f"{where} is over the alphabet {alphabet!r}; expected different letters.")

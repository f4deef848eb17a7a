"""Sequences of letters as one block of bytes, whatever they came in."""

from collections.abc import Iterator, Mapping, Sequence, Set

import numpy as np
from numpy.typing import ArrayLike

#: what shorter sequences are filled up with; no letter
PAD = 0


def is_text(value: object) -> bool:
    """Return whether a value is one sequence: str, bytes, or a sequence object of Biopython."""
    # Biopython's Seq, its SeqRecord, and the sequences of scikit-bio and of pyfaidx are told by
    # what they can do, so that none of these packages is imported.
    return isinstance(value, str | bytes) or hasattr(getattr(value, "seq", value), "translate")


def is_missing(value: object) -> bool:
    """Return whether a value stands for none: None, NaN, or NA and NaT of pandas."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.floating) and bool(np.isnan(value))


def as_sequences(X: ArrayLike) -> np.ndarray | list:
    """Return a list or a 1-D array of sequences for all that may hold some.

    Parameters
    ----------
    X : array-like of str or bytes of shape (n_samples,) or (n_samples, 1)
        A list, an array, a Series, or a data frame of one column.

    Returns
    -------
    list or ndarray of shape (n_samples,)
        Not looked into yet, but for the dtype of an array.

    Raises
    ------
    ValueError
        If X is a single string, has no samples or several columns, or holds numbers.
    """
    if isinstance(X, str | bytes) or (is_text(X) and not hasattr(X, "shape")):
        single = str(X) if isinstance(X, str) else X  # of NumPy's, without its name
        raise ValueError(
            f"Expected a list or an array of sequences; got the single text {single!r}. Put a "
            "sequence into a list; write pathlib.Path(...) for the sequences of a file."
        )
    if isinstance(X, list | tuple) and any(map(is_text, X)):
        return list(X)
    if isinstance(X, Iterator | Set | Mapping):
        raise ValueError(
            "Expected sequences as a list, a 1-D array or one column of strings; got an object "
            f"of type {type(X).__name__!r}. Pass list(X), in the order of y."
        )
    sequences = make_array(X)
    if sequences.ndim == 2 and sequences.shape[1] == 1:
        sequences = sequences[:, 0]
    if sequences.ndim != 1:
        raise ValueError(
            "Expected sequences as a list, a 1-D array or one column of strings; got an "
            f"array of shape {sequences.shape} and dtype {sequences.dtype}. "
            f"{suggest_one_column(sequences)}"
        )
    if len(sequences) == 0:
        raise ValueError("Found array with 0 sample(s); at least one sequence is required.")
    if sequences.dtype.kind not in "OSUT":
        raise ValueError(
            f"Expected sequences of letters, such as 'ACGT'; got numbers of dtype "
            f"{sequences.dtype}. Pass the strings themselves."
        )
    return sequences


def make_array(X: ArrayLike) -> np.ndarray:
    """Return X as an array; lists of several lengths are refused in words of this package."""
    try:
        return np.asarray(X)
    except ValueError as error:
        raise ValueError(
            "Expected sequences as a list, a 1-D array or one column of strings; got lists of "
            "several lengths. Join the letters of each sequence, such as ''.join(letters)."
        ) from error


def suggest_one_column(array: np.ndarray) -> str:
    """Return what to do about strings of several axes: letters apart, or a second column."""
    texts = [str(value) for value in array[:1].ravel() if is_text(value)]
    if len(texts) == array[:1].size and max(map(len, texts)) == 1:
        return "Join the letters of each sequence, such as ''.join(letters)."
    return "Pass the column of sequences alone, such as X['sequence']."


def sequence_bytes(
    X: ArrayLike, length: int | None = None, *, pad_left: bool = False, cut_left: bool = False
) -> np.ndarray:
    """Return sequences as ASCII codes in upper case, one row for each.

    Parameters
    ----------
    X : array-like of str or bytes of shape (n_samples,) or (n_samples, 1)
        Sequences, see `as_sequences`.
    length : int, default=None
        Number of columns of the result; None is the length of the longest sequence.
    pad_left : bool, default=False
        Whether shorter sequences end in the last column instead of beginning in the first.
    cut_left : bool, default=False
        Whether longer sequences lose their beginning instead of their end.

    Returns
    -------
    ndarray of uint8 of shape (n_samples, length)
        `PAD` where there is no letter, and code 63 (``'?'``) for letters outside ASCII. It may be
        read-only.

    Raises
    ------
    ValueError
        If X is not as described, or a sequence is empty or not a string.
    """
    sequences = as_sequences(X)
    if isinstance(sequences, np.ndarray) and sequences.dtype.kind in "SU":
        codes = _read_fixed_width(sequences)
        ends = codes[:, :1] == PAD
        if ends.any():
            _raise_empty(int(ends.argmax()))
        if not (pad_left or cut_left) and (length is None or length == codes.shape[1]):
            return _write_upper(codes)
    texts = _convert_strings(list(sequences))
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    if lengths.min() == 0:
        _raise_empty(int(lengths.argmin()))
    length = int(lengths.max()) if length is None else length
    if lengths.max() > length:
        kept = slice(-length, None) if cut_left else slice(length)
        texts = [text[kept] for text in texts]
        lengths = np.minimum(lengths, length)
    flat = np.frombuffer("".join(texts).encode("ascii", "replace").upper(), np.uint8)
    if lengths.min() == length:
        return flat.reshape(len(lengths), length)
    codes = np.full((len(lengths), length), PAD, np.uint8)
    # a mask takes its values row by row, which is the order of the joined letters; padding on the
    # left is the same comparison with the places counted from the right
    place = np.arange(length) if not pad_left else np.arange(length)[::-1]
    codes[place < lengths[:, None]] = flat
    return codes


def lengths_of(sequences: Sequence | np.ndarray) -> np.ndarray:
    """Return the number of letters of each sequence, of shape (n_samples,); 0 for missing ones."""
    if isinstance(sequences, np.ndarray) and sequences.dtype.kind in "SU":
        return np.char.str_len(sequences)
    texts = (getattr(s, "seq", s) for s in sequences)
    return np.fromiter((len(s) if is_text(s) else 0 for s in texts), np.int64, len(sequences))


def _read_fixed_width(sequences: np.ndarray) -> np.ndarray:
    """Read an array of NumPy's own strings, which are filled up with zeros."""
    sequences = np.ascontiguousarray(sequences)
    width = sequences.dtype.itemsize // (4 if sequences.dtype.kind == "U" else 1)
    if width == 0:
        _raise_empty(0)
    if sequences.dtype.kind == "S":
        return sequences.view(np.uint8).reshape(len(sequences), width).copy()
    letters = sequences.astype(sequences.dtype.newbyteorder("="), copy=False).view(np.uint32)
    letters = np.where(letters < 128, letters, ord("?")).astype(np.uint8)
    return letters.reshape(len(sequences), width)


def _convert_strings(sequences: Sequence) -> list[str]:
    """Return a list of str, or say which entry is none."""
    sequences = list(sequences)
    for i, kind in enumerate(map(type, sequences)):
        if kind is not str:
            sequences[i] = as_string(sequences[i], i)
    return sequences


def as_string(sequence: object, i: int) -> str:
    """Return sequence number `i` as str, or raise ValueError if it is none."""
    if isinstance(sequence, bytes | bytearray):  # the text of a bytearray would be its repr
        return sequence.decode("ascii", "replace")
    if is_text(sequence):  # NumPy's str, Biopython's Seq and SeqRecord
        return str(getattr(sequence, "seq", sequence))
    advice = "Drop the samples without one." if is_missing(sequence) else "Convert it."
    if isinstance(sequence, list | tuple | np.ndarray):
        advice = "Join its letters, such as ''.join(letters)."
    raise ValueError(
        f"Sequence {i} is {sequence!r}, of type {type(sequence).__name__!r}; every sequence must "
        f"be a string. {advice}"
    )


def _write_upper(codes: np.ndarray) -> np.ndarray:
    """Write ASCII letters in upper case, in place."""
    lower = (codes >= ord("a")) & (codes <= ord("z"))
    if lower.any():
        codes[lower] -= 32
    return codes


def _raise_empty(i: int) -> None:
    raise ValueError(f"Sequence {i} is empty. Leave out sequences without letters.")


def as_strings(codes: np.ndarray) -> np.ndarray:
    """Return strings for ASCII codes (n_samples, length), without `PAD` at the end."""
    n_samples, length = codes.shape
    codes = np.ascontiguousarray(codes)
    return codes.view(f"S{length}").reshape(n_samples).astype(f"U{length}")

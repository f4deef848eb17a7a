"""Sequences of letters as one block of bytes, whatever they came in."""

from typing import Any

import numpy as np

#: what shorter sequences are filled up with; no letter
PAD = 0


def as_sequences(X: Any) -> np.ndarray | list:
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
        If X is a single string, has no rows or several columns, or holds numbers.
    """
    if isinstance(X, str | bytes):
        single = str(X) if isinstance(X, str) else X  # of NumPy's, without its name
        raise ValueError(
            f"Expected a list or an array of sequences; got the single one {single!r}."
        )
    if isinstance(X, list | tuple) and all(isinstance(s, str | bytes) for s in X[:1]):
        sequences = list(X)
    else:
        sequences = np.asarray(X)
        if sequences.ndim == 2 and sequences.shape[1] == 1:
            sequences = sequences[:, 0]
        if sequences.ndim != 1:
            raise ValueError(
                "Expected sequences as a list, a 1-D array or one column of strings; got an "
                f"array of shape {sequences.shape} and dtype {sequences.dtype}."
            )
        if sequences.dtype.kind not in "OSUT":
            raise ValueError(
                f"Expected sequences of letters, as 'ACGT'; got numbers of dtype "
                f"{sequences.dtype}. Pass the strings themselves."
            )
    if len(sequences) == 0:
        raise ValueError("Found array with 0 sample(s); at least one sequence is required.")
    return sequences


def sequence_bytes(
    X: Any, length: int | None = None, *, pad_left: bool = False, cut_left: bool = False
) -> np.ndarray:
    """Return sequences as rows of ASCII codes in upper case.

    Parameters
    ----------
    X : array-like of str or bytes of shape (n_samples,) or (n_samples, 1)
        See `as_sequences`.
    length : int, default=None
        Columns of the result; None takes the longest sequence's.
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
        codes = _from_fixed_width(sequences)
        ends = codes[:, :1] == PAD
        if ends.any():
            _raise_empty(int(ends.argmax()))
        if not (pad_left or cut_left) and (length is None or length == codes.shape[1]):
            return _upper(codes)
        sequences = list(sequences)
    sequences = _strings(sequences)
    lengths = np.fromiter(map(len, sequences), np.int64, len(sequences))
    if lengths.min() == 0:
        _raise_empty(int(lengths.argmin()))
    length = int(lengths.max()) if length is None else length
    if lengths.max() > length:
        kept = slice(-length, None) if cut_left else slice(length)
        sequences = [s[kept] for s in sequences]
        lengths = np.minimum(lengths, length)
    flat = np.frombuffer("".join(sequences).encode("ascii", "replace").upper(), np.uint8)
    if lengths.min() == length:
        return flat.reshape(len(lengths), length)
    codes = np.full((len(lengths), length), PAD, np.uint8)
    place = np.arange(length) if not pad_left else np.arange(length)[::-1]
    codes[place < lengths[:, None]] = flat
    return codes


def _from_fixed_width(sequences: np.ndarray) -> np.ndarray:
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


def _strings(sequences: Any) -> list[str]:
    """Return a list of str, or say which entry is none."""
    sequences = list(sequences)
    for i, kind in enumerate(map(type, sequences)):
        if kind is not str:
            sequences[i] = _as_string(sequences[i], i)
    return sequences


def _as_string(sequence: Any, i: int) -> str:
    if isinstance(sequence, str):  # NumPy's
        return str(sequence)
    if isinstance(sequence, bytes):
        return sequence.decode("ascii", "replace")
    missing = sequence is None or sequence != sequence
    raise ValueError(
        f"Sequence {i} is {sequence!r}, of type {type(sequence).__name__!r}; every sequence must "
        f"be a string. {'Drop the rows without one.' if missing else 'Convert it.'}"
    )


def _upper(codes: np.ndarray) -> np.ndarray:
    """Write ASCII letters in upper case, in place."""
    lower = (codes >= ord("a")) & (codes <= ord("z"))
    if lower.any():
        codes[lower] -= 32
    return codes


def _raise_empty(i: int) -> None:
    raise ValueError(f"Sequence {i} is empty. Leave out sequences without letters.")


def as_strings(codes: np.ndarray) -> np.ndarray:
    """Return rows of ASCII codes as an array of strings; `PAD` at the end is left out.

    Parameters
    ----------
    codes : ndarray of uint8 of shape (n_samples, length)
        As from `sequence_bytes`.

    Returns
    -------
    ndarray of str of shape (n_samples,)
    """
    n_samples, length = codes.shape
    codes = np.ascontiguousarray(codes)
    return codes.view(f"S{length}").reshape(n_samples).astype(f"U{length}")

"""The other strand of DNA."""

from typing import Any

import numpy as np

from sknn.preprocessing._alphabet import COMPLEMENTS
from sknn.preprocessing._sequence_bytes import as_sequences


def reverse_complement(sequences: Any) -> Any:
    """Return the other strand, read from its own 5' end.

    Parameters
    ----------
    sequences : str, array-like of str of shape (n_samples,), or ndarray of shape \
            (n_samples, length, 4)
        DNA, in upper or lower case, IUPAC's codes included; or encoded in the order ACGT.

    Returns
    -------
    str, or ndarray of str of shape (n_samples,), or ndarray of shape (n_samples, length, 4)
        As it came. The complement of U is A, and that of A is T; other signs, as a gap's, stay.

    Raises
    ------
    ValueError
        If an entry is not a string, or an encoded array does not have four channels.

    Examples
    --------
    >>> from sknn.preprocessing import reverse_complement
    >>> reverse_complement("AACGR")
    'YCGTT'
    >>> reverse_complement(["AAC", "gatta"])
    array(['GTT', 'taatc'], dtype='<U5')
    """
    if isinstance(sequences, str):
        return _other_strand(sequences)
    if not isinstance(sequences, list | tuple):
        array = np.asarray(sequences)
        if array.ndim == 3:
            if array.shape[2] != 4:
                raise ValueError(
                    "Encoded DNA has shape (n_samples, length, 4), in the order ACGT; got shape "
                    f"{array.shape}."
                )
            return array[:, ::-1, ::-1].copy()
    texts = [
        s.decode("ascii", "replace") if isinstance(s, bytes) else s for s in as_sequences(sequences)
    ]
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(f"Sequence {i} is {text!r}; every sequence must be a string.")
    return np.array([_other_strand(text) for text in texts], dtype=str)


#: what `str.translate` takes
_TABLE = {i: code for i, code in enumerate(COMPLEMENTS) if code != i}


def _other_strand(sequence: str) -> str:
    return sequence.translate(_TABLE)[::-1]

"""Alphabets of sequences, and what the ambiguous letters in them mean."""

import numpy as np
from numpy.typing import ArrayLike

from sknn.preprocessing.sequences._bytes import as_sequences, as_string

#: name -> letters in the order of the encoded channels
ALPHABETS = {"dna": "ACGT", "rna": "ACGU", "protein": "ACDEFGHIKLMNPQRSTVWY"}

#: code of the IUPAC-IUB -> the bases it stands for (Cornish-Bowden 1985, doi:10.1093/nar/13.9.3021)
IUPAC = {
    "R": "AG",
    "Y": "CT",
    "S": "CG",
    "W": "AT",
    "K": "GT",
    "M": "AC",
    "B": "CGT",
    "D": "AGT",
    "H": "ACT",
    "V": "ACG",
    "N": "ACGT",
}

#: each code beside the code of its complement, for bytes
# A code that stands for several bases becomes that of their complements: R, A or G, is Y, C or T.
COMPLEMENTS = bytes.maketrans(
    b"ACGTURYSWKMBDHVNacgturyswkmbdhvn", b"TGCAAYRSWMKVHDBNtgcaayrswmkvhdbn"
)


def resolve_alphabet(alphabet: str) -> str:
    """Return the letters of an alphabet, in upper case.

    It is a key of `ALPHABETS`, in any case, or two or more different printable ASCII letters.
    """
    letters = ALPHABETS.get(alphabet.lower(), alphabet.upper())
    allowed = all("!" <= letter <= "~" and letter != "?" for letter in letters)
    if len(letters) < 2 or len(set(letters)) < len(letters) or not allowed:
        raise ValueError(
            f"alphabet must be one of {sorted(ALPHABETS)}, or two or more different ASCII letters "
            f"without regard to case, such as 'ACGT'; got {alphabet!r}."
        )
    return letters


def is_nucleic(alphabet: str) -> bool:
    """Return whether an alphabet's letters are the four bases of DNA or of RNA."""
    return set(alphabet) in ({*"ACGT"}, {*"ACGU"})


def find_same_letter(alphabet: str) -> dict[str, str]:
    """Return U as T, or T as U, for alphabets of bases, to which gaps and codes may belong."""
    # RNA is written in T as often as in U, and means the same.
    has = {letter: letter in alphabet for letter in "TU"}
    if has["T"] == has["U"] or not set(alphabet) <= {*"ACGTU-.*", *IUPAC}:
        return {}
    return {"U": "T"} if has["T"] else {"T": "U"}


def encoding_table(alphabet: str, unknown: str, dtype: np.dtype) -> np.ndarray:
    """Return what each ASCII code is encoded as, (256, n_letters); code 0, padding, as zeros.

    `unknown` is that of `sknn.preprocessing.DNAOneHotEncoder`.
    """
    n_letters = len(alphabet)
    table = np.zeros((256, n_letters), dtype)
    if unknown == "uniform":
        table[1:] = 1 / n_letters
    table[[ord(letter) for letter in alphabet]] = np.eye(n_letters, dtype=dtype)
    if unknown == "iupac":
        for code, bases in IUPAC.items():
            places = [alphabet.replace("U", "T").index(base) for base in bases]
            table[ord(code)] = 0
            table[ord(code), places] = 1 / len(places)
    for other, letter in find_same_letter(alphabet).items():
        table[ord(other)] = table[ord(letter)]
    return table


def known_codes(alphabet: str, unknown: str) -> np.ndarray:
    """Return which ASCII codes have a meaning, as bool of shape (256,); padding has."""
    known = np.zeros(256, bool)
    letters = alphabet + "".join(find_same_letter(alphabet))
    letters += "".join(IUPAC) if unknown == "iupac" else ""
    known[[0, *map(ord, letters)]] = True
    return known


def letters_of_sets(alphabet: str) -> np.ndarray:
    """Return the ASCII code (16,) for each set of bases that may have been meant.

    It lies at the sum of ``2 ** channel`` over the bases of the set; N for none.
    """
    codes = np.full(16, ord("N"), np.uint8)
    for code, bases in {**IUPAC, **{base: base for base in "ACGT"}}.items():
        own = bases.replace("T", "U") if "U" in alphabet else bases
        letter = own if len(own) == 1 else code
        codes[sum(2 ** alphabet.index(base) for base in own)] = ord(letter)
    return codes


def reverse_complement(sequences: str | ArrayLike) -> str | np.ndarray:
    """Return the other strand, read from its own 5' end.

    Parameters
    ----------
    sequences : str, array-like of str of shape (n_samples,), or ndarray of shape \
            (n_samples, length, 4)
        DNA, in upper or lower case, IUPAC's codes included; or encoded in the order ACGT.

    Returns
    -------
    str, or ndarray of str of shape (n_samples,), or ndarray of shape (n_samples, length, 4)
        Reverse complement, of the type of `sequences`. The complement of U is A, and that of A is
        T; other signs, such as gaps, stay.

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
        return _complement(sequences)
    if not isinstance(sequences, list | tuple):
        array = np.asarray(sequences)
        if array.ndim == 3:
            if array.shape[2] != 4:
                raise ValueError(
                    "Encoded DNA has shape (n_samples, length, 4), in the order ACGT; got shape "
                    f"{array.shape}."
                )
            return array[:, ::-1, ::-1].copy()
    texts = [as_string(sequence, i) for i, sequence in enumerate(as_sequences(sequences))]
    return np.array([_complement(text) for text in texts], dtype=str)


#: what `str.translate` takes
_TABLE = {i: code for i, code in enumerate(COMPLEMENTS) if code != i}


def _complement(sequence: str) -> str:
    """Return one sequence's other strand."""
    return sequence.translate(_TABLE)[::-1]

"""Letters that no channel stands for: which are to be expected, which are a mistake."""

import numpy as np

from sknn._saved import saved
from sknn.exceptions import warn_user
from sknn.preprocessing.sequences._alphabet import IUPAC, is_nucleic
from sknn.preprocessing.sequences._bytes import PAD, as_string

#: from so many letters on, sequences whose letters mostly mean nothing are refused
ENOUGH_LETTERS = 20
#: share of rare codes (IUPAC's for several bases, a protein's B, J, O, U and Z) without a warning
RARE_SHARE = 0.01
#: gaps of alignments, and the end of a protein
GAPS = "-.*"
#: letters that a protein may have beside the twenty
RARE_AMINO_ACIDS = "BJOUZ"
#: letters of a sequence that is no protein, whatever the alphabet says
BASES = "ACGTUN"
#: from so many letters on, bases alone under an alphabet of proteins are no coincidence
ENOUGH_BASES = 100


def find_expected_codes(alphabet: str) -> tuple[np.ndarray, np.ndarray]:
    """Return which unknown codes are silent, and which are if they are rare: two of bool (256,)."""
    # N and X say "unknown" themselves, so that reading them as such loses nothing.
    silent, rare = np.zeros((2, 256), bool)
    anything, some = ("N", "".join(IUPAC)) if is_nucleic(alphabet) else ("X", RARE_AMINO_ACIDS)
    silent[[PAD, *map(ord, GAPS + anything)]] = True
    rare[[*map(ord, some)]] = True
    return silent, rare & ~silent


@saved
class LetterCheck:
    """Looks through the letters of sequences for those that no channel stands for.

    Parameters
    ----------
    alphabet : str
        Letters of the channels.
    known : ndarray of bool of shape (256,)
        Whether each code has a meaning.
    """

    def __init__(self, alphabet: str, known: np.ndarray):
        self.alphabet, self.known = alphabet, known
        self._silent, self._rare = find_expected_codes(alphabet)

    def refuse(self, codes: np.ndarray, sequences: list | np.ndarray, is_cut_left: bool) -> None:
        """Raise ValueError for the first letter without a meaning.

        Shapes: codes of uint8 (n_samples, length), and the n_samples sequences they came from.
        """
        known = self.known[codes]
        if known.all():
            return
        i = int(np.flatnonzero(~known.all(axis=1))[0])
        sequence = as_string(sequences[i], i)
        start = max(0, len(sequence) - codes.shape[1]) if is_cut_left else 0
        letters = {chr(code) for code in np.flatnonzero(self.known)}
        place = next(j for j in range(start, len(sequence)) if sequence[j].upper() not in letters)
        raise ValueError(
            f"Sequence {i} has {sequence[place]!r} at position {place}, counted from 0, which "
            f"is not in the alphabet {self.alphabet!r}. Remove it, or set "
            "handle_unknown='ignore'."
        )

    def warn(self, codes: np.ndarray) -> None:
        """Warn of letters that are lost, or raise ValueError if that is most of them."""
        counts = count_codes(codes)
        counts[self._silent & ~self.known] = 0
        counts[PAD] = 0
        total, lost = counts.sum(), counts * ~self.known
        if lost.sum() > total / 2 and total >= ENOUGH_LETTERS:
            raise ValueError(
                f"Most letters of X ({lost.sum() / total:.0%}) are not in the alphabet "
                f"{self.alphabet!r}: {name_letters(lost)}. Set alphabet to the letters of X, such "
                "as 'dna', 'rna' or 'protein'."
            )
        if lost[~self._rare].any() or lost.sum() > RARE_SHARE * total:
            codes_of_several = ", or unknown='iupac' for the codes of several bases"
            warn_user(
                f"X has letters that are not in the alphabet {self.alphabet!r} and are read as "
                f"unknown ({lost.sum() / total:.2g} of all): {name_letters(lost)}. Set alphabet "
                f"to the letters of X{codes_of_several if self._rare[ord('R')] else ''}.",
            )
        self._warn_of_bases(counts)

    def _warn_of_bases(self, counts: np.ndarray) -> None:
        """Warn of DNA or RNA under an alphabet that has the bases and many letters more."""
        # A, C, G and T are amino acids, too: 100 letters of a protein that are all among five or
        # six of twenty do not happen by chance.
        many = set("ACGT") < set(self.alphabet) and len(self.alphabet) >= 2 * len(BASES)
        present = {chr(code) for code in np.flatnonzero(counts)}
        if many and present <= set(BASES) and counts.sum() >= ENOUGH_BASES:
            warn_user(
                f"X has the letters {''.join(sorted(present))!r} alone, which are bases, but its "
                f"alphabet is {self.alphabet!r}. Set alphabet='dna' or 'rna' if X holds no "
                "proteins.",
            )


def count_codes(codes: np.ndarray) -> np.ndarray:
    """Return how often each of the 256 codes occurs, a million at a time to save memory."""
    flat = codes.reshape(-1)
    counts = np.zeros(256, np.int64)
    for start in range(0, len(flat), 2**20):
        counts += np.bincount(flat[start : start + 2**20], minlength=256)
    return counts


def name_letters(counts: np.ndarray) -> str:
    """Return the most frequent letters with their counts; '?' is what is not ASCII."""
    order = np.argsort(-counts, kind="stable")
    named = [f"{chr(code)!r} ({counts[code]} times)" for code in order[:5] if counts[code]]
    n_more = np.count_nonzero(counts) - len(named)
    return ", ".join(named) + (f" and {n_more} more" if n_more > 0 else "")


def warn_if_cut(lengths: np.ndarray, length: int, side: str) -> None:
    """Warn, once for all of them, of sequences with more positions than there were in fit."""
    n_longer = int((lengths > length).sum())
    if n_longer:
        warn_user(
            f"{n_longer} of {len(lengths)} sequences have more than the {length} positions of the "
            f"longest in fit (up to {lengths.max()}) and are cut at the {side}. Set length to "
            "choose how many are read.",
        )

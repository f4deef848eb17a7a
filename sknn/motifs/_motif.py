"""A sequence motif: how often each letter stands at each position."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sknn._optional import require
from sknn._saved import saved

#: bases -> the IUPAC code that stands for two of them
PAIRS = {"AG": "R", "CT": "Y", "CG": "S", "AT": "W", "GT": "K", "AC": "M"}


@saved
@dataclass(frozen=True, eq=False)
class Motif:
    """A motif as counts of letters at each position [1]_.

    Attributes
    ----------
    name : str
        Name of the motif, such as ``'filter_12'``.
    pfm : ndarray of shape (width, n_letters)
        Position frequency matrix: number of sites that have a letter at a position.
    n_sites : int
        Number of sites that were counted.
    pseudocount : float, default=1.0
        Pseudocount that is added to each count in probabilities.
    importance : float or None, default=None
        Importance to the network, see `SequenceCNNClassifier.filter_importance`.
    alphabet : str, default='ACGT'
        The letters.

    References
    ----------
    .. [1] W. W. Wasserman and A. Sandelin, "Applied bioinformatics for the identification of
       regulatory elements", Nature Reviews Genetics 5, 2004, doi:10.1038/nrg1315.
    .. [2] D. R. Cavener, "Comparison of the consensus sequence flanking translational start sites
       in Drosophila and vertebrates", Nucleic Acids Research 15, 1987, doi:10.1093/nar/15.4.1353.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.motifs import Motif
    >>> motif = Motif("tata", np.array([[0, 0, 0, 20], [19, 0, 0, 1], [1, 0, 0, 19]]), 20)
    >>> motif
    <Motif 'tata': TAT, 3.5 bits, 20 sites>
    >>> motif.consensus
    'TAT'
    >>> round(motif.information_content, 1)
    3.5
    """

    name: str
    pfm: np.ndarray
    n_sites: int
    pseudocount: float = 1.0
    importance: float | None = None
    alphabet: str = "ACGT"

    def __post_init__(self):
        pfm = np.array(self.pfm, dtype=float)
        if pfm.ndim != 2 or pfm.shape[1] != len(self.alphabet) or len(pfm) == 0:
            raise ValueError(
                f"pfm must have shape (width, {len(self.alphabet)}), a column for each letter of "
                f"{self.alphabet!r}; got shape {pfm.shape}."
            )
        if not np.isfinite(pfm).all() or pfm.min() < 0:
            raise ValueError(f"pfm must hold counts, 0 or more; the smallest is {pfm.min()!r}.")
        object.__setattr__(self, "pfm", pfm)

    def __repr__(self) -> str:
        """Return the name and what the motif looks like, in place of all counts."""
        bits = f"{self.information_content:.1f} bits"
        return f"<Motif {self.name!r}: {self.consensus}, {bits}, {self.n_sites} sites>"

    @property
    def ppm(self) -> np.ndarray:
        """Position probability matrix of shape (width, n_letters), with the pseudocount."""
        # A letter that no site has is rare, not impossible: with a pseudocount of 1 it is as if one
        # more site of each letter had been seen, and no logarithm is infinite.
        counts = self.pfm + self.pseudocount
        totals = counts.sum(axis=1, keepdims=True)
        return np.divide(
            counts, totals, out=np.full_like(counts, 1 / counts.shape[1]), where=totals > 0
        )

    @property
    def information(self) -> np.ndarray:
        """Information of each position in bits, of shape (width,), over equally likely letters."""
        ppm = self.ppm
        # Entropy log2(n) of equal letters minus that of the position, -sum p log2 p.
        logs = np.log2(ppm, out=np.zeros_like(ppm), where=ppm > 0)
        return np.log2(ppm.shape[1]) + (ppm * logs).sum(axis=1)

    @property
    def information_content(self) -> float:
        """Information of the whole motif in bits."""
        return float(self.information.sum())

    @property
    def consensus(self) -> str:
        """The most frequent letters; for bases an IUPAC code where there is no clear one.

        A base stands alone if it has more than half of the counts and twice the next one's, two
        have their code if they make up more than three quarters, and all else is N, as Cavener
        (1987) counts. For other alphabets a letter stands if it has more than half, and else X.
        """
        return "".join(map(self._choose_letter, self.ppm))

    def _choose_letter(self, shares: np.ndarray) -> str:
        """Return the letter or code for probabilities of shape (n_letters,)."""
        first, second = np.argsort(-shares, kind="stable")[:2]
        nucleic = set(self.alphabet) in ({*"ACGT"}, {*"ACGU"})
        if shares[first] > 0.5 and (shares[first] > 2 * shares[second] or not nucleic):
            return self.alphabet[first]
        if not nucleic:
            return "X"
        if shares[first] + shares[second] > 0.75:
            pair = sorted(self.alphabet[i].replace("U", "T") for i in (first, second))
            return PAIRS["".join(pair)]
        return "N"

    def to_pwm(self, background: ArrayLike | None = None) -> np.ndarray:
        """Return the position weight matrix: log2 of probability over background.

        Parameters
        ----------
        background : array-like of shape (n_letters,), default=None
            Probabilities of the letters outside motifs; None makes them equal.

        Returns
        -------
        ndarray of shape (width, n_letters)
            Weights in bits; minus infinity where a probability is 0, which needs ``pseudocount=0``.

        Raises
        ------
        ValueError
            If the background is not one positive number for each letter, summing to 1.
        """
        n_letters = len(self.alphabet)
        shares = np.full(n_letters, 1 / n_letters) if background is None else np.array(background)
        if shares.shape != (n_letters,) or shares.min() <= 0 or not np.isclose(shares.sum(), 1):
            raise ValueError(
                f"background must be {n_letters} positive numbers that sum to 1, in the order "
                f"{self.alphabet!r}; got {background!r}."
            )
        with np.errstate(divide="ignore"):
            # The sum over a site is the log-likelihood ratio of the motif against the background.
            return np.log2(self.ppm / shares)

    def trimmed(self, bits: float) -> "Motif":
        """Return the motif without positions of little information at its ends.

        Parameters
        ----------
        bits : float
            Information below which positions at both ends are cut off; the best one always stays.

        Returns
        -------
        Motif
        """
        information = self.information
        kept = np.flatnonzero(information >= min(bits, information.max()))
        return self._replace_counts(self.pfm[kept[0] : kept[-1] + 1])

    def reverse_complement(self) -> "Motif":
        """Return the motif as it stands on the other strand of DNA or RNA.

        Returns
        -------
        Motif

        Raises
        ------
        ValueError
            If the alphabet's order is not that of its complement turned round, as ACGT's is.
        """
        if self.alphabet not in ("ACGT", "ACGU"):
            raise ValueError(
                f"Only motifs over 'ACGT' or 'ACGU' have another strand; got {self.alphabet!r}."
            )
        # Backwards, and with the letters of ACGT in the opposite order, which is A-T, C-G.
        return self._replace_counts(self.pfm[::-1, ::-1])

    def _replace_counts(self, pfm: np.ndarray) -> "Motif":
        """Return the motif with other counts, of shape (width, n_letters)."""
        return Motif(self.name, pfm, self.n_sites, self.pseudocount, self.importance, self.alphabet)

    def to_meme(self) -> str:
        """Return the motif as the text of a file in MEME's minimal format.

        Returns
        -------
        str
            See `sknn.motifs.write_motifs` for several in a file.
        """
        share = 1 / len(self.alphabet)
        background = " ".join(f"{letter} {share:.5g}" for letter in self.alphabet)
        strands = "strands: + -\n\n" if self.alphabet == "ACGT" else ""
        header = (
            f"MEME version 4\n\nALPHABET= {self.alphabet}\n\n{strands}"
            f"Background letter frequencies\n{background}\n\n"
        )
        return header + self.meme_block()

    def meme_block(self) -> str:
        """Return the block of the motif in MEME's format, without the file's header."""
        rows = "\n".join(" ".join(map(_write_number, shares)) for shares in self.ppm.tolist())
        return (
            f"MOTIF {self.name}\nletter-probability matrix: alength= {len(self.alphabet)} "
            f"w= {len(self.pfm)} nsites= {self.n_sites} E= 0\n{rows}\n\n"
        )

    def to_jaspar(self) -> str:
        """Return the counts as text in JASPAR's format.

        Returns
        -------
        str
        """
        lines = [
            f"{letter}  [ {' '.join(map(_write_number, counts))} ]"
            for letter, counts in zip(self.alphabet, self.pfm.T.tolist(), strict=True)
        ]
        return "\n".join([f">{self.name}", *lines, ""])

    def to_biopython(self) -> Any:
        """Return the motif as an object of Biopython.

        Returns
        -------
        Bio.motifs.Motif
            Motif with the same counts, pseudocount and name.

        Raises
        ------
        OptionalDependencyError
            If Biopython is not installed.
        """
        motifs = require("Bio.motifs", "Motif.to_biopython")
        counts = dict(zip(self.alphabet, self.pfm.T.tolist(), strict=True))
        motif = motifs.Motif(alphabet=self.alphabet, counts=counts)
        motif.name = self.name
        motif.pseudocounts = self.pseudocount
        return motif


def _write_number(count: float) -> str:
    """Return the shortest text that is read back as the same number."""
    return str(int(count)) if count.is_integer() and count < 1e15 else repr(count)


def sort_by_importance(motifs: Sequence[Motif]) -> list[Motif]:
    """Return the most important motifs first; unsorted where an importance is not known."""
    # Pairs with the place sort as a stable descending sort does, without comparing motifs.
    keys = [(-m.importance, i) for i, m in enumerate(motifs) if m.importance is not None]
    known = len(keys) == len(motifs)
    return [motifs[i] for _, i in sorted(keys)] if known else list(motifs)

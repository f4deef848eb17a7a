"""Motifs that are one, found by several filters, on either strand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sknn.motifs._motif import Motif, sort_by_importance

#: share of the sites at the best position that the outer positions of a merged motif must have
MIN_SUPPORT = 0.25
#: share of the information of the weaker motif that two must keep together: two vague ones agree at
#: some shift in their one clear letter, and would be smeared into nothing but that
MIN_KEPT = 0.75


def merge_motifs(motifs: Sequence[Motif], min_similarity: float = 0.7) -> list[Motif]:
    """Merge motifs that are the same, shifted, or each other's reverse complement.

    Several filters learn one motif, or its beginning and its end. A motif joins the first of the
    merged ones before it that it is similar to, aligned as it fits best, and its counts are added
    there. The similarity is the cosine between two matrices of probabilities minus the background,
    positions weighted by their information, over the best shift; positions that only one of them
    has count as no agreement, so that a short motif is not lost in a long one.

    Parameters
    ----------
    motifs : sequence of Motif
        Motifs over one alphabet, the most important first.
    min_similarity : float, default=0.7
        Smallest similarity, in (0, 1].

    Returns
    -------
    list of Motif
        Merged motifs, each with the name of the first of its group, and the sums of sites and
        importances; in the order of importance if that is known.

    Raises
    ------
    ValueError
        If `min_similarity` is out of range, or there are several alphabets.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.motifs import Motif, merge_motifs
    >>> box = np.eye(4)[[0, 0, 1, 2, 3, 2]] * 20  # AACGTG
    >>> first, second = Motif("first", box, 20), Motif("second", box[1:], 20)
    >>> merged = merge_motifs([first, second.reverse_complement()])
    >>> [(motif.name, motif.consensus, motif.n_sites) for motif in merged]
    [('first', 'AACGTG', 40)]
    """
    if not 0 < min_similarity <= 1:
        raise ValueError(f"min_similarity must be in (0, 1]; got {min_similarity!r}.")
    alphabets = sorted({motif.alphabet for motif in motifs})
    if len(alphabets) > 1:
        raise ValueError(f"Motifs are merged over one alphabet; got {alphabets}.")
    merged: list[Motif] = []
    for motif in motifs:
        for i, other in enumerate(merged):
            found = align_motifs(other, motif)
            if found.similarity < min_similarity:
                continue
            both = add_counts(other, motif, found)
            weaker = min(other.information_content, motif.information_content)
            if both.information_content >= MIN_KEPT * weaker:
                merged[i] = both
                break
        else:
            merged.append(motif)
    return sort_by_importance(merged)


@dataclass(frozen=True)
class Alignment:
    """Alignment of one motif with another.

    Attributes
    ----------
    similarity : float
        Similarity, in [-1, 1].
    shift : int
        Position of the first one at which the second begins.
    is_reverse : bool
        Whether the second is read on the other strand.
    """

    similarity: float
    shift: int
    is_reverse: bool


def align_motifs(first: Motif, second: Motif) -> Alignment:
    """Return the shift and strand at which two motifs are most similar."""
    strands = [second]
    if second.alphabet in ("ACGT", "ACGU"):
        strands.append(second.reverse_complement())
    found = []
    for is_reverse, motif in enumerate(strands):
        products = weigh(first) @ weigh(motif).T  # agreement of each pair of positions
        # Shift s pairs position i of the first with i - s of the second: a diagonal of products.
        for shift in range(1 - products.shape[1], products.shape[0]):
            similarity = float(np.trace(products, offset=-shift))
            found.append(Alignment(similarity, shift, bool(is_reverse)))
    return max(found, key=lambda alignment: alignment.similarity)


def weigh(motif: Motif) -> np.ndarray:
    """Return what is specific at each position, (width, n_letters), of norm 1, by information."""
    # Multiplied by the information, positions without a preference do not count.
    # The trace of a diagonal of A B^T is then a cosine over the positions that overlap: at most 1,
    # and reached by equal motifs without a shift.
    specific = (motif.ppm - 1 / len(motif.alphabet)) * motif.information[:, None]
    return specific / max(float(np.linalg.norm(specific)), 1e-12)


def add_counts(first: Motif, second: Motif, where: Alignment) -> Motif:
    """Return the first motif with the counts of the second, as wide as both together."""
    second = second.reverse_complement() if where.is_reverse else second
    start = min(where.shift, 0)
    width = max(len(first.pfm), where.shift + len(second.pfm)) - start
    counts = np.zeros((width, first.pfm.shape[1]))
    for motif, at in ((first, -start), (second, where.shift - start)):
        counts[at : at + len(motif.pfm)] += motif.pfm
    # Beyond where most sites reach, a few of them would spell letters that belong to no motif.
    support = counts.sum(axis=1)
    kept = np.flatnonzero(support >= MIN_SUPPORT * support.max())
    counts = counts[kept[0] : kept[-1] + 1]
    importance = first.importance
    if importance is not None and second.importance is not None:
        importance += second.importance
    n_sites = first.n_sites + second.n_sites
    return replace(first, pfm=counts, n_sites=n_sites, importance=importance)

"""Regions to compare with: as long as given ones, and as rich in G and C."""

import os
from bisect import bisect_left, insort
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from sknn._validation import make_local_random_state
from sknn.preprocessing import Genome, Regions

if TYPE_CHECKING:
    import pandas as pd

#: number of random places that are tried for each one that is chosen
CANDIDATES = 20
#: largest share of unknown bases in a chosen region
MAX_UNKNOWN = 0.1


def matched_negatives(
    regions: ArrayLike | os.PathLike,
    fasta: str | os.PathLike,
    *,
    n_per_region: int = 1,
    exclude: ArrayLike | os.PathLike | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> "pd.DataFrame":
    """Return random regions of a genome with the lengths and shares of G and C of given ones.

    Peaks are richer in G and C than the rest of a genome, so that with random negatives a network
    learns little else [1]_. For negatives that keep pairs of neighbours and no motif, see
    `sknn.preprocessing.dinucleotide_shuffle`.

    Parameters
    ----------
    regions : str, path-like, data frame or array-like of shape (n_regions, 3) or (n_regions, 4)
        Positive regions, or their BED file.
    fasta : str or path-like
        Genome in FASTA, plain or packed by bgzip; an index is written beside it.
    n_per_region : int, default=1
        Number of negatives for each positive region.
    exclude : str, path-like, data frame or array-like, default=None
        Regions that negatives must not overlap, beside `regions`.
    random_state : int, RandomState instance or None, default=None
        An int gives the same regions each time. NumPy's global generator is never used.

    Returns
    -------
    DataFrame of ``n_regions * n_per_region`` rows
        ``'chrom'``, ``'start'``, ``'end'``, ``'strand'`` (of the positive), and ``'gc'``; in the
        order of the positives. No two overlap.

    Raises
    ------
    OptionalDependencyError
        If pyfaidx is not installed.
    ValueError
        If the genome is too small for so many regions, or `n_per_region` is not positive.

    References
    ----------
    .. [1] M. Ghandi, D. Lee, M. Mohammad-Noori and M. A. Beer, "Enhanced regulatory sequence
       prediction using gapped k-mer features", PLoS Computational Biology 10, 2014,
       doi:10.1371/journal.pcbi.1003711.
    """
    import pandas as pd

    if n_per_region < 1:
        raise ValueError(f"n_per_region must be 1 or more; got {n_per_region!r}.")
    random_state = make_local_random_state(random_state)
    positives = Regions.of(regions)
    taken = Occupied(positives)
    if exclude is not None:
        taken.add_all(Regions.of(exclude))
    rows: list[tuple | None] = [None] * (len(positives.chrom) * n_per_region)
    with Genome(fasta) as genome:
        lengths = positives.end - positives.start
        for length in np.unique(lengths):
            asked = np.repeat(np.flatnonzero(lengths == length), n_per_region)
            gc = [
                share_gc(genome.fetch(positives.chrom[i], positives.start[i], positives.end[i]))[0]
                for i in asked
            ]
            places = draw_places(genome, int(length), len(asked) * CANDIDATES, random_state)
            chosen = choose_nearest(np.array(gc), places, int(length), taken)
            slots = asked * n_per_region + np.arange(len(asked)) % n_per_region
            for slot, i, place in zip(slots, asked, chosen, strict=True):
                chrom, start, share = place
                rows[slot] = (chrom, start, start + int(length), positives.strand[i], share)
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "strand", "gc"])


def share_gc(sequence: str) -> tuple[float, float]:
    """Return the share of G and C among known bases, and that of unknown bases."""
    upper = sequence.upper()
    gc, at = (sum(map(upper.count, bases)) for bases in ("GC", "ATU"))
    return gc / max(gc + at, 1), 1 - (gc + at) / len(upper)


def draw_places(
    genome: Genome, length: int, n_places: int, random_state: np.random.RandomState
) -> list[tuple[str, int, float]]:
    """Return random places of a genome with few unknown bases: chromosome, start, share of GC."""
    names = [name for name, size in genome.lengths.items() if size >= length]
    if not names:
        raise ValueError(
            f"{genome.path!r} has no chromosome of {length} bases, the length of a region."
        )
    # Each start in the genome is as likely as any other: a chromosome by its number of starts, and
    # a place in it evenly.
    room = np.array([genome.lengths[name] - length + 1 for name in names], dtype=float)
    drawn = random_state.choice(len(names), size=n_places, p=room / room.sum())
    places = []
    for i, fraction in zip(drawn, random_state.random_sample(n_places), strict=True):
        start = int(fraction * room[i])
        share, unknown = share_gc(genome.fetch(names[i], start, start + length))
        if unknown <= MAX_UNKNOWN:
            places.append((names[i], start, share))
    return places


def choose_nearest(
    gc: np.ndarray, places: list[tuple[str, int, float]], length: int, taken: "Occupied"
) -> list[tuple[str, int, float]]:
    """Return a free place for each target share of GC, the nearest to it; marks them as taken."""
    # Those that are left, by their share: what is nearest stands beside where the target would.
    left = sorted(places, key=lambda place: place[2])
    shares = [share for _, _, share in left]
    chosen = []
    for target in gc:
        at = bisect_left(shares, target)
        while left:
            is_below = at == len(left) or (at > 0 and target - shares[at - 1] < shares[at] - target)
            at -= is_below
            place = left.pop(at)
            del shares[at]
            if taken.add(place[0], place[1], place[1] + length):
                chosen.append(place)
                break
    if len(chosen) < len(gc):
        raise ValueError(
            f"The genome has free places for {len(chosen)} of {len(gc)} regions of {length} bases. "
            "Lower n_per_region, or exclude less."
        )
    return chosen


class Occupied:
    """Places of a genome that are taken, in a sorted list for each chromosome."""

    def __init__(self, regions: Regions):
        self._places: dict[str, list[tuple[int, int]]] = {}
        self.add_all(regions)

    def add_all(self, regions: Regions) -> None:
        """Take regions, whether or not they overlap."""
        for chrom, start, end in zip(regions.chrom, regions.start, regions.end, strict=True):
            insort(self._places.setdefault(chrom, []), (int(start), int(end)))
        self._longest = int((regions.end - regions.start).max(initial=getattr(self, "_longest", 1)))

    def add(self, chrom: str, start: int, end: int) -> bool:
        """Take a place if it is free, and return whether it was."""
        places = self._places.setdefault(chrom, [])
        at = bisect_left(places, (end, 0))  # those before it begin before the end
        # Places are sorted by their start. One that begins more than the longest place before this
        # start has ended before it, so that the search back can stop there.
        while at > 0 and places[at - 1][0] > start - self._longest:
            at -= 1
            if places[at][1] > start:
                return False
        insort(places, (start, end))
        return True

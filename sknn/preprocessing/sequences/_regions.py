"""Regions of a genome: read from BED files and data frames, and turned into sequences."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin

from sknn._files import read_lines
from sknn._saved import SavedState, saved
from sknn._sklearn import Interval, fit_context
from sknn._validation import NamedColumns
from sknn.exceptions import warn_user
from sknn.preprocessing.sequences._alphabet import reverse_complement
from sknn.preprocessing.sequences._genome import Genome

if TYPE_CHECKING:
    import pandas as pd

#: columns of BED files in their order; those of narrowPeak take the place of the last ones
BED_COLUMNS = ["chrom", "start", "end", "name", "score", "strand"]
BED_REST = ["thick_start", "thick_end", "rgb", "block_count", "block_sizes", "block_starts"]
NARROW_PEAK_REST = ["signal_value", "p_value", "q_value", "peak"]


@saved
@dataclass(frozen=True)
class Regions:
    """Places in a genome, counted from 0, the end not included, as in BED files.

    Attributes
    ----------
    chrom : ndarray of str objects of shape (n_regions,)
        Names of the chromosomes.
    start, end : ndarray of int64 of shape (n_regions,)
        First base, and the one after the last.
    strand : ndarray of str objects of shape (n_regions,)
        Strands; ``'-'`` is the reverse one.
    """

    chrom: np.ndarray
    start: np.ndarray
    end: np.ndarray
    strand: np.ndarray

    @classmethod
    def of(cls, table: ArrayLike | NamedColumns | os.PathLike) -> "Regions":
        """Read a data frame with columns of these names, rows of 3 or 4 values, or a BED file.

        Raises
        ------
        ValueError
            If there are no such columns, no whole numbers, or an end is not after its start.
        """
        if isinstance(table, str | os.PathLike):
            table = read_bed(table)
        if not isinstance(table, NamedColumns):
            array = np.asarray(table, dtype=object)
            shapes = {np.shape(row) for row in array} if array.ndim else set()
            if shapes not in ({(3,)}, {(4,)}):
                raise ValueError(
                    "Regions are a data frame with columns 'chrom', 'start' and 'end', or rows of "
                    f"these three values and a strand; got {table!r:.80}."
                )
            columns = zip(*map(tuple, array), strict=True)
            found = dict(zip([*BED_COLUMNS[:3], "strand"], columns, strict=False))
        else:
            names = list(table.columns)
            missing = [name for name in BED_COLUMNS[:3] if name not in names]
            if missing:
                raise ValueError(
                    f"Regions need columns 'chrom', 'start' and 'end'; {missing} are missing among "
                    f"{list(map(str, names))}. Rename the columns."
                )
            present = [name for name in [*BED_COLUMNS[:3], "strand"] if name in names]
            found = {name: tuple(np.asarray(table[name], dtype=object)) for name in present}
        chrom = np.array([str(name) for name in found["chrom"]], dtype=object)
        signs = found.get("strand", ["."] * len(chrom))
        strand = np.array([str(s) if isinstance(s, str) else "." for s in signs], dtype=object)
        start, end = (as_whole(found[name], name) for name in ("start", "end"))
        return cls(chrom, start, end, strand)._checked()

    def _checked(self) -> "Regions":
        """Return these regions, or raise ValueError for the first impossible one."""
        wrong = np.flatnonzero(self.end <= self.start)
        if len(wrong):
            i = int(wrong[0])
            raise ValueError(
                f"Region {i} ends at {self.end[i]}, not after its start {self.start[i]}. The end "
                "is the first base that does not belong to it."
            )
        unknown = [i for i, sign in enumerate(self.strand) if sign not in "+-."]
        if unknown:
            raise ValueError(
                f"Region {unknown[0]} has the strand {self.strand[unknown[0]]!r}; expected '+', "
                "'-' or '.'."
            )
        return self

    def resized(self, width: int | None) -> "Regions":
        """Return regions of one width around the same middles; None leaves them as they are."""
        if width is None:
            return self
        start = (self.start + self.end) // 2 - width // 2
        return Regions(self.chrom, start, start + width, self.strand)

    def sequences(self, fasta: str | os.PathLike, mask_lower: bool = False) -> np.ndarray:
        """Return the bases of each region, read on its strand, as str objects of (n_regions,)."""
        found = np.empty(len(self.chrom), dtype=object)
        with Genome(fasta) as genome:
            places = zip(self.chrom, self.start.tolist(), self.end.tolist(), strict=True)
            for i, (chrom, start, end) in enumerate(places):
                if start >= genome.lengths.get(chrom, end) or end <= 0:
                    raise ValueError(
                        f"Region {i} ({chrom}:{start}-{end}) lies outside of its chromosome, which "
                        f"has {genome.lengths[chrom]} bases. Is this another assembly?"
                    )
                bases = genome.fetch(chrom, start, end)
                bases = re.sub("[a-z]", "N", bases) if mask_lower else bases
                found[i] = reverse_complement(bases) if self.strand[i] == "-" else bases
        return found


def as_whole(values: Iterable, name: str) -> np.ndarray:
    """Return whole numbers as int64, or raise ValueError for what is none."""
    values = list(values)
    for i, value in enumerate(values):
        if not isinstance(value, Integral) and not str(value).lstrip("-").isdecimal():
            whole = isinstance(value, float) and value.is_integer()
            if not whole:
                raise ValueError(f"{name!r} of region {i} is {value!r}; expected a whole number.")
    return np.array([int(value) for value in values], dtype=np.int64)


def read_bed(path: str | os.PathLike) -> "pd.DataFrame":
    r"""Read regions from a BED or narrowPeak file.

    Parameters
    ----------
    path : str or path-like
        BED file, plain or gz. Lines of 'track' and 'browser', and comments, are skipped.

    Returns
    -------
    DataFrame of n_regions rows
        ``'chrom'``, ``'start'`` and ``'end'`` (counted from 0, the end not included), and as many
        of ``'name'``, ``'score'``, ``'strand'`` and BED's or narrowPeak's further columns as there
        are. Scores and the measures of narrowPeak are numbers.

    Raises
    ------
    ValueError
        If a line has fewer than three columns or others than the first one, or a place is no whole
        number; the line is named.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from sknn.preprocessing import read_bed
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "peaks.bed"
    ...     _ = path.write_text("chr1\t10\t60\tpeak_1\t7.5\t-\n")
    ...     regions = read_bed(path)
    >>> regions.to_dict("records")
    [{'chrom': 'chr1', 'start': 10, 'end': 60, 'name': 'peak_1', 'score': 7.5, 'strand': '-'}]
    """
    import pandas as pd

    rows: list[list[str]] = []
    for number, line in read_lines(path):
        cells = line.rstrip("\r\n").split("\t" if "\t" in line else None)
        if not line.strip() or re.match(r"#|(track|browser)\s", line):
            continue
        n_columns = len(rows[0]) if rows else len(cells)
        whole = [cell.isdecimal() for cell in cells[1:3]]
        if len(cells) < 3 or len(cells) != n_columns or not all(whole):
            raise ValueError(
                f"Line {number} of {str(path)!r} is {line[:60]!r}; expected "
                f"{max(n_columns, 3)} columns, of which the second and third are whole numbers. "
                "Begin a line of names with '#'."
            )
        rows.append(cells)
    if not rows:
        raise ValueError(f"{str(path)!r} has no region; a BED file has lines 'chrom start end'.")
    is_peaks = ".narrowpeak" in str(path).lower()
    names = BED_COLUMNS + (NARROW_PEAK_REST if is_peaks else BED_REST)
    names += [f"column_{i}" for i in range(len(names), len(rows[0]))]
    table = pd.DataFrame(rows, columns=names[: len(rows[0])])
    numbers = ["score", *NARROW_PEAK_REST]
    for name in table.columns.intersection(["start", "end", *numbers]):
        kind = "int64" if name in ("start", "end") else "float64"
        table[name] = pd.to_numeric(table[name].mask(table[name] == ".")).astype(kind)
    return table


def read_regions(
    fasta: str | os.PathLike,
    bed: "str | os.PathLike | pd.DataFrame | ArrayLike",
    width: int | None = None,
    *,
    mask_lower: bool = False,
    max_unknown: float = 0.5,
) -> tuple["pd.DataFrame", np.ndarray]:
    r"""Read the sequences of regions from a genome.

    Parameters
    ----------
    fasta : str or path-like
        Genome in FASTA, plain or packed by bgzip; an index is written beside it.
    bed : str, path-like, data frame or array-like of shape (n_regions, 3) or (n_regions, 4)
        Regions as a BED file, as `read_bed` returns them, or rows of chromosome, start, end and
        perhaps strand.
    width : int, default=None
        Number of bases around the middle of each region; None takes the regions as they are.
        Bases beyond the ends of a chromosome are N.
    mask_lower : bool, default=False
        Whether soft-masked bases (repeats, in lower case) become N.
    max_unknown : float, default=0.5
        Regions with a larger share of N are left out, with a warning.

    Returns
    -------
    regions : DataFrame of n_regions rows
        Regions of `bed`, with the places that were read and an index from 0; other columns may be
        targets.
    sequences : ndarray of str objects of shape (n_regions,)
        Bases of the regions; the reverse complement for the strand ``'-'``.

    Raises
    ------
    OptionalDependencyError
        If pyfaidx is not installed.
    ValueError
        If a file is not as described, or a region is not in the genome.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from sknn.preprocessing import read_regions
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fasta, bed = pathlib.Path(folder) / "toy.fa", pathlib.Path(folder) / "toy.bed"
    ...     _ = fasta.write_text(">chr1\nAACCGGTTAACC\n")
    ...     _ = bed.write_text("chr1\t2\t6\tone\t1\t+\nchr1\t9\t11\ttwo\t0\t-\n")
    ...     regions, sequences = read_regions(fasta, bed, width=6)
    >>> sequences.tolist(), regions["score"].tolist()
    (['ACCGGT', 'NGGTTA'], [1.0, 0.0])
    """
    table = read_bed(bed) if isinstance(bed, str | os.PathLike) else copy_frame(bed)
    regions = Regions.of(table).resized(width)
    sequences = regions.sequences(fasta, mask_lower)
    table["start"], table["end"] = regions.start, regions.end
    shares = np.array([sequence.upper().count("N") / len(sequence) for sequence in sequences])
    kept = shares <= max_unknown
    if not kept.all():
        warn_user(
            f"{(~kept).sum()} of {len(kept)} regions are left out, as more than {max_unknown:.0%} "
            "of their bases are unknown. Set max_unknown=1 to keep them."
        )
    return table[kept].reset_index(drop=True), sequences[kept]


def copy_frame(table: "pd.DataFrame | NamedColumns | ArrayLike") -> "pd.DataFrame":
    """Return a copy of a data frame, or rows of regions, as a frame of pandas."""
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        return table.copy()
    if isinstance(table, NamedColumns):
        return pd.DataFrame({str(name): np.asarray(table[name]) for name in table.columns})
    places = Regions.of(table)
    return pd.DataFrame({name: getattr(places, name) for name in [*BED_COLUMNS[:3], "strand"]})


class RegionsToSequences(SavedState, TransformerMixin, BaseEstimator):
    r"""Turn places in a genome into their sequences, as a step before a network for sequences.

    X is a data frame with columns ``'chrom'``, ``'start'``, ``'end'`` and perhaps ``'strand'``, as
    `read_bed` returns it, or rows of these values. The file is opened for each call, so that the
    step can be copied, pickled and sent to workers.

    Parameters
    ----------
    fasta : str or path-like
        Genome in FASTA, plain or packed by bgzip; an index is written beside it.
    width : int, default=None
        Number of bases around the middle of each region; None takes the regions as they are.
        Bases beyond the ends of a chromosome are N.
    mask_lower : bool, default=False
        Whether soft-masked bases (repeats, in lower case) become N.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns of X in `fit`.

    See Also
    --------
    read_regions : Sequences of a BED file, without regions that are mostly unknown.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from sknn.genomics import RegionsToSequences
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fasta = pathlib.Path(folder) / "toy.fa"
    ...     _ = fasta.write_text(">chr1\nAACCGGTTAACC\n")
    ...     RegionsToSequences(fasta, width=4).fit_transform([("chr1", 4, 6, "+")])
    array(['CGGT'], dtype=object)
    """

    _parameter_constraints = {  # noqa: RUF012 - as scikit-learn has it
        "fasta": [str, os.PathLike],
        "width": [Interval(Integral, 1, None, closed="left"), None],
        "mask_lower": ["boolean"],
    }

    def __init__(self, fasta, *, width=None, mask_lower=False):
        self.fasta = fasta
        self.width = width
        self.mask_lower = mask_lower

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: object = None) -> "RegionsToSequences":
        """Check the regions; nothing is learned from them.

        Parameters
        ----------
        X : data frame, or array-like of shape (n_regions, 3) or (n_regions, 4)
            Regions.
        y : None
            Ignored.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If X is not as described.
        """
        Regions.of(X)
        self.n_features_in_ = np.shape(X)[1]
        return self

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Read the sequences.

        Parameters
        ----------
        X : data frame, or array-like of shape (n_regions, 3) or (n_regions, 4)
            Regions.

        Returns
        -------
        ndarray of str objects of shape (n_regions,)
            Bases of the regions; the reverse complement for the strand ``'-'``.

        Raises
        ------
        ValueError
            If X is not as described, or a region is not in the genome.
        """
        return Regions.of(X).resized(self.width).sequences(self.fasta, self.mask_lower)

    def __sklearn_is_fitted__(self) -> bool:
        """Return True: nothing is learned."""
        return True

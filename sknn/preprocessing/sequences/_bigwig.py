"""Targets from bigWig files: the signal of an experiment in regions of a genome."""

import os
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from sknn._optional import require
from sknn.preprocessing.sequences._regions import Regions

#: name of a statistic -> function of the values of a region
STATISTICS: dict[str, Callable[[np.ndarray], float]] = {
    "mean": np.mean,
    "max": np.max,
    "min": np.min,
    "sum": np.sum,
}


def read_bigwig(
    path: str | os.PathLike,
    regions: ArrayLike | os.PathLike,
    *,
    statistic: str = "mean",
    width: int | None = None,
    missing: float = 0.0,
) -> np.ndarray:
    """Read a number for each region from a bigWig file.

    Parameters
    ----------
    path : str or path-like
        File in bigWig format.
    regions : str, path-like, data frame or array-like of shape (n_regions, 3) or (n_regions, 4)
        Regions, such as `read_bed` returns, or a BED file.
    statistic : {'mean', 'max', 'min', 'sum'}, default='mean'
        Statistic of the values of a region's bases.
    width : int, default=None
        Number of bases around the middle of each region; None takes the regions as they are.
    missing : float, default=0.0
        Value of bases without a value, which is 0 in a track of counts; NaN makes the result NaN.

    Returns
    -------
    ndarray of float64 of shape (n_regions,)

    Raises
    ------
    OptionalDependencyError
        If pybigtools is not installed.
    ValueError
        If there is no such statistic, or the file has no such chromosome.
    """
    if statistic not in STATISTICS:
        raise ValueError(f"statistic must be one of {sorted(STATISTICS)}; got {statistic!r}.")
    pybigtools = require("pybigtools", "read_bigwig")
    places = Regions.of(regions).resized(width)
    found = np.empty(len(places.chrom))
    with pybigtools.open(os.fspath(path)) as track:
        lengths = track.chroms()
        for i, (chrom, start, end) in enumerate(
            zip(places.chrom, places.start.tolist(), places.end.tolist(), strict=True)
        ):
            if chrom not in lengths:
                raise ValueError(
                    f"{str(path)!r} has no chromosome {chrom!r}; it has {list(lengths)[:5]}."
                )
            values = np.full(end - start, np.nan)
            first, last = max(start, 0), min(end, lengths[chrom])
            if first < last:
                inside = track.values(chrom, first, last, fillna=None)
                values[first - start : last - start] = inside
            values[np.isnan(values)] = missing
            found[i] = STATISTICS[statistic](values)
    return found

"""Comparison of motifs with known motifs."""

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from threadpoolctl import threadpool_limits

from sknn._optional import require
from sknn._saved import saved
from sknn.exceptions import warn_user
from sknn.motifs._files import read_motifs
from sknn.motifs._motif import Motif


@saved
@dataclass(frozen=True)
class MotifMatches:
    """Matches that `match_motifs` found.

    Attributes
    ----------
    table : list of dict
        One entry for each match, the smallest E-value first: ``'motif'``, ``'consensus'``,
        ``'bits'``, ``'match'``, ``'p_value'``, ``'e_value'``, ``'strand'`` (``'+'`` or ``'-'``)
        and ``'control'`` (whether the motif is of the untrained network).
        ``pandas.DataFrame(table)`` makes a data frame of it.
    n_motifs, n_informative, n_matched : int
        Motifs given; those with `min_bits`; and those of them with a match.
    n_control, n_control_informative, n_control_matched : int
        The same of the control. If no fewer of it match, matches mean nothing.
    max_e_value, min_bits : float
        Limits that were given.
    """

    table: list[dict] = field(repr=False)
    n_motifs: int
    n_informative: int
    n_matched: int
    n_control: int
    n_control_informative: int
    n_control_matched: int
    max_e_value: float
    min_bits: float

    def __repr__(self) -> str:
        """Return a line for each match, and a line that sets the control beside them."""
        lines = [
            f"{row['motif']:<12} {row['consensus']:<24} {row['bits']:5.1f} bits  "
            f"{row['match']:<24} {row['strand']}  E = {row['e_value']:.1e}"
            for row in self.table
            if not row["control"]
        ]
        return "\n".join(
            [
                *lines,
                f"{self.n_matched} of {self.n_motifs} motifs match at E < {self.max_e_value:g} "
                f"with {self.min_bits:g} bits or more; untrained: {self.n_control_matched} of "
                f"{self.n_control}.",
            ]
        )


def load_jaspar(release: str = "JASPAR2024", tax_group: str = "vertebrates") -> list[Motif]:
    """Return the CORE motifs of JASPAR [1]_, which the package pyjaspar contains.

    Parameters
    ----------
    release : str, default='JASPAR2024'
        Release, see ``pyjaspar.jaspardb().get_releases()``.
    tax_group : str, default='vertebrates'
        Taxonomic group, such as ``'plants'``, ``'insects'`` or ``'fungi'``.

    Returns
    -------
    list of Motif
        Motifs with names such as ``'MA0028.3 ELK1'``.

    Raises
    ------
    OptionalDependencyError
        If pyjaspar is not installed.
    ValueError
        If there is no such motif.

    References
    ----------
    .. [1] I. Rauluseviciute et al., "JASPAR 2024: 20th anniversary of the open-access database of
       transcription factor binding profiles", Nucleic Acids Research 52, 2024,
       doi:10.1093/nar/gkad1059.
    """
    pyjaspar = require("pyjaspar", "load_jaspar")
    found = pyjaspar.jaspardb(release=release).fetch_motifs(
        collection="CORE", tax_group=[tax_group]
    )
    if not found:
        raise ValueError(f"JASPAR's release {release!r} has no CORE motifs of {tax_group!r}.")
    motifs = []
    for entry in found:
        counts = np.array([entry.counts[letter] for letter in "ACGT"]).T
        sites = round(float(counts.sum(axis=1).max()))
        motifs.append(Motif(f"{entry.matrix_id} {entry.name}", counts, sites))
    return motifs


def match_motifs(
    motifs: Sequence[Motif],
    database: Sequence[Motif] | str | os.PathLike = "jaspar",
    *,
    min_bits: float = 10.0,
    max_e_value: float = 1e-3,
    control: Sequence[Motif] = (),
) -> MotifMatches:
    """Compare motifs with known ones by TOMTOM [1]_, as memelite [2]_ computes it.

    Untrained filters also give motifs, because the windows that a filter selects resemble each
    other, and nearly all of these match some known motif at E < 0.001. `min_bits` leaves such
    motifs out, and the control counts those that still match.

    Parameters
    ----------
    motifs : sequence of Motif
        Motifs over the alphabet ACGT.
    database : sequence of Motif, str or path-like, default='jaspar'
        Known motifs; ``'jaspar'`` for `load_jaspar`; or a file in MEME's or JASPAR's format.
    min_bits : float, default=10.0
        Information in bits that a motif must have to be compared.
    max_e_value : float, default=1e-3
        Largest E-value of a match: the p-value times the number of known motifs.
    control : sequence of Motif, default=()
        Motifs that were read in the same way from the untrained network.

    Returns
    -------
    MotifMatches
        All matches, and their counts with those of the control.

    Raises
    ------
    OptionalDependencyError
        If memelite, or pyjaspar for ``'jaspar'``, is not installed.
    ValueError
        If a motif is not over ACGT, or the database is empty.

    Warns
    -----
    UserWarning
        If there is no control.

    References
    ----------
    .. [1] S. Gupta, J. A. Stamatoyannopoulos, T. L. Bailey and W. S. Noble, "Quantifying
       similarity between motifs", Genome Biology 8, 2007, doi:10.1186/gb-2007-8-2-r24.
    .. [2] J. Schreiber, "tomtom-lite: Accelerating Tomtom enables large-scale and real-time motif
       similarity scoring", bioRxiv, 2025, doi:10.1101/2025.05.27.656386.
    """
    known = _get_known_motifs(database)
    for motif in (*motifs, *control, *known):
        if motif.alphabet != "ACGT":
            raise ValueError(
                f"Motifs are compared over the alphabet 'ACGT'; {motif.name!r} has "
                f"{motif.alphabet!r}."
            )
    if not control:
        warn_user(
            "match_motifs has no control. Pass the motifs of the untrained network as control, to "
            "see how many matches mean nothing."
        )
    good, good_control = (
        _select_informative(motifs, min_bits),
        _select_informative(control, min_bits),
    )
    rows = _compare([*good, *good_control], known, max_e_value)
    for row in rows:
        row["control"] = row.pop("number") >= len(good)
    rows.sort(key=lambda row: row["e_value"])
    matched = {(row["motif"], row["control"]) for row in rows}
    n_control_matched = sum(is_control for _, is_control in matched)
    return MotifMatches(
        rows,
        len(motifs),
        len(good),
        len(matched) - n_control_matched,
        len(control),
        len(good_control),
        n_control_matched,
        max_e_value,
        min_bits,
    )


@contextmanager
def keep_threads() -> Iterator[None]:
    """Leave every library its number of threads; numba sets OpenMP's, which may be torch's."""
    with threadpool_limits(limits=None):
        yield


def _get_known_motifs(database: Sequence[Motif] | str | os.PathLike) -> list[Motif]:
    if isinstance(database, str) and database == "jaspar":
        return load_jaspar()
    known = read_motifs(database) if isinstance(database, str | os.PathLike) else list(database)
    if not known:
        raise ValueError("database has no motif to compare with.")
    return known


def _select_informative(motifs: Sequence[Motif], min_bits: float) -> list[Motif]:
    return [motif for motif in motifs if motif.information_content >= min_bits]


def _compare(queries: list[Motif], known: list[Motif], max_e_value: float) -> list[dict]:
    memelite = require("memelite", "match_motifs")
    if not queries:
        return []
    with warnings.catch_warnings(), keep_threads():  # a small database is a user's choice
        warnings.filterwarnings("ignore", message="tomtom was given")
        p_values, _, _, _, strands = memelite.tomtom(
            [motif.ppm.T for motif in queries], [motif.ppm.T for motif in known]
        )[:5]
    # TOMTOM's p-value is that of one comparison, corrected for all shifts. Of so many comparisons
    # with motifs that mean nothing, p times their number are expected to be as good by chance.
    e_values = p_values * len(known)
    return [
        {
            "number": int(i),
            "motif": queries[i].name,
            "consensus": queries[i].consensus,
            "bits": queries[i].information_content,
            "match": known[j].name,
            "p_value": float(p_values[i, j]),
            "e_value": float(e_values[i, j]),
            "strand": "-" if strands[i, j] else "+",
        }
        for i, j in zip(*np.nonzero(e_values < max_e_value), strict=True)
    ]

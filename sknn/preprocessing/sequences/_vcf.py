"""Variants of a genome, read from VCF files and data frames."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sknn._files import read_lines
from sknn._saved import saved
from sknn.exceptions import warn_user
from sknn.preprocessing.sequences._regions import as_whole

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["chrom", "pos", "ref", "alt"]
#: letters that an allele may have
BASES = frozenset("ACGTN")


def read_vcf(path: str | os.PathLike) -> "pd.DataFrame":
    r"""Read variants from a VCF file, one row for each alternative allele.

    Parameters
    ----------
    path : str or path-like
        VCF file, plain or gz. Genotypes and INFO are skipped.

    Returns
    -------
    DataFrame of n_variants rows
        ``'chrom'``, ``'pos'`` (counted from 1, as in the file), ``'id'``, ``'ref'`` and ``'alt'``
        in upper case. Alleles that are no bases, such as ``<DEL>``, ``*`` and ``.``, are left out
        with a warning.

    Raises
    ------
    ValueError
        If a line has fewer than five columns, or a position that is no whole number; the line is
        named.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from sknn.preprocessing import read_vcf
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "toy.vcf"
    ...     _ = path.write_text("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\n"
    ...                         "chr1\t7\trs1\tA\tC,AT\n")
    ...     read_vcf(path)[["chrom", "pos", "ref", "alt"]].values.tolist()
    [['chr1', 7, 'A', 'C'], ['chr1', 7, 'A', 'AT']]
    """
    import pandas as pd

    rows, others = [], []
    for number, line in read_lines(path):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.rstrip("\r\n").split("\t")
        if len(cells) < 5 or not cells[1].isdecimal():
            raise ValueError(
                f"Line {number} of {str(path)!r} is {line[:60]!r}; expected columns CHROM, POS, "
                "ID, REF and ALT, separated by tabs, with a whole number as POS."
            )
        chrom, pos, name, ref, alts = cells[:5]
        for alt in alts.split(","):
            if set(alt.upper()) <= BASES and set(ref.upper()) <= BASES:
                rows.append((chrom, int(pos), name, ref.upper(), alt.upper()))
            else:
                others.append(alt)
    if not rows:
        raise ValueError(
            f"{str(path)!r} has no variant whose alleles are bases; it has {len(others)} others."
        )
    if others:
        warn_user(
            f"{len(others)} of {len(rows) + len(others)} alternative alleles of {str(path)!r} are "
            f"left out, as they or the reference are no bases: {sorted(set(others))[:5]}."
        )
    return pd.DataFrame(rows, columns=["chrom", "pos", "id", "ref", "alt"])


@saved
@dataclass(frozen=True)
class Variants:
    """Variants of a genome: some bases in place of others.

    Attributes
    ----------
    chrom, ref, alt : ndarray of str objects of shape (n_variants,)
        Chromosomes, bases of the reference, and bases of the alternative, in upper case.
    pos : ndarray of int64 of shape (n_variants,)
        First base of the reference allele, counted from 1 as in VCF files.
    """

    chrom: np.ndarray
    pos: np.ndarray
    ref: np.ndarray
    alt: np.ndarray

    @classmethod
    def of(cls, table: "pd.DataFrame") -> "Variants":
        """Read a data frame with columns of these names.

        Raises
        ------
        ValueError
            If there are no such columns, or an allele is empty or has other letters than bases.
        """
        columns = list(getattr(table, "columns", ()))
        missing = [name for name in COLUMNS if name not in columns]
        if missing:
            raise ValueError(
                "variants must be the path of a VCF file, or a data frame with the columns "
                f"{COLUMNS}; {missing} are missing among {list(map(str, columns))}. Rename the "
                "columns."
            )
        chrom, ref, alt = (
            np.array([str(value) for value in table[name]], dtype=object)
            for name in ("chrom", "ref", "alt")
        )
        given = {"ref": ref, "alt": alt}
        alleles = {name: [a.upper() for a in values] for name, values in given.items()}
        for name, values in alleles.items():
            for i, allele in enumerate(values):
                if not allele or not set(allele) <= BASES:
                    raise ValueError(
                        f"{name!r} of variant {i} is {given[name][i]!r}; expected one or "
                        "more of the letters ACGT. Give each of several alleles a row, and leave "
                        "out those that are missing or symbolic; a deletion keeps the base before "
                        "it, as in VCF files."
                    )
        found = (np.array(values, dtype=object) for values in alleles.values())
        return cls(chrom, as_whole(table["pos"], "pos"), *found)

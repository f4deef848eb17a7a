"""Effects of variants of a genome on the output of a network for sequences."""

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, SupportsInt

import numpy as np
from sklearn.base import is_regressor
from sklearn.utils.validation import check_is_fitted

from sknn.preprocessing import Genome, Variants, copy_frame, read_vcf, reverse_complement

if TYPE_CHECKING:
    import pandas as pd

    from sknn.deep import SequenceCNNClassifier, SequenceCNNRegressor

#: variants whose sequences are held at a time
CHUNK = 1024


def variant_effects(
    model: "SequenceCNNClassifier | SequenceCNNRegressor",
    variants: "str | os.PathLike | pd.DataFrame",
    fasta: str | os.PathLike,
    *,
    width: int | None = None,
    both_strands: bool = True,
    shifts: Sequence[int] = (0,),
    target: str | SupportsInt | None = None,
    on_mismatch: str = "error",
) -> "pd.DataFrame":
    r"""Return how each variant changes the logit, or the prediction, of the sequence around it.

    Of each variant two sequences are read [1]_: the bases of the genome around it, and the same
    with the alternative allele in place of the reference allele. Insertions and deletions shift
    what follows them, so that the sequence with the alternative allele ends with fewer or more
    bases of the genome. The change is the mean over strands and shifts.

    Parameters
    ----------
    model : SequenceCNNClassifier, SequenceCNNRegressor, or a pipeline that ends in one
        Model that was fitted on strings.
    variants : str, path-like or DataFrame
        A VCF file; or a data frame with the columns ``'chrom'``, ``'pos'`` (counted from 1),
        ``'ref'`` and ``'alt'``, as `read_vcf` returns it.
    fasta : str or path-like
        Genome in FASTA, plain or packed by bgzip; an index is written beside it.
    width : int, default=None
        Number of bases of a sequence; None is the length of the sequences in `fit` of the model.
    both_strands : bool, default=True
        Whether to take the mean over the sequence and its reverse complement.
    shifts : sequence of int, default=(0,)
        Numbers of bases by which the middle of the sequence is moved away from the variant; the
        mean over several is for networks that depend on positions.
    target : object, default=None
        Class whose logit changes, or number of the output. None is ``classes_[1]`` of two
        classes, and output 0 of numbers; of several classes it must be given.
    on_mismatch : {'error', 'nan'}, default='error'
        Treatment of a variant whose reference allele differs from the genome, or that lies outside
        of its chromosome: ValueError is raised, or its effect is NaN.

    Returns
    -------
    DataFrame of n_variants rows
        The columns of `variants`, and ``'ref_score'``, ``'alt_score'`` (mean logits, or
        predictions of a regressor) and their difference, ``'effect'``.

    Raises
    ------
    OptionalDependencyError
        If pyfaidx is not installed.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    ValueError
        If variants are not as described, are not in the genome, or have another reference allele;
        or there is no such class.

    References
    ----------
    .. [1] J. Zhou and O. G. Troyanskaya, "Predicting effects of noncoding variants with deep
       learning-based sequence model", Nature Methods 12, 2015, doi:10.1038/nmeth.3547.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import pandas as pd
    >>> from sknn import SequenceCNNClassifier
    >>> from sknn.datasets import make_motif_sequences
    >>> from sknn.genomics import variant_effects
    >>> X, y, positions = make_motif_sequences(600, random_state=0)
    >>> cnn = SequenceCNNClassifier(32, 12, random_state=0).fit(X, y)
    >>> place = positions[y == 1][0] + 3  # the motif is CGACCGAACTCC
    >>> variants = pd.DataFrame({"chrom": "chr1", "pos": [place + 1], "ref": "C", "alt": "T"})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fasta = pathlib.Path(folder) / "genome.fa"
    ...     _ = fasta.write_text(f">chr1\n{X[y == 1][0]}\n")
    ...     bool(variant_effects(cnn, variants, fasta)["effect"][0] < -1)
    True
    """
    if on_mismatch not in ("error", "nan"):
        raise ValueError(f"on_mismatch must be 'error' or 'nan'; got {on_mismatch!r}.")
    table = read_vcf(variants) if isinstance(variants, str | os.PathLike) else variants
    score = make_score(model, target)
    width = find_width(model) if width is None else width
    found, alleles = Variants.of(table), np.full((2, len(table)), np.nan)
    table = copy_frame(table)
    with Genome(fasta) as genome:
        known = check_references(found, genome, on_mismatch)
        for start in range(0, len(known), CHUNK):
            rows = known[start : start + CHUNK]
            total = np.zeros((2, len(rows)))
            for shift in shifts:
                pairs = [alleles_around(found, i, genome, width, shift) for i in rows]
                for strand in range(1 + both_strands):
                    flat = [sequence for pair in zip(*pairs, strict=True) for sequence in pair]
                    flat = list(reverse_complement(flat)) if strand else flat
                    total += score(np.array(flat, dtype=object)).reshape(2, -1)
            alleles[:, rows] = total / (len(shifts) * (1 + both_strands))
    table["ref_score"], table["alt_score"] = alleles
    table["effect"] = alleles[1] - alleles[0]
    return table


def check_references(variants: Variants, genome: Genome, on_mismatch: str) -> np.ndarray:
    """Return the numbers of the variants whose reference allele is the genome's."""
    known = []
    for i, (chrom, pos, ref) in enumerate(
        zip(variants.chrom, variants.pos.tolist(), variants.ref, strict=True)
    ):
        there = genome.fetch(chrom, pos - 1, pos - 1 + len(ref)).upper()
        is_inside = 0 < pos <= genome.lengths[chrom]
        if there == ref and is_inside:
            known.append(i)
        elif on_mismatch == "error" and not is_inside:
            raise ValueError(
                f"Variant {i} ({chrom}:{pos} {ref}>{variants.alt[i]}) lies outside of its "
                f"chromosome, which has {genome.lengths[chrom]} bases, counted from 1. Is this "
                "another assembly? Set on_mismatch='nan' to leave such variants without an effect."
            )
        elif on_mismatch == "error":
            raise ValueError(
                f"Variant {i} ({chrom}:{pos} {ref}>{variants.alt[i]}) has the reference allele "
                f"{ref!r}, but the genome has {there!r} there. Is this another assembly? Set "
                "on_mismatch='nan' to leave such variants without an effect."
            )
    return np.array(known, dtype=np.int64)


def alleles_around(
    variants: Variants, i: int, genome: Genome, width: int, shift: int
) -> tuple[str, str]:
    """Return the sequence of `width` bases around a variant, with the one and the other allele."""
    # The base that stands at the variant's position has the same place in both, so that of an
    # insertion or deletion all before it is equal, and what follows moves.
    chrom, pos = variants.chrom[i], int(variants.pos[i]) - 1
    ref, alt = variants.ref[i], variants.alt[i]
    start = pos - width // 2 + shift
    before = genome.fetch(chrom, start, pos) if start < pos else ""
    longest = max(len(ref), len(alt))
    after = genome.fetch(chrom, pos + len(ref), max(start, pos) + width + longest)
    skipped = max(start - pos, 0)  # a large shift begins after the variant
    return tuple((before + allele + after)[skipped : skipped + width] for allele in (ref, alt))


def find_width(model: "SequenceCNNClassifier | SequenceCNNRegressor") -> int:
    """Return how many positions the sequences had that a model, or a pipeline, was fitted on."""
    check_is_fitted(model)
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    length = getattr(getattr(last, "module_", None), "length", None)
    if length is None:
        raise ValueError(
            f"width must be given: {type(last).__name__} does not say how long its sequences are."
        )
    return int(length)


def make_score(
    model: "SequenceCNNClassifier | SequenceCNNRegressor", target: str | SupportsInt | None
) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from sequences to the logit, or prediction, that is compared."""
    check_is_fitted(model)
    if is_regressor(model):
        output = 0 if target is None else int(target)
        return lambda X: np.asarray(model.predict(X)).reshape(len(X), -1)[:, output]
    classes = np.asarray(model.classes_).tolist()
    if target is None and len(classes) == 2:
        target = classes[1]
    if target not in classes:
        raise ValueError(f"target must be one of the classes {classes!r}; got {target!r}.")
    place = classes.index(target)

    def score(X: np.ndarray) -> np.ndarray:
        logits = model.decision_function(X)
        if logits.ndim == 2:
            return logits[:, place]
        return logits if place == 1 else -logits

    return score

"""Sequences from the files of a genome, and effects of its variants."""

from sknn.genomics._modisco import modisco_arrays
from sknn.genomics._negatives import matched_negatives
from sknn.genomics._splitters import (
    ChromosomeSplit,
    SimilarSequencesSplit,
    group_similar_sequences,
)
from sknn.genomics._variants import variant_effects
from sknn.preprocessing import (
    RegionsToSequences,
    read_bed,
    read_bigwig,
    read_regions,
    read_vcf,
)

__all__ = [
    "ChromosomeSplit",
    "RegionsToSequences",
    "SimilarSequencesSplit",
    "group_similar_sequences",
    "matched_negatives",
    "modisco_arrays",
    "read_bed",
    "read_bigwig",
    "read_regions",
    "read_vcf",
    "variant_effects",
]

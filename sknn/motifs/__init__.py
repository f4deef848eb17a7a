"""Sequence motifs: what filters look for, in files, and beside known ones."""

from sknn.motifs._files import read_motifs, write_motifs
from sknn.motifs._from_windows import BestWindows, motifs_from_windows
from sknn.motifs._match import MotifMatches, load_jaspar, match_motifs
from sknn.motifs._merge import merge_motifs
from sknn.motifs._motif import Motif
from sknn.motifs._seqlets import Seqlet, find_seqlets

__all__ = [
    "BestWindows",
    "Motif",
    "MotifMatches",
    "Seqlet",
    "find_seqlets",
    "load_jaspar",
    "match_motifs",
    "merge_motifs",
    "motifs_from_windows",
    "read_motifs",
    "write_motifs",
]

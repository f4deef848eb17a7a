"""From what users have to what networks take, and back."""

from sknn.preprocessing._fasta import read_fasta
from sknn.preprocessing._reverse_complement import reverse_complement
from sknn.preprocessing._sequence import DNAOneHotEncoder
from sknn.preprocessing._shuffle import dinucleotide_shuffle
from sknn.preprocessing._target import ClassCodec, ValueCodec

__all__ = [
    "ClassCodec",
    "DNAOneHotEncoder",
    "ValueCodec",
    "dinucleotide_shuffle",
    "read_fasta",
    "reverse_complement",
]

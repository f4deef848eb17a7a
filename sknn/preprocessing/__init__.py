"""From what users have to what networks take, and back."""

from sknn.preprocessing._columns import is_plain_numbers
from sknn.preprocessing._fasta import read_fasta
from sknn.preprocessing._knots import fit_knots
from sknn.preprocessing._reading import check_names
from sknn.preprocessing._reverse_complement import reverse_complement
from sknn.preprocessing._sequence import DNAOneHotEncoder
from sknn.preprocessing._sequence_inputs import SequenceFormat, SequenceInputs, strings_in
from sknn.preprocessing._shuffle import dinucleotide_shuffle
from sknn.preprocessing._tabular import TabularEncoder
from sknn.preprocessing._target import ClassCodec
from sknn.preprocessing._target_losses import (
    CLASS_LOSSES,
    VALUE_LOSSES,
    gives_probabilities,
    quantile_steps,
)
from sknn.preprocessing._target_values import ValueCodec

__all__ = [
    "CLASS_LOSSES",
    "VALUE_LOSSES",
    "ClassCodec",
    "DNAOneHotEncoder",
    "SequenceFormat",
    "SequenceInputs",
    "TabularEncoder",
    "ValueCodec",
    "check_names",
    "dinucleotide_shuffle",
    "fit_knots",
    "gives_probabilities",
    "is_plain_numbers",
    "quantile_steps",
    "read_fasta",
    "reverse_complement",
    "strings_in",
]

"""Encoding of users' data for networks, and decoding of predictions."""

from sknn.preprocessing._moments import RunningMoments
from sknn.preprocessing.knots._cuts import fit_knots
from sknn.preprocessing.sequences._alphabet import reverse_complement
from sknn.preprocessing.sequences._bigwig import read_bigwig
from sknn.preprocessing.sequences._bytes import PAD, lengths_of, sequence_bytes
from sknn.preprocessing.sequences._encoder import DNAOneHotEncoder
from sknn.preprocessing.sequences._fasta import read_fasta
from sknn.preprocessing.sequences._genome import Genome
from sknn.preprocessing.sequences._inputs import SequenceFormat, SequenceInputs, strings_in
from sknn.preprocessing.sequences._regions import (
    Regions,
    RegionsToSequences,
    copy_frame,
    read_bed,
    read_regions,
)
from sknn.preprocessing.sequences._shuffle import dinucleotide_shuffle
from sknn.preprocessing.sequences._vcf import Variants, read_vcf
from sknn.preprocessing.sources._frames import (
    convert_table,
    copy_samples,
    join_tables,
    stack_samples,
)
from sknn.preprocessing.sources._opening import SourceLike, is_source, open_source
from sknn.preprocessing.sources._samples import (
    Chunk,
    Source,
    count_samples,
    join_chunks,
    read_all,
    split_frame,
)
from sknn.preprocessing.sources._sequence_survey import SequenceSurvey
from sknn.preprocessing.sources._table_survey import TableSurvey
from sknn.preprocessing.sources._tables import hold_tables
from sknn.preprocessing.tables._columns import WrappedFrame, is_plain_numbers, wrap_frame
from sknn.preprocessing.tables._encoder import TabularEncoder
from sknn.preprocessing.tables._reading import check_dimensions, check_names
from sknn.preprocessing.tables._statistics import average_by_code
from sknn.preprocessing.tables._values import find_number_columns
from sknn.preprocessing.targets._classes import ClassCodec
from sknn.preprocessing.targets._conformity import calibrate_intervals, decode_interval
from sknn.preprocessing.targets._measured import fill_with_means, has_missing_values, score_measured
from sknn.preprocessing.targets._table import TableCodec
from sknn.preprocessing.targets._values import ValueCodec

__all__ = [
    "PAD",
    "Chunk",
    "ClassCodec",
    "DNAOneHotEncoder",
    "Genome",
    "Regions",
    "RegionsToSequences",
    "RunningMoments",
    "SequenceFormat",
    "SequenceInputs",
    "SequenceSurvey",
    "Source",
    "SourceLike",
    "TableCodec",
    "TableSurvey",
    "TabularEncoder",
    "ValueCodec",
    "Variants",
    "WrappedFrame",
    "average_by_code",
    "calibrate_intervals",
    "check_dimensions",
    "check_names",
    "convert_table",
    "copy_frame",
    "copy_samples",
    "count_samples",
    "decode_interval",
    "dinucleotide_shuffle",
    "fill_with_means",
    "find_number_columns",
    "fit_knots",
    "has_missing_values",
    "hold_tables",
    "is_plain_numbers",
    "is_source",
    "join_chunks",
    "join_tables",
    "lengths_of",
    "open_source",
    "read_all",
    "read_bed",
    "read_bigwig",
    "read_fasta",
    "read_regions",
    "read_vcf",
    "reverse_complement",
    "score_measured",
    "sequence_bytes",
    "split_frame",
    "stack_samples",
    "strings_in",
    "wrap_frame",
]

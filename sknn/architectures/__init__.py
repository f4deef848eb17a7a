"""Torch modules; they know neither scikit-learn nor skorch."""

from sknn.architectures._autoencoder import (
    Autoencoder,
    AutoencoderOptions,
    is_corrupted_mlp,
    is_mlp,
)
from sknn.architectures._channels_first import ChannelsFirst
from sknn.architectures._copied import (
    copy_first_layers,
    copy_layers_to_members,
    copy_network,
    list_modules,
    list_parameters,
)
from sknn.architectures._describe import describe
from sknn.architectures._masked_sequences import MaskedSequences, copy_first_filters
from sknn.architectures._mlp import MLP
from sknn.architectures._principal_start import (
    Principal,
    count_carried,
    start_from_principal,
    supports_principal_start,
)
from sknn.architectures._replayable import is_replayable
from sknn.architectures._sequence_cnn import SequenceCNN
from sknn.architectures._stochastic import find_stochastic_layers
from sknn.architectures._tabular_ensemble import TabularEnsemble, TabularOptions
from sknn.architectures._user_module import build_user_module
from sknn.architectures.layers._blocks import seed_torch
from sknn.architectures.layers._dropout import (
    APART,
    FACTORS,
    GAMMA,
    N_PARTS,
    WEYL,
    DrawnMasks,
    Dropout,
    draw_into,
    fill_words,
)
from sknn.architectures.layers._member_steps import multiplies_bfloat16
from sknn.architectures.layers._members import PiecewiseLinear
from sknn.architectures.layers._noise import Corruption
from sknn.architectures.layers._windows import FIRST_ACTIVATIONS, find_valid_windows
from sknn.architectures.options._initializers import INITIALIZERS
from sknn.architectures.options._mlp import MLPOptions
from sknn.architectures.options._sequence import SequenceOptions

__all__ = [
    "APART",
    "FACTORS",
    "FIRST_ACTIVATIONS",
    "GAMMA",
    "INITIALIZERS",
    "MLP",
    "N_PARTS",
    "WEYL",
    "Autoencoder",
    "AutoencoderOptions",
    "ChannelsFirst",
    "Corruption",
    "DrawnMasks",
    "Dropout",
    "MLPOptions",
    "MaskedSequences",
    "PiecewiseLinear",
    "Principal",
    "SequenceCNN",
    "SequenceOptions",
    "TabularEnsemble",
    "TabularOptions",
    "build_user_module",
    "copy_first_filters",
    "copy_first_layers",
    "copy_layers_to_members",
    "copy_network",
    "count_carried",
    "describe",
    "draw_into",
    "fill_words",
    "find_stochastic_layers",
    "find_valid_windows",
    "is_corrupted_mlp",
    "is_mlp",
    "is_replayable",
    "list_modules",
    "list_parameters",
    "multiplies_bfloat16",
    "seed_torch",
    "start_from_principal",
    "supports_principal_start",
]

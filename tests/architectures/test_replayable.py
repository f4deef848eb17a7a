"""Which networks may be recorded: those whose layers are known."""

import pytest
import torch
from torch import nn

from sknn.architectures import MLP, MLPOptions, SequenceCNN, is_replayable


class Own(nn.Linear):
    """What a user may write: it could count its calls."""


def hooked(register):
    layer = nn.Linear(3, 2)
    getattr(layer, register)(lambda *args: None)
    return nn.Sequential(layer)


def frozen():
    network = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    network[0].bias.requires_grad_(False)
    return network


def lying_by_columns():
    layer = nn.Linear(3, 2)
    layer.weight.data = layer.weight.data.t().contiguous().t()
    return layer


@pytest.mark.parametrize(
    "module",
    [
        MLP([3, 4, 1]),
        MLP([3, 4, 1], "silu", options=MLPOptions(0.5, "batch")),
        MLP([3, 4, 4, 1], torch.nn.PReLU, options=MLPOptions(normalization="layer", residual=True)),
        SequenceCNN(30, 4, 1),
        nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5), nn.LSTM(2, 2)),
    ],
    ids=lambda module: type(module).__name__,
)
def test_known_layers_are(module):
    assert is_replayable(module)


@pytest.mark.parametrize(
    "module",
    [
        MLP([3, 4, 1], torch.nn.functional.mish),
        MLP([3, 4, 1], cardinalities=[5]),
        nn.Sequential(Own(3, 2)),
        hooked("register_forward_hook"),
        hooked("register_forward_pre_hook"),
        hooked("register_full_backward_hook"),
        hooked("register_full_backward_pre_hook"),
        frozen(),
        lying_by_columns(),
    ],
    ids=repr,
)
def test_what_could_do_other_things_from_call_to_call_is_not(module):
    assert not is_replayable(module)

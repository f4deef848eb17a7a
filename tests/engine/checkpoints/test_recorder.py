"""A run that goes on in another way than before says so."""

import warnings
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from sknn._jit import HAS_NUMBA
from sknn.architectures import SequenceCNN, SequenceOptions
from sknn.engine.checkpoints._recorder import Recorder

READS = SequenceOptions(kernel_size=4, n_filters=2, pooling="maxmean", first_activation="relu")


@dataclass
class Run:
    """A run of a module by a runner."""

    module: nn.Module
    runner_name: str

    @property
    def plan(self):
        return SimpleNamespace(module=self.module, checkpoint=None)


def make_content(way):
    return {"runner": way, "seconds": 0.0}


@pytest.mark.parametrize("before", ["handwritten", "autograd with compiled letters"])
def test_epochs_that_were_computed_in_another_way_are_warned_of(before):
    recorder = Recorder(Run(nn.Linear(2, 1), "autograd"), content=make_content(before))
    with pytest.warns(UserWarning, match=f"by '{before}', those to come are by 'autograd'"):
        recorder.check_runner()


@pytest.mark.skipif(not HAS_NUMBA, reason="letters are compiled by numba")
def test_a_network_whose_letters_are_compiled_now_says_so():
    network = SequenceCNN(9, 4, 1, READS)
    recorder = Recorder(Run(network, "autograd"), content=make_content("autograd"))
    with pytest.warns(UserWarning, match="those to come are by 'autograd with compiled letters'"):
        recorder.check_runner()


@pytest.mark.parametrize(
    ("n_channels", "dtype"), [(1, torch.float32), (4, torch.float16)], ids=["one channel", "half"]
)
def test_a_network_without_letters_is_named_after_its_runner_alone(n_channels, dtype):
    network = SequenceCNN(9, n_channels, 1, READS, dtype=dtype)
    recorder = Recorder(Run(network, "autograd"), content=make_content("autograd"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        recorder.check_runner()

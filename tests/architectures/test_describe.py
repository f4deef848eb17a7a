"""Any module can be described."""

import numpy as np
import torch
from torch import nn

from sknn.architectures import MLP, describe


class Twice(nn.Module):
    """Uses a layer twice, and owns a parameter itself."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))
        self.shared = nn.Linear(3, 3)

    def forward(self, X):
        return self.scale * self.shared(torch.relu(self.shared(X)))


def test_parameters_sum_to_those_of_the_module():
    module = nn.Sequential(Twice(), nn.BatchNorm1d(3), nn.Linear(3, 2, bias=False))
    layers = describe(module, 3)
    assert sum(layer.n_parameters for layer in layers) == 12 + 3 + 6 + 6
    assert [layer.kind for layer in layers] == [
        "Linear",
        "Linear",
        "Twice",
        "BatchNorm1d",
        "Linear",
    ]
    assert layers[-1].n_outputs == 2


def test_describing_leaves_the_module_as_it_was():
    module = nn.Sequential(nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1)).train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    describe(module, 4)
    assert module.training
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert not module[0]._forward_hooks


def test_module_that_describes_itself_is_asked():
    mlp = MLP([784, 300, 100, 10])
    mlp.initialize_weights(np.random.RandomState(0))
    assert describe(mlp, 784) == mlp.describe()


def test_width_is_that_of_all_axes_of_a_row():
    module = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 4, 3, padding=1), nn.MaxPool2d(2), nn.Flatten()
    )
    layers = describe(module, 64)
    assert [(layer.n_inputs, layer.n_outputs) for layer in layers] == [
        (64, 64),
        (64, 256),
        (256, 64),
        (64, 64),
    ]

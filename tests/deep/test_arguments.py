"""What type checkers know of nested arguments is what the tables and PyTorch have."""

import inspect

import pytest
import torch

from sknn.deep._arguments import NestedArguments
from sknn.losses import CLASS_LOSSES, VALUE_LOSSES

KNOWN = set(NestedArguments.__annotations__)


def test_settings_of_losses_are_known():
    tables = (CLASS_LOSSES, VALUE_LOSSES)
    settings = {s for table in tables for loss in table.values() for s in loss.settings}
    assert settings
    assert {name for name in KNOWN if name.startswith("loss__")} == {f"loss__{s}" for s in settings}


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("solver", torch.optim.Adagrad),
        ("solver", torch.optim.SGD),
        ("learning_rate", torch.optim.lr_scheduler.ExponentialLR),
        ("learning_rate", torch.optim.lr_scheduler.MultiStepLR),
    ],
)
def test_arguments_of_torch_are_known(name, cls):
    own = {"self", "params", "optimizer", "lr", "last_epoch"}  # which the estimator gives
    own |= {"foreach", "maximize", "capturable", "differentiable", "fused"}  # how torch computes
    arguments = set(inspect.signature(cls.__init__).parameters) - own
    assert {f"{name}__{argument}" for argument in arguments} <= KNOWN

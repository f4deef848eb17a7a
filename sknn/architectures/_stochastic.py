"""Layers that keep a network from computing the same loss twice."""

from torch import nn

from sknn.architectures.layers._dropout import Dropout
from sknn.architectures.layers._noise import SeededNoise

#: their output in training depends on chance, or on the other samples of the batch
STOCHASTIC = (
    Dropout,
    SeededNoise,
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.Dropout3d,
    nn.AlphaDropout,
    nn.FeatureAlphaDropout,
    nn.RReLU,
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
    nn.SyncBatchNorm,
)


def find_stochastic_layers(module: nn.Module) -> list[str]:
    """Return what makes a sample's output in training depend on chance or on other samples.

    >>> find_stochastic_layers(nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5)))
    ['Dropout']
    """
    # L-BFGS compares values of the loss along a line, so that they must not depend on chance; and
    # it sums over chunks of samples, whose means of a batch normalization would differ.
    found = [part for part in module.modules() if isinstance(part, STOCHASTIC)]
    kinds = [type(part).__name__ for part in found if getattr(part, "p", None) != 0]
    return list(dict.fromkeys(kinds))

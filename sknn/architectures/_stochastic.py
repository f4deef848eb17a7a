"""Which layers keep a network from computing the same loss twice."""

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

    L-BFGS needs a loss that is the same at each call and the sum over chunks of samples.

    Parameters
    ----------
    module : torch.nn.Module
        Any, a user's too; looked through for dropout, batch normalization and the like.

    Returns
    -------
    list of str
        Names of the kinds of layers, each once, in order; empty if there are none.

    Examples
    --------
    >>> from sknn.architectures import MLP, MLPOptions, find_stochastic_layers
    >>> find_stochastic_layers(MLP([3, 4, 1], options=MLPOptions(0.5, "batch")))
    ['BatchNorm', 'Dropout']
    >>> find_stochastic_layers(MLP([3, 4, 1], options=MLPOptions(normalization="layer")))
    []
    """
    found = [part for part in module.modules() if isinstance(part, STOCHASTIC)]
    kinds = [type(part).__name__ for part in found if getattr(part, "p", None) != 0]
    return list(dict.fromkeys(kinds))

"""A callback for code of this package that looks at the network between epochs."""

from collections.abc import Callable, Mapping

from skorch.callbacks import Callback

from sknn.engine.callbacks._stopping import make_row
from sknn.engine.net._net import Net
from sknn.engine.optimizers._optimizers import get_learning_rate

Look = Callable[[Net, Mapping[str, float] | None], None]


class NetCallback(Callback):
    """Call a function with the net before training and after each epoch.

    Parameters
    ----------
    function : callable
        ``function(net, row)``, where row is that of the history, or None before training. It may
        change weights in place through `sknn.engine.get_layer_weights`.
    """

    def __init__(self, function: Look):
        self.function = function

    def on_train_begin(self, net: Net, **kwargs: object) -> None:
        """Call the function without a row."""
        self.function(net, None)

    def on_epoch_end(self, net: Net, **kwargs: object) -> None:
        """Call the function with the row of the epoch."""
        self.function(net, make_row(net.history[-1], get_learning_rate(net.optimizer_)))

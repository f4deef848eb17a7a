"""Callbacks that users bring: skorch's, or plain functions of an epoch."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from skorch.callbacks import Callback, ParamMapper

from sknn.engine.callbacks._epoch_end import epoch_row


class FunctionCallback(Callback):
    """Call a function with each epoch's row of the history; it returns True to stop.

    Parameters
    ----------
    function : callable
        ``function(row: dict) -> bool or None``.
    """

    def __init__(self, function: Callable[[Mapping[str, float]], bool | None]):
        self.function = function

    def on_epoch_end(self, net, **kwargs):
        """Call the function."""
        stop = self.function(epoch_row(net))
        if isinstance(stop, bool | np.bool_) and stop:  # not whatever a lambda happens to return
            net.stop_asked = True


def as_callbacks(callbacks: Any) -> tuple[Callback, ...]:
    """Return the user's callbacks as skorch's.

    Parameters
    ----------
    callbacks : sequence or None
        Instances or classes of ``skorch.callbacks.Callback``, pairs of a name and one of these,
        or functions of a row of the history.

    Returns
    -------
    tuple of skorch.callbacks.Callback, or of pairs of a name and one

    Raises
    ------
    TypeError
        If an item is something else.
    """
    if callbacks is None:
        return ()
    if not isinstance(callbacks, list | tuple):
        raise TypeError(
            "callbacks must be a list of skorch callbacks or of functions of an epoch's row; got "
            f"{callbacks!r}. Put it into a list."
        )
    return tuple(_as_callback(item) for item in callbacks)


def _as_callback(item: Any) -> Any:
    if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str):
        return item[0], _as_callback(item[1])
    if isinstance(item, Callback):
        return item
    if isinstance(item, type) and issubclass(item, Callback):
        return item()
    if callable(item) and not isinstance(item, type):
        return FunctionCallback(item)
    raise TypeError(
        "An item of callbacks must be a callback of skorch, a pair of a name and one, or a "
        f"function of an epoch's row of the history that may return True to stop; got {item!r}. "
        "Callbacks of scikit-learn go into set_callbacks()."
    )


def frees_or_freezes(net: Any) -> bool:
    """Tell whether a callback of a net may decide which parameters are trained.

    Parameters
    ----------
    net : Net
        With its callbacks initialised.

    Returns
    -------
    bool
        True where there is one of skorch's that reach for parameters, as ``Freezer``.
    """
    return any(isinstance(callback, ParamMapper) for _, callback in net.callbacks_)

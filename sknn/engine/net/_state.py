"""What is kept of a net in files and copies, and the net that is made of it."""

import inspect
import json
from typing import Any

import torch
from skorch import NeuralNet
from skorch.history import History

from sknn.engine.data._device import device_here
from sknn.engine.losses._loss import TableLoss
from sknn.engine.losses._table import known_loss
from sknn.engine.net._serialization import plain, restored

#: attributes that are saved in a form of their own, or follow from others
DERIVED = {
    "callbacks",  # may hold data and open files
    "module",
    "criterion",
    "loss",
    "dataset",
    "iterator_train",
    "iterator_valid",
    "predict_nonlinearity",
}


def net_state(net: Any) -> dict[str, Any]:
    """Return a net as arrays, numbers, text and classes.

    Parameters
    ----------
    net : Net
        Initialised, not in training.

    Returns
    -------
    dict
        For `set_net_state`. Arrays may share memory with the net.
    """
    parameters = _parameters(net)
    optimizer = net.optimizer_
    number = {id(p): i for i, p in enumerate(parameters)}
    groups = [
        {**group, "params": [number[id(p)] for p in group["params"]]}
        for group in optimizer.param_groups
    ]
    state = [[number.get(id(key), key), value] for key, value in optimizer.state.items()]
    return {
        "module": plain(net.module_),
        "loss": _loss_state(net.loss),
        "arguments": _arguments(net),
        "optimizer": plain({"groups": groups, "state": state}, parameters),
        "schedule": plain(net.schedule),
        "precision": net.precision,
        "history": _packed(net.history),
    }


def set_net_state(net: Any, state: dict[str, Any]) -> None:
    """Make a net what it was when `net_state` looked at it.

    Parameters
    ----------
    net : Net
        New, without attributes.
    state : dict
        From `net_state`.

    Warns
    -----
    UserWarning
        If the device of the net is not here, and the CPU takes its place.
    """
    arguments = dict(state["arguments"])
    device = arguments["device"] = device_here(arguments["device"])
    module = restored(state["module"], device)
    net.__init__(module, loss=_loss(state["loss"]), **arguments)
    net.initialize()
    parameters = _parameters(net)
    saved = restored(state["optimizer"], device, parameters)
    groups = [
        {**group, "params": [parameters[i] for i in group["params"]]} for group in saved["groups"]
    ]
    net.optimizer_.param_groups[:] = groups
    net.optimizer_.state.clear()
    for key, value in saved["state"]:
        net.optimizer_.state[parameters[key] if isinstance(key, int) else key] = value
    net.schedule = restored(state["schedule"], device)
    net.precision = state["precision"]
    net.history_ = History(_unpacked(state["history"]))


def _parameters(net: Any) -> list[torch.nn.Parameter]:
    return [parameter for _, parameter in net.get_all_learnable_params()]


def _arguments(net: Any) -> dict[str, Any]:
    """Return the arguments of the net's constructor, as they are now."""
    names = {*_NAMES, *inspect.signature(type(net)).parameters} - DERIVED
    return {
        name: value
        for name, value in vars(net).items()
        if name in names or ("__" in name and not name.startswith(("_", "criterion__")))
    }


_NAMES = inspect.signature(NeuralNet).parameters


def _loss_state(loss: Any) -> Any:
    """Return name and settings of a loss of the table, and another loss as it is."""
    if isinstance(loss, TableLoss) and loss.is_named:
        return {"name": loss.name, "settings": dict(loss.settings)}
    return loss


def _loss(state: Any) -> Any:
    return known_loss(state["name"], state["settings"]) if isinstance(state, dict) else state


def _packed(history: list) -> Any:
    """Return the rows of a history as one text, which takes far less space than many numbers."""
    rows = [dict(row) for row in history]
    try:
        text = json.dumps(rows)
    except TypeError:  # a callback has noted other things
        return rows
    return text if repr(json.loads(text)) == repr(rows) else rows


def _unpacked(rows: Any) -> list:
    return json.loads(rows) if isinstance(rows, str) else rows

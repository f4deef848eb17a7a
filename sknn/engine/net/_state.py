"""State of a net in files and copies, and the net that is made of it."""

import inspect
import json
from types import UnionType
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.history import History

from sknn.engine.data._device import find_device
from sknn.engine.losses._loss import Loss, TableLoss
from sknn.engine.losses._table import make_known_loss
from sknn.engine.net._serialization import make_plain, restore_plain
from sknn.engine.optimizers._schedules import Schedule

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


#: what a state has
STATE = ("module", "loss", "arguments", "optimizer", "schedule", "precision", "history")
#: arguments that skorch hands on
PREFIXES = ("optimizer__", "iterator_train__", "iterator_valid__", "callbacks__")
PLAIN = (bool, int, float, str, np.ndarray, np.generic, np.random.RandomState)
#: modules whose optimizers take plain values
OURS = ("torch.optim", "sknn.")


def get_net_state(net: NeuralNet) -> dict[str, Any]:
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
    parameters = _list_parameters(net)
    optimizer = net.optimizer_
    number = {id(p): i for i, p in enumerate(parameters)}
    groups = [
        {**group, "params": [number[id(p)] for p in group["params"]]}
        for group in optimizer.param_groups
    ]
    state = [[number.get(id(key), key), value] for key, value in optimizer.state.items()]
    return {
        "module": make_plain(net.module_),
        "loss": _get_loss_state(net.loss),
        "arguments": _get_arguments(net),
        "optimizer": make_plain({"groups": groups, "state": state}, parameters),
        "schedule": make_plain(net.schedule),
        "precision": net.precision,
        "history": _pack_history(net.history),
    }


def set_net_state(net: NeuralNet, state: dict[str, Any]) -> None:
    """Restore a net as it was when `get_net_state` was called.

    Parameters
    ----------
    net : Net
        New, without attributes.
    state : dict
        State that `get_net_state` returned.

    Raises
    ------
    ValueError
        If the state holds other names, or anything but plain values under them.

    Warns
    -----
    UserWarning
        If the device of the net is not here, and the CPU takes its place.
    """
    _check_state(net, state)
    arguments = dict(state["arguments"])
    device = arguments["device"] = find_device(arguments["device"])
    module = restore_plain(state["module"], device)
    _check_kind("module", module, torch.nn.Module)
    net.__init__(module, loss=_restore_loss(state["loss"]), **arguments)
    net.initialize()
    parameters = _list_parameters(net)
    saved = restore_plain(state["optimizer"], device, parameters)
    groups = [
        {**group, "params": [parameters[i] for i in group["params"]]} for group in saved["groups"]
    ]
    net.optimizer_.param_groups[:] = groups
    net.optimizer_.state.clear()
    for key, value in saved["state"]:
        net.optimizer_.state[parameters[key] if isinstance(key, int) else key] = value
    net.schedule = restore_plain(state["schedule"], device)
    _check_kind("schedule", net.schedule, Schedule | None)
    net.precision = state["precision"]
    net.history_ = History(_unpack_history(state["history"]))


def _check_state(net: NeuralNet, state: dict[str, Any]) -> None:
    """Raise ValueError unless a state has the plain parts that `get_net_state` writes."""
    # Who wrote a file may have put anything there that skops, or pickle, can make.
    _refuse_names("parts", set(state) ^ set(STATE))
    arguments = state["arguments"]
    _check_kind("arguments", arguments, dict)
    own = {name for name in arguments if not name.startswith(PREFIXES)}
    _refuse_names("arguments", own - _find_names(net))
    optimizer = arguments.get("optimizer")
    if not (isinstance(optimizer, type) and issubclass(optimizer, torch.optim.Optimizer)):
        _raise_damaged("optimizer", optimizer)
    for name, value in arguments.items():
        # What a user's own optimizer takes is known to nobody else; callbacks are objects.
        is_own = name.startswith("optimizer__") and not optimizer.__module__.startswith(OURS)
        if name not in ("optimizer", "callbacks") and not (is_own or _is_plain(value)):
            _raise_damaged(name, value)
    if arguments.get("torch_load_kwargs") is not None:  # could let load_params run code
        _raise_damaged("torch_load_kwargs", arguments["torch_load_kwargs"])
    if state["precision"] not in ("full", "tf32", "bfloat16"):
        _raise_damaged("precision", state["precision"])
    _check_kind("history", state["history"], str | list)


def _refuse_names(what: str, wrong: set[str]) -> None:
    if wrong:
        raise ValueError(
            f"A saved network has {what} that are unknown, or lacks some: {sorted(map(str, wrong))}"
            ". The file is damaged, or was made by another version of sknn."
        )


def _check_kind(name: str, value: Any, kind: type | UnionType) -> None:
    if not isinstance(value, kind):
        _raise_damaged(name, value)


def _raise_damaged(name: str, value: Any) -> None:
    raise ValueError(
        f"A saved network has {name}={value!r}, which is no plain value of the kind it must be. "
        "The file is damaged, or was made by another version of sknn."
    )


def _is_plain(value: Any) -> bool:
    """Return whether a value is made of numbers, text, arrays and containers of these alone."""
    if isinstance(value, dict):
        return all(map(_is_plain, [*value, *value.values()]))
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, PLAIN)


def _find_names(net: NeuralNet) -> set[str]:
    """Return the names of the constructor's arguments that are saved as they are."""
    return {*_NAMES, *inspect.signature(type(net)).parameters} - DERIVED


def _list_parameters(net: NeuralNet) -> list[torch.nn.Parameter]:
    return [parameter for _, parameter in net.get_all_learnable_params()]


def _get_arguments(net: NeuralNet) -> dict[str, Any]:
    """Return the arguments of the net's constructor, as they are now."""
    names = _find_names(net)
    return {
        name: value
        for name, value in vars(net).items()
        if name in names or ("__" in name and not name.startswith(("_", "criterion__")))
    }


_NAMES = inspect.signature(NeuralNet).parameters


def _get_loss_state(loss: Loss) -> Any:
    """Return name and settings of a loss of the table, and another loss as it is."""
    if isinstance(loss, TableLoss) and loss.is_named:
        return {"name": loss.name, "settings": dict(loss.settings)}
    return loss


def _restore_loss(state: dict | Loss) -> Any:
    return make_known_loss(state["name"], state["settings"]) if isinstance(state, dict) else state


def _pack_history(history: list) -> Any:
    """Return the rows of a history as one text, which takes far less space than many numbers."""
    rows = [dict(row) for row in history]
    try:
        text = json.dumps(rows)
    except TypeError:  # a callback has noted other things
        return rows
    return text if repr(json.loads(text)) == repr(rows) else rows


def _unpack_history(rows: str | list) -> list:
    return json.loads(rows) if isinstance(rows, str) else rows

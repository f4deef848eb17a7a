"""Torch's tensors, modules and optimizers as plain arrays and dicts, for files, and back.

What is pickled, copied or written by skops goes through here: no tensor is left that would want
the device it was on, and nothing is packed into bytes that a loader could not look into.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.optim.lr_scheduler import LRScheduler

from sknn._saved import saved
from sknn.engine.optimizers._schedules import Schedule

#: instances are taken apart into their class and their attributes
OPENED = (nn.Module, torch.optim.Optimizer, LRScheduler, Schedule)
DICTS = (dict, OrderedDict)
SEQUENCES = (list, tuple, set)


@saved
@dataclass
class PlainTensor:
    """A tensor.

    Attributes
    ----------
    array : ndarray
        Its values; of a dtype that NumPy lacks, its bytes as whole numbers.
    dtype : str
        Dtype, by torch's name.
    on_device : bool
        Whether it was where its network was, and not on the CPU.
    is_parameter, requires_grad : bool
        Attributes, as in torch.
    """

    array: np.ndarray
    dtype: str
    on_device: bool
    is_parameter: bool
    requires_grad: bool


@saved
@dataclass
class PlainObject:
    """An instance of a class of torch, or of one derived from such.

    Attributes
    ----------
    kind : type
        Its class.
    state : dict
        Its attributes, plain too; of a module those that every module has are left out where they
        are empty.
    """

    kind: type
    state: Any


@saved
@dataclass
class PlainDtype:
    """A dtype of torch, by its `name`."""

    name: str


@saved
@dataclass
class KnownTensor:
    """Stands for one of the tensors that are known to both sides, by its number."""

    index: int


def make_plain(value: Any, known: Sequence[torch.Tensor] = ()) -> Any:
    """Return a value with plain things for tensors, known ones by place, and what holds them."""
    # Instances of OPENED, dicts, lists, tuples and sets are looked through; arrays may share memory
    # with tensors.
    return _Opener(known).open(value)


def restore_plain(value: Any, device: str = "cpu", known: Sequence[torch.Tensor] = ()) -> Any:
    """Return what `make_plain` was given, in own memory; what was not on the CPU, on `device`."""
    return _Closer(device, known).close(value)


class _Opener:
    """One call of `make_plain`: a thing met twice is one thing afterwards, too."""

    def __init__(self, known: Sequence[torch.Tensor]):
        self.done = {id(tensor): (tensor, KnownTensor(i)) for i, tensor in enumerate(known)}

    def open(self, value: Any) -> Any:
        if id(value) in self.done:
            return self.done[id(value)][1]
        if _is_plain_tensor(value):
            return self._note(value, _make_plain_tensor(value))
        if isinstance(value, OPENED) and type(value).__reduce_ex__ is object.__reduce_ex__:
            result = self._note(value, PlainObject(type(value), None))
            result.state = self.open(_state_of(value))
            return result
        if isinstance(value, torch.dtype):
            return PlainDtype(str(value).removeprefix("torch."))
        if type(value) in DICTS:
            return type(value)((key, self.open(item)) for key, item in value.items())
        if type(value) is defaultdict:  # the state of an optimizer: its keys may be tensors
            return {key: self.open(item) for key, item in value.items()}
        if type(value) in SEQUENCES:
            return type(value)(self.open(item) for item in value)
        return value

    def _note(self, value: Any, result: Any) -> Any:
        self.done[id(value)] = value, result  # the value too, so that its id stays its own
        return result


class _Closer:
    """One call of `restore_plain`."""

    def __init__(self, device: str, known: Sequence[torch.Tensor]):
        self.device, self.known = device, known
        self.done: dict[int, Any] = {}

    def close(self, value: Any) -> Any:
        if id(value) in self.done:
            return self.done[id(value)]
        if isinstance(value, KnownTensor):
            return self.known[value.index]
        if isinstance(value, PlainTensor):
            device = self.device if value.on_device else "cpu"
            return self.done.setdefault(id(value), _restore_tensor(value, device))
        if isinstance(value, PlainObject):
            result = self.done[id(value)] = value.kind.__new__(value.kind)  # type: ignore[call-overload]
            _set_state(result, self.close(value.state))
            return result
        if isinstance(value, PlainDtype):
            return _get_dtype(value.name)
        if type(value) in DICTS:
            return type(value)((key, self.close(item)) for key, item in value.items())
        if type(value) in SEQUENCES:
            return type(value)(self.close(item) for item in value)
        return value


def _is_plain_tensor(value: Any) -> bool:
    """Return whether values, dtype and kind are all there is to a tensor."""
    kind = type(value)
    known = kind is torch.Tensor or kind is nn.Parameter
    return known and value.layout is torch.strided and not value.is_quantized and not vars(value)


def _make_plain_tensor(tensor: torch.Tensor) -> PlainTensor:
    values = tensor.detach().cpu().resolve_conj().resolve_neg()
    try:
        array = values.numpy()
    except TypeError:  # bfloat16, for instance
        array = values.contiguous().view(_BITS[values.element_size()]).numpy()
    return PlainTensor(
        array,
        str(tensor.dtype).removeprefix("torch."),
        tensor.device.type != "cpu",
        isinstance(tensor, nn.Parameter),
        tensor.requires_grad,
    )


#: bytes of a number -> whole numbers of that size
_BITS = {1: torch.uint8, 2: torch.int16}


def _restore_tensor(saved: PlainTensor, device: str) -> torch.Tensor:
    tensor = torch.from_numpy(np.array(saved.array, order="K"))
    dtype = _get_dtype(saved.dtype)
    tensor = (tensor if tensor.dtype is dtype else tensor.view(dtype)).to(device)
    if saved.is_parameter:
        return nn.Parameter(tensor, saved.requires_grad)
    return tensor.requires_grad_(saved.requires_grad)


def _get_dtype(name: str) -> torch.dtype:
    dtype = getattr(torch, name, None)
    if not isinstance(dtype, torch.dtype):  # a file must not reach for torch's functions
        raise ValueError(
            f"A saved network must name dtypes of torch, such as 'float32'; got {name!r}. The file "
            "is broken, or was made with another version of torch."
        )
    return dtype


def _state_of(value: Any) -> Any:
    state = value.__getstate__()
    if not isinstance(value, nn.Module):
        return state
    empty = vars(nn.Module())
    return {k: v for k, v in state.items() if not (k in empty and _is_same(v, empty[k]))}


def _is_same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and not isinstance(value, torch.Tensor) and value == default


def _set_state(new: Any, state: Any) -> None:
    if isinstance(new, nn.Module):
        nn.Module.__init__(new)
    if hasattr(new, "__setstate__"):
        new.__setstate__(state)
    else:
        vars(new).update(state)

"""Identity of a fit: its class, its parameters, and its data."""

import functools
import hashlib
import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from types import CellType, CodeType, FunctionType
from typing import Any

import joblib
import numpy as np
import torch

from sknn._specs import TrainResult
from sknn._version import __version__
from sknn.engine.callbacks._user import CallbackLike
from sknn.engine.net._serialization import make_plain

#: packages whose classes and functions are known by their names; of others the code counts, too
KNOWN = ("sknn", "sklearn", "skorch", "torch", "numpy", "scipy", "builtins")
PLAIN = (bool, int, float, complex, str, bytes)
#: things within things, at most
DEPTH = 20
#: characters of a parameter that a warning shows
N_SHOWN = 80


@dataclass(frozen=True)
class Identity:
    """Identity of a fit, in words that are equal in each process.

    Attributes
    ----------
    kind : str
        Name of the class.
    params : dict of str to str
        Parameters by their names.
    data : str
        A hash of X, y, sample weights and validation samples.
    start : str, default=''
        A hash of the network that is trained further; '' for a new one.
    """

    kind: str
    params: dict[str, str]
    data: str
    start: str = ""

    @classmethod
    def of(cls, kind: type, params: Mapping[str, Any], data: Any, start: str = "") -> "Identity":
        """Return that of a fit of a class with parameters."""
        return cls(kind.__qualname__, describe_params(params), hash_data(data), start)

    @property
    def digest(self) -> str:
        """A name for the whole."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()

    def with_params(self, params: Mapping[str, Any]) -> "Identity":
        """Return that of the same fit with other parameters."""
        return replace(self, params=describe_params(params))

    def list_differences(self, other: "Identity") -> list[str]:
        """Return in words in which parameters, or in what else, another fit was different."""
        mine, theirs = self.params, other.params
        found = [
            f"{name} was {_shorten(theirs.get(name, 'not set'))} and is "
            f"{_shorten(mine.get(name, 'not set'))} now"
            for name in {**theirs, **mine}
            if mine.get(name) != theirs.get(name)
        ]
        if self.data != other.data:
            found.append("the data were others")
        if self.start != other.start:
            found.append("it began with another network")
        return found


def describe_params(params: Mapping[str, Any]) -> dict[str, str]:
    """Return in words what parameters are, and by which packages the fit is computed."""
    words = {
        name: describe_callbacks(value) if name.endswith("callbacks") else describe(value)
        for name, value in sorted(params.items())
    }
    versions = {"sknn": __version__, "torch": torch.__version__}
    return {**words, **{f"the version of {name}": str(v) for name, v in versions.items()}}


def describe_callbacks(callbacks: Sequence[CallbackLike] | None) -> str:
    """Return in words which of skorch's own callbacks there are, as many change the training."""
    # User-defined functions and classes may be others in a fit that goes on: they look on.
    items = callbacks if isinstance(callbacks, list | tuple) else ()
    known = [item[1] if isinstance(item, tuple) else item for item in items]
    own = [item for item in known if _name(type(item)).startswith("skorch.")]
    return describe(own)


def hash_start(previous: TrainResult) -> str:
    """Return a hash of what a fit goes on from that trains a network further."""
    progress, resume = previous.progress, previous.resume
    counts = progress.n_samples_seen, progress.best_loss, progress.best_score, progress.n_stalled
    paused = None
    if resume is not None:
        names = "weights", "optimizer", "random_state", "order", "n_steps", "first_weights"
        paused = [resume.state[name] for name in names]
    return hash_data([make_plain(previous.net.module_.state_dict()), counts, paused])


def _shorten(text: str) -> str:
    return text if len(text) <= N_SHOWN else f"{text[: N_SHOWN - 3]}..."


def hash_data(data: Any) -> str:
    """Return a hash of arrays, sparse matrices, frames, and containers of these."""
    return joblib.hash(data, hash_name="sha1", coerce_mmap=True)


def describe(value: Any, depth: int = DEPTH) -> str:
    """Return in words what a parameter is, without addresses, so that equal ones have equal words.

    Functions and classes that are the user's are known by their code, too.
    """
    if value is None or isinstance(value, PLAIN):
        return repr(value)
    if depth == 0:
        return _name(type(value))
    if isinstance(value, np.generic):
        return repr(value.item())
    if isinstance(value, np.random.RandomState):
        return f"RandomState({hash_data(value.get_state())})"
    if isinstance(value, np.ndarray):
        return f"array of shape {value.shape} ({hash_data(value)})"
    if isinstance(value, list | tuple | set | frozenset):
        items = [describe(item, depth - 1) for item in value]
        items = items if isinstance(value, list | tuple) else sorted(items)
        return f"[{', '.join(items)}]"
    if isinstance(value, Mapping):
        return _describe_pairs("", value, depth)
    if isinstance(value, functools.partial):
        given = [value.func, value.args, value.keywords]
        return f"partial({', '.join(describe(item, depth - 1) for item in given)})"
    if isinstance(value, type):
        return _name(value) + _hash_code(_list_methods(value), depth)
    if inspect.isroutine(value):
        return _name(value) + _hash_code([value], depth)
    return _describe_object(value, depth)


def _describe_object(value: Any, depth: int) -> str:
    """Return class and parameters, fields, or attributes."""
    name = describe(type(value), depth - 1)
    if hasattr(value, "get_params"):  # what a fit has added does not count
        return _describe_pairs(name, value.get_params(deep=False), depth)
    if is_dataclass(value):
        pairs = {item.name: getattr(value, item.name) for item in fields(value)}
        return _describe_pairs(name, pairs, depth)
    return _describe_pairs(name, getattr(value, "__dict__", {}), depth)


def _describe_pairs(name: str, pairs: Mapping[Any, Any], depth: int) -> str:
    items = [f"{describe(k, depth - 1)}: {describe(v, depth - 1)}" for k, v in pairs.items()]
    return f"{name}{{{', '.join(sorted(items))}}}"


def _name(thing: Any) -> str:
    module = getattr(thing, "__module__", None) or "builtins"
    name = getattr(thing, "__qualname__", type(thing).__qualname__)
    return name if module == "builtins" else f"{module}.{name}"


def _list_methods(kind: type) -> list[Any]:
    """Return the functions of a class and its bases that are not of `KNOWN` packages."""
    # What packages define is known by its name and version; a class that the user wrote may be
    # another one today under the same name.
    own = [base for base in kind.__mro__ if base.__module__.partition(".")[0] not in KNOWN]
    return [item for base in own for item in vars(base).values() if hasattr(item, "__code__")]


def _hash_code(functions: list[Any], depth: int) -> str:
    """Return a hash of the code of functions, in brackets; '' if there is none to look at."""
    parts = [
        part
        for function in functions
        if _name(function).partition(".")[0] not in KNOWN and hasattr(function, "__code__")
        for part in (*_list_code(function.__code__), _describe_closure(function, depth))
    ]
    text = repr(parts).encode()
    return f" (code {hashlib.blake2b(text, digest_size=6).hexdigest()})" if parts else ""


def _list_code(code: CodeType) -> list[Any]:
    """Return bytes, names and constants of code, and of code within it."""
    inner = [c for c in code.co_consts if isinstance(c, CodeType)]
    # Code within code has addresses in its repr, and is listed by itself; sets have no order.
    constants = [repr(c) for c in code.co_consts if not isinstance(c, CodeType | frozenset)]
    parts: list[Any] = [code.co_code, code.co_names, constants]
    return parts + [part for one in inner for part in _list_code(one)]


def _describe_closure(function: FunctionType, depth: int) -> list[str]:
    """Return defaults and fixed values around a function; what may change is left out."""
    cells = [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
    fixed = [v for v in cells if v is None or isinstance(v, (*PLAIN, tuple, type))]
    return [describe(value, depth - 1) for value in (*fixed, function.__defaults__)]


def _is_filled(cell: CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - raises where a name is not bound yet
    except ValueError:
        return False
    return True

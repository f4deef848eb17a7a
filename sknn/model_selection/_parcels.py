"""Common data of all calls of a search, which are sent to workers once."""

import os
import pickle
import tempfile
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from pickle import PickleBuffer
from typing import Any, ClassVar
from uuid import uuid4

import numpy as np
from joblib.parallel import BatchedCalls, ParallelBackendBase

from sknn.model_selection._gathering import Call
from sknn.model_selection._tasks import FitTask

try:
    import cloudpickle
except ImportError:  # joblib < 1.6 brings its own
    from joblib.externals import cloudpickle

#: bytes from which an array of a file is mapped and not read, as by joblib
MAPPED_FROM = 2**20
#: bytes that arrays begin at a multiple of, in a file
ALIGNMENT = 64
#: keyword arguments of scikit-learn's function that may hold arrays of all samples
SHARED = ("fit_params", "score_params")
#: positional and keyword arguments
Common = tuple[tuple, dict[str, Any]]


class Parcel:
    """Brings to workers what the calls of a search have in common: pickled once, and sent once.

    Parameters
    ----------
    backend : ParallelBackendBase
        joblib's active backend.

    Attributes
    ----------
    data : Handle
        Leads workers to what the calls have in common.
    """

    def __init__(self, backend: ParallelBackendBase):
        self.backend = backend
        self.data: Handle | None = None
        self._common: Common | None = None
        self._stack = ExitStack()

    def pack(self, calls: list[Call]) -> dict[int, Call]:
        """Return calls without what they have in common, by their numbers."""
        packed, common = pack_calls(calls)
        if common is None or (self._common is not None and is_same(common, self._common)):
            return packed  # as in the rounds of halving
        self.close()
        self._common = common
        names = [kind.__name__ for kind in type(self.backend).__mro__]
        share = next((SHARING[name] for name in names if name in SHARING), share_along)
        self.data = share(Packed(common), self.backend, self._stack)
        return packed

    def close(self) -> None:
        """Let the data go."""
        self._stack.close()
        self._common = self.data = None


def pack_calls(calls: list[Call]) -> tuple[dict[int, Call], Common | None]:
    """Return calls without what they have in common, by number, and that; None if it is nothing."""
    if not all(map(FitTask.is_task, calls)):
        return dict(enumerate(calls)), None
    found = [(args[1:], {name: kwargs.get(name) for name in SHARED}) for _, args, kwargs in calls]
    common = found[0]
    # Every call of a search holds the same X and y. Sent once for all calls, and known by identity,
    # as comparing them would read all numbers.
    if not all(is_same(common, other) for other in found):
        return dict(enumerate(calls)), None
    packed = {}
    for number, (function, args, kwargs) in enumerate(calls):
        rest = {name: value for name, value in kwargs.items() if name not in SHARED}
        packed[number] = function, args[:1], rest
    return packed, common


def is_same(one: Common, other: Common) -> bool:
    """Return whether X, y and the shared arguments of two calls are the very same objects."""
    pairs = zip((*one[0], *one[1].values()), (*other[0], *other[1].values()), strict=True)
    return all(a is b for a, b in pairs)


def unpack_calls(calls: Mapping[int, Call], data: "Handle | None") -> dict[int, Call]:
    """Return the calls as they were before `pack_calls`."""
    if data is None or all(len(args) != 1 for _, args, _ in calls.values()):
        return dict(calls)
    positional, named = data.load()
    return {
        number: (function, args + positional, {**kwargs, **named})
        for number, (function, args, kwargs) in calls.items()
    }


class Handle(ABC):
    """Leads a worker to data, which it keeps until it is led to others."""

    _kept: ClassVar[tuple[str, Common]] = ("", ((), {}))

    def __init__(self):
        self.key = uuid4().hex

    def load(self) -> Common:
        """Return the data."""
        if Handle._kept[0] != self.key:
            Handle._kept = self.key, self.read()
        return Handle._kept[1]

    @abstractmethod
    def read(self) -> Common:
        """Read the data."""


class Packed(Handle):
    """Data as bytes: a pickle, and beside it the memory of their arrays.

    Parameters
    ----------
    data : tuple of tuple and dict
        Positional and keyword arguments.
    """

    def __init__(self, data: Common):
        super().__init__()
        # Protocol 5 of pickle leaves arrays out of line: they are written, mapped or sent as they
        # lie in memory, without a copy in between.
        views: list[PickleBuffer] = []
        self.head = cloudpickle.dumps(data, protocol=5, buffer_callback=views.append)
        self.arrays: list[memoryview] = [view.raw() for view in views]

    def read(self) -> Common:
        """Return the data, the arrays in memory of their own."""
        return pickle.loads(self.head, buffers=map(bytearray, self.arrays))

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "arrays": [bytes(array) for array in self.arrays]}


class FileHandle(Handle):
    """Data in a file of this machine, the arrays mapped where they are large.

    Parameters
    ----------
    packed : Packed
        Content to write.
    path : Path
        File to write.
    """

    def __init__(self, packed: Packed, path: Path):
        super().__init__()
        self.head, self.path, self.places = packed.head, path, []
        with path.open("wb") as file:
            for array in packed.arrays:
                file.write(bytes(-file.tell() % ALIGNMENT))
                self.places.append((file.tell(), array.nbytes))
                file.write(array)

    def read(self) -> Common:
        """Return the data; workers have one copy of large arrays, which nobody may change."""
        arrays: list[np.memmap | bytearray] = []
        for start, n_bytes in self.places:
            if n_bytes >= MAPPED_FROM:
                arrays.append(np.memmap(self.path, mode="r", offset=start, shape=n_bytes))
            else:
                with self.path.open("rb") as file:
                    file.seek(start)
                    arrays.append(bytearray(file.read(n_bytes)))
        return pickle.loads(self.head, buffers=arrays)


class RayHandle(Handle):
    """Data in the store of Ray.

    Parameters
    ----------
    packed : Packed
        Content to put there.
    """

    def __init__(self, packed: Packed):
        import ray

        super().__init__()
        self.reference = ray.put(packed)

    def read(self) -> Common:
        """Return the data."""
        import ray

        return ray.get(self.reference).read()


def share_along(packed: Packed, backend: ParallelBackendBase, stack: ExitStack) -> Handle:
    """Let the bytes go along with each group."""
    return packed


def share_by_file(packed: Packed, backend: ParallelBackendBase, stack: ExitStack) -> Handle:
    """Write the data to a file, which workers of this machine read."""
    folder = tempfile.TemporaryDirectory(
        prefix="sknn_", dir=os.environ.get("JOBLIB_TEMP_FOLDER"), ignore_cleanup_errors=True
    )
    return FileHandle(packed, Path(stack.enter_context(folder)) / "arrays")


def share_by_dask(packed: Packed, backend: ParallelBackendBase, stack: ExitStack) -> Handle:
    """Let the scheduler hold the data, which it gives to a worker again if another is lost."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sending large graph")
        future = backend.client.submit(_return, packed, pure=False)
    stack.callback(future.release)
    return future


def _return(packed: Packed) -> Packed:
    return packed


def share_by_ray(packed: Packed, backend: ParallelBackendBase, stack: ExitStack) -> Handle:
    """Put the data into Ray's store."""
    return RayHandle(packed)


def make_prompt(backend: ParallelBackendBase) -> ParallelBackendBase:
    """Return a backend that reports failed tasks, too."""
    # joblib's for Dask reports finished tasks only, and a search would wait forever for one that
    # the scheduler gave up.
    if all(kind.__name__ != "DaskDistributedBackend" for kind in type(backend).__mro__):
        return backend

    kind: type[ParallelBackendBase] = type(backend)

    class PromptBackend(kind):
        def effective_n_jobs(self, n_jobs: int) -> int:
            """Return the number of workers, and never 1, with which joblib runs calls here."""
            return max(2, super().effective_n_jobs(n_jobs))

        def submit(self, func: BatchedCalls, callback: Callable[[Future], None]) -> Future:
            """Schedule calls, whose end is reported however it comes."""
            future = super().submit(func, callback)

            def report_failure(done: Future) -> None:
                if done.exception():
                    callback(done)

            future.add_done_callback(report_failure)
            return future

        def retrieve_result_callback(self, out: Any) -> Any:
            """Return what calls returned, or raise what ended them."""
            return (
                out.result() if isinstance(out, Future) else super().retrieve_result_callback(out)
            )

    options = {"client": backend.client, **backend.submit_kwargs}
    prompt = PromptBackend(**options)
    prompt.nesting_level = backend.nesting_level
    return prompt


#: class of a backend -> how data come to its workers; others take them along with each group
SHARING: dict[str, Callable[[Packed, ParallelBackendBase, ExitStack], Handle]] = {
    "LokyBackend": share_by_file,
    "MultiprocessingBackend": share_by_file,
    "DaskDistributedBackend": share_by_dask,
    "RayBackend": share_by_ray,
}

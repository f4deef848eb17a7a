"""A folder of checkpoints: a file for each fit, held by the one process or thread that writes it.

A file's name is ``<class>-<digest>-<number>.checkpoint``. Numbers tell fits apart that are the same
to the last parameter: those that run at once, and those without a seed.
"""

import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from sknn._files import write_file
from sknn.engine._interrupt import is_one_of_several_fits
from sknn.engine.checkpoints._identity import Identity, hash_data
from sknn.engine.checkpoints._lock import FileLock
from sknn.engine.net._format import pack, read_head, unpack
from sknn.exceptions import warn_user

SUFFIX = ".checkpoint"
#: differences that a warning names
N_SHOWN = 5
#: what reading a file that is none may raise
DAMAGES = (ValueError, TypeError, KeyError, IndexError, struct.error)

#: files of fits without a seed that have ended in this process, of which each is used once
_used: set[Path] = set()
_guard = threading.Lock()


@dataclass(frozen=True)
class CheckpointSpec:
    """Checkpoints that a fit writes, and marks by which it finds its own.

    Attributes
    ----------
    folder : Path
        Folder of the files.
    every : int, float or None
        Epochs, or seconds, from one to the next; None for few enough that they cost little.
    identity : Identity
        Identity of a fit: its class, parameters and data.
    has_seed : bool
        Whether the user's `random_state` makes two fits equal.
    seed : dict
        State of the generator before anything was drawn.
    number : int, default=0
        Number of the first file to try.
    warns : bool, default=True
        Whether to warn where the folder has the file of another fit alone.
    """

    folder: Path
    every: int | float | None
    identity: Identity
    has_seed: bool
    seed: dict[str, Any]
    number: int = 0
    warns: bool = True

    def quietly(self) -> "CheckpointSpec":
        """Return that of one of several fits, which differ as they should."""
        return replace(self, warns=False)

    def with_params(self, params: Mapping[str, Any]) -> "CheckpointSpec":
        """Return that of a fit of the same data with other parameters."""
        return replace(self, identity=self.identity.with_params(params))

    def with_samples(self, numbers: np.ndarray) -> "CheckpointSpec":
        """Return that of a fit on samples of the same data, by their numbers."""
        data = hash_data([self.identity.data, numbers])
        return replace(self, identity=replace(self.identity, data=data))

    def find_file(self, number: int) -> Path:
        """Return the path of a fit's file."""
        return self.folder / f"{self.identity.kind}-{self.identity.digest}-{number}{SUFFIX}"


def make_spec(
    folder: Path,
    every: int | float | None,
    identity: Identity,
    random_state: np.random.RandomState,
    has_seed: bool,
) -> CheckpointSpec:
    """Return the specification of a fit's checkpoints, and make the folder.

    Without a seed, `random_state` goes back to where the fit that goes on began.
    """
    with explain_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        spec = CheckpointSpec(folder, every, identity, has_seed, _get_seed(random_state))
        if has_seed:
            return spec
        # Fits without a seed differ in nothing but chance, so that one folder may have several: the
        # first whose file no process holds, and that no earlier fit of this process has used up, is
        # gone on with.
        for number in count():
            path = spec.find_file(number)
            lock = _make_lock(path)
            if path in _used or not lock.take():
                continue
            try:
                content = _read_or_none(path)
            finally:
                lock.give_back()
            break
    if content is not None:
        random_state.set_state(content["seed"])
    return CheckpointSpec(folder, every, identity, has_seed, _get_seed(random_state), number)


def _get_seed(random_state: np.random.RandomState) -> dict[str, Any]:
    return random_state.get_state(legacy=False)


def _make_lock(path: Path) -> FileLock:
    return FileLock(path.with_name(f".{path.name}.lock"))


def _read_or_none(path: Path) -> dict[str, Any] | None:
    """Return what a file holds; None where there is none, or it is damaged."""
    try:
        return unpack(path.read_bytes())[1]
    except (FileNotFoundError, *DAMAGES):
        return None


class CheckpointFile:
    """The file of a fit, which no other process writes meanwhile.

    Parameters
    ----------
    spec : CheckpointSpec
        Which.

    Attributes
    ----------
    path : Path
        Path of the file.
    content : dict or None
        Content of the file when it is opened.
    """

    def __init__(self, spec: CheckpointSpec):
        self.spec = spec
        with explain_errors(spec.folder):
            spec.folder.mkdir(parents=True, exist_ok=True)
            for number in count(spec.number):
                self.path = spec.find_file(number)
                self._lock = _make_lock(self.path)
                if self._lock.take():
                    _remove_unfinished(self.path)
                    self.content = self._read()
                    if self.content is None or _is_same(self.content["seed"], spec.seed):
                        break
                    self._lock.give_back()
            if spec.warns and not is_one_of_several_fits():
                clean_up(spec.folder)
                if self.content is None:
                    self._warn_of_another()

    def _read(self) -> dict[str, Any] | None:
        if not self.path.exists():
            return None
        try:
            return unpack(self.path.read_bytes())[1]
        except DAMAGES as error:
            warn_user(
                f"The checkpoint {str(self.path)!r} cannot be read: {error}. The fit begins anew, "
                "and replaces it."
            )
            return None

    def _warn_of_another(self) -> None:
        """Warn if the newest file of a fit of this class differs in parameters or data alone."""
        kind, own = self.spec.identity.kind, f"{self.spec.identity.digest}-"
        others = [p for p in self.spec.folder.glob(f"{kind}-*{SUFFIX}") if own not in p.name]
        newest = max(others, key=_get_time, default=None)
        if newest is None or (head := read_head(newest)) is None or _is_held(newest):
            return
        mine, other = self.spec.identity, Identity(**head["identity"])
        is_other_data = (other.data, other.start) != (mine.data, mine.start)
        if head["is_finished"] and is_other_data and other.params != mine.params:
            return  # of another task, which has ended
        found = mine.list_differences(other)
        more = f" and {len(found) - N_SHOWN} more" if len(found) > N_SHOWN else ""
        warn_user(
            f"checkpoint={str(self.spec.folder)!r} has a file of another fit of {kind}, after "
            f"{head['n_epochs']} epochs, but {'; '.join(found[:N_SHOWN])}{more}. This fit begins "
            "anew, and the other file stays. Set back what differs to go on there, or give this "
            "fit a folder of its own."
        )

    def write(self, content: dict[str, Any], n_epochs: int, is_finished: bool) -> None:
        """Replace the file, as a whole or not at all: an OSError leaves the one from before."""
        spec = self.spec
        head = {
            "identity": asdict(spec.identity),
            "n_epochs": n_epochs,
            "is_finished": is_finished,
        }
        with explain_errors(spec.folder):
            write_file(self.path, pack(head, {**content, "seed": spec.seed}), f"{self.path.stem}-")

    def close(self, is_finished: bool) -> None:
        """Let others have the file."""
        if is_finished and not self.spec.has_seed:
            with _guard:
                _used.add(self.path)
        self._lock.give_back()


def _is_same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether two states of a generator are equal."""
    # Of the Mersenne Twister: 624 numbers, and the place among them.
    keys = one["state"]["key"], other["state"]["key"]
    return np.array_equal(*keys) and one["state"]["pos"] == other["state"]["pos"]


def _get_time(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # removed meanwhile
        return 0.0


def _is_held(path: Path) -> bool:
    lock = _make_lock(path)
    if not lock.take():
        return True
    lock.give_back()
    return False


def clean_up(folder: Path) -> None:
    """Remove what killed processes have left beside the files: locks, and files half written."""
    for lock_file in folder.glob(f".*{SUFFIX}.lock"):
        path = folder / lock_file.name[1 : -len(".lock")]
        lock = _make_lock(path)
        if lock.take():
            _remove_unfinished(path)
            lock.give_back()


def _remove_unfinished(path: Path) -> None:
    """Remove what was written of a file by a process that was killed; its lock must be held."""
    for part in path.parent.glob(f".sknn-{path.stem}-*.part"):
        part.unlink(missing_ok=True)


@contextmanager
def explain_errors(folder: Path) -> Iterator[None]:
    """Say in errors of files which parameter is meant, and what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise type(error)(
            error.errno,
            f"checkpoint={str(folder)!r} cannot be used: {reason}. Give a folder that exists or "
            "can be made, on a disk with room, in which you may write; or checkpoint=None",
            error.filename,
        ) from error

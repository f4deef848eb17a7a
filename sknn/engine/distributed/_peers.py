"""Processes that train one network together, and the message that they exchange."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Lock
from types import TracebackType
from typing import NoReturn, TypeVar

import numpy as np
import torch
import torch.distributed as dist

from sknn.engine._interrupt import InterruptFlag
from sknn.exceptions import PeerError

#: last numbers of a message: how many processes failed, want to pause, or are out of time
FLAGS = ("failed", "paused", "late")
#: size of a message outside of training, for each process
NUMBERS = 16
#: number of float32 that together hold a float64
PARTS = 3
#: lock of the group's messages, which two fits at the same time would mix up
IN_USE = Lock()
#: values of `n_processes` that stand for the processes of ``torch.distributed``
OF_WORLD = ("world", "shards")

Item = TypeVar("Item")


class Peers:
    """The processes of ``torch.distributed`` that train one network together.

    They go through the same steps and exchange messages of one size. Each message is summed over
    all processes, flags included. A process that fails, wherever that is, sets a flag in the
    message that the others wait for; then all of them raise, and none waits for ever.

    Attributes
    ----------
    rank, size : int
        Number of this process, from 0, and number of processes.
    numbers : Tensor of shape (n_numbers,)
        Numbers to send; after `exchange` their sums over all processes.
    is_pausing, is_late : bool
        Whether, by the last message, a process wants to pause, or is out of time.
    """

    def __init__(self) -> None:
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        self.is_pausing = self.is_late = self.is_lost = self.has_told = False
        self.interrupt = InterruptFlag()
        # NCCL sends what lies on a GPU, gloo and MPI what lies in memory.
        self.on_gpu = dist.get_backend() == "nccl"
        self.use_small_messages()

    @property
    def leads(self) -> bool:
        """Whether this process prints, scores, and calls callbacks."""
        return self.rank == 0

    # --- messages ----------------------------------------------------------------------------

    def use_messages(self, n_numbers: int, dtype: torch.dtype) -> None:
        """Exchange messages of this size from now on; all processes call this at the same step."""
        device = "cuda" if self.on_gpu else "cpu"
        self.message = torch.zeros(n_numbers + len(FLAGS), dtype=dtype, device=device)
        self.numbers, self.flags = self.message[:n_numbers], self.message[n_numbers:]

    def use_small_messages(self) -> None:
        """Exchange small messages from now on, outside of training."""
        self.use_messages(NUMBERS * self.size, torch.float64)

    def exchange(self, *, is_late: bool = False) -> None:
        """Sum the message over all processes; raise PeerError if one failed or was lost."""
        # Flags ride on the message of the gradients: a message of their own at each step would cost
        # as much again, and all processes see the same flags at the same step, so that they pause
        # and end together.
        failed, paused, late = self._sum([0.0, float(self.interrupt.is_set), float(is_late)])
        self.is_pausing, self.is_late = self.is_pausing or paused > 0, late > 0
        if failed:
            raise PeerError(self._gather_errors(None))

    def tell_failure(self, error: BaseException) -> None:
        """Tell the other processes, which wait for the next message, that this one failed."""
        # The others stand in `exchange` or will come there; if a process left without this message,
        # they would wait until the time limit of the group.
        if self.has_told or self.is_lost:
            return
        self.message.zero_()
        with suppress(PeerError, RuntimeError):  # the others may have ended, too
            self._sum([1.0, 0.0, 0.0])
            self._gather_errors(error)

    def _sum(self, flags: Sequence[float]) -> list[float]:
        self.flags.copy_(torch.tensor(flags, dtype=self.flags.dtype))
        try:
            self._wait(dist.all_reduce(self.message, async_op=True))
        except KeyboardInterrupt:
            self.is_lost = True
            raise
        except RuntimeError as error:
            self._raise_lost(error)
        return self.flags.tolist()

    def _raise_lost(self, error: RuntimeError) -> NoReturn:
        self.is_lost = True
        raise PeerError(
            f"Process {self.rank} of {self.size} lost another one, which was ended or cannot be "
            f"reached ({str(error).splitlines()[0]}). What it wrote last may say why."
        ) from error

    def _wait(self, work: dist.Work) -> None:
        """Wait for a message; Ctrl-C is heard at least once a second."""
        if self.on_gpu:
            work.wait()
            return
        # A wait in C++ hears no signals, so that Python has to come back now and then.
        while True:
            try:
                work.wait(timedelta(seconds=1))
                return
            except RuntimeError:
                # torch raises the same error for this timeout and for a lost process: after a
                # timeout the work is not completed, and the wait goes on.
                if work.is_completed():
                    work.wait()
                    raise

    def _gather_errors(self, error: BaseException | None) -> str:
        """Return which processes failed, and their errors; all processes call this."""
        self.has_told = True
        text = None if error is None else f"{type(error).__name__}: {error}"
        texts: list[str | None] = [None] * self.size
        dist.all_gather_object(texts, text)
        found = [f"process {rank} raised {text}" for rank, text in enumerate(texts) if text]
        return f"Training by {self.size} processes ended, as {'; '.join(found)}"

    # --- what is sent ------------------------------------------------------------------------

    def add_up(self, values: torch.Tensor) -> torch.Tensor:
        """Return the sum of a vector over all processes, in as many messages as it takes."""
        total = torch.empty_like(values)
        size = len(self.numbers)
        for part, out in zip(values.split(size), total.split(size), strict=True):
            self.numbers.zero_()
            self.numbers[: len(part)].copy_(part)
            self.exchange()
            out.copy_(self.numbers[: len(part)])
        return total

    def write_float(self, place: int, value: float) -> None:
        """Write a float64 at one of the last places of the message, whatever its dtype."""
        for i in range(PARTS):
            part = self.numbers[-PARTS * (place + 1) + i]
            # Each part is what the parts before have left, rounded to float32. A float32 has 24
            # significant bits: 24 + 24 + 5 hold the 53 of a float64, and the parts add up to it
            # exactly.
            part.fill_(value)
            rest = value - float(part)
            value = rest if np.isfinite(rest) else 0.0

    def read_float(self, place: int) -> float:
        """Return a float64 that one process wrote by `write_float`."""
        start = len(self.numbers) - PARTS * (place + 1)
        return float(sum(self.numbers[start : start + PARTS].double().tolist()))

    def agree(self, wish: bool, *, is_late: bool) -> tuple[bool, bool]:
        """Return the wish of the first process, and whether any process is out of time."""
        self.numbers.zero_()
        self.numbers[0] = float(wish and self.leads)
        self.exchange(is_late=is_late)
        return bool(self.numbers[0] > 0), self.is_late

    def agree_on_seed(self) -> int:
        """Return a seed that the first process drew."""
        self.numbers.zero_()
        if self.leads:
            self.numbers[0] = float(np.random.RandomState().randint(2**31))
        self.exchange()
        return int(self.numbers[0])

    def gather(self, thing: Item) -> list[Item]:
        """Return the things of all processes, in the order of their ranks.

        Raises
        ------
        PeerError
            If another process failed or was lost.
        """
        packed: list[bytes] = [b""] * self.size
        own = pickle.dumps(thing)  # if this fails, the other processes do not wait for it yet
        self.exchange()
        try:
            dist.all_gather_object(packed, own)
        except RuntimeError as error:
            self._raise_lost(error)
        return [pickle.loads(part) for part in packed]

    def compare(self, marks: dict[str, int]) -> list[str]:
        """Return the names of marks (below 2 ** 32) that are not equal in all processes."""
        # Each process writes a row of a table (n_processes, NUMBERS) and zeros elsewhere, so that
        # the sum is the whole table.
        own = slice(NUMBERS * self.rank, NUMBERS * self.rank + len(marks))
        self.numbers.zero_()
        self.numbers[own] = torch.tensor(list(marks.values()), dtype=self.numbers.dtype)
        self.exchange()
        table = self.numbers.view(self.size, NUMBERS)[:, : len(marks)]
        differs = (table != table[0]).any(0).tolist()
        return [name for name, is_other in zip(marks, differs, strict=True) if is_other]


class PeerInterrupt:
    """A `sknn.engine._interrupt.StopSign` by which all processes pause after the same step."""

    def __init__(self, peers: Peers):
        self.peers, self.flag = peers, peers.interrupt

    @property
    def is_deaf(self) -> bool:
        """Whether a further Ctrl-C is ignored."""
        return self.flag.is_deaf

    @is_deaf.setter
    def is_deaf(self, value: bool) -> None:
        self.flag.is_deaf = value

    @property
    def is_set(self) -> bool:
        """Whether to stop after the current step."""
        return self.peers.is_pausing

    def __enter__(self) -> PeerInterrupt:
        self.flag.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.flag.__exit__(kind, error, traceback)


def leads(n_processes: int | str | None) -> bool:
    """Return whether this process is the first, or the only one, of those that train together."""
    is_one_of_many = n_processes in OF_WORLD and dist.is_available() and dist.is_initialized()
    return not is_one_of_many or dist.get_rank() == 0


@contextmanager
def join_peers(n_processes: int | str | None) -> Iterator[Peers | None]:
    """Return a context in which the processes of ``torch.distributed`` work together.

    All of them enter and leave it; if one fails inside, all fail. It gives None unless
    `n_processes` is ``'world'`` or ``'shards'``.

    Raises
    ------
    RuntimeError
        If ``torch.distributed`` is not initialized, or its processes train another network.
    PeerError
        If another process failed.
    """
    if n_processes not in OF_WORLD:
        yield None
        return
    if not (dist.is_available() and dist.is_initialized()):
        raise RuntimeError(
            f"n_processes={n_processes!r} trains with the processes of torch.distributed, which is "
            "not initialized. Start the script with torchrun and call "
            "torch.distributed.init_process_group() first, or write n_processes=2, which starts "
            "processes on this machine by itself."
        )
    if not IN_USE.acquire(blocking=False):
        raise RuntimeError(
            f"n_processes={n_processes!r} trains one network at a time, but another fit runs in "
            "this process. Fit one after the other (n_jobs=1), or set n_processes=None."
        )
    try:
        with tell_failures(Peers()) as peers:
            yield peers
    finally:
        IN_USE.release()


@contextmanager
def tell_failures(peers: Peers) -> Iterator[Peers]:
    """Return a context from which either all processes go on, or all raise."""
    try:
        yield peers
        peers.use_small_messages()
        peers.exchange()
    except BaseException as error:
        peers.tell_failure(error)
        raise

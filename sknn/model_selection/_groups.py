"""Candidates and folds in groups, each a task for a worker of joblib's active backend."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pickle import PicklingError

from sklearn.utils.parallel import Parallel, delayed

from sknn.exceptions import warn_user
from sknn.model_selection._gathering import Call
from sknn.model_selection._parcels import Handle, Parcel, make_prompt, unpack_calls

#: calls of the first groups, whose duration is not known
FIRST_SIZE = 8
#: seconds that a group takes at least and at most, if calls take as long as those before
SHORTEST, LONGEST = 0.5, 10.0
#: groups that each worker is to get of what is left
SHARE = 2
#: losses of workers in a row, without a finished group between them, after which it is an error
MAX_LOSSES = 3
#: errors that come again if a group is repeated
LASTING = (PicklingError, TypeError, AttributeError, ImportError)
#: name of Dask's error for a task that several workers have died of
TRIED = "KilledWorker"

Runner = Callable[[dict[int, Call], Callable[[int, dict], None]], None]


@dataclass
class GroupResult:
    """Result of a worker.

    Attributes
    ----------
    results : dict of int to dict
        Results by the numbers of the calls.
    error : BaseException or None
        Error of a call, if it ends the search.
    seconds : float
        Time of all.
    """

    results: dict[int, dict] = field(default_factory=dict)
    error: BaseException | None = None
    seconds: float = 0.0


def run_group(run: Runner, calls: Mapping[int, Call], data: Handle | None) -> GroupResult:
    """Run the calls of a group, in a worker; `data` leads to what they have in common."""
    group, start = GroupResult(), time.perf_counter()
    try:
        run(unpack_calls(calls, data), group.results.__setitem__)
    except (Exception, KeyboardInterrupt) as error:
        group.error = error
    group.seconds = time.perf_counter() - start
    return group


class Groups:
    """Sends groups to workers until all calls are done; a group that is lost is sent again.

    Parameters
    ----------
    run : callable
        Function that runs a group, see `run_group`.
    calls : list of tuple
        Calls of one search.
    parcel : Parcel
        Brings to workers what the calls have in common.
    n_jobs : int
        Number of jobs that was given to joblib.
    """

    def __init__(self, run: Runner, calls: list[Call], parcel: Parcel, n_jobs: int):
        self.run_calls, self.parcel, self.n_jobs = run, parcel, n_jobs
        self.n_workers = parcel.backend.effective_n_jobs(n_jobs)
        self.calls = parcel.pack(calls)
        self.waiting = deque(self.calls)
        self.running: dict[int, list[int]] = {}
        self.n_groups = self.n_calls = 0
        self.seconds = 0.0

    def run(self, finish: Callable[[int, dict], None]) -> None:
        """Run all calls, ``finish(number, result)`` each."""
        n_losses, n_done = 0, -1
        while self.waiting or self.running:
            try:
                self._run_once(finish)
            except _TaskError as stop:
                raise stop.error from stop.error.__cause__
            except Exception as error:
                if isinstance(error, LASTING) or type(error).__name__ == TRIED:
                    raise
                # A worker may be lost to somebody else's memory, and then it is worth trying again;
                # that nothing at all is finished between three losses has a cause of its own.
                n_losses = n_losses + 1 if self.n_calls == n_done else 1
                n_done = self.n_calls
                if n_losses == MAX_LOSSES:
                    raise
                self._take_back(error)

    def _run_once(self, finish: Callable[[int, dict], None]) -> None:
        """Run what is waiting, up to an error."""
        backend = self.parcel.backend
        order = "generator_unordered" if backend.supports_return_generator else "list"
        parallel = Parallel(
            n_jobs=self.n_jobs,
            backend=make_prompt(backend),
            return_as=order,
            batch_size=1,
            pre_dispatch="n_jobs + 1",
        )
        for name, group in parallel(self._make_tasks()):
            self.running.pop(name, None)
            self.n_calls += len(group.results)
            self.seconds += group.seconds
            for number, result in group.results.items():
                finish(number, result)
            if group.error is not None:
                raise _TaskError(group.error)

    def _make_tasks(self) -> Iterator[tuple]:
        """Yield groups as workers ask for them, of a size that follows from those before."""
        while self.waiting:
            numbers = [self.waiting.popleft() for _ in range(self.count_next())]
            self.n_groups += 1
            self.running[self.n_groups] = numbers
            calls = {number: self.calls[number] for number in numbers}
            yield delayed(_run_named)(self.n_groups, self.run_calls, calls, self.parcel.data)

    def count_next(self) -> int:
        """Return the number of calls of the next group."""
        # Groups shrink with what is left, so that no worker has a large one when the others are
        # done; but each takes so long that handing it over does not count, and not so long that
        # much is lost with a worker.
        fair = -(-len(self.waiting) // (SHARE * self.n_workers))
        if not self.n_calls:
            return min(fair, FIRST_SIZE)
        duration = max(self.seconds / self.n_calls, 1e-9)
        size = min(max(fair, int(SHORTEST / duration)), max(1, int(LONGEST / duration)))
        return min(size, len(self.waiting))

    def _take_back(self, error: Exception) -> None:
        """Let the calls wait again that were lost with a worker."""
        lost = [number for numbers in self.running.values() for number in numbers]
        self.running.clear()
        self.waiting.extendleft(reversed(lost))
        warn_user(
            f"A worker was lost ({type(error).__name__}): its group of candidates is evaluated "
            f"again, {len(lost)} fits in all. If memory was short, take fewer workers."
        )


class _TaskError(Exception):
    """Carries an error of a call past those that mean the loss of a worker."""

    def __init__(self, error: BaseException):
        super().__init__(str(error))
        self.error = error


def _run_named(
    name: int, run: Runner, calls: Mapping[int, Call], data: Handle | None
) -> tuple[int, GroupResult]:
    """Return the name of a group, and its result."""
    return name, run_group(run, calls, data)

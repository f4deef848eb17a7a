"""A backend of joblib that gathers the calls of scikit-learn's searches, to see all at once.

scikit-learn hands each pair of candidate and fold to `joblib.Parallel` as a call of its own. This
backend takes them all, lets a function run them as it likes, and gives back what it returned;
everything before and after is scikit-learn's own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from joblib import parallel_config
from joblib.parallel import BatchedCalls, Parallel, ParallelBackendBase, get_active_backend

#: function, positional and keyword arguments, as joblib has them
Call = tuple[Callable[..., Any], tuple, dict[str, Any]]


@dataclass
class Workers:
    """Arguments that a user gave to `joblib.Parallel`.

    Attributes
    ----------
    n_jobs : int
        Number of jobs of the search or of ``joblib.parallel_config``, as it was given.
    pre_dispatch : int or str
        Number of calls that joblib takes ahead of the workers.
    """

    n_jobs: int = 1
    pre_dispatch: int | str = "2*n_jobs"


@dataclass
class _Batch:
    """Calls that joblib submitted together, and what they returned."""

    calls: list[Call]
    callback: Callable[[None], None]
    results: list = field(default_factory=list)


class GatheringBackend(ParallelBackendBase):
    """Gathers what one `joblib.Parallel` is asked to do.

    Parameters
    ----------
    run : callable
        ``run(calls, workers)`` returns what the calls return, in their order. It is called with the
        backend active that was so before `activate`.
    """

    supports_sharedmem = uses_threads = True
    supports_timeout = supports_retrieve_callback = False

    def __init__(self, run: Callable[[list[Call], Workers], list]):
        super().__init__(nesting_level=0)
        self._run, self._workers = run, Workers()
        self._batches: list[_Batch] = []
        self._outer, _ = get_active_backend()
        self.default_n_jobs = self._outer.default_n_jobs

    @contextmanager
    def activate(self) -> Iterator[None]:
        """Return a context in which the next `joblib.Parallel` to begin, and no other, has this."""
        # What the calls compute in parallel, and the fits after them, have the backend of the user.
        self._context = parallel_config(backend=self)
        with self._context:
            yield

    def configure(self, n_jobs: int, parallel: Parallel, **options: object) -> int:
        """Take note of what was asked for; return the number of workers that joblib is to see."""
        self._context.unregister()
        self._outer.effective_n_jobs(n_jobs)  # raises an error where the number is wrong
        self._workers = Workers(n_jobs, parallel.pre_dispatch)
        parallel.pre_dispatch = "all"
        return self.effective_n_jobs(n_jobs)

    def effective_n_jobs(self, n_jobs: int) -> int:
        """Return 2: with one, joblib would run the calls itself."""
        return 2

    def submit(self, func: BatchedCalls, callback: Callable[[None], None]) -> _Batch:
        """Keep calls until the first result is asked for."""
        batch = _Batch(func.items, callback)
        self._batches.append(batch)
        return batch

    def retrieve_result(self, out: _Batch, timeout: float | None = None) -> list:
        """Return what the calls of a batch returned."""
        if not out.results:  # a batch has one call at least
            batches, self._batches = self._batches, []
            calls, sizes = [c for b in batches for c in b.calls], [len(b.calls) for b in batches]
            for batch in batches:  # joblib keeps them to the end, and so their clones otherwise
                batch.calls = []
            taken = iter(self._run(calls, self._workers))
            for batch, size in zip(batches, sizes, strict=True):
                batch.results = [next(taken) for _ in range(size)]
                batch.callback(None)
        return out.results

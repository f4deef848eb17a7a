"""Small networks by compiled steps, each in a thread of its own."""

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType

import torch

from sknn._jit import HAS_NUMBA
from sknn._specs import TrainPlan, TrainResult
from sknn.architectures import MLP
from sknn.engine._interrupt import InterruptFlag
from sknn.engine._runners import RUNNERS
from sknn.engine._start import estimate_work
from sknn.engine._train import train
from sknn.engine.compiled import _codes
from sknn.engine.compiled._runner import CompiledRunner
from sknn.engine.compiled._support import explain_work
from sknn.engine.data._device import limit_threads, resolve_device
from sknn.engine.data._matmul import use_one_thread_per_product

#: solvers by name whose steps are compiled
COMPILED_SOLVERS = frozenset({"adam", "adamw", "nadam", "rmsprop", "sgd"})

#: steps of all networks from which compiling, or loading what was compiled, pays
MIN_STEPS = 5000


class ThreadRunner(CompiledRunner):
    """Compiled steps for one network of many, whose steps count together."""

    min_steps = 0


RUNNERS_IN_THREADS = tuple(ThreadRunner if r is CompiledRunner else r for r in RUNNERS)


def supports_thread(plan: TrainPlan) -> str | None:
    """Return why a plan is not for compiled steps in a thread; None if it is."""
    # Whatever compiled steps can compute goes to threads, as it is faster than a stack at all
    # shapes. Processor time of a search of 60 networks, stacked / in threads, float64:
    #
    #     units      8    32   100   16-16-16      8    32       4 (2 inputs)
    #     batch     32    32    32         32    200   200      32
    #     ratio    1.2   1.5   1.9        2.0    1.4   1.7     1.1
    module, config = plan.module, plan.config
    if not HAS_NUMBA:
        return "numba is not installed (pip install 'sknn[fast]')"
    if type(module) is not MLP or not module.is_plain_but_for_dropout:
        return "the network is not a plain MLP"
    if not set(module.activation_names) <= set(_codes.ACTIVATIONS):
        return "an activation is not compiled"
    loss = plan.target.loss
    if not isinstance(loss, str) or loss not in _codes.LOSSES:
        return "the loss is not compiled"
    if config.solver not in COMPILED_SOLVERS or not isinstance(config.learning_rate, str):
        return "the solver or its schedule is not compiled"
    if config.compile or config.precision == "bfloat16":
        return "steps are to be computed by torch"
    if config.callbacks or config.verbose or plan.watcher is not None:
        return "a callback or an output needs single epochs"
    if config.n_processes is not None:
        return "several processes train the network"
    if config.averaged_epochs or plan.previous is not None or plan.checkpoint is not None:
        return "the network is not new, or there is more to do than steps"
    reason = explain_work(module, plan.X, _choose_size(plan), n_threads=1)
    if reason is not None:
        return reason
    device = resolve_device(config.device, str(plan.X.dtype), *estimate_work(plan))
    return None if torch.device(device).type == "cpu" else "the network is not on the CPU"


def count_steps(plan: TrainPlan) -> int:
    """Return the maximum number of steps of a plan."""
    return plan.config.max_iter * -(-plan.n_samples // _choose_size(plan))


def _choose_size(plan: TrainPlan) -> int:
    """Return the number of samples in a mini-batch."""
    size = plan.config.batch_size
    return min(plan.config.auto_batch_size if size == "auto" else size, plan.n_samples)


class _SharedFlag:
    """A `StopSign` of a run in another thread: the flag of the main thread, to be read alone."""

    def __init__(self, flag: InterruptFlag):
        # Signals come to the main thread, and cut nothing in two here: that this run is deaf must
        # not keep a second one from the main thread.
        self.flag, self.is_deaf = flag, False

    @property
    def is_set(self) -> bool:
        """Whether to stop after the steps at hand."""
        return self.flag.is_set

    def __enter__(self) -> "_SharedFlag":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the handler to the main thread."""


class TrainingThreads:
    """Trains plans in threads while the caller does something else.

    Parameters
    ----------
    n_threads : int
        Number of networks in training at once; 1 means in the thread of the caller, when it asks
        for results.
    """

    def __init__(self, n_threads: int):
        self._pool = ThreadPoolExecutor(n_threads) if n_threads > 1 else None
        self._flag, self._limit = InterruptFlag(), use_one_thread_per_product()
        self._numbers: dict[Future, int] = {}
        self._waiting: deque[tuple[int, TrainPlan]] = deque()
        self._offered: list[tuple[int, TrainPlan]] = []
        self._n_steps = 0

    def __enter__(self) -> "TrainingThreads":
        self._flag.__enter__()
        self._limit.__enter__()
        self._flag.is_deaf = False
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wait for those in training; those that were not begun are not."""
        self._flag.is_set |= error is not None
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        self._limit.__exit__(kind, error, traceback)
        self._flag.__exit__(kind, error, traceback)

    def offer(self, number: int, plan: TrainPlan) -> None:
        """Train a plan if it is for compiled steps, and all that were offered have enough of them.

        Until there are `MIN_STEPS`, for which loading the code pays, none is trained.
        """
        if supports_thread(plan) is not None:
            return
        self._offered.append((number, plan))
        self._n_steps += count_steps(plan)
        if self._n_steps >= MIN_STEPS:
            for offered in self._offered:
                self.submit(*offered)
            self._offered.clear()

    def submit(self, number: int, plan: TrainPlan) -> None:
        """Train a plan, whose result is to be known by a number."""
        if self._pool is None:
            self._waiting.append((number, plan))
        else:
            self._numbers[self._pool.submit(self._train, plan)] = number

    def _train(self, plan: TrainPlan) -> tuple[TrainResult | BaseException, float]:
        start = time.perf_counter()
        if self._flag.is_set:
            return KeyboardInterrupt(), 0.0
        try:
            with limit_threads(0, 0):
                flag = _SharedFlag(self._flag)
                outcome: TrainResult | BaseException = train(plan, RUNNERS_IN_THREADS, flag)
        except Exception as error:
            outcome = error
        return outcome, time.perf_counter() - start

    @property
    def is_interrupted(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return self._flag.is_set

    def iterate(
        self, n_waiting: int = 0
    ) -> Iterator[tuple[int, TrainResult | BaseException, float]]:
        """Yield number, result or error, and seconds of plans, as they end.

        Parameters
        ----------
        n_waiting : int, default=0
            Plans that need not have ended: with so many, or fewer, none is waited for.
        """
        while self._waiting:
            number, plan = self._waiting.popleft()
            yield number, *self._train(plan)
        while self._numbers:
            timeout = 0 if len(self._numbers) <= n_waiting else None
            done, _ = wait(self._numbers, timeout, return_when=FIRST_COMPLETED)
            if not done:
                return
            for future in done:
                yield self._numbers.pop(future), *future.result()

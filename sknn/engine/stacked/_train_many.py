"""``train_many(plans)``: networks of one shape side by side, the others one by one."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

from joblib import Parallel, delayed, effective_n_jobs

from sknn._specs import TrainPlan, TrainResult
from sknn.engine._interrupt import InterruptFlag
from sknn.engine.callbacks._progress import show_bar
from sknn.engine.checkpoints._recorder import Recorder
from sknn.engine.checkpoints._stack import StackRecorder
from sknn.engine.data._device import is_out_of_memory, limit_threads, use_precision
from sknn.engine.data._matmul import use_one_thread_per_product
from sknn.engine.distributed._spawn import train_together
from sknn.engine.stacked._batches import Order
from sknn.engine.stacked._member import Member, Shared, supports_plan
from sknn.engine.stacked._memory import count_side_by_side, get_memory_budget
from sknn.engine.stacked._mlp import Stack, arrange
from sknn.engine.stacked._validation import StackedValidation

Outcome = TrainResult | BaseException

#: places that must be free in a stack before waiting networks are let in
SHARE_TO_REFILL = 0.25


def train_many(
    plans: Sequence[TrainPlan],
    *,
    n_jobs: int | None = None,
    memory: int | None = None,
    verbose: bool | int = False,
    return_errors: bool = False,
) -> list[Any]:
    """Train networks as `train` trains each of them, many at a time.

    Plain MLPs of one shape, loss, solver and batch size are computed together: their weights lie
    in tensors with a leading axis of networks, while learning rate, penalty, momentum, samples and
    their order, and stopping are each network's own. A network that stops leaves the others, and
    one that waits takes its place. All other plans are trained one by one. The results are those
    of `train` up to rounding.

    Parameters
    ----------
    plans : sequence of TrainPlan
        What to train. Plans of one data set should share one array as X, which is moved to the
        device once, and say in `numbers` which of its samples are theirs.
    n_jobs : int, default=None
        Threads that train networks at the same time, each a stack of its own, and processes for the
        plans that are trained one by one, as joblib counts them. (The threads never wait for each
        other, so that a busy machine slows them down by no more than it takes away.)
    memory : int, default=None
        Bytes that stacked networks may take; fewer are taken at a time if it is small. By
        default a quarter of what is free.
    verbose : bool or int, default=False
        Show a bar over all epochs, where the package rich is installed.
    return_errors : bool, default=False
        Return the exception of a plan that failed in the place of its result, and
        ``KeyboardInterrupt`` for those that were never begun when Ctrl-C came. Otherwise the
        first of them is raised when the others have ended.

    Returns
    -------
    list of TrainResult
        In the order of the plans.

    Raises
    ------
    NonFiniteLossError, ValueError
        What `train` raises for one of the plans.
    KeyboardInterrupt
        If Ctrl-C came before every plan was begun.

    Warns
    -----
    ConvergenceWarning, UserWarning
        As `train` does. After Ctrl-C the networks in training keep the weights reached so far.
    """
    outcomes: list[Outcome | None] = [None] * len(plans)
    with show_bar("epochs", sum(_count_max_epochs(plan) for plan in plans), verbose) as advance:
        try:
            groups, alone = _group_plans(plans, outcomes)
            with use_one_thread_per_product():
                _train_groups(groups, outcomes, n_jobs, memory, advance)
            _train_alone(plans, alone, outcomes, n_jobs, advance)
        except KeyboardInterrupt as stop:
            outcomes = [stop if outcome is None else outcome for outcome in outcomes]
    if not return_errors:
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
    return outcomes


def _count_max_epochs(plan: TrainPlan) -> int:
    return 1 if plan.incremental else plan.config.max_iter


def _group_plans(
    plans: Sequence[TrainPlan], outcomes: list[Outcome | None]
) -> tuple[list[dict[int, Member]], list[int]]:
    """Return plans of one shape together, and the numbers of those to be trained one by one."""
    users = Counter(id(plan.random_state) for plan in plans)
    groups: dict[tuple | int, dict[int, Member]] = defaultdict(dict)
    shared, alone = Shared(), []
    for i, plan in enumerate(plans):
        # Plans with one random state take from it one after the other.
        if supports_plan(plan) is not None or users[id(plan.random_state)] > 1:
            alone.append(i)
            continue
        try:
            member = Member(plan)
            is_supported = member.supports() is None
            if is_supported:
                member.lay_out(shared)
        except Exception as error:
            outcomes[i] = error
            continue
        groups[member.describe_shape() if is_supported else i][i] = member
    for key in [key for key, group in groups.items() if len(group) == 1]:
        (i,) = groups.pop(key)
        alone.append(i)
    return list(groups.values()), sorted(alone)


def _train_groups(
    groups: list[dict[int, Member]],
    outcomes: list[Outcome | None],
    n_jobs: int | None,
    memory: int | None,
    advance: Callable[[int], None],
) -> None:
    """Train groups, in threads of their own if there are to be several."""
    if not groups:
        return
    n_threads, stop, flag = effective_n_jobs(n_jobs), Event(), InterruptFlag()
    if memory is None:
        memory = get_memory_budget(next(iter(groups[0].values())).net.device)
    parts = [
        _Group(part, memory // n_threads, advance, lambda: stop.is_set() or flag.is_set)
        for group in groups
        for part in _divide_group(group, n_threads)
    ]
    with flag:
        flag.is_deaf = False
        if n_threads == 1:
            for part in parts:
                part.run(outcomes)
            return
        with ThreadPoolExecutor(n_threads) as pool:
            futures = [pool.submit(part.run, outcomes) for part in parts]
            try:
                for future in futures:
                    future.result()
            except BaseException:  # a second Ctrl-C reaches the main thread only
                stop.set()
                raise


def _divide_group(group: dict[int, Member], n_parts: int) -> list[dict[int, Member]]:
    """Divide a group so that each thread gets a part, neighbours together."""
    numbers = {member: i for i, member in group.items()}
    members = _sort_by_order(list(group.values()))
    size = -(-len(members) // n_parts)
    parts = [members[i : i + size] for i in range(0, len(members), size)]
    return [{numbers[member]: member for member in part} for part in parts]


class _Group:
    """Members of one shape, some of them in a stack, the others waiting or done."""

    def __init__(
        self,
        members: dict[int, Member],
        memory: int,
        advance: Callable[[int], None],
        is_stopped: Callable[[], bool],
    ):
        self.numbers = {member: i for i, member in members.items()}
        self.advance, self.is_stopped = advance, is_stopped
        self.is_between_epochs, self.is_laid = True, False
        self.waiting = deque(members.values())
        self.active: list[Member] = []
        first = self.waiting[0]
        self.limit = count_side_by_side(first.net, memory, first.n_outputs_kept)
        self.batch_size = max(member.net.batch_size for member in self.waiting)

    def run(self, outcomes: list[Outcome | None]) -> None:
        """Train all; write results and errors. Ctrl-C ends those in training, and is raised."""
        self.recorder = StackRecorder([member.run for member in self.numbers])
        try:
            self._resume(outcomes)
            while self.waiting or self.active:
                self._train_stack(outcomes)
            self.recorder.end()
        except KeyboardInterrupt:
            for member in self.active:
                if not member.is_done:
                    member.interrupt(self.is_between_epochs)
                outcomes[self.numbers[member]] = _get_outcome(member)
            raise
        finally:
            self.recorder.close()
            for member in self.active:  # after an error
                member.run.close()

    def _resume(self, outcomes: list[Outcome | None]) -> None:
        """Begin those that a checkpoint has the state of, in the order in which they lay."""
        recorder, members = self.recorder, list(self.numbers)
        orders: dict[tuple, Order] = {}
        known = [i for i, content in enumerate(recorder.contents) if content is not None]
        for i in [*recorder.active, *(i for i in known if i not in recorder.active)]:
            self.waiting.remove(members[i])
            self.active.append(members[i])
            members[i].begin(orders, recorder.contents[i])
        # Whoever waits was let in when a stack was laid, and again when a network was done.
        self.is_laid = bool(self.active) and not any(members[i].is_done for i in recorder.active)
        self._let_go(outcomes)

    def _let_go(self, outcomes: list[Outcome | None]) -> None:
        """Conclude those that are done."""
        number = {member: i for i, member in enumerate(self.numbers)}
        for member in [member for member in self.active if member.is_done]:
            self.advance(member.plan.config.max_iter - member.run.progress.n_epochs)
            self.recorder.keep(number[member], member.run.recorder)
            outcomes[self.numbers[member]] = _get_outcome(member)
            self.active.remove(member)

    def _train_stack(self, outcomes: list[Outcome | None]) -> None:
        """Train a stack until it is worth while to lay it anew."""
        stack = self._make_stack()
        validation = StackedValidation(stack)
        first = self.active[0].net
        with limit_threads(0, 0), use_precision(first):  # one thread
            while not any(member.is_done for member in self.active):
                self.is_between_epochs = True
                if self.is_stopped():
                    raise KeyboardInterrupt
                self.is_between_epochs = False
                for member in self.active:
                    member.run.open_epoch()
                losses = dict(zip(stack.runs, stack.run_epoch(), strict=True))
                validation.run()
                for member in self.active:
                    member.end_epoch(losses[member.run])
                self.recorder.end_epoch(self._find_recorders())
                self.advance(len(self.active))
        self._let_go(outcomes)

    def _find_recorders(self) -> dict[int, Recorder]:
        """Return the recorders of those in training, in the order in which they lie."""
        number = {member: i for i, member in enumerate(self.numbers)}
        return {number[member]: member.run.recorder for member in self.active}

    def _make_stack(self) -> Stack:
        """Let in who waits, if there is room enough, and lay all in training into a stack."""
        while True:
            free = self.limit - len(self.active)
            if not self.active or (free >= SHARE_TO_REFILL * self.limit and not self.is_laid):
                self._admit(free)
            self.is_laid = False
            places = arrange(
                [member.net for member in self.active], [member.order for member in self.active]
            )
            lying = [self.active[i] for i in places]
            try:
                return Stack(
                    [member.run for member in lying],
                    [member.order for member in lying],
                    self.batch_size,
                )
            except (MemoryError, RuntimeError) as error:
                if len(self.active) < 2 or not is_out_of_memory(error):
                    raise
                self._shrink()

    def _admit(self, free: int) -> None:
        orders: dict[tuple, Order] = {}
        for _ in range(_find_boundary(free, [member.order_key for member in self.waiting])):
            member = self.waiting.popleft()
            member.begin(orders)
            self.active.append(member)

    def _shrink(self) -> None:
        """Send half of the networks that have not begun yet back to wait."""
        self.limit = max(1, len(self.active) // 2)
        fresh = [member for member in self.active if not member.run.progress.n_epochs]
        back = fresh[max(0, len(fresh) - (len(self.active) - self.limit)) :]
        self.active = [member for member in self.active if member not in back]
        self.waiting.extendleft(reversed(back))


def _sort_by_order(members: list[Member]) -> list[Member]:
    """Return members with those together that see the same samples in the same order."""
    keys = defaultdict(list)
    for member in members:
        keys[member.order_key].append(member)
    return [member for group in keys.values() for member in group]


def _find_boundary(most: int, keys: list[tuple]) -> int:
    """Return how many to take, at most so many, so that few who share a key are torn apart."""
    if most >= len(keys):
        return len(keys)
    stop = most
    while stop and keys[stop - 1] == keys[stop]:
        stop -= 1
    return stop if 2 * stop > most else most


def _get_outcome(member: Member) -> Outcome:
    try:
        return member.conclude()
    except Exception as error:
        return error


def _train_alone(
    plans: Sequence[TrainPlan],
    numbers: list[int],
    outcomes: list[Outcome | None],
    n_jobs: int | None,
    advance: Callable[[int], None],
) -> None:
    """Train plans one by one, or several at a time in processes of their own."""
    results = (_attempt(plans[i]) for i in numbers)
    if effective_n_jobs(n_jobs) > 1:
        parallel = Parallel(n_jobs=n_jobs, return_as="generator")
        results = parallel(delayed(_attempt)(plans[i]) for i in numbers)
    for i, outcome in zip(numbers, results, strict=True):
        outcomes[i] = outcome
        advance(_count_max_epochs(plans[i]))
        stopped = getattr(getattr(outcome, "progress", None), "stopped_because", "")
        if stopped == "interrupted":  # by Ctrl-C, which also means those that follow
            raise KeyboardInterrupt


def _attempt(plan: TrainPlan) -> Outcome:
    try:
        return train_together(plan)
    except Exception as error:
        return error

"""``train_many(plans)``: networks of one shape as one stack, the others one by one."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from typing import Any

from joblib import Parallel, delayed, effective_n_jobs

from sknn._specs import TrainPlan
from sknn.engine._interrupt import InterruptFlag
from sknn.engine._spawn import train_together
from sknn.engine.callbacks._progress import show_bar
from sknn.engine.data._matmul import use_one_thread_per_product
from sknn.engine.stacked._group import MemberGroup, Outcome, divide_group
from sknn.engine.stacked._member import Member, Shared, supports_plan
from sknn.engine.stacked._memory import get_memory_budget
from sknn.engine.stacked._mlp import Stack


def train_many(
    plans: Sequence[TrainPlan],
    *,
    n_jobs: int | None = None,
    memory: int | None = None,
    verbose: bool | int = False,
    return_errors: bool = False,
    stack: type[Stack] = Stack,
) -> list[Any]:
    """Return the results that `train` gives for each plan, up to rounding, many at a time.

    Plans of plain MLPs of one shape, loss, solver and batch size are trained as a `stack`, in
    `n_jobs` threads and in so many bytes of `memory` (by default a quarter of what is free); the
    others one by one, in `n_jobs` processes. Those of one data set should share one array as X, and
    say in `numbers` which samples are theirs. With `return_errors` an exception stands in the place
    of a result, KeyboardInterrupt for what Ctrl-C left; else the first is raised at the end.
    """
    outcomes: list[Outcome | None] = [None] * len(plans)
    with show_bar("epochs", sum(_count_max_epochs(plan) for plan in plans), verbose) as advance:
        try:
            groups, alone = _group_plans(plans, outcomes)
            with use_one_thread_per_product():
                make_group = partial(MemberGroup, advance=advance, stack=stack)
                _train_groups(groups, outcomes, n_jobs, memory, make_group)
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
    make_group: Callable[..., MemberGroup],
) -> None:
    """Train groups, in threads of their own if there are to be several."""
    if not groups:
        return
    n_threads, stop, flag = effective_n_jobs(n_jobs), Event(), InterruptFlag()
    if memory is None:
        memory = get_memory_budget(next(iter(groups[0].values())).net.device)
    parts = [
        make_group(part, memory // n_threads, is_stopped=lambda: stop.is_set() or flag.is_set)
        for group in groups
        for part in divide_group(group, n_threads)
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

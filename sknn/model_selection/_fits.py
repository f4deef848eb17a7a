"""Candidates on folds, trained together in this process and scored by scikit-learn."""

import time
from collections import defaultdict
from collections.abc import Callable, Generator, Hashable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from joblib import effective_n_jobs
from sklearn.base import BaseEstimator

from sknn._sklearn import check_method_params, safe_split
from sknn._specs import TrainPlan, TrainResult
from sknn._validation import is_costly_to_copy
from sknn.architectures import list_parameters
from sknn.engine import TrainingThreads, get_memory_budget, supports_thread, train_many
from sknn.model_selection._plans import (
    Prepared,
    finish_fit,
    fit_first_steps,
    last_step,
    name_of_last_step,
    plan_fit,
)
from sknn.model_selection._sharing import CommonArrays
from sknn.model_selection._tasks import FitTask, ScoredSamples, find_numbers

#: copies of its parameters that a trained network keeps: weights, two moments, the best weights
COPIES_KEPT = 4
#: networks that may wait for each thread while others are prepared
QUEUE = 4


@dataclass
class Fit:
    """One candidate on one fold, prepared.

    Attributes
    ----------
    task : FitTask
        Call of scikit-learn.
    plan : TrainPlan or None
        Until it is trained.
    error : BaseException or None
        Error that its fit raised.
    n_samples_seen : int
        Samples that went through the network in training.
    seconds : float
        Its share of the time that all took.
    """

    task: FitTask
    plan: TrainPlan | None = None
    error: BaseException | None = None
    n_samples_seen: int = 0
    seconds: float = 0.0


class Fits:
    """Trains networks of a search together, as many at a time as the memory holds.

    Parameters
    ----------
    tasks : dict of int to FitTask
        Calls whose estimators are networks, by their numbers. They are taken out of it, so that
        their networks are dropped as soon as they are scored.
    n_jobs : int
        Number of jobs, see `sknn.engine.train_many`.
    verbose : bool or int
        Whether to show a bar.
    memory : int or None
        Bytes that trained networks may take until they are scored; None is a share of what is free.
    train : callable
        Function that trains plans, see `sknn.engine.train_many`.
    """

    def __init__(
        self,
        tasks: dict[int, FitTask],
        n_jobs: int = 1,
        verbose: bool | int = False,
        *,
        memory: int | None = None,
        train: Callable[..., list] = train_many,
    ):
        self.n_jobs, self.verbose, self.memory, self.train = n_jobs, verbose, memory, train
        self._waiting = tasks
        self._folds: dict[Hashable, _Fold] = {}
        self._common: dict[int, CommonArrays] = {}

    def run(self, finish: Callable[[int, dict], None]) -> None:
        """Train all, and call ``finish(number, result)`` for each when scikit-learn has scored it.

        Ctrl-C raises KeyboardInterrupt after those that had been trained were finished.
        """
        while self._waiting:
            stop = None
            with closing(self._train_some()) as trained:
                for number, fit in trained:
                    if isinstance(fit.error, KeyboardInterrupt):
                        stop = fit.error
                    else:
                        finish(number, self._score(fit))
            if stop is not None:
                raise stop

    def _score(self, fit: Fit) -> dict[str, Any]:
        """Return what scikit-learn's function does of a candidate on a fold."""
        task = fit.task
        if fit.error is None and task.is_scored_alone():
            return task.score(fit.seconds, self._find_fold(task).cut_test_samples(task))
        return task.finish(fit.seconds, fit.error)

    def _train_some(self) -> Generator[tuple[int, Fit], None, None]:
        """Prepare as many candidates of those waiting as the memory holds; yield them, trained."""
        start, n_threads = time.perf_counter(), effective_n_jobs(self.n_jobs)
        fits: dict[int, Fit] = {}
        with TrainingThreads(n_threads) as threads:
            for number, fit in self._prepare_some():
                fits[number] = fit
                if fit.plan is not None:
                    threads.offer(number, fit.plan)
                for done, outcome, seconds in threads.iterate(n_waiting=QUEUE * n_threads):
                    yield done, _take_outcome(fits.pop(done), outcome, seconds)
                if threads.is_interrupted:
                    break
            for done, outcome, seconds in threads.iterate():
                yield done, _take_outcome(fits.pop(done), outcome, seconds)
            if threads.is_interrupted:
                raise KeyboardInterrupt
        if not fits:
            return
        self._train([fit for fit in fits.values() if fit.plan is not None])
        _share_time(list(fits.values()), time.perf_counter() - start)
        for number in list(fits):
            yield number, fits.pop(number)

    def _prepare_some(self) -> Iterator[tuple[int, Fit]]:
        """Prepare candidates of those waiting, one after the other, until the memory is full."""
        # All folds of a candidate at least, so that it is scored as a whole; beyond that as many
        # candidates as memory holds.
        budget, candidate = get_memory_budget() if self.memory is None else self.memory, None
        self._folds, self._common = {}, {}  # what they keep takes memory, too
        for number in list(self._waiting):
            task = self._waiting[number]
            if budget < 0 and task.candidate is not candidate:
                return
            fit = self._prepare(self._waiting.pop(number))
            budget -= _count_bytes_kept(fit.plan)
            candidate = task.candidate
            yield number, fit

    def _train(self, fits: list[Fit]) -> None:
        outcomes = self.train(
            [fit.plan for fit in fits if fit.plan is not None],
            n_jobs=self.n_jobs,
            verbose=self.verbose,
            return_errors=True,
        )
        for fit, outcome in zip(fits, outcomes, strict=True):
            _take_outcome(fit, outcome)

    def _prepare(self, task: FitTask) -> Fit:
        """Return a fit with its plan, or with the error that preparing it ended in."""
        fit, fold = Fit(task), self._find_fold(task)
        try:
            key = _key_of_first_steps(task.estimator, task.candidate)
            prepared = fold.after_first_steps(key, task.estimator)
            plan = plan_fit(task.estimator, prepared, fold.plans[key])
            common = self._common.setdefault(id(task.X), CommonArrays(task.X))
            # A thread has X of a fold as it lies, one array for all candidates. Elsewhere, and
            # where X is large, networks of all folds take their samples from one X.
            is_cut = supports_thread(plan) is None and not is_costly_to_copy(task.X)
            numbers = None if key or is_cut else fold.numbers
            fit.plan = common.share(plan, last_step(task.estimator), numbers)
        except Exception as error:
            fit.error = error
        return fit

    def _find_fold(self, task: FitTask) -> "_Fold":
        """Return the fold of a task; it keeps the arrays, so that no other gets their id."""
        key = tuple(map(id, task.list_arrays()))
        if key not in self._folds:
            self._folds[key] = _Fold(task)
        return self._folds[key]


class _Fold:
    """The samples of a fold, and what first steps made of those to train on."""

    def __init__(self, task: FitTask):
        self.numbers = find_numbers(task.train)
        self.X, self.y = safe_split(task.estimator, task.X, task.y, self.numbers)
        self.fit_params = check_method_params(task.X, task.fit_params, self.numbers)
        self.arrays = task.list_arrays()
        self._prepared: dict[Hashable, Prepared | Exception] = {}
        self.plans: dict[Hashable, dict] = defaultdict(dict)
        self._scored: ScoredSamples | None = None

    def after_first_steps(self, key: Hashable, estimator: BaseEstimator) -> Prepared:
        """Return what the first steps of an estimator give, fitted once for each key."""
        if key not in self._prepared:
            try:
                first = fit_first_steps(estimator, self.X, self.y, self.fit_params)
                self._prepared[key] = first
            except Exception as error:
                self._prepared[key] = error
        prepared = self._prepared[key]
        if isinstance(prepared, Exception):
            raise prepared
        return prepared

    def cut_test_samples(self, task: FitTask) -> ScoredSamples:
        """Return `FitTask.cut_test_samples`, made once for all candidates."""
        if self._scored is None:
            self._scored = task.cut_test_samples()
        return self._scored


def _key_of_first_steps(estimator: BaseEstimator, candidate: Mapping[str, Any] | None) -> tuple:
    """Return what tells the candidates' first steps apart; () without any."""
    last = name_of_last_step(estimator)
    if last is None:
        return ()
    params = dict(candidate or {})
    own = sorted(name for name in params if name != last and not name.startswith(f"{last}__"))
    return ("pipeline", *((name, *_identity(params[name])) for name in own))


def _identity(value: object) -> tuple:
    try:
        hash(value)
    except TypeError:  # the grid keeps the value, so that no other gets its id
        return type(value), id(value)
    return type(value), value


def _count_bytes_kept(plan: TrainPlan | None) -> int:
    if plan is None:
        return 0
    return COPIES_KEPT * sum(p.numel() * p.element_size() for p in list_parameters(plan.module))


def _take_outcome(fit: Fit, outcome: TrainResult | BaseException, seconds: float = 0.0) -> Fit:
    """Make the estimator what was trained, or take note of the error that training ended in."""
    plan, fit.plan, fit.seconds = fit.plan, None, seconds
    if isinstance(outcome, BaseException):
        fit.error = outcome
    elif outcome.progress.stopped_because == "interrupted":
        fit.error = KeyboardInterrupt()
    elif plan is not None:
        finish_fit(fit.task.estimator, plan, outcome)
        fit.n_samples_seen = outcome.progress.n_samples_seen
    return fit


def _share_time(fits: Sequence[Fit], seconds: float) -> None:
    """Give each fit its share of the time, by the samples it has seen."""
    total = sum(fit.n_samples_seen for fit in fits)
    for fit in fits:
        fit.seconds = fit.n_samples_seen * seconds / total if total else 0.0

"""The evaluation of candidates: what all batched searches share."""

import os
import shutil
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel
from joblib.parallel import ParallelBackendBase, get_active_backend
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from sknn._saved import SavedState
from sknn._validation import restore_on_error
from sknn.deep import DeepEstimator, read_params
from sknn.engine import (
    CheckpointFile,
    Identity,
    Pace,
    describe_params,
    hash_data,
    make_spec,
    show_bar,
    warn_of_full_disk,
)
from sknn.model_selection._fits import Fits
from sknn.model_selection._gathering import Call, GatheringBackend, Workers
from sknn.model_selection._groups import Groups
from sknn.model_selection._parcels import Parcel
from sknn.model_selection._plans import last_step, was_interrupted
from sknn.model_selection._tasks import FitTask
from sknn.preprocessing import is_source

#: parameters of searches that change no result of a candidate on a fold: which there are, too, as
#: each result is found by its own candidate and samples
OF_SEARCHES = frozenset(
    (
        *("param_grid", "param_distributions", "n_iter", "cv", "random_state", "refit"),
        *("pre_dispatch", "factor", "resource", "max_resources", "min_resources"),
        *("n_candidates", "aggressive_elimination"),
    )
)
#: one call at a time
ALONE = Workers()


class EvaluationInterrupted(KeyboardInterrupt):
    """Ctrl-C, with what had been evaluated by then.

    Parameters
    ----------
    evaluation : Evaluation
        Evaluation that gives these results to scikit-learn, if it is asked for them again.
    """

    def __init__(self, evaluation: "Evaluation"):
        super().__init__("The evaluation was interrupted.")
        self.evaluation = evaluation


class SearchCheckpoint:
    """Keeps results of finished calls, and lets networks that are in training keep their state.

    Parameters
    ----------
    folder : str or path-like
        Folder to write to.
    kind : str
        Name of the class or function that evaluates.
    params : mapping
        Parameters on which the results depend, beside candidates and samples.
    data : tuple
        X, y and further arguments of ``fit``.
    """

    def __init__(
        self, folder: str | os.PathLike, kind: str, params: Mapping[str, Any], data: tuple
    ):
        path = Path(os.fspath(folder))
        identity = Identity(kind, describe_params(params), hash_data(data))
        seed = np.random.RandomState(0)  # nothing is drawn here
        self.file = CheckpointFile(make_spec(path, None, identity, seed, has_seed=True))
        self.networks = path / f"{identity.kind}-{identity.digest}-networks"
        content = self.file.content
        self.results: dict[str, Any] = {} if content is None else content["results"]
        self.pace = Pace(None)
        self.n_kept = len(self.results)
        self._keys: dict[int, str] = {}
        self._hashes: dict[int, tuple[Any, str]] = {}
        if content is None:
            self.write()

    def recall(self, calls: list[Call]) -> dict[int, dict[str, Any]]:
        """Return the results that are known, by the numbers of their calls."""
        self._keys = {i: self._make_key(c) for i, c in enumerate(calls) if FitTask.is_task(c)}
        return {i: self.results[k] for i, k in self._keys.items() if k in self.results}

    def _make_key(self, call: Call) -> str:
        """Return a name for a candidate and its samples."""
        task = FitTask(call)
        # By content, not by place: a search with more candidates or other folds finds the results
        # that it has in common with the one before.
        samples = [self._hash(part) for part in (task.train, task.test)]
        candidate = describe_params(task.candidate or {})
        return hash_data([sorted(candidate.items()), samples])

    def _hash(self, numbers: ArrayLike) -> str:
        """Return a hash of the numbers of samples, made once for each array."""
        if id(numbers) not in self._hashes:  # the array is kept, so that no other gets its id
            self._hashes[id(numbers)] = numbers, hash_data(numbers)
        return self._hashes[id(numbers)][1]

    def prepare(self, calls: list[Call]) -> None:
        """Let the networks of calls that are run here keep their state while they are trained."""
        for call in filter(FitTask.is_task, calls):
            keep_state(FitTask(call).estimator, self.networks)

    def keep(self, number: int, result: Mapping[str, Any]) -> None:
        """Keep the result of a call; write all if it is time."""
        if number in self._keys:
            self.results[self._keys[number]] = dict(result)
            self.n_kept += 1
            if self.pace.is_due(self.n_kept):
                self.write()

    def write(self) -> None:
        """Write all results."""
        began = time.perf_counter()
        try:
            self.file.write({"results": self.results}, self.n_kept, is_finished=False)
        except OSError as error:
            if not self.n_kept:
                raise
            warn_of_full_disk(error)
        self.pace.note(self.n_kept, began)

    def close(self, is_finished: bool) -> None:
        """Write the results so far, and remove the states of networks, which they replace."""
        try:
            self.write()
            if is_finished:
                shutil.rmtree(self.networks, ignore_errors=True)
        finally:
            self.file.close(is_finished)


@contextmanager
def open_checkpoint(
    folder: str | os.PathLike | None, kind: str, params: Mapping[str, Any], data: tuple
) -> Iterator[SearchCheckpoint | None]:
    """Yield the `SearchCheckpoint` of these arguments; None without a folder."""
    if folder is None:
        yield None
        return
    checkpoint, is_finished = SearchCheckpoint(folder, kind, params, data), False
    try:
        yield checkpoint
        is_finished = True
    finally:
        checkpoint.close(is_finished)


def keep_state(estimator: BaseEstimator, folder: Path) -> None:
    """Let a network, or the last step of a pipeline, keep its state in a folder while it trains."""
    network = last_step(estimator)
    if isinstance(network, DeepEstimator) and network.checkpoint is None:
        network.set_params(checkpoint=folder)


def forget_folder(estimator: BaseEstimator, folder: Path) -> None:
    """Undo `keep_state`."""
    network = last_step(estimator)
    if isinstance(network, DeepEstimator) and network.checkpoint == folder:
        network.set_params(checkpoint=None)


class Evaluation:
    """Runs the calls of a search: networks together, all others one by one.

    Parameters
    ----------
    verbose : bool or int, default=False
        Whether to show a bar over the epochs of all networks.
    checkpoint : SearchCheckpoint or None, default=None
        Keeps the results.

    Attributes
    ----------
    results : list of dict or None
        Results of scikit-learn's calls, in their order; None for those that are not finished.
    """

    def __init__(self, verbose: bool | int = False, checkpoint: SearchCheckpoint | None = None):
        self.verbose, self.checkpoint = verbose, checkpoint
        self.results: list[dict[str, Any] | None] = []
        self.n_to_repeat = 0
        self._parcel: Parcel | None = None

    @contextmanager
    def activate(self) -> Iterator[None]:
        """Return a context in which the calls of the next search, or its kin, are run here."""
        try:
            with GatheringBackend(self.run).activate():
                yield
        finally:
            if self._parcel is not None:
                self._parcel.close()

    def run(self, calls: list[Call], workers: Workers) -> list:
        """Return what calls return, or what they returned before Ctrl-C."""
        if self.n_to_repeat:
            results, self.n_to_repeat = self.results[: self.n_to_repeat], 0
            return results
        self.results = [None] * len(calls)
        if self.checkpoint is not None:
            for number, result in self.checkpoint.recall(calls).items():
                self.results[number] = result
        waiting = {i: call for i, call in enumerate(calls) if self.results[i] is None}
        calls.clear()  # each is dropped with its network when it is done
        backend, _ = get_active_backend(prefer="threads")
        try:
            in_threads = getattr(backend, "uses_threads", False)
            # In one process networks of all candidates are trained together; workers of other
            # processes get groups of them, and do the same there.
            if in_threads or backend.effective_n_jobs(workers.n_jobs) == 1:
                if self.checkpoint is not None:
                    self.checkpoint.prepare(list(waiting.values()))
                run_here(waiting, self.finish, workers, self.verbose)
            elif waiting:
                self._run_elsewhere(waiting, backend, workers)
        except KeyboardInterrupt as stop:
            raise EvaluationInterrupted(self) from stop
        if self.checkpoint is not None:
            self.checkpoint.write()  # the best candidate is fitted next, which may take long
        return self.results

    def _run_elsewhere(
        self, waiting: dict[int, Call], backend: ParallelBackendBase, workers: Workers
    ) -> None:
        """Run calls in groups by the workers of joblib's active backend."""
        if self._parcel is None:
            self._parcel = Parcel(backend)
        numbers = list(waiting)
        with show_bar("fits", len(waiting), self.verbose) as advance:

            def finish(number: int, result: dict[str, Any]) -> None:
                self.finish(numbers[number], result)
                advance(1)

            Groups(run_here, list(waiting.values()), self._parcel, workers.n_jobs).run(finish)

    def finish(self, number: int, result: dict[str, Any]) -> None:
        """Take the result of a call: all of them pass here, when they are finished."""
        self.results[number] = result
        if self.checkpoint is not None:
            self.checkpoint.keep(number, result)

    def count_finished(self, n_splits: int) -> int:
        """Return how many candidates, from the first on, have finished all folds."""
        unfinished = [i for i, result in enumerate(self.results) if result is None]
        return (unfinished[0] if unfinished else len(self.results)) // n_splits


def run_here(
    calls: dict[int, Call],
    finish: Callable[[int, dict[str, Any]], None],
    workers: Workers = ALONE,
    verbose: bool | int = False,
) -> None:
    """Run calls in this process and its threads; what is no network goes through joblib.

    The calls are taken out of `calls`.
    """
    networks, others = {}, {}
    for number in list(calls):
        call = calls.pop(number)
        task = FitTask(call) if FitTask.is_task(call) else None
        if task is not None and task.takes_candidate():
            networks[number] = task
        else:
            others[number] = call
    Fits(networks, workers.n_jobs, verbose).run(finish)
    if workers.n_jobs == 1:  # which some backends do not know
        results = (function(*args, **kwargs) for function, args, kwargs in others.values())
    else:
        parallel = Parallel(n_jobs=workers.n_jobs, pre_dispatch=workers.pre_dispatch)
        results = parallel(others.values())
    for number, result in zip(others, results, strict=True):
        finish(number, result)


class BatchedSearch(SavedState):
    """Evaluates the candidates of a search of scikit-learn, its next class, together."""

    def fit(self, X, y=None, **params):
        """Train all candidates on all folds, and the best on all samples.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets.
        **params : dict
            Parameters such as `sample_weight` and `groups`; see the class of scikit-learn.

        Returns
        -------
        self : object

        Raises
        ------
        TypeError
            If X is a file or another source.
        ValueError
            As scikit-learn's class does.
        KeyboardInterrupt
            If Ctrl-C came with ``refit`` on, before all candidates were finished, or before the
            first one was.

        Warns
        -----
        UserWarning
            If Ctrl-C came with ``refit=False``: the results are of the candidates that were
            finished.
        """
        kind = type(self).__qualname__
        check_in_memory(X, f"{kind}.fit")
        settings = {n: v for n, v in read_params(self).items() if n not in OF_SEARCHES}
        with (
            restore_on_error(self),
            open_checkpoint(self.checkpoint, kind, settings, (X, y, params)) as checkpoint,
        ):
            if checkpoint is not None:
                self._folder_of_best = checkpoint.networks
            with Evaluation(self.verbose, checkpoint).activate():
                super().fit(X, y, **params)
            best = vars(self).get("best_estimator_")
            _check_not_interrupted(best)
            folder = vars(self).pop("_folder_of_best", None)
            if best is not None and folder is not None:
                forget_folder(best, folder)
        return self

    def __setattr__(self, name, value):
        """Set an attribute; with a checkpoint, the best estimator is to keep its state."""
        folder = vars(self).get("_folder_of_best")
        if name == "best_estimator_" and folder is not None:  # which scikit-learn fits next
            keep_state(value, folder)
        super().__setattr__(name, value)

    def _run_search(self, evaluate_candidates, *, callback_ctx=None):
        """Search as scikit-learn's class does; keep what was finished when Ctrl-C came."""
        context = {} if callback_ctx is None else {"callback_ctx": callback_ctx}
        super()._run_search(partial(self._evaluate, evaluate_candidates), **context)

    def _evaluate(
        self,
        evaluate_candidates,
        candidate_params,
        cv=None,
        more_results=None,
        **context,
    ):
        candidates = list(candidate_params)
        try:
            return evaluate_candidates(candidates, cv, more_results=more_results, **context)
        except EvaluationInterrupted as stop:
            n_done = stop.evaluation.count_finished(self.n_splits_)
            finished = f"{n_done} of {len(candidates)} candidates had finished all folds"
            # A best candidate of some that are left by chance is not what was asked for.
            if not n_done or self.refit or more_results is not None:
                raise KeyboardInterrupt(
                    f"The search was interrupted when {finished}; nothing was fitted. "
                    "GridSearchCV and RandomizedSearchCV with refit=False keep the results of "
                    "those."
                ) from stop
            warnings.warn(
                f"The search was interrupted when {finished}; cv_results_ has only those.",
                stacklevel=2,
            )
            stop.evaluation.n_to_repeat = n_done * self.n_splits_
            return evaluate_candidates(candidates[:n_done], cv, more_results=more_results)


def check_in_memory(X: object, taker: str) -> None:
    """Raise TypeError if X is a source, such as a path, from which folds cannot be taken."""
    if is_source(X) or isinstance(X, str):
        raise TypeError(
            f"{taker} takes samples in memory, as an array or a data frame, of which it makes "
            f"folds; got a source of them ({type(X).__name__}). Read it first, by "
            "pandas.read_parquet for instance. Samples that are more than the memory holds may be "
            "a memory map, numpy.load('X.npy', mmap_mode='r'); or search on a part of them, and "
            "fit the best parameters on the source."
        )


def _check_not_interrupted(best: BaseEstimator | None) -> None:
    """Raise KeyboardInterrupt if Ctrl-C ended the fit of the best candidate on all samples."""
    if best is not None and was_interrupted(best):
        raise KeyboardInterrupt(
            "The search was interrupted while the best candidate was fitted on all samples; "
            "nothing was fitted. With refit=False it ends after the evaluation."
        )

"""The evaluation of candidates: what all batched searches share."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from joblib import Parallel
from joblib.parallel import ParallelBackendBase, get_active_backend
from sklearn.base import BaseEstimator

from sknn._saved import SavedState
from sknn._validation import restore_on_error
from sknn.engine import show_bar
from sknn.model_selection._fits import Fits
from sknn.model_selection._gathering import Call, GatheringBackend, Workers
from sknn.model_selection._groups import Groups
from sknn.model_selection._parcels import Parcel
from sknn.model_selection._plans import was_interrupted
from sknn.model_selection._tasks import FitTask

#: one call at a time
ALONE = Workers()


class EvaluationInterrupted(KeyboardInterrupt):
    """Ctrl-C, with what had been evaluated by then.

    Parameters
    ----------
    evaluation : Evaluation
        Gives those results to scikit-learn, if it is asked for them again.
    """

    def __init__(self, evaluation: "Evaluation"):
        super().__init__("The evaluation was interrupted.")
        self.evaluation = evaluation


class Evaluation:
    """Runs the calls of a search: networks together, all others one by one.

    Parameters
    ----------
    verbose : bool or int, default=False
        Whether to show a bar over the epochs of all networks.

    Attributes
    ----------
    results : list of dict or None
        Those of scikit-learn's calls, in their order; None for those that are not finished.
    """

    def __init__(self, verbose: bool | int = False):
        self.verbose = verbose
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
        backend, _ = get_active_backend(prefer="threads")
        try:
            in_threads = getattr(backend, "uses_threads", False)
            if in_threads or backend.effective_n_jobs(workers.n_jobs) == 1:
                run_here(dict(enumerate(calls)), self.finish, workers, self.verbose)
            else:
                self._run_elsewhere(calls, backend, workers)
        except KeyboardInterrupt as stop:
            raise EvaluationInterrupted(self) from stop
        return self.results

    def _run_elsewhere(
        self, calls: list[Call], backend: ParallelBackendBase, workers: Workers
    ) -> None:
        """Run calls in groups by the workers of joblib's active backend."""
        if self._parcel is None:
            self._parcel = Parcel(backend)
        with show_bar("fits", len(calls), self.verbose) as advance:

            def finish(number: int, result: dict[str, Any]) -> None:
                self.finish(number, result)
                advance(1)

            Groups(run_here, calls, self._parcel, workers.n_jobs).run(finish)

    def finish(self, number: int, result: dict[str, Any]) -> None:
        """Take the result of a call: all of them pass here, when they are finished."""
        self.results[number] = result

    def count_finished(self, n_splits: int) -> int:
        """Return how many candidates, from the first on, have finished all folds."""
        unfinished = [i for i, result in enumerate(self.results) if result is None]
        return (unfinished[0] if unfinished else len(self.results)) // n_splits


def run_here(
    calls: Mapping[int, Call],
    finish: Callable[[int, dict[str, Any]], None],
    workers: Workers = ALONE,
    verbose: bool | int = False,
) -> None:
    """Run calls in this process and its threads; what is no network goes through joblib."""
    networks, others = {}, {}
    for number, call in calls.items():
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
            Such as `sample_weight` and `groups`; see the class of scikit-learn.

        Returns
        -------
        self : object

        Raises
        ------
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
        with restore_on_error(self):
            with Evaluation(self.verbose).activate():
                super().fit(X, y, **params)
            _check_not_interrupted(vars(self).get("best_estimator_"))
        return self

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


def _check_not_interrupted(best: BaseEstimator | None) -> None:
    """Raise KeyboardInterrupt if Ctrl-C ended the fit of the best candidate on all samples."""
    if best is not None and was_interrupted(best):
        raise KeyboardInterrupt(
            "The search was interrupted while the best candidate was fitted on all samples; "
            "nothing was fitted. With refit=False it ends after the evaluation."
        )

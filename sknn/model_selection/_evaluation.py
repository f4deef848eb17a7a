"""The evaluation of candidates: what all batched searches share."""

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from joblib import Parallel
from sklearn.base import BaseEstimator

from sknn._saved import SavedState
from sknn._validation import restore_on_error
from sknn.model_selection._fits import Fits
from sknn.model_selection._gathering import Call, GatheringBackend, Workers
from sknn.model_selection._plans import was_interrupted
from sknn.model_selection._tasks import FitTask


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
        self.backend = GatheringBackend(self.run)

    def run(self, calls: list[Call], workers: Workers) -> list:
        """Return what calls return, or what they returned before Ctrl-C."""
        if self.n_to_repeat:
            results, self.n_to_repeat = self.results[: self.n_to_repeat], 0
            return results
        self.results = [None] * len(calls)
        try:
            run_here(calls, workers, self.verbose, self.finish)
        except KeyboardInterrupt as stop:
            raise EvaluationInterrupted(self) from stop
        return self.results

    def finish(self, number: int, result: dict[str, Any]) -> None:
        """Take the result of a call: all of them pass here, when they are finished."""
        self.results[number] = result

    def count_finished(self, n_splits: int) -> int:
        """Return how many candidates, from the first on, have finished all folds."""
        unfinished = [i for i, result in enumerate(self.results) if result is None]
        return (unfinished[0] if unfinished else len(self.results)) // n_splits


def run_here(
    calls: Sequence[Call],
    workers: Workers,
    verbose: bool | int,
    finish: Callable[[int, dict[str, Any]], None],
) -> None:
    """Run calls in this process and its threads; what is no network goes through joblib."""
    networks, others = {}, []
    for number, call in enumerate(calls):
        task = FitTask(call) if FitTask.is_task(call) else None
        if task is not None and task.takes_candidate():
            networks[number] = task
        else:
            others.append(number)
    Fits(networks, workers.n_jobs, verbose).run(finish)
    parallel = Parallel(n_jobs=workers.n_jobs, pre_dispatch=workers.pre_dispatch)
    for number, result in zip(others, parallel(calls[i] for i in others), strict=True):
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
            with Evaluation(self.verbose).backend.activate():
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

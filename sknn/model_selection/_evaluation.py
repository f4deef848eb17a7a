"""Training in front of scikit-learn's evaluation: what all batched searches share."""

import copy
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn import get_config
from sklearn.base import BaseEstimator, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import BaseCrossValidator, check_cv
from sklearn.utils import indexable
from sklearn.utils.metadata_routing import process_routing

from sknn._saved import SavedState
from sknn._sklearn import check_method_params
from sknn.model_selection._fits import Fits
from sknn.model_selection._plans import check_batchable, was_interrupted


class FixedSplits:
    """A splitter that gives the folds it was given.

    Parameters
    ----------
    splits : list of (training rows, test rows)
        The folds.
    splitter : splitter
        That made them.
    """

    def __init__(self, splits: list, splitter: BaseCrossValidator):
        self.splits, self.splitter = splits, splitter

    def get_metadata_routing(self) -> Any:
        """Return what the splitter wants to be given."""
        return self.splitter.get_metadata_routing()

    def split(self, X: ArrayLike, y: ArrayLike | None = None, **params: Any) -> list:
        """Return the folds."""
        return self.splits

    def get_n_splits(
        self, X: ArrayLike | None = None, y: ArrayLike | None = None, **params: Any
    ) -> int:
        """Return their number."""
        return len(self.splits)


class _LaterTasks:
    """A callback context of scikit-learn whose task ids go on from those of an earlier call."""

    def __init__(self, context: Any, first: int):
        self.context, self.first = context, first

    def subcontext(self, task_name: str, task_id: int) -> Any:
        return self.context.subcontext(task_name=task_name, task_id=self.first + task_id)


class BatchedSearch(SavedState):
    """Trains all candidates before a search of scikit-learn, its next class, evaluates them."""

    def fit(self, X, y=None, **params):
        """Train all candidates on all folds, and the best on all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets.
        **params : dict
            Such as `sample_weight` and `groups`; see the class of scikit-learn.

        Returns
        -------
        self : object

        Raises
        ------
        TypeError
            If the estimator is no network of this package, and no pipeline that ends in one.
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
        check_batchable(self.estimator, type(self).__name__)
        search = copy.copy(self)
        search.n_jobs = 1  # the clones must come in turn
        if not hasattr(self.cv, "split") and hasattr(self.cv, "__iter__"):
            search.cv = list(self.cv)  # it may be one that can be read only once
        search._evaluation = _Evaluation(self, search.cv, X, y, params)
        search.estimator = search._evaluation.fits.make_source()
        super(BatchedSearch, search).fit(X, y, **params)
        _check_not_interrupted(vars(search).get("best_estimator_"))
        if self.scoring is None:  # a scorer that holds the estimator
            search.scorer_ = check_scoring(self.estimator)
        own = {*self.get_params(deep=False), "_evaluation"}
        for name, value in vars(search).items():
            if name not in own:
                setattr(self, name, value)
        return self

    def _run_search(self, evaluate_candidates, *, callback_ctx=None):
        """Search as scikit-learn's class does, each time with candidates trained before."""
        context = {} if callback_ctx is None else {"callback_ctx": callback_ctx}
        evaluate = self._evaluation.of(evaluate_candidates)
        super()._run_search(evaluate, **context)


def _check_not_interrupted(best: BaseEstimator | None) -> None:
    """Raise KeyboardInterrupt if Ctrl-C ended the fit of the best candidate on all samples."""
    if best is not None and was_interrupted(best):
        raise KeyboardInterrupt(
            "The search was interrupted while the best candidate was fitted on all samples; "
            "nothing was fitted. With refit=False it ends after the evaluation."
        )


class _Evaluation:
    """Trains candidates, then lets scikit-learn evaluate them."""

    def __init__(self, search: Any, cv: Any, X: ArrayLike, y: ArrayLike, params: Mapping[str, Any]):
        self.search, self.cv = search, cv
        self.X, self.y = indexable(X, y)
        fit_params, self.split_params = self._routed(params)
        self.fits = Fits(
            search.estimator,
            self.X,
            self.y,
            fit_params,
            n_jobs=search.n_jobs,
            verbose=search.verbose,
            owner=type(search).__name__,
        )

    def _routed(self, params: Mapping[str, Any]) -> tuple[Mapping, Mapping]:
        """Return what is for the estimator, and what for the splitter."""
        params = check_method_params(self.X, params)
        if get_config()["enable_metadata_routing"]:
            routed = process_routing(self.search, "fit", **params)
            return routed.estimator.fit, routed.splitter.split
        return {n: v for n, v in params.items() if n != "groups"}, {"groups": params.get("groups")}

    def of(self, evaluate_candidates: Callable) -> Callable:
        """Return scikit-learn's function of that name with training before it."""

        def evaluate(candidate_params, cv=None, more_results=None, **context):
            candidates = list(candidate_params)
            is_class = is_classifier(self.search.estimator)
            splitter = cv or check_cv(self.cv, self.y, classifier=is_class)
            splits = list(splitter.split(self.X, self.y, **self.split_params))
            results, start = None, 0
            while results is None or start < len(candidates):
                stop = start + self._train(candidates[start:], splits, more_results is not None)
                part = slice(start, stop)
                later = {n: _LaterTasks(c, start * len(splits)) for n, c in context.items()}
                self.fits.hand_out(len(self.fits.all) - (stop - start) * len(splits))
                results = evaluate_candidates(
                    candidates[part],
                    FixedSplits(splits, splitter),
                    more_results={n: v[part] for n, v in (more_results or {}).items()},
                    **(later if start else context),
                )
                self.fits.hand_out(None)
                self._correct_times(results, len(splits))
                start = stop
                if self.fits.was_interrupted:
                    break
            return results

        return evaluate

    def _train(self, candidates: list, splits: list, in_rounds: bool) -> int:
        """Train some of the candidates; return how many are finished."""
        n_done = self.fits.train(candidates, splits)
        if not self.fits.was_interrupted:
            return n_done
        finished = f"{n_done} of {len(candidates)} candidates had finished all folds"
        if not n_done or self.search.refit or in_rounds:
            raise KeyboardInterrupt(
                f"The search was interrupted when {finished}; nothing was fitted. GridSearchCV and "
                "RandomizedSearchCV with refit=False keep the results of those."
            )
        warnings.warn(
            f"The search was interrupted when {finished}; cv_results_ has only those.",
            stacklevel=2,
        )
        return n_done

    def _correct_times(self, results: dict, n_splits: int) -> None:
        """Put the times of training where scikit-learn has those of handing over."""
        times = np.array([fit.seconds for fit in self.fits.all]).reshape(-1, n_splits)
        is_left = np.array([fit.is_left for fit in self.fits.all]).reshape(-1, n_splits).any(axis=1)
        for name, value in {"mean": times.mean(axis=1), "std": times.std(axis=1)}.items():
            own = results[f"{name}_fit_time"]
            results[f"{name}_fit_time"] = np.where(is_left, own, value)

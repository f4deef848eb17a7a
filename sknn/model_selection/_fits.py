"""The fits of a search or a cross-validation, made ahead of scikit-learn's own.

scikit-learn clones an estimator for each pair of candidate and fold, sets the candidate's
parameters, fits and scores it. Here all pairs are trained together first. Then scikit-learn is
given an `EstimatorSource`, whose clones have everything of the estimator but for `fit`, which takes
over what was trained: scoring, errors, warnings, and results are scikit-learn's own.
"""

import time
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.base import BaseEstimator, clone

from sknn._sklearn import check_method_params, safe_split
from sknn._specs import TrainPlan
from sknn.engine import get_memory_budget, train_many
from sknn.model_selection._plans import (
    Prepared,
    check_batchable,
    finish_fit,
    fit_first_steps,
    is_watched,
    last_step,
    name_of_last_step,
    plan_fit,
)
from sknn.model_selection._sharing import CommonArrays

Split = tuple[np.ndarray, np.ndarray]
#: copies of its parameters that a trained network keeps: weights, two moments, the best weights
COPIES_KEPT = 4


@dataclass
class Fit:
    """One candidate on one fold.

    Attributes
    ----------
    estimator : object
        With the candidate's parameters; fitted at the end.
    n_rows : int
        Training rows.
    plan : TrainPlan or None
        Until it is trained.
    error : Exception or None
        What kept it from being fitted.
    seconds : float
        Its share of the time that all took.
    is_left : bool
        Whether scikit-learn is to fit it, because callbacks watch its epochs.
    """

    estimator: Any
    n_rows: int
    plan: TrainPlan | None = None
    error: BaseException | None = None
    seconds: float = 0.0
    is_left: bool = False


class Fits:
    """Trains candidates on folds, and hands them to scikit-learn one by one.

    Parameters
    ----------
    estimator : DeepEstimator or Pipeline
        The user's; it is cloned.
    X, y : array-like
        All rows.
    fit_params : mapping
        For the estimator's ``fit``, of all rows.
    n_jobs : int or None
        See `sknn.engine.train_many`.
    verbose : bool or int
        Whether to show a bar.
    owner : str
        Who asks, for errors.

    Attributes
    ----------
    was_interrupted : bool
        Whether Ctrl-C ended training.
    """

    def __init__(
        self,
        estimator: BaseEstimator,
        X: ArrayLike,
        y: ArrayLike,
        fit_params: Mapping[str, Any],
        *,
        n_jobs: int | None = None,
        verbose: bool | int = False,
        owner: str = "batched_cross_validate",
    ):
        self.owner = owner
        self.estimator, self.X, self.y, self.fit_params = estimator, X, y, fit_params
        self.n_jobs, self.verbose = n_jobs, verbose
        self.was_interrupted = False
        self.all: list[Fit] = []
        self._n_handed_out: int | None = None

    def train(self, candidates: Sequence[Mapping[str, Any] | None], splits: list[Split]) -> int:
        """Train as many of the candidates on all folds as the memory holds at a time.

        Parameters
        ----------
        candidates : sequence of mapping or None
            Parameters to set.
        splits : list of (training rows, test rows)
            The folds.

        Returns
        -------
        int
            How many candidates, from the first on, are finished. Fewer than were trained only
            if Ctrl-C was pressed.
        """
        start, n_folds, common = time.perf_counter(), len(splits), CommonArrays(self.X)
        folds = [self._fold(train) for train, _ in splits]
        budget, fits, n_trained = get_memory_budget(), [], 0
        for candidate in candidates:
            fits += [self._prepared(candidate, fold, common) for fold in folds]
            n_trained += 1
            budget -= sum(_bytes_kept(fit.plan) for fit in fits[-n_folds:])
            if budget < 0:
                break
        self._train(fits)
        n_done = n_trained
        if self.was_interrupted:
            unfinished = [isinstance(fit.error, KeyboardInterrupt) for fit in fits]
            n_done = unfinished.index(True) // n_folds
        _share_time(fits[: n_done * n_folds], time.perf_counter() - start)
        self.all += fits[: n_done * n_folds]
        return n_done

    def _train(self, fits: list[Fit]) -> None:
        chosen = [fit for fit in fits if fit.plan is not None]
        outcomes = train_many(
            [fit.plan for fit in chosen],
            n_jobs=self.n_jobs,
            verbose=self.verbose,
            return_errors=True,
        )
        for fit, outcome in zip(chosen, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                fit.error = outcome
            elif outcome.progress.stopped_because == "interrupted":
                fit.error = KeyboardInterrupt()
            else:
                finish_fit(fit.estimator, fit.plan, outcome)
                fit.seconds = outcome.progress.n_rows_seen  # so far; see _share_time
            fit.plan = None
        self.was_interrupted = any(isinstance(fit.error, KeyboardInterrupt) for fit in chosen)

    def _fold(self, rows: np.ndarray) -> "_Fold":
        rows = np.asarray(rows)
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        X, y = safe_split(self.estimator, self.X, self.y, rows)
        return _Fold(rows, X, y, check_method_params(self.X, self.fit_params, rows))

    def _prepared(
        self, candidate: Mapping[str, Any] | None, fold: "_Fold", common: CommonArrays
    ) -> Fit:
        """Return a fit with its plan, or with the error that preparing it ended in."""
        estimator = clone(self.estimator)
        if candidate is not None:
            estimator.set_params(**clone(candidate, safe=False))
        check_batchable(estimator, self.owner)
        fit = Fit(estimator, len(fold.rows), is_left=is_watched(estimator))
        if fit.is_left:
            return fit
        try:
            key = _key_of_first_steps(estimator, candidate)
            prepared = fold.after_first_steps(key, estimator)
            plan = plan_fit(estimator, prepared, fold.plans[key])
            rows = None if key else fold.rows
            fit.plan = common.share(plan, last_step(estimator), rows)
        except Exception as error:
            fit.error = error
        return fit

    def make_source(self) -> "EstimatorSource":
        """Return what scikit-learn's evaluation is given in place of the user's estimator."""
        return EstimatorSource(self.estimator, self, clones_before=1)

    def hand_out(self, fits_from: int | None) -> None:
        """Give the fits from this number on to those who clone; None ends it."""
        self._n_handed_out = fits_from

    def next(self) -> Any:
        """Return the next fit, or a clone of the user's estimator while none is handed out."""
        if self._n_handed_out is None:
            return clone(self.estimator)
        fit = self.all[self._n_handed_out]
        self._n_handed_out += 1
        if fit.is_left:
            fit.estimator = None  # scikit-learn decides how long it is kept
            return clone(self.estimator)
        return TrainedAhead(clone(self.estimator), fit)


class _Delegate:
    """Has everything of an estimator but for what a class that derives from this says."""

    def __init__(self, estimator: BaseEstimator):
        self.estimator = estimator

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "estimator":  # as copies and pickles ask before init
            raise AttributeError(name)
        return getattr(self.estimator, name)

    def __sklearn_tags__(self) -> Any:
        return self.estimator.__sklearn_tags__()

    def set_params(self, **params: Any) -> "_Delegate":
        """Set parameters of the estimator."""
        self.estimator.set_params(**params)
        return self


class EstimatorSource(_Delegate):
    """An estimator whose clones are handed out by `Fits`, after so many clones of its own kind.

    scikit-learn's searches clone an estimator once, and that clone for each pair of candidate and
    fold.

    Parameters
    ----------
    estimator : object
        The user's.
    fits : Fits
        Hands out the clones.
    clones_before : int
        Clones that are such sources themselves; 0 means that its clones are fits.
    """

    def __init__(self, estimator: BaseEstimator, fits: Fits, clones_before: int):
        super().__init__(estimator)
        self.fits, self.clones_before = fits, clones_before

    def __sklearn_clone__(self) -> Any:
        if self.clones_before:
            return EstimatorSource(self.estimator, self.fits, self.clones_before - 1)
        return self.fits.next()


class TrainedAhead(_Delegate):
    """An estimator whose `fit` takes over what was trained ahead.

    Parameters
    ----------
    estimator : object
        A clone of the user's; after `fit` the one that was trained.
    trained : Fit
        What was trained.
    """

    def __init__(self, estimator: BaseEstimator, trained: Fit):
        super().__init__(estimator)
        self.trained = trained

    def fit(self, X: ArrayLike, y: ArrayLike | None = None, **params: Any) -> "TrainedAhead":
        """Become what was trained, or fail as training did."""
        trained = self.trained
        if trained.error is not None:
            raise trained.error
        n_samples = X.shape[0] if sparse.issparse(X) else len(X)
        if n_samples != trained.n_rows:
            raise RuntimeError(
                f"scikit-learn asked for a fit on {n_samples} samples where one on "
                f"{trained.n_rows} was due: this release evaluates candidates in an order that "
                "sknn does not know."
            )
        self.estimator, trained.estimator = trained.estimator, None
        return self


class _Fold:
    """The training rows of a fold, and what first steps made of them."""

    def __init__(self, rows: np.ndarray, X: ArrayLike, y: ArrayLike, fit_params: Mapping[str, Any]):
        self.rows, self.X, self.y, self.fit_params = rows, X, y, fit_params
        self._prepared: dict[Hashable, Prepared | Exception] = {}
        self.plans: dict[Hashable, dict] = defaultdict(dict)

    def after_first_steps(self, key: Hashable, estimator: BaseEstimator) -> Prepared:
        """Return what the first steps of an estimator give, fitted once for each key."""
        if key not in self._prepared:
            try:
                prepared = fit_first_steps(estimator, self.X, self.y, self.fit_params)
            except Exception as error:
                prepared = error
            self._prepared[key] = prepared
        if isinstance(self._prepared[key], Exception):
            raise self._prepared[key]
        return self._prepared[key]


def _key_of_first_steps(estimator: BaseEstimator, candidate: Mapping[str, Any] | None) -> tuple:
    """Return what tells the candidates' first steps apart; () without any."""
    last = name_of_last_step(estimator)
    if last is None:
        return ()
    params = dict(candidate or {})
    own = sorted(name for name in params if name != last and not name.startswith(f"{last}__"))
    return ("pipeline", *((name, *_identity(params[name])) for name in own))


def _identity(value: Any) -> tuple:
    try:
        hash(value)
    except TypeError:  # the grid keeps the value, so that no other gets its id
        return type(value), id(value)
    return type(value), value


def _bytes_kept(plan: TrainPlan | None) -> int:
    if plan is None:
        return 0
    return COPIES_KEPT * sum(p.numel() * p.element_size() for p in plan.module.parameters())


def _share_time(fits: list[Fit], seconds: float) -> None:
    """Give each fit its share of the time, by the rows it has seen."""
    total = sum(fit.seconds for fit in fits)
    for fit in fits:
        fit.seconds *= seconds / total if total else 0.0

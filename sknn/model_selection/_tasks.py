"""One call of scikit-learn's, which fits a candidate on a fold and scores it."""

import inspect
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.utils import get_tags

from sknn._sklearn import (
    check_method_params,
    fit_and_score,
    has_callbacks,
    has_callbacks_to_propagate,
    safe_split,
    score_estimator,
)
from sknn.deep import DeepEstimator
from sknn.model_selection._gathering import Call
from sknn.model_selection._plans import is_watched, last_step, name_of_last_step

NO_PARAMS: Mapping[str, Any] = {}
SIGNATURE = inspect.signature(fit_and_score)


class ScoredSamples(NamedTuple):
    """Samples that the candidates of a fold are scored on.

    Attributes
    ----------
    X, y : array-like
        Samples and targets.
    params : mapping
        Further arguments of the scorer, of these samples.
    n_samples : int
        Number of samples.
    """

    X: ArrayLike
    y: ArrayLike
    params: Mapping[str, Any]
    n_samples: int


class FitTask:
    """A candidate that is to be fitted on a fold, and scored.

    Parameters
    ----------
    call : tuple
        Call of scikit-learn's function, see `is_task`.

    Attributes
    ----------
    estimator : object
        The clone that is to be fitted, with the candidate's parameters.
    candidate : mapping or None
        These parameters.
    X, y : array-like
        All samples.
    train, test : ndarray
        Samples to fit on and to score, as numbers or as masks.
    fit_params : mapping
        Arguments for the estimator's ``fit``, of all samples.
    """

    def __init__(self, call: Call):
        _, args, kwargs = call
        given = self.given = SIGNATURE.bind(*args, **kwargs).arguments
        self.candidate: Mapping[str, Any] | None = given["parameters"]
        self.estimator: BaseEstimator = given["estimator"]
        self.X: ArrayLike = given["X"]
        self.y: ArrayLike = given["y"]
        self.train: ArrayLike = given["train"]
        self.test: ArrayLike = given["test"]
        self.fit_params: Mapping[str, Any] = given["fit_params"] or NO_PARAMS
        self.callback_context = given.get("callback_ctx")

    def list_arrays(self) -> tuple[object, ...]:
        """Return what a fold is made of: samples, which of them are its own, and arguments."""
        return self.X, self.y, self.train, self.test, self.fit_params

    @staticmethod
    def is_task(call: Call) -> bool:
        """Return whether a call is one of the function that fits a candidate and scores it."""
        return getattr(call[0], "function", call[0]) is fit_and_score

    def takes_candidate(self) -> bool:
        """Return whether the estimator is a network to train, and give it the parameters then.

        Others, and those whose epochs callbacks of scikit-learn want to see, are to be run as they
        are.
        """
        estimator, candidate = self.estimator, self.candidate or {}
        name, final = name_of_last_step(estimator), last_step(estimator)
        if name is not None:
            final = candidate.get(name, final)
        if not isinstance(final, DeepEstimator) and "steps" not in candidate:
            return False
        estimator.set_params(**clone(candidate, safe=False))
        return (
            isinstance(last_step(estimator), DeepEstimator)
            and not is_watched(estimator)
            and not has_callbacks_to_propagate(self.callback_context)
        )

    def is_scored_alone(self) -> bool:
        """Return whether nobody looks at more than the score of the test samples."""
        return (
            not self.given.get("return_train_score")
            and self.given["verbose"] <= 1
            and not has_callbacks(self.callback_context)  # which are shown training samples
            and not get_tags(self.estimator).input_tags.pairwise  # columns are training samples
        )

    def cut_test_samples(self) -> ScoredSamples:
        """Return the test samples."""
        test = find_numbers(self.test)
        X, y = safe_split(self.estimator, self.X, self.y, test)
        params = check_method_params(self.X, self.given["score_params"] or NO_PARAMS, test)
        return ScoredSamples(X, y, params, len(test))

    def score(self, seconds: float, samples: ScoredSamples) -> dict[str, Any]:
        """Score the fitted estimator, where that is all that is asked for.

        Parameters
        ----------
        seconds : float
            Time of the fit.
        samples : ScoredSamples
            Those of `cut_test_samples`, also of another candidate.

        Returns
        -------
        dict
            As scikit-learn's function returns it.
        """
        given, start = self.given, time.perf_counter()
        error_score = given.get("error_score", np.nan)
        scores = score_estimator(
            self.estimator, samples.X, samples.y, given["scorer"], samples.params, error_score
        )
        found: dict[str, dict[str, Any]] = {
            "return_n_test_samples": {"n_test_samples": samples.n_samples},
            "return_times": {"fit_time": seconds, "score_time": time.perf_counter() - start},
            "return_parameters": {"parameters": self.candidate},
            "return_estimator": {"estimator": self.estimator},
        }
        result: dict[str, Any] = {"fit_error": None, "test_scores": scores}
        for option, values in found.items():
            if given.get(option):
                result.update(values)
        return result

    def finish(self, seconds: float, error: BaseException | None) -> dict[str, Any]:
        """Return what scikit-learn's function does after a fit of so many seconds.

        `error` is what the estimator's ``fit`` raises; None if it is fitted.
        """
        estimator = self.estimator
        vars(estimator)["fit"] = _make_fit(estimator, dict(vars(estimator)), error)
        try:
            # The function itself: what is around it sets scikit-learn's configuration, which holds
            # here already.
            result = fit_and_score(**self.given)
        finally:
            vars(estimator).pop("fit", None)
        return {**result, "fit_time": seconds} if "fit_time" in result else result


def find_numbers(samples: ArrayLike) -> np.ndarray:
    """Return the numbers of samples that are given as numbers or as a mask."""
    numbers = np.asarray(samples)
    return np.flatnonzero(numbers) if numbers.dtype == bool else numbers


def _make_fit(
    estimator: BaseEstimator, state: dict[str, Any], error: BaseException | None
) -> Callable[..., BaseEstimator]:
    """Return a ``fit`` that makes an estimator what it was when its state was taken."""

    def fit(*args: Any, **kwargs: Any) -> BaseEstimator:
        del vars(estimator)["fit"]
        if error is not None:
            raise error
        vars(estimator).update(state)
        return estimator

    return fit

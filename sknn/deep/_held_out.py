"""Samples to train on and samples to validate on, and how the latter are scored."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import check_scoring, get_scorer_names
from sklearn.model_selection import train_test_split

from sknn._suggestions import suggest_value

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator


def split_samples(
    y: np.ndarray, kind: str, fraction: float, random_state: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of training and of validation samples.

    Classes keep their shares. Where several classes cannot all be in both parts, the split of a
    multiclass target is left to chance, as scikit-learn's MLPClassifier always does. Fewer than
    two validation samples, or a single one of a binary target's class, raise ValueError.
    """
    stratify = None
    if kind == "binary":
        stratify = y.astype(bool)
    elif kind == "multiclass" and _can_stratify(y, fraction):
        stratify = y
    samples = np.arange(len(y))
    try:
        training, validation = train_test_split(
            samples, random_state=random_state, test_size=fraction, stratify=stratify
        )
    except ValueError as error:
        raise ValueError(
            f"early_stopping cannot hold out validation_fraction={fraction} of {len(y)} samples"
            f"{_count_classes(stratify)}. Give validation samples (X_val) to fit, more samples, "
            f"another validation_fraction, or early_stopping=False. ({error})"
        ) from error
    if len(validation) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' "
            "or the size of your dataset."
        )
    return training, validation


def _count_classes(stratify: np.ndarray | None) -> str:
    if stratify is None:
        return ""
    counts = np.unique(stratify, return_counts=True)[1]
    return f", of which {counts.min()} are of the rarest class, as both parts need samples of each"


def _can_stratify(y: np.ndarray, fraction: float) -> bool:
    counts = np.unique(y, return_counts=True)[1]
    # scikit-learn's stratified split raises an error unless each class has two samples and each
    # part room for one of every class.
    n_validation = np.ceil(len(y) * fraction)
    return counts.min() >= 2 and len(counts) <= n_validation <= len(y) - len(counts)


def make_view(estimator: BaseEstimator) -> BaseEstimator:
    """Return an estimator with the same attributes, made without the work of a file's state."""
    view = object.__new__(type(estimator))
    vars(view).update(vars(estimator))
    return view


class RawOutputScorer:
    """A scorer of scikit-learn that scores raw predictions.

    The scorer sees a copy of the estimator whose predictions come from that output; it is called
    with X=None.

    Parameters
    ----------
    estimator : DeepEstimator
        Estimator in `fit`, with a fitted codec.
    scoring : str or callable
        Name of a scorer, or ``scorer(estimator, X, y)``.
    """

    def __init__(self, estimator: BaseEstimator, scoring: str | Callable):
        if isinstance(scoring, str) and scoring not in get_scorer_names():
            raise ValueError(
                f"{scoring!r} is not a valid scoring value."
                f"{suggest_value(scoring, get_scorer_names())} Names are those of "
                "sklearn.metrics.get_scorer_names(), and 'loss'."
            )
        self.scoring, self.scorer = scoring, check_scoring(estimator, scoring)
        self.view = make_view(estimator)

    def __call__(
        self, y: np.ndarray, output: np.ndarray, sample_weight: np.ndarray | None
    ) -> float:
        """Return the score of raw predictions against encoded y.

        Raises
        ------
        ValueError
            If the scorer returns no number, or a named one is not for such targets.
        """
        self.view._given_output = output
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        try:
            value = self.scorer(self.view, None, self.view._codec.decode_target(y), **weights)
        except Exception as error:  # whatever a user's function raises
            if isinstance(self.scoring, str) and isinstance(error, ValueError):
                raise ValueError(
                    f"scoring={self.scoring!r} cannot score the held-out samples of "
                    f"{type(self.view).__name__}: {error}. Choose a score for such y, or 'loss'."
                ) from error
            error.add_note(
                "This was raised by scoring, which is called as scorer(estimator, X, y) with "
                "X=None; the predictions of the estimator are those of the held-out samples."
            )
            raise
        if np.ndim(value) != 0 or not isinstance(value, int | float | np.number):
            raise ValueError(
                f"scoring must return a number, larger for better; {self.scoring!r} returned "
                f"{value!r}."
            )
        return float(value)

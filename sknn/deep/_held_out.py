"""Rows for training and rows for validation."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split


def split_rows(
    y: np.ndarray, kind: str, fraction: float, random_state: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Divide rows into training and validation rows.

    Classes keep their shares. Where several classes cannot all be in both parts, the split of a
    multiclass target is left to chance, as scikit-learn's MLPClassifier always does.

    Parameters
    ----------
    y : ndarray of shape (n_samples, ...)
        Encoded targets.
    kind : {'binary', 'multiclass', 'multilabel', 'values'}
        See `sknn._specs.TargetSpec`.
    fraction : float
        Share of validation rows.
    random_state : numpy.random.RandomState
        Advanced.

    Returns
    -------
    training, validation : ndarray of int
        Row numbers.

    Raises
    ------
    ValueError
        If fewer than two rows are left for validation, or a class of a binary target has a
        single row.
    """
    stratify = None
    if kind == "binary":
        stratify = y.astype(bool)
    elif kind == "multiclass" and _can_stratify(y, fraction):
        stratify = y
    training, validation = train_test_split(
        np.arange(len(y)), random_state=random_state, test_size=fraction, stratify=stratify
    )
    if len(validation) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' "
            "or the size of your dataset."
        )
    return training, validation


def _can_stratify(y: np.ndarray, fraction: float) -> bool:
    counts = np.unique(y, return_counts=True)[1]
    n_validation = np.ceil(len(y) * fraction)
    return counts.min() >= 2 and len(counts) <= n_validation <= len(y) - len(counts)


def output_scorer(estimator: Any, scoring: Any) -> Callable:
    """Return a function that scores raw output by a scorer of scikit-learn.

    The scorer sees a copy of the estimator whose predictions come from that output; it is called
    with X=None.

    Parameters
    ----------
    estimator : DeepEstimator
        In fit, its codec fitted.
    scoring : str or callable
        Name of a scorer, or ``scorer(estimator, X, y)``.

    Returns
    -------
    callable
        ``score(y, output, sample_weight)``, see `sknn._specs.TrainPlan`.

    Raises
    ------
    ValueError
        If there is no scorer of that name, or in use, if the scorer returns no number.
    """
    scorer = check_scoring(estimator, scoring)
    view = copy.copy(estimator)

    def score(y: np.ndarray, output: np.ndarray, sample_weight: Any) -> float:
        view._forward = lambda X: output
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        value = scorer(view, None, estimator._codec.decode_target(y), **weights)
        if np.ndim(value) != 0 or not isinstance(value, int | float | np.number):
            raise ValueError(
                f"scoring must return a number, larger for better; {scoring!r} returned {value!r}."
            )
        return float(value)

    return score

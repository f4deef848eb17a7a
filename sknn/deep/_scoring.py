"""Scores of validation rows from the network's output, without a second forward pass."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.metrics import check_scoring


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

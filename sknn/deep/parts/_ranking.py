"""Feature importances of one network, computed when they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sknn._specs import Sample, TrainPlan
from sknn.deep.parts._importances import permutation_importances

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

#: tables with more columns get no importances: each would cost a pass through the network
MAX_RANKED = 2000
#: numbers that are kept for importances, and smallest and largest number of samples with them
KEPT_NUMBERS = 20_000
KEPT_SAMPLES = 64, 1024
#: maximum number of samples of one pass: with more it is no faster
STACKED_SAMPLES = 4096


def keep_for_ranking(estimator: BaseEstimator, plan: TrainPlan) -> None:
    """Keep samples of a dense table that is not too wide, held-out ones where there are some."""
    forget_ranking(estimator)
    n_features = estimator.n_features_in_
    streamed = getattr(plan.X, "kept", None)  # the samples of a stream that are held in memory
    X = plan.X if streamed is None else streamed.X
    if not isinstance(X, np.ndarray) or n_features > MAX_RANKED:
        return
    # Of held-out samples the loss shows what the network knows of new ones; of training samples
    # also what it has learned by heart.
    sample = plan.validation or streamed or Sample(plan.X, plan.y, plan.sample_weight)
    n_samples = len(sample.y)
    fewest, most = KEPT_SAMPLES
    most = min(max(KEPT_NUMBERS // n_features, fewest), most)
    if n_samples <= most:
        kept = np.arange(n_samples)
    else:  # evenly spread, as the order of samples may be that of y
        kept = np.linspace(0, n_samples - 1, most).astype(np.intp)
    weight = None if sample.sample_weight is None else sample.sample_weight[kept]
    numbers = plan.numbers if sample.X is plan.X else None
    places = kept if numbers is None else numbers[kept]
    estimator._kept_for_ranking = Sample(sample.X[places], sample.y[kept], weight)


def forget_ranking(estimator: BaseEstimator) -> None:
    """Remove what an earlier fit left."""
    for name in ("_kept_for_ranking", "_importances"):
        vars(estimator).pop(name, None)


def rank_features(estimator: BaseEstimator) -> np.ndarray:
    """Return the importances of the columns of X, computed once from the samples that were kept.

    Raises
    ------
    AttributeError
        If there are none.
    """
    sample = vars(estimator).pop("_kept_for_ranking", None)
    if sample is not None:
        estimator._importances = permutation_importances(
            estimator._result,
            sample,
            estimator._encoder.column_sources(),
            estimator.n_features_in_,
            np.random.RandomState(0),  # the user's goes on as if this were not there
            max_stacked=STACKED_SAMPLES,
        )
    if "_importances" not in vars(estimator):
        raise AttributeError(
            f"This {type(estimator).__name__} has no feature_importances_. It has after fit on a "
            f"dense table with at most {MAX_RANKED} columns; for others see "
            "sklearn.inspection.permutation_importance."
        )
    return estimator._importances

"""Model selection with many networks trained together."""

from sknn.model_selection._batched_halving import (
    BatchedHalvingGridSearchCV,
    BatchedHalvingRandomSearchCV,
)
from sknn.model_selection._batched_search import (
    BatchedGridSearchCV,
    BatchedRandomizedSearchCV,
    batched_cross_validate,
)
from sknn.model_selection._ensemble import DeepEnsembleClassifier, DeepEnsembleRegressor

__all__ = [
    "BatchedGridSearchCV",
    "BatchedHalvingGridSearchCV",
    "BatchedHalvingRandomSearchCV",
    "BatchedRandomizedSearchCV",
    "DeepEnsembleClassifier",
    "DeepEnsembleRegressor",
    "batched_cross_validate",
]

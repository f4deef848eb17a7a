"""Uses that type checkers must accept; ``mypy`` reads this file, nothing runs it."""

from typing import assert_type

import numpy as np
from sklearn.base import BaseEstimator

import sknn
from sknn import (
    DeepMLPClassifier,
    DeepMLPRegressor,
    PerceptronClassifier,
    SequenceCNNClassifier,
    TabularMLPRegressor,
    ThresholdLogicClassifier,
)
from sknn.discovery import all_estimators
from sknn.threshold import ThresholdNetwork

X, y = np.zeros((4, 2)), np.array([0, 1, 0, 1])

mlp = DeepMLPClassifier((8, 4), activation="tanh", random_state=0, device="cpu")
assert_type(mlp, DeepMLPClassifier)
assert_type(mlp.fit(X, y, sample_weight=np.ones(4), X_val=X, y_val=y), DeepMLPClassifier)
assert_type(DeepMLPRegressor().fit(X, y), DeepMLPRegressor)
assert_type(TabularMLPRegressor(n_members=2).fit(X, y), TabularMLPRegressor)
assert_type(SequenceCNNClassifier().fit(["ACGTACGTACGT"], [0]), SequenceCNNClassifier)
assert_type(PerceptronClassifier().fit(X, y), PerceptronClassifier)
assert_type(ThresholdLogicClassifier().fit(X, y), ThresholdLogicClassifier)
assert_type(ThresholdNetwork.from_expression("a and b"), ThresholdNetwork)
assert_type(all_estimators("classifier"), list[tuple[str, type]])
assert_type(sknn.__version__, str)
sknn.show_versions()

estimators: list[BaseEstimator] = [mlp, PerceptronClassifier(), SequenceCNNClassifier()]
subpackages = [
    sknn.threshold,
    sknn.inspection,
    sknn.model_selection,
    sknn.semi_supervised,
    sknn.export,
]

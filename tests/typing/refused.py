"""Uses that type checkers must refuse; an ignore that is not needed is an error of ``mypy``."""

import numpy as np

import sknn
from sknn import DeepMLPClassifier, Nonsense  # type: ignore[attr-defined]
from sknn.discovery import all_estimators
from sknn.threshold import ThresholdNetwork

X, y = np.zeros((4, 2)), np.array([0, 1, 0, 1])

DeepMLPClassifier(nonsense=3)  # type: ignore[call-arg]
sknn.DeepMLPRegressor(nonsense=3)  # type: ignore[call-arg]
sknn.SequenceCNNClassifier(nonsense=3)  # type: ignore[call-arg]
sknn.TabularMLPClassifier(nonsense=3)  # type: ignore[call-arg]
sknn.PerceptronClassifier(nonsense=3)  # type: ignore[call-arg]
sknn.ThresholdLogicClassifier(nonsense=3)  # type: ignore[call-arg]
DeepMLPClassifier().fit(X, y, nonsense=3)  # type: ignore[call-arg]
sknn.nonsense  # type: ignore[attr-defined]  # noqa: B018
all_estimators(3)  # type: ignore[arg-type]
ThresholdNetwork.from_expression(3)  # type: ignore[arg-type]
Nonsense()

"""One table: class -> instances that go through scikit-learn's estimator checks.

A new estimator adds a line. There are no expected failures, and there shall be none.
"""

from sknn import (
    DeepMLPClassifier,
    DeepMLPRegressor,
    PerceptronClassifier,
    ThresholdLogicClassifier,
)
from sknn.model_selection import DeepEnsembleClassifier, DeepEnsembleRegressor

INSTANCES = {
    DeepMLPClassifier: [
        DeepMLPClassifier(),
        DeepMLPClassifier(solver="lbfgs"),
        DeepMLPClassifier(solver="sgd", learning_rate_init=0.1),
    ],
    DeepMLPRegressor: [
        DeepMLPRegressor(),
        DeepMLPRegressor(solver="lbfgs"),
        DeepMLPRegressor(solver="sgd", learning_rate_init=0.05),
    ],
    DeepEnsembleClassifier: [DeepEnsembleClassifier(n_members=2)],
    DeepEnsembleRegressor: [DeepEnsembleRegressor(n_members=2)],
    PerceptronClassifier: [PerceptronClassifier()],
    ThresholdLogicClassifier: [ThresholdLogicClassifier()],
}

#: fewest checks that must be collected for the first instance; scikit-learn 1.9 collects 67 for
#: MLPClassifier and 60 for MLPRegressor
FLOOR = {
    DeepMLPClassifier: 66,
    DeepMLPRegressor: 60,
    DeepEnsembleClassifier: 66,
    DeepEnsembleRegressor: 60,
    PerceptronClassifier: 67,
    ThresholdLogicClassifier: 62,
}

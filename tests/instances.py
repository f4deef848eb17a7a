"""One table: class -> instances that go through scikit-learn's estimator checks.

A new estimator adds a line. There are no expected failures, and there shall be none.
"""

from sknn import (
    DeepMLPClassifier,
    DeepMLPRegressor,
    PerceptronClassifier,
    ThresholdLogicClassifier,
)

INSTANCES = {
    DeepMLPClassifier: [
        DeepMLPClassifier(),
        DeepMLPClassifier(solver="lbfgs"),
        DeepMLPClassifier(solver="sgd", learning_rate_init=0.1),
        DeepMLPClassifier(solver="adamw", learning_rate="cosine", learning_rate_init=0.01),
        DeepMLPClassifier(solver="nadam", learning_rate_init=0.01),
        DeepMLPClassifier(solver="rmsprop", learning_rate_init=0.01),
        DeepMLPClassifier(dropout=0.1, normalization="batch", learning_rate_init=0.01),
        DeepMLPClassifier(scale="standard", early_stopping=True, learning_rate_init=0.02),
        DeepMLPClassifier(loss="focal", label_smoothing=0.05, class_weight="balanced"),
    ],
    DeepMLPRegressor: [
        DeepMLPRegressor(),
        DeepMLPRegressor(solver="lbfgs"),
        DeepMLPRegressor(solver="sgd", learning_rate_init=0.05),
        DeepMLPRegressor(solver="adamw", learning_rate="one_cycle", learning_rate_init=0.02),
        DeepMLPRegressor(solver="nadam", learning_rate_init=0.01),
        DeepMLPRegressor(solver="rmsprop", learning_rate_init=0.01),
        DeepMLPRegressor(dropout=0.1, normalization="batch", learning_rate_init=0.01),
        DeepMLPRegressor(scale="robust", n_hidden_layers=2, residual=True, normalization="layer"),
        DeepMLPRegressor(loss="gaussian_nll", learning_rate_init=0.01),
        DeepMLPRegressor(loss="quantile", quantile=0.4, learning_rate_init=0.01),
    ],
    PerceptronClassifier: [PerceptronClassifier()],
    ThresholdLogicClassifier: [ThresholdLogicClassifier()],
}

#: fewest checks that must be collected for the first instance; scikit-learn 1.9 collects 67 for
#: MLPClassifier and 60 for MLPRegressor
FLOOR = {
    DeepMLPClassifier: 66,
    DeepMLPRegressor: 60,
    PerceptronClassifier: 67,
    ThresholdLogicClassifier: 62,
}

"""Weights and features at the ends of float64: finite answers, or an error with the cause."""

import numpy as np
import pytest

from sknn import PerceptronClassifier, ThresholdLogicClassifier
from sknn.exceptions import NonFiniteLossError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rng = np.random.RandomState(0)
X, y = rng.randn(30, 3), rng.randint(0, 2, 30)
CLASSIFIERS = {
    "online": PerceptronClassifier(update="online", max_iter=3, random_state=0),
    "batch": PerceptronClassifier(max_iter=3),
    "errors": ThresholdLogicClassifier(max_iter=2, random_state=0),
}


@pytest.mark.parametrize("kind", CLASSIFIERS)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("exponent", [-250, -160, 160, 250, 307])
def test_weights_of_any_size_give_finite_probabilities(kind, n_classes, exponent):
    labels = np.arange(30) % n_classes
    weights = np.where(labels == 0, 10.0**exponent / 30, 1.0)
    if kind == "online" and exponent > 300:
        with pytest.raises(NonFiniteLossError, match="closer to 1"):
            CLASSIFIERS[kind].fit(X * 1e4, labels, sample_weight=weights)
        return
    model = CLASSIFIERS[kind].fit(X * 1e4, labels, sample_weight=weights)
    assert np.all(np.isfinite(model.predict_proba(X * 1e4)))
    likeliest = model.classes_[model.predict_proba(X).argmax(axis=1)]
    assert np.mean(likeliest == model.predict(X)) == 1.0


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_features_too_large_for_their_squares_are_refused(kind):
    with pytest.raises(NonFiniteLossError, match=r"Scale X|powers of ten"):
        CLASSIFIERS[kind].fit(X * 1e200, y)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_features_next_to_zero_are_learned_without_a_warning(kind):
    tiny = X * 5e-323
    model = CLASSIFIERS[kind].fit(tiny, y)
    assert np.isfinite(model.predict_proba(tiny)).all()


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_weights_whose_sum_overflows_are_refused(kind):
    with pytest.raises(ValueError, match="sample weights times class weights overflows"):
        CLASSIFIERS[kind].fit(X, y, sample_weight=np.full(30, 1e308))


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_samples_whose_weighted_sum_overflows_are_refused(kind):
    model = CLASSIFIERS[kind].fit(X, y)
    model.coef_ = 1e3 * model.coef_
    with pytest.raises(ValueError, match="weighted sum of sample 1 overflows"):
        model.predict(np.vstack([X[0], np.full(3, 1e308) * np.sign(model.coef_[0])]))


def test_slopes_do_not_depend_on_the_unit_of_the_margins():
    slopes = [
        PerceptronClassifier(update="online", eta0=eta0, max_iter=3, random_state=0)
        .fit(X, y)
        .link_slope_
        * eta0
        for eta0 in (1.0, 2.0**-600, 2.0**900)
    ]
    assert slopes == pytest.approx([slopes[0]] * 3, rel=1e-12)

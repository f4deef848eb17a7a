import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax

from sknn.threshold.perceptron._platt import apply_inverse_link, fit_slope


def platt_loss(slope, decision, codes, weights):
    positive, negative = weights[codes == 1].sum(), weights[codes == 0].sum()
    target = np.where(codes == 1, (positive + 1) / (positive + 2), 1 / (negative + 2))
    return weights @ (np.logaddexp(0, slope * decision) - target * slope * decision)


def test_two_classes_give_the_logistic_function_of_the_margin():
    decision = np.array([-3.0, 0.0, 0.5])
    np.testing.assert_allclose(apply_inverse_link(decision, 2.0)[:, 1], expit(2 * decision))


@pytest.mark.parametrize("seed", range(4))
def test_slope_minimises_platts_loss(seed):
    rng = np.random.RandomState(seed)
    codes, weights = rng.randint(0, 2, 50), rng.uniform(0.1, 3, 50)
    decision = (codes - 0.5) * 4 + 2 * rng.randn(50)
    slope = fit_slope(decision, codes, weights, 2)
    best = minimize_scalar(
        platt_loss, bounds=(0, 20), args=(decision, codes, weights), options={"xatol": 1e-8}
    )
    assert slope == pytest.approx(best.x, rel=1e-4)


def test_slope_of_many_classes_minimises_the_log_loss():
    rng = np.random.RandomState(0)
    codes = rng.randint(0, 3, 3000)
    decision = 2.0 * np.eye(3)[codes] + rng.randn(3000, 3)
    slope = fit_slope(decision, codes, np.ones(3000), 3)
    losses = {
        factor: -log_softmax(factor * slope * decision, axis=1)[np.arange(3000), codes].mean()
        for factor in (0.9, 1.0, 1.1)
    }
    assert min(losses, key=losses.get) == 1.0
    # normal scores with means 2 apart and variance 1 have log-likelihood ratio 2 * score
    assert slope == pytest.approx(2.0, rel=0.1)


def test_slope_takes_a_weight_for_repeats():
    rng = np.random.RandomState(1)
    codes, repeats = rng.randint(0, 3, 40), rng.randint(1, 4, 40)
    decision = np.eye(3)[codes] + rng.randn(40, 3)
    weighted = fit_slope(decision, codes, repeats.astype(float), 3)
    written_out = fit_slope(
        decision.repeat(repeats, axis=0), codes.repeat(repeats), np.ones(repeats.sum()), 3
    )
    assert weighted == pytest.approx(written_out, rel=1e-10)


def test_slope_is_finite_without_errors_and_positive_without_sense():
    codes = np.repeat([0, 1], 20)
    decision = np.where(codes == 1, 1.0, -1.0)
    # all probabilities meet Platt's target of 21 / 22
    assert fit_slope(decision, codes, np.ones(40), 2) == pytest.approx(np.log(21))
    assert 0 < fit_slope(-decision, codes, np.ones(40), 2) < 0.01
    assert fit_slope(0 * decision, codes, np.ones(40), 2) == 1.0


def test_slope_ends_where_probabilities_can_grow_no_more():
    codes = np.repeat([0, 1], 2)
    weights = np.full(4, 1e300)  # Platt's targets are 1 and 0
    slope = fit_slope(np.array([-1.0, -1.0, 1.0, 1.0]), codes, weights / 4, 2)
    assert 10 < slope <= 2000 * (1 + 1e-12)

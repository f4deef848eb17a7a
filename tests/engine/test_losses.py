import numpy as np
import pytest
import torch
from scipy.special import expit, softmax
from sklearn.neural_network._base import LOSS_FUNCTIONS as SKLEARN

from sknn.engine._losses import LOSSES, MeanLoss

N = 7
LINKS = {
    "log_loss": lambda z: softmax(z, axis=1),
    "binary_log_loss": expit,
    "squared_error": lambda z: z,
    "poisson": np.exp,
}


def case(loss, rng, n_outputs):
    """Return raw output, our targets, and scikit-learn's form of the targets."""
    output = rng.normal(size=(N, n_outputs))
    if loss == "log_loss":
        target = rng.integers(0, n_outputs, N)
        return output, target, np.eye(n_outputs)[target]
    if loss == "binary_log_loss":
        target = rng.integers(0, 2, (N, n_outputs)).astype(float)
    elif loss == "poisson":
        target = rng.poisson(2.0, (N, n_outputs)).astype(float)
    else:
        target = rng.normal(size=(N, n_outputs))
    return output, target, target


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("loss", LOSSES)
def test_mean_loss_equals_scikit_learns(loss, n_outputs, weighted, rng):
    if loss == "log_loss" and n_outputs == 1:
        n_outputs = 2
    output, target, theirs = case(loss, rng, n_outputs)
    weight = rng.uniform(0.1, 3, N) if weighted else None
    expected = SKLEARN[loss](theirs, LINKS[loss](output), weight)
    if loss == "squared_error":  # theirs is the mean over outputs, though its gradient is the sum's
        expected *= n_outputs
    got = MeanLoss(loss)(
        torch.from_numpy(output),
        torch.from_numpy(target),
        None if weight is None else torch.from_numpy(weight),
    )
    np.testing.assert_allclose(float(got), expected, rtol=1e-10)


@pytest.mark.parametrize("loss", LOSSES)
def test_gradient_is_prediction_minus_target(loss, rng):
    """With the canonical link, the gradient of each loss is link(z) - y."""
    output, target, theirs = case(loss, rng, 3)
    z = torch.tensor(output, requires_grad=True)
    LOSSES[loss].per_row(z, torch.from_numpy(target)).sum().backward()
    np.testing.assert_allclose(z.grad.numpy(), LINKS[loss](output) - theirs, atol=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
def test_links_equal_numpy(loss, rng):
    z = rng.normal(size=(N, 3))
    np.testing.assert_allclose(LOSSES[loss].link(torch.from_numpy(z)).numpy(), LINKS[loss](z))


@pytest.mark.parametrize("loss", ["log_loss", "binary_log_loss"])
def test_log_losses_of_sure_and_wrong_predictions_are_finite(loss):
    z = torch.tensor([[1e4, -1e4]], dtype=torch.float64)
    target = torch.tensor([1]) if loss == "log_loss" else torch.tensor([[0.0, 1.0]]).double()
    assert LOSSES[loss].per_row(z, target).item() == pytest.approx(2e4)


def test_perfect_poisson_prediction_costs_nothing():
    y = torch.tensor([[3.0], [0.5]])
    assert LOSSES["poisson"].per_row(y.log(), y).abs().max() < 1e-6

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from sknn.architectures.options._initializers import (
    INITIALIZERS,
    check_initializer,
    initialize_linear,
)

N, M = 300, 120
VARIANCES = {"glorot": 2 / (N + M), "he": 2 / N, "lecun": 1 / N}


def drawn(initializer, n=N, m=M, seed=0, bias=True):
    layer = nn.utils.skip_init(nn.Linear, n, m, bias=bias, dtype=torch.float64)
    initialize_linear(layer, initializer, 6.0, np.random.RandomState(seed))
    return layer


@pytest.mark.parametrize("rule", VARIANCES)
@pytest.mark.parametrize("shape", ["uniform", "normal"])
def test_weights_have_the_distribution_they_should(rule, shape):
    weight = drawn(f"{rule}_{shape}").weight.detach().numpy().ravel()
    sd = np.sqrt(VARIANCES[rule])
    bound = np.sqrt(3) * sd
    expected = stats.uniform(-bound, 2 * bound) if shape == "uniform" else stats.norm(0, sd)
    assert stats.kstest(weight, expected.cdf).pvalue > 0.01


@pytest.mark.parametrize("rule", ["glorot", "he"])
@pytest.mark.parametrize("shape", ["uniform", "normal"])
def test_spread_is_torchs(rule, shape):
    theirs = {"glorot": "xavier", "he": "kaiming"}[rule]
    options = {"nonlinearity": "relu"} if rule == "he" else {}
    weight = torch.empty(M, N)
    with torch.random.fork_rng(devices=[]):
        getattr(nn.init, f"{theirs}_{shape}_")(weight, **options)
    mine = drawn(f"{rule}_{shape}").weight
    assert mine.std().item() == pytest.approx(weight.std().item(), rel=0.03)


@pytest.mark.parametrize(("n", "m"), [(30, 8), (8, 30), (5, 5)])
def test_orthogonal_rows_or_columns_are_orthonormal(n, m):
    weight = drawn("orthogonal", n, m).weight.detach().numpy()
    product = weight @ weight.T if m <= n else weight.T @ weight
    np.testing.assert_allclose(product, np.eye(min(n, m)), atol=1e-12)


def test_orthogonal_matrices_are_spread_evenly():
    """A rotation of the plane by an even angle, or such a reflection: entries follow arcsine."""
    state = np.random.RandomState(0)
    layer = nn.utils.skip_init(nn.Linear, 2, 2, dtype=torch.float64)
    entries = []
    for _ in range(2000):
        initialize_linear(layer, "orthogonal", 6.0, state)
        entries.append(layer.weight.detach().numpy().ravel().copy())
    for column in np.transpose(entries):
        assert stats.kstest(column, stats.arcsine(-1, 2).cdf).pvalue > 0.001


@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_biases_are_zero_and_a_seed_gives_the_same(initializer):
    first, same, other = (drawn(initializer, seed=seed) for seed in (1, 1, 2))
    assert not first.bias.any()
    assert torch.equal(first.weight, same.weight)
    assert torch.equal(first.weight, other.weight) == (initializer == "zeros")
    assert drawn(initializer, bias=False).bias is None


def test_auto_draws_biases_too_and_goes_on_without_them():
    state = np.random.RandomState(0)
    bound = np.sqrt(6.0 / (N + M))
    expected = state.uniform(-bound, bound, (N, M)).T
    layer = drawn("auto")
    np.testing.assert_array_equal(layer.weight.detach().numpy(), expected)
    np.testing.assert_array_equal(layer.bias.detach().numpy(), state.uniform(-bound, bound, M))
    np.testing.assert_array_equal(drawn("auto", bias=False).weight.detach().numpy(), expected)


def test_callable_changes_the_weight_in_place():
    def diagonal(weight, random_state):
        weight.copy_(torch.eye(*weight.shape).double() * random_state.uniform())

    layer = drawn(diagonal, 3, 2)
    expected = np.random.RandomState(0).uniform() * np.eye(2, 3)
    np.testing.assert_array_equal(layer.weight.detach().numpy(), expected)
    assert not layer.bias.any()
    assert layer.weight.requires_grad


@pytest.mark.parametrize(
    "wrong",
    [lambda w, state: torch.zeros_like(w), lambda w, state: w[0].zero_(), lambda w, s: w / 0],
)
def test_callable_that_does_not_fill_the_weight_is_refused(wrong):
    with pytest.raises(ValueError, match=r"must fill the tensor weight in place.*2 x 3 are NaN"):
        drawn(wrong, 3, 2)


@pytest.mark.parametrize("unknown", ["he", None, 3, ("zeros",)])
def test_unknown_initializer_is_refused(unknown):
    with pytest.raises(ValueError, match=r"initializer must be one of .*'he_normal'.*; got "):
        check_initializer(unknown)


def test_known_initializers_are_taken():
    for known in ("auto", *INITIALIZERS, nn.init.zeros_):
        assert check_initializer(known) is known

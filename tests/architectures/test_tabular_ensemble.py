"""Ensemble members in one module: independence, held-out samples, and formulas of their layers."""

import numpy as np
import pytest
import torch

from sknn._specs import InputSpec, TargetSpec
from sknn.architectures import TabularEnsemble, TabularOptions
from sknn.architectures.layers._member_steps import multiplies_bfloat16
from sknn.architectures.layers._member_values import ValueEmbeddings
from sknn.architectures.layers._members import (
    MemberEmbeddings,
    MemberLinear,
    Periodic,
    PiecewiseLinear,
)

KNOTS = {0: np.array([-1.0, 0.0, 0.5, 2.0]), 2: np.array([-2.0, 3.0])}
VALUES = {1: np.array([[-1.0, -0.5], [0.2, 0.4], [0.4, 2.0]]), 2: np.array([[0.0, 1.0]])}
INPUTS = InputSpec("table", 3, "float64", cardinalities=(5, 12))
TARGET = TargetSpec("values", 2, "squared_error")


def ensemble(**options):
    options = {"n_members": 3, "hidden_layer_sizes": (7, 5), "dropout": 0.0, **options}
    module = TabularEnsemble(INPUTS, TARGET, KNOTS, TabularOptions(**options), VALUES)
    random_state = np.random.RandomState(0)
    module.initialize_weights(random_state)
    with torch.no_grad():  # outputs are 0 at first
        last = module.linears[-1].weight
        last.copy_(torch.from_numpy(random_state.randn(*last.shape)))
    return module


def rows(n=20, seed=1):
    random_state = np.random.RandomState(seed)
    numbers = random_state.randn(n, 3)
    codes = np.column_stack([random_state.randint(5, size=n), random_state.randint(12, size=n)])
    return torch.from_numpy(np.column_stack([numbers, codes]))


def with_owner(X, owner):
    return torch.column_stack([X, torch.as_tensor(owner, dtype=X.dtype)])


def test_piecewise_linear_vectors_are_interpolations():
    layer = PiecewiseLinear(2, list(KNOTS.values()), 1, torch.float64)
    layer.initialize_weights(np.random.RandomState(0))
    with torch.no_grad():
        layer.weight.abs_()
        layer.bias.fill_(0.1)
    X = torch.linspace(-3, 4, 50, dtype=torch.float64)[:, None].expand(-1, 2)
    output = layer(X).detach().numpy()
    assert output.shape == (2, 2, 50)
    for j, knots in enumerate(KNOTS.values()):
        for member in range(2):
            steps = layer.weight[j, : len(knots) - 1, member].detach().numpy()
            wanted = np.interp(X[:, j], knots, np.cumsum([0, *steps])) + 0.1
            np.testing.assert_allclose(output[member, j], wanted, atol=1e-12)


def test_piecewise_linear_takes_off_the_weighted_mean():
    layer = PiecewiseLinear(1, [KNOTS[0]], 1, torch.float64)
    with torch.no_grad():
        layer.weight.fill_(1.0)
        layer.bias.fill_(10.0)
    X = torch.tensor([[-1.0], [0.0], [2.0]], dtype=torch.float64)
    weight = torch.tensor([1.0, 2.0, 1.0], dtype=torch.float64)
    layer.center(X, weight)
    numbers = layer(X)[0, 0].detach() - 10
    assert float(numbers @ weight) == pytest.approx(0)
    np.testing.assert_allclose(np.diff(numbers), [1, 2])  # a stretch each, and two


def test_means_are_those_of_all_samples_of_the_columns_with_embeddings():
    random_state = np.random.RandomState(0)
    X, weight = random_state.uniform(-1, 1, (9000, 14)), random_state.uniform(0.5, 2, 9000)
    knots, places = np.linspace(-1, 1, 33), [0, *range(2, 14)]  # more than fit into a block
    layer = PiecewiseLinear(2, [knots] * 13, 1, torch.float64)
    layer.center(torch.from_numpy(X), torch.from_numpy(weight), places)
    for mean, place in zip(layer.mean.numpy(), places, strict=True):
        wanted = np.clip((X[:, [place]] - knots[:-1]) * 16, 0, 1)
        np.testing.assert_allclose(mean[0], np.average(wanted, axis=0, weights=weight), rtol=1e-9)


def test_periodic_vectors_are_layers_of_waves():
    layer = Periodic(2, 3, 4, n_waves=5, dtype=torch.float64)
    layer.initialize_weights(np.random.RandomState(0))
    X = torch.from_numpy(np.random.RandomState(1).randn(6, 3))
    output = layer(X).detach().numpy().reshape(2, 3, 4, 6)
    state = {name: p.detach().numpy() for name, p in layer.named_parameters()}
    for member in range(2):
        for j in range(3):
            own = slice(5 * member, 5 * member + 5)
            angle = 2 * np.pi * X[:, [j]].numpy() * state["frequency"][j, :, own]
            waves = np.cos(angle + state["phase"][j, :, own])
            wanted = np.maximum(waves @ state["weight"][j, member] + state["bias"][j, member], 0)
            np.testing.assert_allclose(output[member, j], wanted.T, atol=1e-12)


def test_embeddings_are_lookups_and_unknown_levels_are_zero():
    layer = MemberEmbeddings(2, (3, 4), 6, torch.float64)
    layer.initialize_weights(np.random.RandomState(0))
    codes = torch.tensor([[0, 3], [2, 0]])
    output = layer(codes)
    assert output.shape == (2, 12, 2)
    np.testing.assert_array_equal(output[:, :6, 0].detach(), 0)
    np.testing.assert_array_equal(output[1, :6, 1].detach(), layer.tables[0][2, 6:].detach())
    output.sum().backward()
    assert not layer.tables[0].grad[0].any()


def test_each_value_has_a_vector_and_numbers_between_have_none():
    layer = ValueEmbeddings(2, list(VALUES.values()), 3, torch.float64)
    assert not layer.table.any()
    with torch.no_grad():
        layer.table[1:] = torch.arange(24.0).reshape(4, 6)
    X = torch.tensor([[-0.7, 0.5], [0.3, -3.0], [0.0, 0.5], [0.5, 2.0], [9.0, 0.9]]).double()
    rows = np.array([[1, 2, 0, 3, 0], [4, 0, 4, 0, 4]])  # 0 for numbers without a vector
    np.testing.assert_array_equal(layer.find_rows(X), rows)
    vectors = layer.table.detach().numpy()[rows].reshape(2, 5, 2, 3)
    wanted = vectors.transpose(2, 0, 3, 1).reshape(2, 6, 5)
    np.testing.assert_array_equal(layer(X).detach(), wanted)
    np.testing.assert_array_equal(layer(X, slice(1, 2)).detach(), wanted[1:])


def test_linear_layers_are_drawn_as_he_does():
    layer = MemberLinear(50, 40, 30, torch.float64)
    layer.initialize_weights(np.random.RandomState(0))
    assert float(layer.weight.detach().std()) == pytest.approx(np.sqrt(2 / 40), rel=0.02)
    assert float(layer.bias.abs().max()) == pytest.approx(1 / np.sqrt(40), rel=0.02)


@pytest.mark.parametrize("embedding", ["piecewise", "periodic", None])
@pytest.mark.parametrize("members", [slice(1, 2), slice(0, 2), slice(None)])
def test_some_members_are_what_they_are_among_all(embedding, members):
    module = ensemble(numerical_embedding=embedding)
    X = rows()
    everyone = module.run_members(X).detach()
    np.testing.assert_allclose(
        module.run_members(X, members).detach(), everyone[members], atol=1e-12
    )


@pytest.mark.parametrize("embedding", ["piecewise", "periodic", None])
def test_members_share_nothing(embedding):
    module = ensemble(numerical_embedding=embedding)
    X = rows()
    before = module.run_members(X).detach()
    module.run_members(X)[1].square().sum().backward()
    with torch.no_grad():
        for p in module.parameters():
            p -= 0.1 * p.grad
    after = module.run_members(X).detach()
    np.testing.assert_array_equal(after[[0, 2]], before[[0, 2]])
    assert not torch.equal(after[1], before[1])


def take_step(module, X, **seen):
    """Return outputs and gradients of a step of training; seen(X) by autograd's own passes."""
    module.train()
    output = module(X.clone().requires_grad_(seen.get("by_autograd", False)))
    output.sin().sum().backward()
    return [output.detach(), *(p.grad for p in module.parameters())]


@pytest.mark.parametrize("embedding", ["piecewise", "periodic", None])
@pytest.mark.parametrize("sizes", [(7, 5), ()])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_steps_follow_the_gradients_of_autograd(embedding, sizes, dropout):
    options = {"numerical_embedding": embedding, "hidden_layer_sizes": sizes, "dropout": dropout}
    written, by_autograd = (
        take_step(ensemble(**options), rows(), by_autograd=seen) for seen in (False, True)
    )
    for ours, wanted in zip(written, by_autograd, strict=True):
        assert wanted.any()
        np.testing.assert_allclose(ours, wanted, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("embedding", ["piecewise", "periodic"])
def test_steps_in_bfloat16_round_to_its_eight_bits(embedding):
    X, options = rows(300).float(), {"numerical_embedding": embedding, "dropout": 0.1}
    exact = take_step(ensemble(**options).float(), X)
    module = ensemble(**options, trains_in_bfloat16=True).float()
    rounded = take_step(module, X)
    for ours, wanted in zip(rounded, exact, strict=True):
        error = float((ours - wanted).norm() / wanted.norm())
        assert 0 < error < 0.05
        assert ours.dtype == torch.float32
    np.testing.assert_array_equal(
        module.eval()(X).detach(), ensemble(**options).float().eval()(X).detach()
    )


@pytest.mark.parametrize(
    ("found", "wanted"),
    [({}, False), ({"avx512_f": True, "avx512_bf16": False}, False), ({"amx_bf16": True}, True)],
)
def test_bfloat16_is_for_processors_with_instructions_for_it(found, wanted):
    assert multiplies_bfloat16(found) is wanted
    assert multiplies_bfloat16() is multiplies_bfloat16()


def test_in_training_all_outputs_in_evaluation_their_mean():
    module, X = ensemble(), rows()
    each = module(X)
    assert each.shape == (20, 3, 2)
    module.set_temperature(2.0)
    np.testing.assert_allclose(module.eval()(X).detach(), each.mean(1).detach() / 2, atol=1e-12)
    np.testing.assert_array_equal(module.run_each_member(X).detach(), each.detach())


def test_no_gradient_from_samples_that_a_member_leaves_out():
    module, X = ensemble(), rows(6)
    owner = [0, 1, 2, -1, 0, 1]
    output = module(with_owner(X, owner))
    np.testing.assert_array_equal(output.detach(), module(X).detach())
    (gradient,) = torch.autograd.grad(output[0].sum(), module.linears[-1].bias)
    np.testing.assert_array_equal(gradient[:, 0, 0], [0, 1, 1])
    output = module(with_owner(X, owner))
    (gradient,) = torch.autograd.grad(output[3].sum(), module.linears[-1].bias)
    np.testing.assert_array_equal(gradient[:, 0, 0], [1, 1, 1])


def test_samples_are_judged_by_the_member_that_left_them_out():
    module, X = ensemble(), rows(7)
    owner = np.array([2, 0, -1, 1, 0, 2, -1])
    each = module.run_members(X).detach().numpy()
    module.set_temperature(4.0)
    output = module.eval()(with_owner(X, owner)).detach().numpy()
    wanted = [each[:, i].mean(0) if m == -1 else each[m, i] for i, m in enumerate(owner)]
    np.testing.assert_allclose(output, np.array(wanted) / 4, atol=1e-12)


def test_first_outputs_are_zero():
    module = TabularEnsemble(INPUTS, TARGET, KNOTS)
    module.initialize_weights(np.random.RandomState(0))
    assert not module(rows()).any()


def test_weights_follow_from_the_seed_and_dropout_goes_on_from_its_state():
    one, other = ensemble(dropout=0.5), ensemble(dropout=0.5)
    X = rows()
    first = one(X).detach()
    np.testing.assert_array_equal(first, other(X).detach())
    other.load_state_dict(one.state_dict())
    again = one(X).detach()
    assert not torch.equal(again, first)
    np.testing.assert_array_equal(again, other(X).detach())


@pytest.mark.parametrize("embedding", ["piecewise", "periodic", None])
def test_layers_are_described_with_all_their_parameters(embedding):
    module = ensemble(numerical_embedding=embedding, dropout=0.1)
    specs = module.describe()
    n_parameters = sum(p.numel() for p in module.parameters())
    assert sum(layer.n_parameters for layer in specs) == n_parameters
    kinds = [layer.kind for layer in specs]
    assert kinds[-5:] == ["Linear", "Dropout", "Linear", "Dropout", "Linear"]
    decayed = {id(p) for p in module.get_penalized()}
    names = [name for name, p in module.named_parameters() if id(p) not in decayed]
    assert all("bias" in name or "frequency" in name or "phase" in name for name in names)

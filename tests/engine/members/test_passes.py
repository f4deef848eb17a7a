"""Compiled passes of ensemble members: outputs, gradients, dropout and predictions are torch's."""

import numpy as np
import pytest
import torch

from sknn._jit import HAS_NUMBA
from sknn._specs import InputSpec, TargetSpec
from sknn.architectures import Dropout, TabularEnsemble, TabularOptions
from sknn.engine.members._network import CompiledMembers
from sknn.engine.members._predictions import predict_members

pytestmark = pytest.mark.skipif(not HAS_NUMBA, reason="compiled passes need numba")

KNOTS = {0: np.array([-1.0, 0.0, 0.5, 2.0]), 2: np.array([-2.0, 3.0])}
#: values 1 and 3 of column 1, values -1, 0 and 2 of column 0
VALUES = {
    0: np.array([[-1.5, -0.5], [-0.5, 0.5], [1.5, 2.5]]),
    1: np.array([[0.5, 1.5], [2.5, 3.5]]),
}
#: name -> numeric columns, numbers of codes, columns with knots, outputs, options
ENSEMBLES = {
    "numbers and codes": (3, (5, 12), KNOTS, 2, {}),
    "single values": (3, (5,), KNOTS, 1, {"values": VALUES}),
    "single values alone": (2, (), {}, 1, {"values": VALUES}),
    "wide embeddings": (3, (5,), KNOTS, 1, {"embedding_width": 8}),
    "three layers": (3, (), KNOTS, 1, {"hidden_layer_sizes": (33, 20, 9)}),
    "no hidden layer": (3, (4,), KNOTS, 3, {"hidden_layer_sizes": ()}),
    "numbers alone": (4, (), {}, 2, {}),
    "codes alone": (0, (5, 3), {}, 2, {}),
    "nothing at all": (0, (), {}, 1, {}),
}


def make_ensemble(name="numbers and codes", **options):
    n_numeric, cardinalities, knots, n_outputs, own = ENSEMBLES[name]
    usual = {"n_members": 3, "hidden_layer_sizes": (17, 8), "embedding_width": 3, "dropout": 0.0}
    options = {**usual, **own, **options}
    inputs = InputSpec("table", n_numeric, "float64", cardinalities=cardinalities)
    target = TargetSpec("values", n_outputs, "squared_error")
    values = options.pop("values", {})
    module = TabularEnsemble(inputs, target, knots, TabularOptions(**options), values)
    random_state = np.random.RandomState(0)
    module.initialize_weights(random_state)
    module.center(random_state.randn(50, n_numeric))
    zeros = [*module.linears[-1].parameters()]  # at first
    if module.values is not None:
        zeros.append(module.values.table)
    with torch.no_grad():
        for p in zeros:
            p.copy_(torch.from_numpy(random_state.randn(*p.shape)))
        if module.values is not None:
            module.values.table[0] = 0.0  # of numbers without an embedding
    return module


def draw_samples(module, n_samples=37):
    random_state = np.random.RandomState(1)
    codes = [random_state.randint(n, size=n_samples) for n in module.cardinalities]
    numbers = 2 * random_state.randn(module.n_numeric, n_samples)
    numbers[1:2] = numbers[1:2].round()
    return torch.from_numpy(np.column_stack([*numbers, *codes, np.zeros((n_samples, 0))]))


def compile_members(module):
    return CompiledMembers(module, torch.optim.SGD(module.parameters(), lr=0.1))


def get_gradients(module, compute, X, weight):
    for p in module.parameters():
        p.grad = None
    (compute(X) * weight).sum().backward()
    return [p.grad.clone() for p in module.parameters()]


@pytest.mark.parametrize("name", ENSEMBLES)
def test_outputs_and_gradients_are_those_of_the_module(name):
    module = make_ensemble(name)
    X = draw_samples(module)
    weight = torch.from_numpy(np.random.RandomState(2).randn(len(X), 3, module.n_outputs))
    expected, gradients = module(X), get_gradients(module, module, X, weight)
    members = compile_members(module)
    torch.testing.assert_close(members(X), expected, rtol=1e-12, atol=1e-12)
    found = get_gradients(module, members, X, weight)
    members.close()
    torch.testing.assert_close(found, gradients, rtol=1e-10, atol=1e-10)


def test_a_number_that_is_missing_stays_missing():
    module = make_ensemble()
    X = draw_samples(module)
    X[3, 0] = np.nan
    members = compile_members(module)
    is_nan = torch.isnan(members(X)).all(dim=2).all(dim=1)
    members.close()
    assert is_nan.nonzero().tolist() == [[3]]


def test_nothing_is_learned_from_samples_that_a_member_holds_out():
    module = make_ensemble()
    X = draw_samples(module)
    owners = torch.arange(len(X)) % 4 - 1
    X = torch.column_stack([X, owners.to(X.dtype)])
    weight = torch.ones(len(X), 3, 2, dtype=X.dtype)
    gradients = get_gradients(module, module, X, weight)
    members = compile_members(module)
    found = get_gradients(module, members, X, weight)
    members.close()
    torch.testing.assert_close(found, gradients, rtol=1e-10, atol=1e-10)


def test_dropped_units_are_gone_on_the_way_back_too():
    # The derivative along a direction is that of the difference of two losses whose masks are the
    # same, because seed and count are.
    module = make_ensemble("three layers", dropout=0.3)
    X = draw_samples(module)
    members = compile_members(module)
    weight = torch.from_numpy(np.random.RandomState(2).randn(len(X), 3, 1))

    def restart():
        for seed, dropout in enumerate(module.dropouts):
            dropout.set_seed(seed)

    restart()
    gradients = get_gradients(module, members, X, weight)
    direction = [torch.randn(p.shape, dtype=p.dtype) for p in module.parameters()]
    losses, step = [], 1e-7
    for sign in (1, -2):
        with torch.no_grad():
            for p, along in zip(module.parameters(), direction, strict=True):
                p += sign * step * along
            restart()
            losses.append(float((members(X) * weight).sum()))
    members.close()
    slope = sum(float((g * d).sum()) for g, d in zip(gradients, direction, strict=True))
    np.testing.assert_allclose((losses[0] - losses[1]) / (2 * step), slope, rtol=1e-5)


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_a_share_of_units_is_dropped_differently_in_each_step_layer_and_member(rate):
    module = make_ensemble("numbers alone", hidden_layer_sizes=(64, 64), dropout=rate)
    assert all(isinstance(part, Dropout) for part in module.dropouts)
    with torch.no_grad():  # so that no unit is 0 by itself
        for layer in module.linears:
            layer.weight.zero_()
            layer.bias.fill_(1.0)
    members, masks = compile_members(module), []
    X = draw_samples(module, 300)
    for _ in range(2):
        members(X)
        values = members.memory.values.reshape(3, -1)
        for member in range(3):
            for layer in (1, 2):
                start = len(X) * (4 + 64 * (layer - 1))
                masks.append(values[member, start : start + len(X) * 64].copy())
    members.close()
    assert [int(part.state[1]) for part in module.dropouts] == [2, 2]
    for mask in masks:
        np.testing.assert_allclose(np.unique(mask), [0, 1 / (1 - rate)], rtol=1e-4)
        # five deviations of a share of 19,200 units
        np.testing.assert_allclose((mask == 0).mean(), rate, atol=0.018)
    correlations = np.corrcoef(masks) - np.eye(len(masks))
    assert np.abs(correlations).max() < 5 / np.sqrt(len(masks[0]))


@pytest.mark.parametrize("name", ENSEMBLES)
def test_predictions_are_those_of_the_module(name):
    module = make_ensemble(name).eval()
    module.set_temperature(1.7)
    X = draw_samples(module, 600)
    with torch.inference_mode():
        expected = module(X).numpy()
    np.testing.assert_allclose(predict_members(module, X), expected, rtol=1e-12, atol=1e-12)


def test_held_out_samples_are_predicted_by_the_member_that_has_not_seen_them():
    module = make_ensemble().eval()
    X = draw_samples(module, 600)
    X = torch.column_stack([X, (torch.arange(len(X)) % 4 - 1).to(X.dtype)])
    with torch.inference_mode():
        expected = module(X).numpy()
    np.testing.assert_allclose(predict_members(module, X), expected, rtol=1e-12, atol=1e-12)


def test_predictions_depend_neither_on_other_samples_nor_on_threads():
    module = make_ensemble().eval()
    X = draw_samples(module, 3000)
    expected = predict_members(module, X)
    np.testing.assert_array_equal(predict_members(module, X[700:701]), expected[700:701])
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        np.testing.assert_array_equal(predict_members(module, X), expected)
    finally:
        torch.set_num_threads(before)

import functools

import numpy as np
import pytest
import torch
from torch import nn

from sknn._specs import InputSpec, TargetSpec
from sknn.architectures import MLP, build_user_module

TABLE = InputSpec("table", 4, "float32", cardinalities=(3,))
CLASSES = TargetSpec("multiclass", 3, "log_loss")


class Net(nn.Module):
    def __init__(self, n_inputs, n_outputs, *, width=6, dropout=0.0):
        super().__init__()
        self.first = nn.Linear(n_inputs, width)
        self.norm = nn.BatchNorm1d(width)
        self.dropout = nn.Dropout(dropout)
        self.last = nn.Linear(width, n_outputs)

    def forward(self, X):
        return self.last(self.dropout(torch.relu(self.norm(self.first(X)))))


def two_layers(n_inputs, n_outputs):
    return nn.Sequential(nn.Linear(n_inputs, 6), nn.ReLU(), nn.Linear(6, n_outputs))


def lazy(n_outputs):
    return nn.Sequential(nn.LazyLinear(6), nn.Tanh(), nn.Linear(6, n_outputs))


def build(factory, params=None, inputs=TABLE, target=CLASSES, seed=0):
    return build_user_module(factory, inputs, target, params or {}, np.random.RandomState(seed))


@pytest.mark.parametrize(
    "factory",
    [
        Net,
        two_layers,
        lazy,
        functools.partial(Net, width=7),
        lambda n_inputs, n_outputs: MLP([n_inputs, 2, n_outputs]),
        lambda: nn.Linear(5, 3),
        lambda **options: nn.Linear(5, 3, **options),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_classes_and_functions_are_called_with_what_they_ask_for(factory, dtype):
    inputs = InputSpec("table", 4, dtype, cardinalities=(3,))
    module = build(factory, inputs=inputs)
    assert module.training
    assert {p.dtype for p in module.parameters()} == {getattr(torch, dtype)}
    assert module(torch.zeros(7, 5, dtype=getattr(torch, dtype))).shape == (7, 3)


def test_everything_known_is_passed_on():
    seen = {}

    def factory(n_inputs, n_outputs, n_numeric, cardinalities, length):
        seen.update(locals())
        return nn.Linear(n_inputs, n_outputs)

    build(factory)
    assert (seen["n_inputs"], seen["n_numeric"], seen["cardinalities"]) == (5, 4, (3,))
    assert (seen["n_outputs"], seen["length"]) == (3, None)
    build(factory, inputs=InputSpec("sequence", 4, "float32", length=10))
    assert (seen["n_inputs"], seen["n_numeric"], seen["length"]) == (40, 4, 10)


def test_users_parameters_are_passed_on_and_go_first():
    module = build(Net, {"width": 9, "dropout": 0.5})
    assert (module.first.out_features, module.dropout.p) == (9, 0.5)
    partial = functools.partial(Net, n_outputs=3)
    assert build(partial, {"n_inputs": 5}).last.out_features == 3


def test_seed_gives_the_weights_and_torchs_generator_stays():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = build(Net)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)
    same, other = build(Net), build(Net, seed=1)
    assert torch.equal(first.first.weight, same.first.weight)
    assert not torch.equal(first.first.weight, other.first.weight)
    assert torch.equal(build(lazy)[0].weight, build(lazy)[0].weight)


def test_an_mlp_inside_gets_its_weights_from_the_seed():
    def factory(n_outputs):
        return nn.Sequential(MLP([5, 4, 6]), nn.ReLU(), nn.Linear(6, n_outputs))

    first, same, other = build(factory), build(factory), build(factory, seed=1)
    weights = [module[0].linears[0].weight for module in (first, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert 0 < weights[0].abs().max() < np.sqrt(6 / 9)


def test_generator_is_put_back_also_after_an_error():
    before = torch.get_rng_state()
    with pytest.raises(ValueError, match="must return a tensor of shape"):
        build(lambda: nn.Linear(5, 4))
    assert torch.equal(torch.get_rng_state(), before)


def test_trying_it_out_changes_no_running_statistics():
    norm = build(Net).norm
    assert norm.num_batches_tracked == 0
    assert not norm.running_mean.any()


class Sums(nn.Module):
    def forward(self, X):
        return X[:, :3]


class Pair(nn.Linear):
    def forward(self, X):
        return super().forward(X), X


def hard_coded():
    return nn.Sequential(nn.Linear(5, 3), Double())


class Double(nn.Module):
    def forward(self, X):
        return X.double()


@pytest.mark.parametrize(
    ("factory", "params", "message"),
    [
        (two_layers(5, 3), {}, r"not a network: .*share.*Give Sequential itself, or lambda: Seq"),
        ("Net", {}, "must be a torch.nn.Module class, or a function that .* got 'Net'"),
        (Net, {"widht": 3}, r"'Net' does not take \['widht'\]; it takes \['n_inputs', 'n_out"),
        (lambda: nn.Linear(5, 3), {"width": 3}, r"does not take \['width'\]; it takes nothing"),
        (
            lambda n_inputs, depth: nn.Linear(n_inputs, depth),
            {},
            r"cannot be called with \['n_inputs'\]: .*'depth'.*Known by themselves .*'n_outputs'",
        ),
        (lambda n_inputs: n_inputs, {}, "'<lambda>' must return a torch.nn.Module; got int"),
        (
            lambda: nn.Linear(4, 3),
            {},
            r"must take a tensor of shape \(n_samples, 5\).* two samples of",
        ),
        (
            lambda: nn.Linear(5, 4),
            {},
            r"shape \(n_samples, 3\).*each of 3 classes; .* gives \(2, 4\)",
        ),
        (lambda: nn.Sequential(nn.Linear(5, 1), nn.Flatten(0)), {}, r"it gives \(2,\) and"),
        (lambda: Pair(5, 3), {}, r"must return a tensor of shape \(n_samples, 3\); got tuple"),
        (hard_coded, {}, r"'hard_coded' must return .* torch.float32.*and torch.float64"),
        (Sums, {}, "module 'Sums' has no parameters to train"),
        (lambda: nn.Linear(5, 3).requires_grad_(False), {}, "has no parameters to train"),
    ],
)
def test_what_cannot_be_trained_is_refused(factory, params, message):
    with pytest.raises(ValueError, match=message):
        build(factory, params)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("binary", "the one logit of the second class"),
        ("multilabel", "2 labels"),
        ("values", "2 outputs"),
    ],
)
def test_error_says_what_the_columns_are_for(kind, words):
    target = TargetSpec(kind, 1 if kind == "binary" else 2, "squared_error")
    with pytest.raises(ValueError, match=f"a column for each of {words}; for 2 samples it gives"):
        build(lambda: nn.Linear(5, 7), target=target)


@pytest.mark.parametrize(
    ("last", "shape", "name"),
    [
        (nn.Softmax(dim=1), 3, "softmax"),
        (nn.Sequential(nn.Sigmoid(), nn.Unflatten(1, (3, 1)), nn.Flatten()), 3, "sigmoid"),
    ],
    ids=["softmax", "sigmoid"],
)
def test_probabilities_where_logits_are_needed_are_an_error(last, shape, name):
    def factory(n_inputs):
        return nn.Sequential(nn.Linear(n_inputs, shape), last)

    inputs = InputSpec("table", 4, "float32")
    with pytest.raises(ValueError, match=f"ends in a {name}, but loss 'log_loss' takes logits"):
        build_user_module(factory, inputs, CLASSES, {}, np.random.RandomState(0))
    for target in (
        TargetSpec("values", 3, "squared_error"),  # y may lie in [0, 1]
        TargetSpec("multiclass", 3, nn.NLLLoss(reduction="none")),  # a function may want them
    ):
        build_user_module(factory, inputs, target, {}, np.random.RandomState(0))

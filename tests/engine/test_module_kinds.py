"""Networks that are no plain MLP, through the whole engine."""

import copy
import pickle

import numpy as np
import pytest
import torch
from scipy import sparse
from torch import nn

from sknn._specs import InputSpec, Sample, TargetSpec, TrainConfig, TrainPlan
from sknn.architectures import MLP, MLPOptions, build_user_module
from sknn.engine import Net, forward, get_layer_weights, train
from sknn.engine._runners import AutogradRunner
from sknn.engine.backprop._mlp import IN_PLACE, supports_module
from sknn.engine.net._weights import find_linear_layers
from sknn.exceptions import NonFiniteLossError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

TARGET = TargetSpec("multiclass", 3, "log_loss")
CONFIG = {
    "solver": "adam", "alpha": 0.01, "batch_size": 8, "learning_rate": "constant",
    "learning_rate_init": 0.01, "power_t": 0.5, "max_iter": 3, "shuffle": True, "tol": 1e-4,
    "verbose": False, "momentum": 0.9, "nesterovs_momentum": True, "early_stopping": False,
    "validation_fraction": 0.2, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8,
    "n_iter_no_change": 10, "max_fun": 15000, "device": "cpu",
}  # fmt: skip
NETWORKS = {
    "dropout": {"options": MLPOptions(dropout=0.3)},
    "batch": {"options": MLPOptions(normalization="batch")},
    "layer": {"options": MLPOptions(normalization="layer")},
    "residual": {"options": MLPOptions(residual=True)},
    "prelu": {"activation": nn.PReLU},
    "torch's relu": {"activation": torch.relu},
    "embeddings": {"cardinalities": (3,)},
    "all": {
        "options": MLPOptions(0.2, "batch", residual=True, initializer="he_normal"),
        "activation": ["silu", nn.PReLU],
        "cardinalities": (3,),
    },
}
by_network = pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)


def build(activation="relu", options=None, cardinalities=()):
    inputs = InputSpec("table", 4 - len(cardinalities), "float64", cardinalities)
    mlp = MLP.from_specs(inputs, TARGET, (6, 6), activation, options or MLPOptions())
    mlp.initialize_weights(np.random.RandomState(0))
    return mlp


def as_net(module):
    return Net(module, loss="log_loss").initialize()


def accuracy(y, output, sample_weight):
    return float((output.argmax(1) == y).mean())


def plan(module, X, previous=None, **config):
    y, config = np.arange(X.shape[0]) % 3, TrainConfig(**{**CONFIG, **config})
    state = np.random.RandomState(1)
    validation = Sample(X, y) if config.early_stopping else None
    more = {"validation": validation, "previous": previous}
    return TrainPlan(module, X, y, None, config, TARGET, accuracy, state, **more)


@pytest.fixture(name="X")
def rows_with_codes(rng):
    """33 rows: four batches of 8 and one of a single row."""
    return np.column_stack([rng.normal(size=(33, 3)) * (rng.random((33, 3)) > 0.5), [0, 1, 2] * 11])


def assert_same_state(mine, theirs):
    assert list(mine) == list(theirs)
    for name, value in mine.items():
        assert torch.equal(value, theirs[name]), name


# --- which path is taken -------------------------------------------------------------------


@by_network
def test_steps_by_hand_are_for_plain_networks_alone(network, X):
    assert supports_module(as_net(build(**network)))
    assert supports_module(as_net(build())) is None
    result = train(plan(build(**network), X))
    assert result.runner == "autograd"
    assert len(result.progress.loss_curve) == 3


@pytest.mark.parametrize("activation", [["tanh", "relu"], ["elu", "logistic"], ["selu", "selu"]])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_steps_by_hand_know_an_activation_for_each_layer(activation, container, solver, X):
    assert supports_module(as_net(build(activation))) is None
    fast = train(plan(build(activation), container(X), solver=solver))
    slow = build(activation)
    slow.__class__ = type("Other", (MLP,), {})  # no plain MLP, as far as anyone can tell
    slow = train(plan(slow, container(X), solver=solver), [AutogradRunner])
    np.testing.assert_allclose(fast.progress.loss_curve, slow.progress.loss_curve, rtol=1e-9)
    np.testing.assert_allclose(forward(fast.net, X), forward(slow.net, X), rtol=1e-7)


def test_an_activation_that_is_not_known_by_hand_goes_through_autograd():
    assert "gelu" not in IN_PLACE
    assert "gelu" in supports_module(as_net(build(["relu", "gelu"])))


# --- training ------------------------------------------------------------------------------


@by_network
def test_training_lowers_the_loss_and_comes_from_the_seed(network, X):
    before = torch.get_rng_state()
    long = {"max_iter": 60, "n_iter_no_change": 99}
    first, same = (train(plan(build(**network), X, **long)) for _ in range(2))
    assert first.progress.loss_curve == same.progress.loss_curve
    assert min(first.progress.loss_curve) < 0.9 * first.progress.loss_curve[0]
    assert torch.equal(torch.get_rng_state(), before)


@by_network
def test_sparse_samples_are_trained_on_and_predicted_as_dense_ones(network, X):
    dense = train(plan(build(**network), X))
    sparse_ = train(plan(build(**network), sparse.csr_matrix(X)))
    np.testing.assert_allclose(sparse_.progress.loss_curve, dense.progress.loss_curve, rtol=1e-12)
    output = forward(dense.net, X)
    np.testing.assert_allclose(forward(dense.net, sparse.csr_array(X)), output, rtol=1e-10)
    np.testing.assert_allclose(forward(sparse_.net, X), output, rtol=1e-10)


@by_network
def test_training_goes_on_from_a_pickle_as_without_it(network, X):
    result = train(plan(build(**network), X))
    copied = pickle.loads(pickle.dumps(result))
    mine, theirs = (train(plan(None, X, previous)) for previous in (result, copied))
    assert mine.progress.loss_curve == theirs.progress.loss_curve
    assert len(mine.progress.loss_curve) == 6
    assert_same_state(mine.net.module_.state_dict(), theirs.net.module_.state_dict())


@by_network
def test_a_failed_fit_is_put_back_with_its_dropout_and_statistics(network, X):
    result = train(plan(build(**network), X))
    copied = copy.deepcopy(result)
    with pytest.raises(NonFiniteLossError, match="non-finite"):
        train(plan(None, X, result, learning_rate_init=1e200))
    before, after = copied.net.module_.state_dict(), result.net.module_.state_dict()
    assert_same_state(after, before)
    mine, theirs = (train(plan(None, X, previous)) for previous in (result, copied))
    assert mine.progress.loss_curve == theirs.progress.loss_curve


@by_network
def test_early_stopping_brings_back_the_best_epoch(network, X):
    result = train(plan(build(**network), X, early_stopping=True, max_iter=8, n_iter_no_change=99))
    assert len(result.progress.validation_scores) == 8
    assert max(result.progress.validation_scores) == result.progress.best_score


def test_samples_are_cut_into_chunks_by_layers_not_by_the_length_of_tables():
    narrow, wide = (as_net(build(cardinalities=(n,))) for n in (3, 10_000))
    n_units = 3 + 50  # the first layer's inputs
    assert (narrow.widest_, wide.widest_) == (6, n_units)
    assert wide.n_parameters_ == sum(p.numel() for p in wide.module_.parameters()) - 50 * 10_000
    scalar = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    scalar.scale = nn.Parameter(torch.ones(()))
    assert as_net(scalar).widest_ == 3
    assert as_net(nn.Sequential(nn.Embedding(5, 2))).widest_ == 5


# --- a user's module -----------------------------------------------------------------------


def test_a_users_module_is_trained_by_autograd(X):
    def factory(n_inputs, n_outputs):
        return nn.Sequential(nn.Linear(n_inputs, 5), nn.Mish(), nn.Linear(5, n_outputs))

    inputs = InputSpec("table", 4, "float64")
    module = build_user_module(factory, inputs, TARGET, {}, np.random.RandomState(0))
    result = train(plan(module, X, max_iter=60))
    assert result.runner == "autograd"
    assert result.progress.loss < 0.9 * result.progress.loss_curve[0]
    assert forward(result.net, sparse.csr_array(X)).shape == (33, 3)


# --- weights -------------------------------------------------------------------------------


@by_network
def test_weights_are_those_of_the_linear_layers(network):
    net = as_net(build(**network))
    coefs, intercepts = get_layer_weights(net)
    assert find_linear_layers(net.module_) == list(net.module_.linears)
    assert [b.shape for b in intercepts] == [(6,), (6,), (3,)]
    for coef, bias, layer in zip(coefs, intercepts, net.module_.linears, strict=True):
        np.testing.assert_array_equal(coef, layer.weight.detach().numpy().T)
        expected = 0 if layer.bias is None else layer.bias.detach().numpy()
        np.testing.assert_array_equal(bias, expected)


def test_biases_that_are_not_there_are_zero_and_stay_so():
    net = as_net(build(options=MLPOptions(normalization="batch")))
    _, intercepts = get_layer_weights(net)
    assert not intercepts[0].any()
    assert not intercepts[0].flags.writeable
    intercepts[:] = [np.zeros(6), np.zeros(6), np.full(3, 7.0)]
    assert (net.module_.linears[-1].bias == 7).all()
    with pytest.raises(ValueError, match="array for layer 1 cannot be changed: the layer has no"):
        intercepts[1] = np.ones(6)


def test_weights_that_are_computed_can_be_read_only():
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
    coefs, _ = get_layer_weights(as_net(nn.Sequential(layer)))
    np.testing.assert_array_equal(coefs[0], layer.weight.detach().numpy().T)
    with pytest.raises(ValueError, match="computes its weights from other parameters"):
        coefs[0] = np.zeros((2, 3))


def test_linear_layers_of_any_module_are_found_once_and_in_order():
    shared = nn.Linear(3, 3)
    module = nn.Sequential(
        nn.Linear(4, 3), nn.Sequential(shared, nn.ReLU(), shared), nn.Linear(3, 2)
    )
    coefs, intercepts = get_layer_weights(as_net(module))
    assert [c.shape for c in coefs] == [(4, 3), (3, 3), (3, 2)]
    assert [b.shape for b in intercepts] == [(3,), (3,), (2,)]


def test_layers_inside_an_activation_are_not_layers_of_the_network():
    mlp = MLP([4, 3, 2], nn.Sequential(nn.Linear(3, 3), nn.ReLU()))
    assert find_linear_layers(mlp) == list(mlp.linears)


def test_a_module_without_linear_layers_has_no_weights_to_show():
    net = as_net(nn.Sequential(nn.Conv1d(1, 2, 3)))
    with pytest.raises(AttributeError, match=r"Sequential has no torch.nn.Linear .*state_dict\(\)"):
        get_layer_weights(net)


def test_finite_weights_that_predict_infinity_are_an_error(X):
    with pytest.raises(NonFiniteLossError, match="whose predictions are not finite"):
        train(plan(build(), X, learning_rate_init=1e150, max_iter=1, batch_size=33))

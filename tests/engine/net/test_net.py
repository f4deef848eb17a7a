"""The net is a skorch net, also in the hands of somebody who knows only skorch."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochScoring
from skorch.exceptions import SkorchTrainingImpossibleError

from sknn import DeepMLPClassifier
from sknn._specs import TargetSpec, TrainPlan
from sknn.architectures import MLP, SequenceCNN, SequenceOptions
from sknn.engine import Net, train
from sknn.engine._runners import AutogradRunner
from sknn.engine.backprop._epochs import HandwrittenRunner
from sknn.engine.optimizers._optimizers import AdamW
from tests.engine.configs import make_config

ROOT = Path(__file__).parents[3]


@pytest.fixture
def data(rng):
    X = rng.normal(size=(50, 4)).astype(np.float32)
    return X, (X[:, 0] > 0).astype(np.int64)


def make_net(**kwargs):
    mlp = MLP([4, 8, 2])
    mlp.initialize_weights(np.random.RandomState(0))
    return Net(mlp, **{"loss": "log_loss", "batch_size": 20, "lr": 0.5, **kwargs})


class Counter(Callback):
    def __init__(self):
        self.begin = self.end = self.grads = 0

    def on_batch_begin(self, net, **kwargs):
        self.begin += 1

    def on_batch_end(self, net, loss=None, **kwargs):
        assert loss is not None
        self.end += 1

    def on_grad_computed(self, net, named_parameters, **kwargs):
        assert all(p.grad is not None for _, p in named_parameters)
        self.grads += 1


def test_net_fits_and_predicts_by_itself(data):
    X, y = data
    net = make_net(max_epochs=20).fit(X, y)
    assert isinstance(net, NeuralNet)
    proba = net.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-6)
    assert (proba.argmax(axis=1) == y).mean() > 0.9
    assert len(net.history) == 20
    assert net.history[-1, "train_loss"] < net.history[0, "train_loss"]


def test_batch_callbacks_see_every_batch_and_change_nothing(data):
    counter = Counter()
    watched = make_net(max_epochs=4, callbacks=[counter]).fit(*data)
    plain = make_net(max_epochs=4).fit(*data)
    assert counter.begin == counter.end == counter.grads == 4 * 3
    assert len(watched.history[-1, "batches"]) == 3
    assert watched.history[:, "train_loss"] == plain.history[:, "train_loss"]


def test_epoch_loss_is_the_mean_over_samples(data):
    X, y = data
    net = make_net(max_epochs=1, callbacks=[Counter()]).fit(X, y)
    losses = net.history[0, "batches", :, "train_loss"]
    assert net.history[0, "train_loss"] == pytest.approx(np.average(losses, weights=[20, 20, 10]))


def test_scoring_callbacks_of_skorch_work(data):
    scoring = EpochScoring(lambda net, X, y: 0.25, name="quarter", on_train=True)
    net = make_net(max_epochs=2, callbacks=[scoring]).fit(*data)
    assert net.history[:, "quarter"] == [0.25, 0.25]


def test_penalty_is_scikit_learns(data):
    net = make_net(alpha=0.4).initialize()
    weights = [p.detach().numpy() for p in net.module_.get_penalized()]
    expected = 0.5 * 0.4 / 7.0 * sum((w**2).sum() for w in weights)
    assert float(net.compute_penalty(7.0).detach()) == pytest.approx(expected, rel=1e-6)
    assert make_net().initialize().compute_penalty(7.0) == 0


@pytest.mark.parametrize("alpha", [0.0, 0.4])
def test_a_module_may_add_a_penalty_of_its_own(alpha):
    cnn = SequenceCNN(15, 4, 1, SequenceOptions(kernel_size=5))
    cnn.initialize_weights(np.random.RandomState(0))
    net = Net(cnn, loss="binary_log_loss", alpha=alpha).initialize()
    with torch.no_grad():
        cnn.bank.position_bias.fill_(2.0)
    squares = sum(float(p.detach().square().sum()) for p in net.get_penalized_parameters())
    assert not any(p is cnn.bank.position_bias for p in net.get_penalized_parameters())
    expected = 0.001 * 4 * cnn.bank.position_bias.numel() + 0.5 * alpha / 7 * squares
    assert float(net.compute_penalty(7.0).detach()) == pytest.approx(expected, rel=1e-5)


def test_penalty_of_an_unknown_module_leaves_vectors_alone():
    net = Net(torch.nn.Linear(3, 2), loss="squared_error", alpha=1.0).initialize()
    assert [p.ndim for p in net.get_penalized_parameters()] == [2]


def test_callbacks_can_be_disabled_as_in_skorch(data):
    net = make_net(max_epochs=1, callbacks="disable").fit(*data)
    assert net.callbacks_ == []


def test_a_net_trimmed_for_prediction_is_not_initialised_anew(data):
    net = make_net(max_epochs=1).fit(*data)
    net.trim_for_prediction()
    with pytest.raises(SkorchTrainingImpossibleError, match="trimmed for prediction"):
        net.fit(*data)


def test_estimators_net_can_go_on_training(data):
    X, y = data
    clf = DeepMLPClassifier(max_iter=2, random_state=0, n_iter_no_change=99)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        clf.fit(X, y)
    clf.net_.partial_fit(X, y.astype(np.float32).reshape(-1, 1))
    assert len(clf.net_.history) == 2 + clf.net_.max_epochs


@pytest.mark.parametrize("l1_ratio", [0.0, 0.25, 1.0])
def test_penalty_is_that_of_an_elastic_net(l1_ratio, data):
    net = make_net(alpha=0.4, l1_ratio=l1_ratio).initialize()
    weights = np.concatenate([p.detach().numpy().ravel() for p in net.module_.get_penalized()])
    l1, l2 = np.abs(weights).sum(), np.square(weights).sum()
    expected = 0.4 * ((1 - l1_ratio) / 2 * l2 + l1_ratio * l1) / 7.0
    assert float(net.compute_penalty(7.0).detach()) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("runner", [AutogradRunner, HandwrittenRunner])
def test_no_step_follows_a_longer_gradient_than_allowed(runner, data):
    X, y = data

    def longest_step(max_grad_norm=None):
        mlp = MLP([4, 8, 2])
        mlp.initialize_weights(np.random.RandomState(0))
        before = torch.nn.utils.parameters_to_vector(mlp.parameters()).detach().clone()
        config = make_config(
            solver="sgd", momentum=0.0, alpha=0.0, max_iter=1, batch_size=50,
            learning_rate_init=0.5, max_grad_norm=max_grad_norm, runs_to_the_end=True,
        )  # fmt: skip
        target = TargetSpec("multiclass", 2, "log_loss")
        plan = TrainPlan(mlp, X, y, None, config, target, None, np.random.RandomState(0))
        result = train(plan, [runner])
        assert result.runner == runner.name
        after = torch.nn.utils.parameters_to_vector(result.net.module_.parameters()).detach()
        return float((after - before).norm()) / 0.5  # the learning rate

    free = longest_step()
    assert longest_step(free / 3) == pytest.approx(free / 3, rel=1e-3)
    assert longest_step(free * 3) == pytest.approx(free, rel=1e-3)


def test_a_callback_sees_the_gradient_before_it_is_clipped(data):
    norms = []

    class Watch(Callback):
        def on_grad_computed(self, net, named_parameters, **kwargs):
            norms.append(max(float(p.grad.norm()) for _, p in named_parameters))

    make_net(max_grad_norm=1e-9, max_epochs=1, callbacks=[Watch()]).fit(*data)
    assert min(norms) > 1e-3


def test_only_weights_decay(data):
    net = make_net(optimizer=AdamW, optimizer__decay=0.5).set_params(
        optimizer__betas=(0.9, 0.99), optimizer__eps=1e-8
    )
    net.initialize()
    weights, others = net.optimizer_.param_groups
    assert weights["decay"] == 0.5
    assert [id(p) for p in weights["params"]] == [id(p) for p in net.module_.get_penalized()]
    assert all(p.ndim == 1 for p in others["params"])
    net.partial_fit(*data)
    assert net.history[-1, "train_loss"] > 0


def test_a_users_loss_can_be_given_by_itself(data):
    X, y = data
    net = make_net(loss=torch.nn.CrossEntropyLoss(reduction="none"), max_epochs=3)
    plain = make_net(max_epochs=3)
    losses = [net.fit(X, y).history[:, "train_loss"] for net in (net, plain)]
    np.testing.assert_allclose(*losses, rtol=1e-5)


def test_autograd_does_not_load_torchs_compiler_either():
    """It would cost over a second in every process, also in each worker of a grid search."""
    code = (
        "import sys, warnings; warnings.simplefilter('ignore');"
        "import numpy as np, torch;"
        "from sknn.architectures import MLP; from sknn.engine import Net;"
        "from sknn.engine.optimizers._optimizers import get_net_arguments, OPTIMIZERS;"
        "from torch.optim.lr_scheduler import OneCycleLR;"
        "from sknn.engine.optimizers._schedules import start_schedule;"
        "from tests.engine.configs import make_config;"
        "X, y = np.zeros((8, 4), dtype=np.float32), np.arange(8) % 2\n"
        "for solver in OPTIMIZERS:\n"
        "    mlp = MLP([4, 3, 2], 'gelu'); mlp.initialize_weights(np.random.RandomState(0))\n"
        "    config = make_config(solver=solver, learning_rate=OneCycleLR)\n"
        "    net = Net(mlp, loss='log_loss', max_grad_norm=1.0, **get_net_arguments(config))\n"
        "    net.initialize(); net.schedule = start_schedule(config, 8, net.optimizer_)\n"
        "    net.partial_fit(X, y)\n"
        "print([p for p in ('torch', 'torch._dynamo', 'sympy') if p in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "['torch']"

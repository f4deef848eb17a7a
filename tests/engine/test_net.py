"""The net is a skorch net, also in the hands of somebody who knows only skorch."""

import numpy as np
import pytest
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochScoring

from sknn import DeepMLPClassifier
from sknn.architectures import MLP
from sknn.engine import Net


@pytest.fixture
def data(rng):
    X = rng.normal(size=(50, 4)).astype(np.float32)
    return X, (X[:, 0] > 0).astype(np.int64)


def make_net(**kwargs):
    mlp = MLP([4, 8, 2])
    mlp.init_weights(np.random.RandomState(0))
    return Net(mlp, loss="log_loss", batch_size=20, lr=0.5, **kwargs)


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


def test_epoch_loss_is_the_mean_over_rows(data):
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
    weights = [p.detach().numpy() for p in net.module_.penalized()]
    expected = 0.5 * 0.4 / 7.0 * sum((w**2).sum() for w in weights)
    assert float(net.penalty(7.0).detach()) == pytest.approx(expected, rel=1e-6)
    assert make_net().initialize().penalty(7.0) == 0


def test_penalty_of_an_unknown_module_leaves_vectors_alone():
    net = Net(torch.nn.Linear(3, 2), loss="squared_error", alpha=1.0).initialize()
    assert [p.ndim for p in net.penalized_parameters()] == [2]


def test_estimators_net_can_go_on_training(data):
    X, y = data
    clf = DeepMLPClassifier(max_iter=2, random_state=0, n_iter_no_change=99)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        clf.fit(X, y)
    clf.net_.partial_fit(X, y.astype(np.float32).reshape(-1, 1))
    assert len(clf.net_.history) == 2 + clf.net_.max_epochs

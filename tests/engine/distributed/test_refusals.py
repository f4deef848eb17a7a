"""What several processes cannot do is refused by name; a world of one process needs no other."""

import pytest
import torch
import torch.distributed as dist
from skorch.callbacks import LRScheduler
from torch import nn

from sknn import DeepMLPClassifier, DeepMLPRegressor, SequenceCNNClassifier
from sknn.deep.parts._preparation import FitData
from sknn.engine._run import TrainingRun
from sknn.engine._spawn import check_device
from sknn.engine.distributed._objective import SharedObjective
from sknn.engine.distributed._peers import IN_USE, PARTS, Peers, leads
from sknn.exceptions import PeerError
from tests.engine.distributed import networks
from tests.engine.distributed.fits import LABELS, ON_LOOPBACK, SEQUENCES, X, Y


@pytest.fixture
def world(tmp_path, monkeypatch):
    """Be the only process of torch.distributed."""
    for name, value in ON_LOOPBACK.items():
        monkeypatch.setenv(name, value)
    dist.init_process_group("gloo", f"file://{tmp_path / 'meeting'}", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

REFUSED = {
    r"layers 'BatchNorm' need the whole": DeepMLPClassifier(normalization="batch"),
    r"layers 'Dropout of torch' need": DeepMLPClassifier(module=networks.WithDropout),
    r"without torch.compile": DeepMLPClassifier(compile=True),
    r"LRScheduler sets the learning rate": DeepMLPClassifier(callbacks=[("rate", LRScheduler())]),
}


@pytest.mark.parametrize("match", REFUSED)
@pytest.mark.parametrize("n_processes", [2, "world"])
def test_what_is_not_that_of_one_process_is_refused(match, n_processes, request):
    if n_processes == "world":
        request.getfixturevalue("world")
    with pytest.raises(ValueError, match=rf"n_processes={n_processes!r} .*{match}"):
        REFUSED[match].set_params(n_processes=n_processes).fit(X, LABELS)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("module", "match"),
    [
        (networks.Draws, r"Draws would give other outputs .* outputs depend on chance or on"),
        (networks.Counts, r"Counts would give other outputs .* its buffer 'mean' changes"),
    ],
)
def test_networks_that_look_at_more_than_a_sample_are_refused(module, match):
    with pytest.raises(ValueError, match=match):
        DeepMLPClassifier(module=module, n_processes="world").fit(X, LABELS)


def test_batch_normalization_of_sequences_is_refused():
    model = SequenceCNNClassifier(4, kernel_size=3, batch_norm=True, n_processes=2)
    with pytest.raises(ValueError, match="batch_norm=False"):
        model.fit(SEQUENCES, LABELS[:60])


def test_a_world_that_is_not_there_is_refused():
    with pytest.raises(RuntimeError, match=r"not initialized. Start the script with torchrun"):
        DeepMLPClassifier(n_processes="world").fit(X, LABELS)


def test_a_build_of_torch_without_processes_is_refused(monkeypatch):
    monkeypatch.setattr(dist, "is_available", lambda: False)
    with pytest.raises(RuntimeError, match=r"needs torch\.distributed, which this build"):
        DeepMLPClassifier(n_processes=2).fit(X, LABELS)


class ElsewherePeers:
    """Two processes, the second of which has come to another point."""

    rank, size = 0, 2

    def __init__(self, n_parameters):
        self.numbers = torch.zeros(n_parameters + 3, dtype=torch.float64)

    def exchange(self):
        """Add the mark of a point."""
        self.numbers[-1] += 7.0


def test_processes_whose_lbfgs_comes_to_other_points_are_told():
    run = TrainingRun(DeepMLPRegressor(solver="lbfgs")._prepare(FitData(X, Y)))
    with run.guard():
        run.begin()
        n_parameters = sum(p.numel() for p in run.net.module_.parameters())
        objective = SharedObjective(run, ElsewherePeers(n_parameters))
        with pytest.raises(PeerError, match=r"L-BFGS came to other points in some of 2 processes"):
            objective(objective.get_vector())
        objective.close()


@pytest.mark.usefixtures("world")
def test_processes_beside_a_world_are_refused():
    with pytest.raises(RuntimeError, match="Write n_processes='world' to train with these"):
        DeepMLPClassifier(n_processes=2).fit(X, LABELS)


@pytest.mark.parametrize("n_processes", [2, "world"])
def test_two_fits_at_a_time_are_refused(n_processes, request):
    if n_processes == "world":
        request.getfixturevalue("world")
    with IN_USE, pytest.raises(RuntimeError, match=r"another fit runs in this process.*n_jobs=1"):
        DeepMLPClassifier(n_processes=n_processes).fit(X, LABELS)


def test_processes_started_here_share_no_gpu():
    check_device("cpu", 2)
    with pytest.raises(ValueError, match=r"would be on 'cuda:1'. Set device='cpu'; or start a"):
        check_device("cuda:1", 2)


def test_partial_fit_starts_no_processes():
    model = DeepMLPClassifier(n_processes=2)
    with pytest.raises(ValueError, match="partial_fit would start n_processes=2 processes"):
        model.partial_fit(X, LABELS, classes=[0, 1, 2])


@pytest.mark.parametrize(
    "params",
    [
        {"module": lambda n_inputs, n_outputs: nn.Linear(n_inputs, n_outputs)},
        {"activation": nn.Tanh},
    ],
    ids=["function", "class"],
)
def test_a_network_of_known_layers_can_be_sent(params, tmp_path):
    from joblib import dump, load

    from sknn.engine.distributed._start import make_follower

    model = DeepMLPRegressor(max_iter=1, **params)
    plan = model._prepare(model._make_fit_data(X, Y))
    dump(make_follower(plan), tmp_path / "plan")
    sent, received = plan.module.state_dict(), load(tmp_path / "plan").module.state_dict()
    assert list(sent) == list(received)
    assert all(sent[name].equal(received[name]) for name in sent)


def test_a_network_that_cannot_be_sent_is_refused():
    class Local(networks.HasUnused):
        pass

    model = DeepMLPRegressor(module=Local, n_processes=2)
    with pytest.raises(TypeError, match=r"Local, its loss or its solver cannot be pickled"):
        model.fit(X, Y)
    assert not hasattr(model, "net_")


@pytest.mark.usefixtures("world")
def test_a_world_of_one_process_leads():
    model = DeepMLPRegressor(max_iter=2, random_state=0, dtype="float64")
    alone = model.fit(X, Y).loss_curve_
    together = model.set_params(n_processes="world").fit(X, Y)
    assert together.runner_ == "distributed"
    assert together.loss_curve_ == pytest.approx(alone, rel=1e-12)
    assert leads("world")
    assert leads(2)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("value", [0.1, -1e-30, float("inf"), float("-inf"), float("nan"), 3e10])
def test_messages_of_single_precision_hold_double_precision(value):
    import torch

    peers = Peers()
    peers.use_messages(4 * PARTS, torch.float32)
    peers.write_float(2, value)
    peers.exchange()
    assert peers.read_float(2) == pytest.approx(value, rel=1e-16, abs=0, nan_ok=True)
    assert peers.read_float(1) == 0.0

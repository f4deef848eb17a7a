"""Work that is captured at its second run; the graph is played on the CPU."""

import pytest
import torch

from sknn.engine.graphs._cuda_graph import CudaGraph, Replayed, choose_graph_maker
from tests.engine.graphs.fake_graph import FakeGraph


@pytest.fixture(autouse=True)
def _own_graphs():
    FakeGraph.made.clear()
    yield
    FakeGraph.made.clear()


def counting(numbers, calls):
    """Return work that adds a step's number, as it lies in memory, to a total."""

    def work():
        calls.append(1)
        numbers[1].add_(numbers[0] * 2)

    return work


def test_the_first_run_counts_the_second_is_captured_and_the_others_replay():
    numbers, calls, graph = torch.zeros(2, dtype=torch.float64), [], FakeGraph()
    replayed = Replayed(counting(numbers, calls), graph)
    total = 0.0
    for i in range(1, 6):
        numbers[0] = i
        replayed()
        total += 2 * i
        assert numbers[1] == total
        assert replayed.is_captured == (i > 1)
    assert (graph.n_runs, graph.n_captures, graph.n_replays) == (1, 1, 4)
    assert len(calls) == 2  # warming up and capturing; a replay needs no Python
    assert replayed.failure is None


@pytest.mark.parametrize("asks", [lambda x: x.sum().item(), lambda x: x.nonzero()])
def test_work_that_waits_for_the_device_is_done_as_it_is(asks):
    numbers, graph = torch.ones(3), FakeGraph()

    def work():
        numbers.mul_(2)
        asks(numbers)

    replayed = Replayed(work, graph)
    for i in range(1, 5):
        replayed()
        assert numbers.tolist() == [2.0**i] * 3
    assert (graph.n_runs, graph.n_captures, graph.n_replays) == (1, 1, 0)
    assert "RuntimeError: operation not permitted" in replayed.failure


def test_ctrl_c_and_errors_of_the_work_itself_get_through():
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Replayed(interrupted, FakeGraph())()

    def wrong():
        raise ValueError("wrong shape")

    with pytest.raises(ValueError, match="wrong shape"):
        Replayed(wrong, FakeGraph())()


def test_ctrl_c_while_capturing_gets_through(monkeypatch):
    def interrupted(self, work):
        raise KeyboardInterrupt

    monkeypatch.setattr(FakeGraph, "capture", interrupted)
    replayed = Replayed(lambda: None, FakeGraph())
    replayed()
    with pytest.raises(KeyboardInterrupt):
        replayed()


def test_a_number_of_pythons_is_captured_for_ever():
    """So the graph of these tests would show a learning rate that was forgotten in Python."""
    total, rate = torch.zeros(()), [1.0]
    replayed = Replayed(lambda: total.add_(rate[0]), FakeGraph())
    for _ in range(3):
        replayed()
        rate[0] += 1
    assert total == 1.0 + 2.0 + 2.0


@pytest.mark.parametrize("device", ["cpu", "mps", "meta"])
def test_only_cuda_devices_have_graphs(device):
    assert choose_graph_maker(device) is None


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_graphs_of_a_cuda_device_share_a_stream_of_it(device, monkeypatch):
    made = []
    monkeypatch.setattr(torch.cuda, "Stream", lambda device: made.append(device) or len(made))
    new_graph = choose_graph_maker(device)
    one, other = new_graph(), new_graph()
    assert type(one) is CudaGraph
    assert one is not other
    assert one.stream == other.stream == 1
    assert made == [device] == [one.device]

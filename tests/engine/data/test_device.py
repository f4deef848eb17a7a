"""Where to compute, and what to do where memory ends; GPUs are played by other devices here."""

import numpy as np
import pytest
import torch

from sknn import (
    DeepMLPClassifier,
    DeepMLPRegressor,
    SequenceCNNClassifier,
    TabularMLPClassifier,
)
from sknn.deep.parts._preparation import FitData
from sknn.engine import resolve_device
from sknn.engine._start import estimate_work
from sknn.engine.data import _device
from sknn.engine.data._batches import SampleDataset
from sknn.engine.data._device import FIT_WORTH_A_GPU, STEP_WORTH_A_GPU, has_room_for

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize(
    ("step", "fit", "chosen"),
    [
        (STEP_WORTH_A_GPU, FIT_WORTH_A_GPU, "cuda"),
        (STEP_WORTH_A_GPU / 2, FIT_WORTH_A_GPU, "cpu"),
        (STEP_WORTH_A_GPU, FIT_WORTH_A_GPU / 2, "cpu"),
    ],
)
def test_auto_takes_a_gpu_for_large_work_alone(monkeypatch, step, fit, chosen):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto", "float32", step, fit) == chosen


def test_work_is_that_of_the_batches_and_epochs(rng):
    X, y = rng.normal(size=(1000, 20)), rng.integers(0, 2, 1000)
    n_parameters = 21 * 100 + 101
    for solver, size in (("adam", 200), ("lbfgs", 1000)):
        plan = DeepMLPClassifier(solver=solver, max_iter=7)._prepare(FitData(X, y))
        assert estimate_work(plan) == (6 * n_parameters * size, 6 * n_parameters * 1000 * 7)
    step, fit = estimate_work(DeepMLPClassifier(max_iter=200)._prepare(FitData(X, y)))
    assert step < STEP_WORTH_A_GPU  # the default network on a small table stays on the CPU
    big = DeepMLPClassifier((300, 100), batch_size=32, max_iter=30)
    step, fit = estimate_work(
        big._prepare(FitData(np.zeros((55_000, 784), np.float32), np.arange(55_000) % 10))
    )
    assert step > STEP_WORTH_A_GPU  # the lecture's network pays
    assert fit > FIT_WORTH_A_GPU


def test_work_of_filters_grows_with_the_length_of_sequences():
    params = {"reverse_complement": False, "n_filters": 8, "kernel_size": 5, "max_iter": 3}
    for length in (50, 100):
        sequences = np.array(["A" * length, "C" * length] * 8)
        cnn = SequenceCNNClassifier(hidden_layer_sizes=(), **params)
        plan = cnn._prepare(FitData(sequences, [0, 1] * 8))
        step, fit = estimate_work(plan)
        # 16 samples; each window meets the 5 x 4 weights of each filter.
        n_products = 8 * 20 * (length - 5 + 1)
        head = sum(layer.weight.numel() for layer in plan.module.linears)
        assert step == 6 * 16 * (n_products + head)
        assert fit == 3 * step


def test_data_that_do_not_fit_stay_and_are_handed_over(rng):
    X, y = rng.normal(size=(10, 3)), np.arange(10)
    # a device that is not the CPU everywhere
    rows = SampleDataset(X, y, device="meta", has_room=lambda device, n_bytes: False)
    assert rows.X.device.type == "cpu"
    for chosen in (slice(2, 5), np.array([4, 1, 7])):
        taken, target = rows.take(chosen)
        assert taken.device.type == target.device.type == "meta"
        assert taken.shape == (3, 3)
    rows = SampleDataset(X, y, device="meta", has_room=lambda device, n_bytes: True)
    assert rows.X.device.type == "meta"


def test_share_of_free_memory_decides(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1000, 5000))
    assert has_room_for("cuda", int(1000 * _device.DATA_SHARE))
    assert not has_room_for("cuda", int(1000 * _device.DATA_SHARE) + 1)
    assert has_room_for("cpu", 10**18)


class ShortOfMemory(torch.nn.Linear):
    """A network for which the memory of a GPU holds only few samples."""

    def __init__(self, n_inputs, n_outputs):
        super().__init__(n_inputs, n_outputs)
        self.most = 10**6

    def forward(self, X):
        if len(X) > self.most:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return super().forward(X)


def make_short_of_memory():
    params = {"hidden_layer_sizes": (100,), "max_iter": 2, "random_state": 0}
    return DeepMLPRegressor(module=ShortOfMemory, **params)


def test_prediction_halves_its_chunks_until_they_fit(rng):
    X = rng.normal(size=(300, 4))
    model = make_short_of_memory().fit(X, X[:, 0])
    expected = model.predict(X)
    model.module_.most = 40
    np.testing.assert_allclose(model.predict(X), expected)
    model.module_.most = 0
    with pytest.raises(MemoryError, match="not enough for one sample of this network"):
        model.predict(X)


def test_training_without_memory_says_what_to_change(rng):
    X = rng.normal(size=(300, 4))
    model = make_short_of_memory().set_params(warm_start=True).fit(X, X[:, 0])
    before = model.predict(X)
    model.module_.most = 40
    with pytest.raises(MemoryError, match=r"on batches of 200 samples\. Lower batch_size"):
        model.fit(X, X[:, 0])
    np.testing.assert_array_equal(model.predict(X), before)
    model.set_params(batch_size=32, max_iter=4).fit(X, X[:, 0])
    assert model.n_iter_ == 4


#: a layer whose weights are beyond the address space of a process
MANY = 10**12


@pytest.mark.parametrize(
    "model",
    [
        DeepMLPRegressor(hidden_layer_sizes=(MANY,)),
        TabularMLPClassifier(hidden_width=MANY),
    ],
    ids=["mlp", "tabular"],
)
def test_network_that_no_memory_holds_says_so(model, rng):
    X = rng.normal(size=(60, 400))
    with pytest.raises(MemoryError, match="weights of a network of these sizes"):
        model.fit(X, np.arange(60) % 2)
    assert not hasattr(model, "n_features_in_")

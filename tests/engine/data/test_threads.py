import pytest
import torch

from sknn import DeepMLPClassifier
from sknn.architectures import MLP
from sknn.engine import Net
from sknn.engine.backprop._epochs import HandwrittenRunner
from sknn.engine.data._device import FLOPS_WORTH_THREADS, WEIGHTS_WORTH_THREADS, limit_threads
from tests.engine.configs import fit_by


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("flops", "weights", "expected"),
    [
        (1e3, 1e3, 1),
        (FLOPS_WORTH_THREADS, WEIGHTS_WORTH_THREADS, 2),
        (FLOPS_WORTH_THREADS, WEIGHTS_WORTH_THREADS - 1, 1),
    ],
)
def test_small_or_narrow_work_is_done_by_one_thread(flops, weights, expected, two_threads):
    with limit_threads(flops, weights):
        assert torch.get_num_threads() == expected
    assert torch.get_num_threads() == 2


def test_never_more_threads_than_there_were():
    with limit_threads(1e12, 1e6):
        assert torch.get_num_threads() == 1


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_fit_gives_threads_back_also_after_an_error(solver, two_threads, monkeypatch):
    model = DeepMLPClassifier(solver=solver, max_iter=2, random_state=0)
    model.fit([[0.0], [1.0]], [0, 1]).predict([[0.0]])
    assert torch.get_num_threads() == 2
    with pytest.raises(ValueError, match="non-finite"):
        model.fit([[1.7e308] * 9, [-1.7e308] * 9], [0, 1])
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(("width", "expected"), [(100, 1), (200, 2)])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_fit_chooses_by_the_work_of_a_step(width, expected, two_threads, rng):
    seen = []

    class Spy(HandwrittenRunner):
        def run_epoch(self):
            seen.append(torch.get_num_threads())
            return super().run_epoch()

    X, y = rng.normal(size=(200, width)), rng.integers(0, 2, 200)
    fit_by([Spy], DeepMLPClassifier((width, width), max_iter=1), X, y)
    assert seen == [expected]


def test_the_lectures_network_is_wide_and_the_default_one_for_digits_narrow():
    def weights_per_unit(sizes):
        return Net(MLP(sizes), loss="log_loss").initialize().weights_per_unit_

    assert weights_per_unit([784, 300, 100, 10]) == 266_610 / 1194 > WEIGHTS_WORTH_THREADS
    assert weights_per_unit([64, 100, 10]) < WEIGHTS_WORTH_THREADS

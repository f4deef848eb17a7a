import pytest
import torch

from sknn import DeepMLPClassifier
from sknn.engine import _threads
from sknn.engine._closed_form import ClosedForm
from sknn.engine._threads import FLOPS_WORTH_THREADS, threads_for


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("flops", "expected"), [(1e3, 1), (FLOPS_WORTH_THREADS, 2)])
def test_small_work_is_done_by_one_thread(flops, expected, two_threads):
    with threads_for(flops):
        assert torch.get_num_threads() == expected
    assert torch.get_num_threads() == 2


def test_never_more_threads_than_there_were():
    with threads_for(1e12):
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


@pytest.mark.parametrize(("limit", "expected"), [(1e18, 1), (0.0, 2)])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_fit_chooses_by_the_work_of_a_step(limit, expected, two_threads, monkeypatch):
    seen = []
    original = ClosedForm.run_epoch

    def spy(self, batches):
        seen.append(torch.get_num_threads())
        return original(self, batches)

    monkeypatch.setattr(ClosedForm, "run_epoch", spy)
    monkeypatch.setattr(_threads, "FLOPS_WORTH_THREADS", limit)
    DeepMLPClassifier(max_iter=1).fit([[0.0], [1.0]], [0, 1])
    assert seen == [expected]

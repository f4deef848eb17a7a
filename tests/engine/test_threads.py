"""Plans trained by compiled steps in threads: the same networks as one by one."""

from signal import SIGINT, raise_signal

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits

from sknn import DeepMLPClassifier, DeepMLPRegressor, TabularMLPClassifier
from sknn._jit import HAS_NUMBA
from sknn.deep.parts._preparation import FitData
from sknn.engine import TrainingThreads, supports_thread, train
from sknn.engine.backprop._epochs import HandwrittenRunner
from tests import helpers

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.skipif(not HAS_NUMBA, reason="numba is not installed"),
]

X, Y = load_digits(return_X_y=True)
X, Y = X[:150] / 16, Y[:150] % 3
MLP = DeepMLPClassifier((6,), batch_size=20, max_iter=400, random_state=0, n_iter_no_change=500)


def plan_of(model, y=Y):
    return model._prepare(FitData(X, y))


def with_params(**params):
    return clone(MLP).set_params(**params)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_networks_of_any_mix_are_those_of_fits_alone(n_threads):
    models = [
        with_params(dropout=0.2, max_iter=5),
        with_params(hidden_layer_sizes=(5, 4), solver="adamw", max_iter=7),
        with_params(solver="nadam", batch_size=30, max_iter=3, alpha=0.3),
        with_params(early_stopping=True, n_iter_no_change=1, max_iter=30),
        with_params(hidden_layer_sizes=(), solver="rmsprop", learning_rate="cosine", max_iter=4),
        with_params(solver="lbfgs", max_iter=4),  # by the way of a fit alone
    ]
    alone = [train(plan_of(clone(model))) for model in models]
    results = {}
    with TrainingThreads(n_threads) as threads:
        for number, model in enumerate(models):
            threads.submit(number, plan_of(model))
        for number, result, seconds in threads.iterate():
            assert seconds > 0
            results[number] = result
    assert [results[number].runner for number in range(6)] == ["compiled"] * 5 + ["lbfgs"]
    for number, other in enumerate(alone):
        assert results[number].progress.n_epochs == other.progress.n_epochs
        pairs = zip(
            results[number].net.module_.parameters(), other.net.module_.parameters(), strict=True
        )
        for ours, theirs in pairs:
            np.testing.assert_allclose(ours.detach(), theirs.detach(), atol=1e-10)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_networks_of_sparse_samples_are_those_of_fits_alone(early_stopping):
    def make_plan():
        model = with_params(max_iter=30, early_stopping=early_stopping)
        return model._prepare(FitData(sparse.csr_matrix(X), Y))

    with TrainingThreads(2) as threads:
        for number in range(2):
            threads.submit(number, make_plan())
        results = [result for _, result, _ in threads.iterate()]
    alone = train(make_plan(), [HandwrittenRunner])
    for result in results:
        assert (supports_thread(make_plan()), result.runner) == (None, "compiled")
        assert result.progress.n_epochs == alone.progress.n_epochs
        helpers.assert_same_weights(result, alone, 1e-7)


def test_errors_are_returned_and_harm_no_other():
    model = DeepMLPRegressor(hidden_layer_sizes=(6,), solver="sgd", max_iter=20, random_state=0)
    rates = [1e10, 0.001]
    with TrainingThreads(2) as threads:
        for number, rate in enumerate(rates):
            plan = plan_of(clone(model).set_params(learning_rate_init=rate), Y.astype(float))
            threads.submit(number, plan)
        results = {number: result for number, result, _ in threads.iterate()}
    assert isinstance(results[0], ValueError)
    assert results[1].progress.n_epochs == 20


@pytest.mark.filterwarnings("ignore:Training interrupted")
@pytest.mark.parametrize("n_threads", [1, 2])
def test_ctrl_c_ends_all(n_threads):
    with TrainingThreads(n_threads) as threads:
        for number in range(3):
            threads.submit(number, plan_of(with_params(max_iter=10**6)))
        raise_signal(SIGINT)
        outcomes = [result for _, result, _ in threads.iterate()]
    for outcome in outcomes:
        is_begun = not isinstance(outcome, KeyboardInterrupt)
        assert not is_begun or outcome.progress.stopped_because == "interrupted"


@pytest.mark.parametrize(
    ("params", "n_trained"),
    [
        ({"max_iter": 400}, [0, 2, 3]),  # 3,200 steps each: the first waits for the second
        ({"max_iter": 400, "hidden_layer_sizes": (100,)}, [0, 2, 3]),
        ({"dropout": 0.1, "activation": "gelu", "solver": "adamw"}, [0, 2, 3]),
        ({"max_iter": 10}, [0, 0, 0]),  # too few steps to load compiled code for
        ({"solver": "lbfgs"}, [0, 0, 0]),
        ({"callbacks": [print]}, [0, 0, 0]),
        ({"normalization": "batch"}, [0, 0, 0]),
        ({"verbose": True}, [0, 0, 0]),
    ],
)
def test_plans_are_trained_if_they_are_compiled_and_have_steps_enough(params, n_trained):
    outcomes, counts = {}, []
    with TrainingThreads(1) as threads:
        for number in range(3):
            threads.offer(number, plan_of(with_params(**params)))
            outcomes.update({name: result for name, result, _ in threads.iterate()})
            counts.append(len(outcomes))
    assert counts == n_trained
    assert {result.runner for result in outcomes.values()} <= {"compiled"}


def test_ensembles_for_tables_are_not_compiled():
    plan = TabularMLPClassifier(max_iter=10**4, random_state=0)._prepare(FitData(X, Y))
    with TrainingThreads(1) as threads:
        threads.offer(0, plan)
        assert list(threads.iterate()) == []


def test_plans_need_not_be_waited_for():
    with TrainingThreads(2) as threads:
        for number in range(3):
            threads.submit(number, plan_of(with_params(max_iter=5)))
        first = [number for number, _, _ in threads.iterate(n_waiting=2)]
        rest = [number for number, _, _ in threads.iterate()]
    assert first
    assert sorted(first + rest) == [0, 1, 2]

"""Plans trained by compiled steps in threads: the same networks as one by one."""

from signal import SIGINT, raise_signal

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits

from sknn import DeepMLPClassifier, DeepMLPRegressor, TabularMLPClassifier
from sknn._jit import HAS_NUMBA
from sknn.deep.parts._preparation import FitData
from sknn.engine import TrainingThreads, choose_plans_for_threads, train

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
    ("params", "n_plans", "is_chosen"),
    [
        ({}, 2, True),
        ({}, 16, False),  # a stack
        ({"hidden_layer_sizes": (100,)}, 16, True),
        ({"dropout": 0.1}, 16, True),
        ({"max_iter": 10}, 2, False),  # too few steps
        ({"activation": "gelu", "solver": "adamw"}, 16, True),
        ({"solver": "lbfgs"}, 2, False),
        ({"callbacks": [print]}, 2, False),
        ({"normalization": "batch"}, 2, False),
        ({"verbose": True}, 2, False),
    ],
)
def test_which_plans_are_chosen(params, n_plans, is_chosen):
    plans = {number: plan_of(with_params(**params)) for number in range(n_plans)}
    assert choose_plans_for_threads(plans) == (list(plans) if is_chosen else [])


def test_ensembles_for_tables_are_not_chosen():
    plan = TabularMLPClassifier(max_iter=500, random_state=0)._prepare(FitData(X, Y))
    assert choose_plans_for_threads({0: plan}) == []

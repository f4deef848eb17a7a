"""Networks trained together are the networks that `train` trains one by one."""

import os
import sys
import warnings
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits

from sknn import DeepMLPClassifier, DeepMLPRegressor
from sknn.deep.parts._preparation import FitData
from sknn.engine import train, train_many
from sknn.engine.callbacks._progress import show_bar
from sknn.engine.data._forward import CHUNK_NUMBERS, predict_raw
from sknn.engine.stacked._group import find_boundary
from sknn.engine.stacked._member import Member, Shared
from sknn.engine.stacked._memory import (
    USUAL_FREE_MEMORY,
    estimate_member_bytes,
    free_memory,
    get_memory_budget,
)
from sknn.engine.stacked._mlp import Stack, arrange
from sknn.engine.stacked._validation import StackedValidation
from sknn.exceptions import NonFiniteLossError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_digits(return_X_y=True)
X = X[:160] / 16
Y = Y[:160]
RATES = (0.001, 0.01, 0.03)
#: of 106, 107 and 107 rows: the last batches have different lengths
FOLDS = [np.setdiff1d(np.arange(160), np.arange(160)[i::3]) for i in range(3)]
WEIGHT = np.random.RandomState(0).choice([0.5, 1.0, 2.0], len(X))


QUICK = {"hidden_layer_sizes": (8,), "batch_size": 16, "max_iter": 5, "random_state": 0}
classifier = partial(DeepMLPClassifier, **QUICK)
regressor = partial(DeepMLPRegressor, **QUICK)


def plan_of(estimator, rows=FOLDS[0], weight=None, X=X, y=Y):
    """Return a new plan; the module and the random state of a plan can be used only once."""
    weight = None if weight is None else weight[rows]
    return clone(estimator)._prepare(FitData(X[rows], y[rows], weight))


def assert_same(one, other, tolerance=1e-6):
    """Compare two results in all that a user or a later call can see."""
    assert one.progress.n_epochs == other.progress.n_epochs
    assert one.progress.best_epoch == other.progress.best_epoch
    assert one.progress.n_samples_seen == other.progress.n_samples_seen
    assert one.progress.n_stalled == other.progress.n_stalled
    assert one.progress.stopped_because == other.progress.stopped_because
    assert [set(row) for row in one.net.history] == [set(row) for row in other.net.history]
    names = ["epoch", "train_loss", "train_batch_count"]
    if one.progress.validation_scores is not None:
        names += ["valid_score", "valid_loss", *({"train_score"} & set(one.net.history[-1]))]
    rows = [[[row[name] for name in names] for row in r.net.history] for r in (one, other)]
    np.testing.assert_allclose(*rows, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(
        one.progress.loss_curve, other.progress.loss_curve, rtol=tolerance, atol=tolerance
    )
    for name in ("validation_scores", "validation_losses"):
        mine, yours = (getattr(r.progress, name) for r in (one, other))
        assert (mine is None) == (yours is None)
        np.testing.assert_allclose(mine or [], yours or [], rtol=tolerance, atol=tolerance)
    histories = [r.progress.history for r in (one, other)]
    assert list(histories[0]) == list(histories[1])
    assert len(histories[1]["time"]) == len(histories[0]["time"])
    for name in set(histories[0]) - {"time"}:
        columns = [history[name] for history in histories]
        np.testing.assert_allclose(*columns, rtol=tolerance, atol=tolerance)
    assert one.net.schedule.rate == pytest.approx(other.net.schedule.rate)
    groups = [r.net.optimizer_.param_groups[0] for r in (one, other)]
    assert set(groups[0]) == set(groups[1])
    for name in set(groups[0]) - {"params"}:
        assert groups[0][name] == pytest.approx(groups[1][name]), name
    for p, q in zip(one.net.module_.parameters(), other.net.module_.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=tolerance, atol=tolerance)
        mine, yours = one.net.optimizer_.state[p], other.net.optimizer_.state[q]
        assert set(mine) == set(yours)
        for name in mine:
            torch.testing.assert_close(mine[name], yours[name], rtol=tolerance, atol=tolerance)


def train_stacked(plans, **options):
    """Return the results of plans that are all to be trained together."""
    results = train_many(plans, **options)
    assert {result.runner for result in results} == {"stacked"}
    return results


SAME_FOLD = [FOLDS[0]] * 3
CASES = {
    "rates": ([classifier(learning_rate_init=r) for r in RATES], SAME_FOLD),
    "folds": ([classifier()] * 3, FOLDS),
    "folds and penalties": (
        [classifier(alpha=a) for a in (0, 0.1) for _ in FOLDS],
        FOLDS * 2,
    ),
    "no penalty": ([classifier(alpha=0, random_state=i) for i in range(3)], SAME_FOLD),
    "seeds": ([classifier(random_state=i) for i in range(3)], SAME_FOLD),
    "adam's betas": (
        [classifier(beta_1=b, beta_2=1 - 1e-2 * b, epsilon=e) for b, e in [(0.8, 1e-3), (0.5, 1)]],
        SAME_FOLD,
    ),
    "two hidden layers": (
        [classifier(hidden_layer_sizes=(8, 5), random_state=i) for i in range(3)],
        SAME_FOLD,
    ),
    "no hidden layer": ([classifier(hidden_layer_sizes=(), alpha=a) for a in RATES], SAME_FOLD),
    "order as it is": ([classifier(shuffle=False, alpha=a) for a in RATES], FOLDS),
    "one batch": ([classifier(batch_size="auto", alpha=a) for a in RATES], FOLDS),
    "early stopping": (
        [
            classifier(early_stopping=True, learning_rate_init=r, max_iter=60, n_iter_no_change=2)
            for r in (0.003, 0.02, 0.1)
        ],
        FOLDS,
    ),
    "stops on the loss": (
        [classifier(tol=t, max_iter=60, n_iter_no_change=1) for t in (0.2, 0.05, 0.02)],
        SAME_FOLD,
    ),
    "sgd": (
        [
            classifier(solver="sgd", learning_rate_init=0.1, momentum=m, nesterovs_momentum=n)
            for m, n in [(0, True), (0.9, True), (0.9, False)]
        ],
        SAME_FOLD,
    ),
    "schedules": (
        [
            classifier(
                solver="sgd",
                learning_rate=s,
                learning_rate_init=0.2,
                max_iter=40,
                tol=0.05,
                n_iter_no_change=1,
                random_state=i,
            )
            for i, s in enumerate(("constant", "invscaling", "adaptive"))
        ],
        SAME_FOLD,
    ),
    "plateau": (
        [
            classifier(learning_rate="plateau", max_iter=30, tol=t, n_iter_no_change=3)
            for t in (0.2, 0.05, 0.02)
        ],
        SAME_FOLD,
    ),
    "activations by layer": (
        [
            classifier(hidden_layer_sizes=(8, 5), activation=("tanh", "relu"), random_state=i)
            for i in range(3)
        ],
        SAME_FOLD,
    ),
    "early stopping on the loss": (
        [
            classifier(early_stopping=True, scoring="loss", max_iter=40, learning_rate_init=r)
            for r in (0.003, 0.02, 0.1)
        ],
        FOLDS,
    ),
    "early stopping on a scorer": (
        [
            classifier(early_stopping=True, scoring="neg_log_loss", learning_rate_init=r)
            for r in RATES
        ],
        FOLDS,
    ),
    "validation score of some": (
        [classifier(early_stopping=e, random_state=i) for i, e in enumerate((True, False, True))],
        [FOLDS[1], FOLDS[1][:96], FOLDS[1]],
    ),
    "different numbers of epochs": ([classifier(max_iter=n) for n in (1, 4, 2)], FOLDS),
    "not separable in size": (
        [classifier(), classifier(hidden_layer_sizes=(6,))] * 2,
        [*SAME_FOLD, FOLDS[1]],
    ),
}


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
@pytest.mark.parametrize("case", CASES)
def test_same_as_one_by_one(case, weight):
    estimators, folds = CASES[case]
    alone = [train(plan_of(e, f, weight)) for e, f in zip(estimators, folds, strict=False)]
    plans = [plan_of(e, f, weight) for e, f in zip(estimators, folds, strict=False)]
    for one, other in zip(alone, train_stacked(plans), strict=True):
        assert_same(one, other)


def test_stopping_cases_stop_at_different_epochs():
    """The cases above would show little if all networks ran to the end."""
    for case in ("early stopping", "stops on the loss", "schedules"):
        results = [train(plan_of(e, f)) for e, f in zip(*CASES[case], strict=True)]
        assert len({r.progress.n_epochs for r in results}) > 1
        assert {r.progress.stopped_because for r in results} & {"converged"}


@pytest.mark.parametrize("activation", ["tanh", "logistic", "identity", "elu", "leaky_relu"])
def test_activations(activation):
    estimators = [classifier(activation=activation, alpha=a) for a in RATES]
    alone = [train(plan_of(e)) for e in estimators]
    for one, other in zip(alone, train_stacked([plan_of(e) for e in estimators]), strict=True):
        assert_same(one, other)


TARGETS = {
    "binary": (classifier, (Y > 4).astype(int)),
    "multilabel": (classifier, np.stack([Y > 4, Y % 2 == 0, Y % 3 == 0], 1).astype(int)),
    "squared error": (regressor, Y.astype(float)),
    "two outputs": (regressor, np.stack([Y, Y**2], 1).astype(float)),
    "poisson": (partial(regressor, loss="poisson"), Y.astype(float)),
    "gamma": (partial(regressor, loss="gamma"), 1.0 + Y),
    "absolute error": (partial(regressor, loss="absolute_error"), Y.astype(float)),
    "huber": (partial(regressor, loss="huber", loss__delta=0.5), np.stack([Y, -Y], 1) * 1.0),
    "quantiles": (partial(regressor, loss="quantile", quantile=(0.1, 0.4, 0.9)), Y * 1.0),
    "normal": (partial(regressor, loss="gaussian_nll"), np.stack([Y, Y**2], 1) * 1.0),
    "bins": (partial(regressor, loss="ordered_bins", loss__n_bins=9), np.stack([Y, -Y], 1) * 1.0),
    "smoothed": (partial(classifier, label_smoothing=0.1), Y),
    "focal": (partial(classifier, loss="focal", label_smoothing=0.1), Y),
    "focal labels": (partial(classifier, loss="focal"), (Y > 4).astype(int)),
    "hinge": (partial(classifier, loss="hinge"), Y),
    "hinge labels": (partial(classifier, loss="hinge"), (Y > 4).astype(int)),
}


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
@pytest.mark.parametrize("target", TARGETS)
def test_targets_and_losses(target, weight):
    make, y = TARGETS[target]
    estimators = [make(learning_rate_init=r, early_stopping=True) for r in RATES]
    pairs = list(zip(estimators, FOLDS, strict=True))
    alone = [train(plan_of(e, f, weight, y=y)) for e, f in pairs]
    plans = [plan_of(e, f, weight, y=y) for e, f in pairs]
    for one, other in zip(alone, train_stacked(plans), strict=True):
        assert_same(one, other)


def test_validation_samples_that_are_given():
    def plans():
        held = (X[FOLDS[0]], Y[FOLDS[0]], None)
        rows = np.setdiff1d(np.arange(160), FOLDS[0])
        models = [classifier(alpha=a) for a in RATES]
        return [m._prepare(FitData(X[rows], Y[rows], validation=held)) for m in models]

    alone = [train(plan) for plan in plans()]
    for one, other in zip(alone, train_stacked(plans()), strict=True):
        assert set(other.progress.history) >= {"score", "validation_loss", "validation_score"}
        assert other.progress.best_score is None
        assert_same(one, other)


def test_validation_samples_with_weights_for_some():
    def plans():
        rows, held = np.setdiff1d(np.arange(160), FOLDS[0]), FOLDS[0]
        validations = [(X[held], Y[held], w) for w in (None, WEIGHT[held], None)]
        # Plans that share validation inputs are computed in one pass.
        made = [
            classifier(alpha=a)._prepare(FitData(X[rows], Y[rows], validation=v))
            for a, v in zip(RATES, validations, strict=True)
        ]
        shared = made[0].validation.X
        return [replace(p, validation=replace(p.validation, X=shared)) for p in made]

    alone = [train(plan) for plan in plans()]
    together = train_stacked(plans())
    losses = [result.progress.validation_losses for result in together]
    assert losses[0] != losses[1]
    for one, other in zip(alone, together, strict=True):
        assert_same(one, other)


def test_validation_takes_one_pass_for_all():
    """One pass of some chunks of samples gives what each network says of them on its own."""
    many = np.tile(np.arange(160), 2 * CHUNK_NUMBERS // (3 * 10 * 160))
    held = (X[many], Y[many], None)
    stack = make_stack(
        [classifier(alpha=a)._prepare(FitData(X, Y, validation=held)) for a in RATES]
    )
    StackedValidation(stack).run()
    for run in stack.runs:
        output, loss = run.validated
        np.testing.assert_allclose(output, predict_raw(run.net, run.held_out), atol=1e-12)
        assert loss == pytest.approx(run.net.measure_loss(output, run.held_out))


def test_float32_agrees_to_its_precision():
    estimators = [classifier(dtype="float32", learning_rate_init=r) for r in RATES]
    alone = [train(plan_of(e)) for e in estimators]
    for one, other in zip(alone, train_many([plan_of(e) for e in estimators]), strict=True):
        assert next(other.net.module_.parameters()).dtype == torch.float32
        assert_same(one, other, tolerance=1e-4)


def test_several_threads_give_the_same():
    estimators = [classifier(random_state=i, max_iter=3 + i) for i in range(5)]
    alone = [train(plan_of(e)) for e in estimators]
    together = train_many([plan_of(e) for e in estimators], n_jobs=2)
    for one, other in zip(alone, together, strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_training_goes_on_alike(solver):
    estimators = [classifier(solver=solver, alpha=a) for a in RATES]
    plans = [plan_of(e) for e in estimators]
    for estimator, result in zip(estimators, train_many(plans), strict=True):
        alone = clone(estimator).fit(X[FOLDS[0]], Y[FOLDS[0]]).partial_fit(X, Y)
        other = clone(estimator)
        other._finish(other._prepare(FitData(X[FOLDS[0]], Y[FOLDS[0]])), result)
        other.partial_fit(X, Y)
        np.testing.assert_allclose(other.coefs_[0], alone.coefs_[0], atol=1e-9)


def test_networks_have_memory_of_their_own():
    results = train_many([plan_of(classifier(alpha=a)) for a in RATES])
    for result in results:
        for p in result.net.module_.parameters():
            tensors = [p.data, *result.net.optimizer_.state[p].values()]
            assert all(t.untyped_storage().nbytes() == t.nbytes for t in tensors)


def test_random_states_end_where_they_would():
    alone, together = ([plan_of(classifier(max_iter=n)) for n in (2, 5)] for _ in range(2))
    for plan in alone:
        train(plan)
    train_many(together)
    for one, other in zip(alone, together, strict=True):
        assert one.random_state.randint(2**31) == other.random_state.randint(2**31)


def test_samples_of_a_shared_array():
    def shared(alpha):
        model = classifier(early_stopping=True, alpha=alpha)
        plan = model._prepare(FitData(X[FOLDS[0]], Y[FOLDS[0]]))
        return replace(plan, X=X, numbers=FOLDS[0][model._last_split[0]])

    alone = [train(plan_of(classifier(early_stopping=True, alpha=a))) for a in RATES]
    for one, alpha, other in zip(alone, RATES, train_many([*map(shared, RATES)]), strict=True):
        assert_same(one, other)
        assert_same(one, train(shared(alpha)))


def sharing_plan(estimator, rows=FOLDS[0], weight=None):
    """Return a plan whose X is everybody's, so that equal rows in equal order are seen to be so."""
    return replace(plan_of(estimator, rows, weight), X=X, numbers=rows)


def make_stack(plans):
    """Return the stack of some plans, before its first epoch."""
    shared, orders, members = Shared(), {}, [Member(plan) for plan in plans]
    for member in members:
        member.lay_out(shared)
        member.begin(orders)
    places = arrange([m.net for m in members], [m.order for m in members])
    members = [members[i] for i in places]
    return Stack([m.run for m in members], [m.order for m in members], members[0].net.batch_size)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
@pytest.mark.parametrize("counts", [(2, 2, 2), (1, 3, 2), (3, 1, 1), (4, 0, 2)], ids=str)
def test_orders_of_any_numbers_of_networks(counts, weight):
    folds = [fold for fold, n in zip(FOLDS, counts, strict=True) for _ in range(n)]
    estimators = [
        classifier(alpha=0.1 * i, learning_rate_init=RATES[i % 2]) for i in range(len(folds))
    ]
    alone = [train(plan_of(e, f, weight)) for e, f in zip(estimators, folds, strict=True)]
    plans, again = (
        [sharing_plan(e, f, weight) for e, f in zip(estimators, folds, strict=True)]
        for _ in range(2)
    )
    for one, other in zip(alone, train_stacked(plans), strict=True):
        assert_same(one, other)
    blocks = make_stack(again).blocks
    assert len(blocks) == len(set(counts) - {0})
    assert sum(b.orders.stop - b.orders.start for b in blocks) == sum(n > 0 for n in counts)


def test_folds_share_one_tensor():
    stack = make_stack([sharing_plan(classifier(), f) for f in FOLDS])
    assert len(stack.orders) == 3
    assert {order.sample.X.data_ptr() for order in stack.orders} == {X.ctypes.data}
    alone = [train(plan_of(classifier(), f)) for f in FOLDS]
    plans = [sharing_plan(classifier(), f) for f in FOLDS]
    for one, other in zip(alone, train_stacked(plans), strict=True):
        assert_same(one, other)


def test_plans_that_cannot_be_batched_are_trained_alone():
    csr = sparse.csr_matrix(X)
    estimators = [
        classifier(solver="lbfgs"),
        classifier(activation="gelu"),
        classifier(solver="lbfgs", alpha=1.0),
        classifier(activation="gelu", alpha=1.0),
    ]
    makers = [lambda e=e: plan_of(e) for e in estimators]
    makers += [lambda a=a: plan_of(classifier(alpha=a), X=csr) for a in RATES]
    alone = [train(make()) for make in makers]
    for one, other in zip(alone, train_many([make() for make in makers]), strict=True):
        for progress in (one.progress, other.progress):
            progress.history.pop("time")
        assert one.progress == other.progress
        assert one.runner == other.runner


def test_processes_train_what_cannot_be_batched():
    estimators = [classifier(solver="lbfgs", alpha=a) for a in RATES]
    alone = [train(plan_of(e)) for e in estimators]
    together = train_many([plan_of(e) for e in estimators], n_jobs=2)
    assert [r.progress.loss_curve for r in alone] == [r.progress.loss_curve for r in together]


NOT_WRITTEN_OUT = (
    {"max_grad_norm": 1.0},
    {"l1_ratio": 0.5},
    {"warmup_epochs": 1},
    {"learning_rate": "cosine"},
    {"learning_rate": torch.optim.lr_scheduler.ExponentialLR, "learning_rate__gamma": 0.9},
    {"solver": "adamw"},
    {"solver": torch.optim.Adagrad},
    {"dropout": 0.1},
    {"normalization": "layer"},
    {"loss": torch.nn.CrossEntropyLoss(reduction="none")},
    {"dtype": "bfloat16"},
    {"callbacks": [lambda row: None]},
    {"verbose": 2},
    {"categorical_features": [20]},
)


@pytest.mark.parametrize("params", NOT_WRITTEN_OUT, ids=lambda params: "-".join(params))
def test_option_that_is_not_written_out_is_left_to_train(params):
    models = [classifier(alpha=a, max_iter=1, **params) for a in (0.0, 0.1)]
    results = train_many([plan_of(model, X=16 * X) for model in models])
    assert "stacked" not in {result.runner for result in results}


def test_watched_networks_are_left_to_train(monkeypatch):
    class Watcher:
        def begin_epoch(self):
            pass

        def end_epoch(self, net, progress):
            return progress.n_epochs == 2

    plans = [replace(plan_of(classifier(alpha=a)), watcher=Watcher()) for a in RATES]
    assert [r.progress.stopped_because for r in train_many(plans)] == ["callback"] * 3


def test_verbose_networks_print_one_after_the_other(capsys):
    train_many([plan_of(classifier(verbose=True, max_iter=2, alpha=a)) for a in (0, 1)])
    words = [line.split(",")[0] for line in capsys.readouterr().out.splitlines()]
    assert words == ["Iteration 1", "Iteration 2"] * 2


def test_plans_with_one_random_state_take_turns():
    def plans():
        state = np.random.RandomState(3)
        return [replace(plan_of(classifier(alpha=a)), random_state=state) for a in RATES]

    alone = [train(plan) for plan in plans()]
    for one, other in zip(alone, train_many(plans()), strict=True):
        assert_same(one, other)


def test_warm_start_goes_on_from_the_earlier_result():
    def plans():
        model = classifier(warm_start=True).fit(X, Y)
        return [model._prepare(FitData(X, Y)), plan_of(classifier())]

    alone = [train(plan) for plan in plans()]
    for one, other in zip(alone, train_many(plans()), strict=True):
        assert_same(one, other)


def test_nothing_to_train():
    assert train_many([]) == []


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_network_that_diverges_harms_no_other(n_jobs):
    estimators = [
        regressor(solver="sgd", learning_rate_init=r, max_iter=20, momentum=0.5)
        for r in (0.01, 1e10, 0.02)
    ]

    def plans():
        return [plan_of(e, y=Y.astype(float)) for e in estimators]

    outcomes = train_many(plans(), return_errors=True, n_jobs=n_jobs)
    assert isinstance(outcomes[1], NonFiniteLossError)
    assert "learning_rate_init=10000000000.0" in str(outcomes[1])
    for i in (0, 2):
        assert_same(train(plans()[i]), outcomes[i])
    with pytest.raises(NonFiniteLossError, match="non-finite parameter weights"):
        train_many(plans(), n_jobs=n_jobs)


def test_divergence_with_early_stopping_goes_back_to_the_best_weights():
    estimators = [
        regressor(solver="sgd", learning_rate_init=r, early_stopping=True, momentum=0.0)
        for r in (0.01, 3.0)
    ]

    def plans():
        return [plan_of(e, y=Y.astype(float)) for e in estimators]

    with warnings.catch_warnings(record=True) as alone_said:
        warnings.simplefilter("always")
        alone = []
        for plan in plans():
            try:
                alone.append(train(plan))
            except NonFiniteLossError as error:
                alone.append(error)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        together = train_many(plans(), return_errors=True)
    assert [type(o) for o in alone] == [type(o) for o in together]
    assert sorted(str(w.message) for w in alone_said) == sorted(str(w.message) for w in said)
    assert_same(alone[0], together[0])


def test_plan_that_cannot_begin_harms_no_other():
    nowhere = classifier(device="nowhere")
    plans = [plan_of(nowhere), *(plan_of(classifier(alpha=a)) for a in RATES)]
    outcomes = train_many(plans, return_errors=True)
    assert isinstance(outcomes[0], ValueError)
    assert "one that torch knows" in str(outcomes[0])
    for alpha, outcome in zip(RATES, outcomes[1:], strict=True):
        assert_same(train(plan_of(classifier(alpha=alpha))), outcome)


def bytes_of(n_networks):
    """Return the memory in which so many of the networks of these tests fit."""
    return n_networks * estimate_member_bytes(Member(plan_of(classifier())).net)


def make_counted():
    """Return a class of stacks, and the list to which each adds how many networks it has."""
    sizes = []

    class Counted(Stack):
        def __init__(self, runs, orders, batch_size):
            super().__init__(runs, orders, batch_size)
            sizes.append(len(runs))

    return Counted, sizes


def test_waiting_networks_take_the_places_of_those_that_stop():
    estimators = [
        classifier(learning_rate_init=r, max_iter=n) for r in RATES for n in (2, 7, 3, 11)
    ]
    alone = [train(plan_of(e)) for e in estimators]
    counted, sizes = make_counted()
    plans = [plan_of(e) for e in estimators]
    for one, other in zip(alone, train_many(plans, memory=bytes_of(4), stack=counted), strict=True):
        assert_same(one, other)
    assert max(sizes) == 4
    assert sizes[:2] == [4, 4]  # one stopped, one came in


def test_networks_of_one_order_enter_together():
    estimators = [classifier(alpha=a, random_state=i) for i in range(3) for a in RATES]
    alone = [train(plan_of(e)) for e in estimators]
    counted, sizes = make_counted()
    plans = [*map(sharing_plan, estimators)]
    for one, other in zip(alone, train_many(plans, memory=bytes_of(5), stack=counted), strict=True):
        assert_same(one, other)
    assert sizes == [3, 3, 3]


@pytest.mark.parametrize(
    ("most", "keys", "n"),
    [(9, "aab", 3), (3, "aabb", 2), (2, "aabb", 2), (3, "aaaa", 3), (3, "abbb", 3), (0, "a", 0)],
)
def test_how_many_to_let_in(most, keys, n):
    assert find_boundary(most, list(keys)) == n


@pytest.mark.parametrize(("n_fitting", "size"), [(0, 1), (2, 2), (100, 5)])
def test_memory_limits_the_networks_side_by_side(n_fitting, size):
    estimators = [classifier(alpha=a) for a in (*RATES, 0.1, 1.0)]
    alone = [train(plan_of(e)) for e in estimators]
    counted, sizes = make_counted()
    together = train_many(
        [plan_of(e) for e in estimators], memory=bytes_of(n_fitting), stack=counted
    )
    assert max(sizes) == size
    for one, other in zip(alone, together, strict=True):
        assert_same(one, other)


def test_usual_memory_is_a_share_of_what_is_free(monkeypatch):
    monkeypatch.setattr(os, "sysconf", {"SC_AVPHYS_PAGES": 1000, "SC_PAGE_SIZE": 4}.get)
    assert free_memory("cpu") == 4000
    assert get_memory_budget() == 1000


def test_free_memory_where_the_system_does_not_say(monkeypatch):
    assert free_memory("cpu") > 0

    def unknown(name):
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr(os, "sysconf", unknown)
    assert free_memory("cpu") == USUAL_FREE_MEMORY


def test_stack_that_does_not_fit_is_made_smaller():
    estimators = [classifier(alpha=a) for a in (*RATES, 0.1, 1.0)]
    alone = [train(plan_of(e)) for e in estimators]
    counted, sizes = make_counted()

    class Full(counted):
        def __init__(self, runs, orders, batch_size):
            if len(runs) > 2:
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to ...")
            super().__init__(runs, orders, batch_size)

    plans = [plan_of(e) for e in estimators]
    for one, other in zip(alone, train_many(plans, stack=Full), strict=True):
        assert_same(one, other)
    assert max(sizes) == 2


def test_other_errors_of_a_stack_are_not_hidden():
    class Broken(Stack):
        def __init__(self, runs, orders, batch_size):
            raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        train_many([plan_of(classifier(alpha=a)) for a in RATES], stack=Broken)


def interrupted_after(n_epochs):
    """Return a class of stacks that are interrupted after so many epochs, all counted together."""
    done = []

    class Interrupted(Stack):
        def run_epoch(self):
            if len(done) == n_epochs:
                raise KeyboardInterrupt
            done.append(self)
            return super().run_epoch()

    return Interrupted


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_ctrl_c_keeps_what_was_reached(n_jobs):
    plans = [plan_of(classifier(max_iter=n)) for n in (1, 3, 6, 6, 6, 6, 6, 6, 6, 6)]
    options = {"memory": n_jobs * bytes_of(2), "stack": interrupted_after(3)}
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        outcomes = train_many(plans, return_errors=True, n_jobs=n_jobs, **options)
    assert outcomes[0].progress.stopped_because == "max_iter"
    cut = [o for o in outcomes[1:] if not isinstance(o, BaseException)]
    assert {o.progress.stopped_because for o in cut} <= {"interrupted", "max_iter"}
    short = [o for o in cut if o.progress.stopped_because == "interrupted"]
    assert short
    assert all(len(o.net.history) == o.progress.n_epochs for o in short)
    assert isinstance(outcomes[-1], KeyboardInterrupt)


def test_ctrl_c_is_an_error_if_a_plan_was_never_begun():
    plans = [plan_of(classifier(alpha=a)) for a in RATES]
    with (
        pytest.warns(UserWarning, match="Training interrupted by user"),
        pytest.raises(KeyboardInterrupt),
    ):
        train_many(plans, memory=bytes_of(2), stack=interrupted_after(0))


def test_ctrl_c_in_a_network_trained_alone_ends_the_others():
    def interrupt(row):
        raise KeyboardInterrupt

    plans = [plan_of(classifier(callbacks=[interrupt], alpha=a)) for a in RATES]
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        outcomes = train_many(plans, return_errors=True)
    assert outcomes[0].progress.stopped_because == "interrupted"
    assert isinstance(outcomes[1], KeyboardInterrupt)
    assert isinstance(outcomes[2], KeyboardInterrupt)


def test_bar_counts_all_epochs(capsys):
    pytest.importorskip("rich")
    plans = [plan_of(classifier(alpha=a, tol=10.0, n_iter_no_change=1)) for a in RATES]
    results = train_many([*plans, plan_of(classifier(solver="lbfgs"))], verbose=True)
    assert max(r.progress.n_epochs for r in results[:3]) < 5
    assert "20/20" in capsys.readouterr().out


def test_no_bar_without_rich(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    with show_bar("epochs", 3, True) as advance:
        advance(3)
    assert capsys.readouterr().out == ""


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("params", [{}, {"solver": "sgd"}, {"early_stopping": True}], ids=str)
def test_same_on_a_gpu(params):
    stacks = []

    class Noted(Stack):
        def __init__(self, runs, orders, batch_size):
            super().__init__(runs, orders, batch_size)
            stacks.append(self)

    estimators = [classifier(device="cuda", learning_rate_init=r, **params) for r in RATES]
    alone = [train(plan_of(e)) for e in estimators]
    together = train_many([plan_of(e) for e in estimators], stack=Noted)
    for one, other in zip(alone, together, strict=True):
        assert_same(one, other, tolerance=1e-5)
    captured = [entry.replayed for stack in stacks for entry in stack.replays.captured.values()]
    assert captured
    assert [replayed.failure for replayed in captured] == [None] * len(captured)

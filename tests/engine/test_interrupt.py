"""A fit that is interrupted goes on at the step where it stopped, and ends at the same model."""

import ast
import os
import pickle
import signal
import sys
import warnings

import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import DeepMLPClassifier, DeepMLPRegressor, SequenceCNNClassifier, TabularMLPClassifier
from sknn.engine._interrupt import InterruptFlag
from tests import apart
from tests.engine.configs import BatchWatcher
from tests.helpers import Press

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Training interrupted by user"),
]

X, Y = make_classification(300, 8, random_state=0)
DNA = np.array(["".join(np.random.RandomState(i).choice(list("ACGT"), 30)) for i in range(200)])
SHORT = {
    "max_iter": 6, "random_state": 0, "tol": 0, "n_iter_no_change": 100, "batch_size": 40,
}  # fmt: skip


def mlp(**params):
    return DeepMLPClassifier((9,), **{**SHORT, **params}), X, Y


def sequences(**params):
    return SequenceCNNClassifier(n_filters=4, **{**SHORT, **params}), DNA, Y[:200]


FITS = {
    "adam": mlp(),
    "nadam": mlp(solver="nadam"),
    "rmsprop": mlp(solver="rmsprop"),
    "adamw, one cycle": mlp(solver="adamw", learning_rate="one_cycle"),
    "muon": mlp(solver="muon"),
    "sgd, a cycle of torch's": mlp(
        solver="sgd", learning_rate=torch.optim.lr_scheduler.OneCycleLR
    ),
    "torch's adagrad": mlp(solver=torch.optim.Adagrad),
    "dropout and batch norm": mlp(dropout=0.3, normalization="batch"),
    "a layer that draws": mlp(activation=torch.nn.RReLU),
    "early stopping": mlp(early_stopping=True),
    "plateau": (
        DeepMLPRegressor(
            hidden_layer_sizes=(9,), **{**SHORT, "max_iter": 12, "n_iter_no_change": 2},
            learning_rate="plateau",
        ),
        X,
        X[:, 0],
    ),
    "sequences": sequences(early_stopping=False),
    "sequences, early stopping": sequences(early_stopping=True),
}  # fmt: skip


def assert_same(one, other, X):
    for mine, theirs in zip(one.module_.parameters(), other.module_.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    np.testing.assert_array_equal(one.predict(X), other.predict(X))
    assert one.loss_curve_ == other.loss_curve_
    assert one.validation_scores_ == other.validation_scores_
    assert one.history_.keys() == other.history_.keys()
    assert (one.n_iter_, one.best_iter_, one.t_) == (other.n_iter_, other.best_iter_, other.t_)
    assert len(one.net_.history) == len(other.net_.history)


def clone_with(model, **params):
    return type(model)(**{**model.get_params(), **params})


@pytest.mark.parametrize("hook", ["epoch", "before step", "within step", "after step"])
@pytest.mark.parametrize("name", FITS)
def test_a_fit_goes_on_where_a_callback_interrupted_it(name, hook, rng):
    model, Z, y = FITS[name]
    whole = clone_with(model, callbacks=[BatchWatcher()]).fit(Z, y)
    at = int(rng.integers(1, 6 if hook == "epoch" else 22))
    part = clone_with(model, callbacks=[Press(hook, at)], warm_start=True).fit(Z, y)
    assert part.n_iter_ < whole.n_iter_
    assert all("train_loss" in row for row in part.net_.history)
    part = pickle.loads(pickle.dumps(part)).set_params(callbacks=[BatchWatcher()])
    assert_same(part.fit(Z, y), whole, Z)


class SignalAtLine:
    """Sends SIGINT, once or twice, before a certain line of the engine's code is run."""

    def __init__(self, at, times):
        self.at, self.times, self.n_lines = at, times, 0

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self.trace)

    def __exit__(self, *error):
        sys.settrace(self.before)

    def trace(self, frame, event, argument):
        if f"{os.sep}engine{os.sep}" not in frame.f_code.co_filename:
            return None
        if event == "line":
            self.n_lines += 1
            if self.n_lines == self.at:
                sys.settrace(None)
                frame.f_trace = None
                for _ in range(self.times):
                    os.kill(os.getpid(), signal.SIGINT)
        return self.trace


@pytest.mark.usefixtures("python_takes_signals")
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"callbacks": [lambda row: None]},
        {"activation": "gelu", "dropout": 0.2, "normalization": "batch"},
        {"early_stopping": True, "learning_rate": "one_cycle", "solver": "adamw"},
        {"solver": "lbfgs", "activation": "gelu"},
    ],
    ids=["unseen epochs", "seen epochs", "autograd", "early stopping", "lbfgs"],
)
def test_one_or_two_signals_at_any_line_change_nothing(params, rng):
    model = DeepMLPClassifier((3,), **{**SHORT, "max_iter": 5, "warm_start": True, **params})
    Z, y = X[:60, :5], Y[:60]
    whole = clone_with(model).fit(Z, y)
    counter = SignalAtLine(-1, 0)
    with counter:
        clone_with(model).fit(Z, y)
    for at in rng.integers(1, counter.n_lines, 40):
        part, goes_on = clone_with(model), False
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                with SignalAtLine(at, int(rng.integers(1, 3))):
                    part.fit(Z, y)
            except KeyboardInterrupt:  # before training, or after it
                goes_on = True
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        goes_on |= any("interrupted" in str(w.message) for w in said)
        if goes_on:
            part.fit(Z, y)
        assert_same(part, whole, Z)


#: fits that real signals stop, in a process of their own: pytest has the handler here
SIGNALS = """
import os, signal, sys, traceback, warnings
import numpy as np
from sklearn.datasets import make_classification
from sknn import DeepMLPClassifier
warnings.simplefilter("ignore")
X, y = make_classification(3000, 60, random_state=0)  # several groups of batches

def try_signals(params, times):
    model = DeepMLPClassifier((9,), random_state=0, max_iter=40, tol=0, n_iter_no_change=99)
    whole = model.set_params(**params).fit(X, y)
    def press(*_):
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGINT)
    signal.signal(signal.SIGALRM, press)
    stopped = []
    for n_epochs, seconds in ((2, 1e-6), (3, 0.001), (9, 0.004)):
        rows = []
        def start_clock(row):
            rows.append(row)
            if len(rows) == n_epochs:
                signal.setitimer(signal.ITIMER_REAL, seconds)
        part = DeepMLPClassifier(**model.get_params())
        part.set_params(warm_start=True, callbacks=[start_clock]).fit(X, y)
        stopped.append(part.n_iter_)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        part.set_params(callbacks=None).fit(X, y)
        assert np.array_equal(part.predict_proba(X), whole.predict_proba(X)), stopped
        assert part.loss_curve_ == whole.loss_curve_, stopped
    return stopped

found = {}
for params, times in eval(sys.argv[1]):
    try:
        found[str((params, times))] = try_signals(params, times)
    except Exception:
        found[str((params, times))] = traceback.format_exc()
print(found)
"""
INTERRUPTED = [
    (params, times)
    for params in (
        {"batch_size": 20},
        {"batch_size": 20, "activation": "gelu", "dropout": 0.2},
        {"solver": "lbfgs", "activation": "gelu"},
        {"batch_size": 20, "early_stopping": True},
    )
    for times in (1, 2)
]


@pytest.fixture(scope="module")
def interrupted_epochs():
    """Return for each of `INTERRUPTED` the epochs after which signals stopped its fits."""
    done = apart.run(SIGNALS, repr(INTERRUPTED))
    assert done.returncode == 0, done.stderr
    return ast.literal_eval(done.stdout)


@pytest.mark.parametrize("case", INTERRUPTED, ids=str)
def test_real_signals_stop_between_steps_and_the_fit_goes_on(interrupted_epochs, case):
    stopped = interrupted_epochs[str(case)]
    assert not isinstance(stopped, str), stopped
    assert max(stopped) < 40


def several_fits():
    model = DeepMLPClassifier((3,), max_iter=3, random_state=0)
    return {
        "grid": lambda press: GridSearchCV(press, {"alpha": [0.1, 1.0]}, cv=2).fit(X, Y),
        "cross-validation": lambda press: cross_val_score(press, X, Y, cv=2),
        "bagging": lambda press: BaggingClassifier(press, n_estimators=2).fit(X, Y),
    }, model


@pytest.mark.parametrize("holder", several_fits()[0])
def test_ctrl_c_ends_whatever_holds_several_fits(holder):
    holders, model = several_fits()
    with pytest.raises(KeyboardInterrupt):
        holders[holder](model.set_params(callbacks=[Press("epoch", 2)]))


def test_ctrl_c_in_a_pipeline_keeps_the_one_fit():
    model = DeepMLPClassifier((3,), max_iter=9, callbacks=[Press("epoch", 3)])
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        pipeline = make_pipeline(StandardScaler(), model).fit(X, Y)
    assert pipeline[-1].n_iter_ == 2


def test_tabular_networks_keep_their_best_weights():
    model = TabularMLPClassifier(n_members=2, max_iter=9, callbacks=[Press("epoch", 4)])
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model.fit(X, Y)
    assert model.n_iter_ == 3
    assert model.score(X, Y) > 0.6


@pytest.fixture
def python_takes_signals():
    """Let Ctrl-C be KeyboardInterrupt, as in a terminal; a job in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("python_takes_signals")
def test_the_first_signal_sets_a_flag_and_the_second_interrupts():
    before = signal.getsignal(signal.SIGINT)
    with InterruptFlag() as flag:
        flag.is_deaf = False
        assert not flag.is_set
        signal.raise_signal(signal.SIGINT)
        assert flag.is_set
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        flag.is_deaf = True
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_handler_of_the_users_stays():
    seen = []
    before = signal.signal(signal.SIGINT, lambda *_: seen.append(1))
    try:
        with InterruptFlag() as flag:
            flag.is_deaf = False
            signal.raise_signal(signal.SIGINT)
        assert seen == [1]
        assert not flag.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_state_of_a_run_holds_no_data_and_no_tensors():
    model, Z, y = FITS["early stopping"]
    part = clone_with(model, callbacks=[Press("after step", 10)], warm_start=True).fit(Z, y)
    state = part._result.resume.state
    text = pickle.dumps(state)
    assert b"torch" not in text.replace(b"sknn.engine", b"")
    n_parameters = sum(p.numel() for p in part.module_.parameters())
    assert len(text) < 8 * (6 * n_parameters + 3 * len(y)) + 8000

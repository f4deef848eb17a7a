"""A fit whose process ends goes on from its checkpoint, and ends at the same model."""

import os
import signal
import threading
import warnings
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV, cross_val_score
from skorch.callbacks import Callback, Checkpoint, EarlyStopping, LRScheduler

from sknn import (
    AutoencoderTransformer,
    DeepMLPClassifier,
    DeepMLPRegressor,
    SequenceCNNClassifier,
    SequenceCNNRegressor,
    TabularMLPClassifier,
    TabularMLPRegressor,
)
from sknn.engine.net._format import pack, unpack
from sknn.model_selection import (
    BatchedGridSearchCV,
    DeepEnsembleClassifier,
    DeepEnsembleRegressor,
)
from tests import apart

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = make_classification(200, 8, random_state=0)
VALUES = X[:, 0] * 2
DNA = np.array(["".join(np.random.RandomState(i).choice(list("ACGT"), 20)) for i in range(200)])
FRAME = pd.DataFrame({"number": X[:, 0], "letter": pd.Categorical(np.where(X[:, 1] > 0, "a", "b"))})
SHORT = {
    "max_iter": 6, "random_state": 0, "tol": 0, "n_iter_no_change": 100, "batch_size": 40,
}  # fmt: skip
TABULAR = {"max_iter": 6, "random_state": 0, "n_members": 2, "hidden_width": 8}


class PowerCut(Exception):  # noqa: N818 - an event, not an error
    """Ends a fit as a killed process would: nothing that it has not yet written is left."""


def cut_after(n_epochs):
    """Return a callback that ends a fit in the epoch after so many."""
    rows = []

    def cut(row):
        rows.append(row)
        if len(rows) > n_epochs:
            raise PowerCut

    return cut


def mlp(**params):
    return DeepMLPClassifier((9,), **{**SHORT, **params}), X, Y


PRETRAINED = AutoencoderTransformer(2, (9,), max_iter=2, random_state=0)
FITS = {
    "compiled or handwritten": mlp(),
    "autograd": mlp(dropout=0.3, normalization="batch"),
    "a layer that draws": mlp(activation=torch.nn.RReLU),
    "early stopping": mlp(early_stopping=True, n_iter_no_change=2, learning_rate_init=0.1),
    "sgd, slower when training stalls": mlp(solver="sgd", learning_rate="adaptive", tol=1.0),
    "one cycle": mlp(solver="adamw", learning_rate="one_cycle"),
    "muon, early stopping": mlp(solver="muon", early_stopping=True),
    "a cycle of torch's": mlp(solver="sgd", learning_rate=torch.optim.lr_scheduler.OneCycleLR),
    "plateau of torch's": mlp(learning_rate=torch.optim.lr_scheduler.ReduceLROnPlateau),
    "torch's adagrad": mlp(solver=torch.optim.Adagrad),
    "lbfgs": mlp(solver="lbfgs", max_iter=30),
    "lbfgs by autograd": mlp(solver="lbfgs", normalization="layer"),
    "float32": mlp(dtype="float32"),
    "regressor of a frame": (
        DeepMLPRegressor(hidden_layer_sizes=(9,), **SHORT), FRAME, VALUES
    ),
    "sequences": (
        SequenceCNNClassifier(n_filters=4, max_iter=6, random_state=0, batch_size=40), DNA, Y
    ),
    "sequences, values": (
        SequenceCNNRegressor(n_filters=4, max_iter=6, random_state=0, batch_size=40), DNA, VALUES
    ),
    "codes": (
        AutoencoderTransformer(2, (9,), kind="variational", **SHORT), FRAME, None
    ),
    "codes of masked samples": (
        AutoencoderTransformer(2, (9,), kind="masked", early_stopping=True, **SHORT), FRAME, None
    ),
    "layers frozen at first": mlp(pretrained=PRETRAINED, freeze_epochs=4),
    "layers frozen at first, not cut while they are": mlp(pretrained=PRETRAINED, freeze_epochs=1),
    "tables": (TabularMLPClassifier(**TABULAR), FRAME, Y),
    "tables, values": (TabularMLPRegressor(**TABULAR), X, VALUES),
}  # fmt: skip


def assert_same(one, other, Z):
    for mine, theirs in zip(one.module_.parameters(), other.module_.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    call = "predict" if hasattr(one, "predict") else "score_samples"
    np.testing.assert_array_equal(getattr(one, call)(Z), getattr(other, call)(Z))
    assert one.loss_curve_ == other.loss_curve_
    assert one.validation_scores_ == other.validation_scores_
    assert (one.n_iter_, one.best_iter_, one.t_) == (other.n_iter_, other.best_iter_, other.t_)
    assert one.runner_ == other.runner_
    assert len(one.net_.history) == len(other.net_.history)


def cut_short(model, Z, y, folder, n_epochs=3, **params):
    """Fit a clone that ends after so many epochs; return an unfitted one that goes on."""
    model = clone(model).set_params(checkpoint=folder, checkpoint_every=1, **params)
    given = model.callbacks or []
    with pytest.raises(PowerCut):
        clone(model).set_params(callbacks=[*given, cut_after(n_epochs)]).fit(Z, y)
    return model


def count_epochs(model, Z, y):
    """Fit; return how many epochs a callback saw."""
    rows = []
    model.set_params(callbacks=[*(model.callbacks or []), rows.append]).fit(Z, y)
    return len(rows)


@pytest.mark.parametrize("name", FITS)
def test_a_fit_goes_on_to_the_same_model(name, tmp_path):
    model, Z, y = FITS[name]
    whole = clone(model).fit(Z, y)
    part = cut_short(model, Z, y, tmp_path)
    n_epochs = count_epochs(part, Z, y)
    # SciPy passes by the first iterations again, without computing them
    assert n_epochs == whole.n_iter_ - (0 if model.get_params().get("solver") == "lbfgs" else 3)
    assert_same(part, whole, Z)
    if hasattr(whole, "feature_importances_"):
        np.testing.assert_array_equal(part.feature_importances_, whole.feature_importances_)


def test_lbfgs_computes_no_point_twice(tmp_path):
    calls = []

    def loss(output, target):
        calls.append(len(output))
        return torch.nn.functional.softplus(output * (1 - 2 * target))[:, 0]

    model, Z, y = mlp(solver="lbfgs", max_iter=20, loss=loss)
    whole = clone(model).fit(Z, y)
    n_whole = len(calls)
    part = cut_short(model, Z, y, tmp_path, n_epochs=10)
    n_first = len(calls) - n_whole
    assert_same(part.fit(Z, y), whole, Z)
    n_second = len(calls) - n_whole - n_first
    assert n_second < 0.7 * n_whole


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_fit_that_had_ended_is_there_at_once(solver, tmp_path):
    model = mlp(solver=solver)[0].set_params(checkpoint=tmp_path)
    first, second = clone(model).fit(X, Y), clone(model)
    assert count_epochs(second, X, Y) == (first.n_iter_ if solver == "lbfgs" else 0)
    assert_same(second, first, X)
    assert [path.suffix for path in tmp_path.iterdir()] == [".checkpoint"]


def test_a_fit_without_a_seed_goes_on_with_the_one_that_was_drawn(tmp_path):
    model = mlp(random_state=None, early_stopping=True)[0]
    first = []
    part = cut_short(model, X, Y, tmp_path)
    part.set_params(callbacks=[lambda row: first.append(row)]).fit(X, Y)
    assert [len(first), part.n_iter_] == [3, 6]
    assert part.loss_curve_[3:] == [row["loss"] for row in first]
    again = clone(part).set_params(callbacks=None).fit(X, Y)  # None: another network each time
    assert part.loss_curve_ != again.loss_curve_
    assert len(list(tmp_path.iterdir())) == 2


def test_a_random_state_ends_where_it_would_have(tmp_path):
    whole, end = mlp()[0], np.random.RandomState(3)
    whole.set_params(random_state=end).fit(X, Y)
    part = cut_short(whole, X, Y, tmp_path, random_state=np.random.RandomState(3))
    other = np.random.RandomState(3)
    assert_same(part.set_params(random_state=other).fit(X, Y), whole, X)
    assert other.randint(10**9) == end.randint(10**9)


def test_a_fit_that_goes_on_from_an_earlier_one_has_a_checkpoint_of_its_own(tmp_path):
    model = mlp(warm_start=True)[0]
    whole = clone(model).fit(X, Y).fit(X[:150], Y[:150])
    first = clone(model).fit(X, Y)
    first.set_params(checkpoint=tmp_path, checkpoint_every=1, callbacks=[cut_after(2)])
    with pytest.raises(PowerCut):
        first.fit(X[:150], Y[:150])
    second = clone(model).fit(X, Y).set_params(checkpoint=tmp_path)
    assert count_epochs(second, X[:150], Y[:150]) == 4
    assert_same(second, whole, X)


@pytest.mark.parametrize("stop", ["callback", "diverged"])
def test_what_ends_a_fit_ends_it_again(stop, tmp_path):
    params = {"solver": "sgd", "learning_rate_init": 1e200} if stop == "diverged" else {}
    model = mlp(checkpoint=tmp_path, callbacks=[lambda row: row["loss"] < 9], **params)[0]
    if stop == "diverged":
        for _ in range(2):
            with pytest.raises(ValueError, match="not finite"):
                clone(model).fit(X, Y)
    else:
        first, second = clone(model).fit(X, Y), clone(model).fit(X, Y)
        assert_same(second, first, X)
        assert second.n_iter_ == 1


def test_a_time_limit_counts_all_parts_of_a_fit(tmp_path):
    model = TabularMLPClassifier(**TABULAR, time_limit=1000)
    part = cut_short(model, X, Y, tmp_path, n_epochs=1)
    (path,) = tmp_path.iterdir()
    head, content = unpack(path.read_bytes())
    assert 0 < content["seconds"] < 1000
    path.write_bytes(pack(head, {**content, "seconds": 2000.0}))  # as if it had taken so long
    assert part.fit(X, Y).n_iter_ == 2
    path.write_bytes(pack(head, content))
    assert part.fit(X, Y).n_iter_ == 6


class Counter(Callback):
    """Counts epochs, in numbers, arrays and tensors of its own."""

    def initialize(self):
        self.n_, self.losses_, self.total_ = 0, [], torch.zeros(1)
        return self

    def on_epoch_end(self, net, **kwargs):
        self.n_ += 1
        self.losses_.append(net.history[-1, "train_loss"])
        self.total_ += 1


def test_callbacks_go_on_with_what_they_have_noted(tmp_path):
    skorchs = [
        EarlyStopping("train_loss", patience=3, threshold=0.5),
        LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=2),
        Checkpoint(monitor=None, dirname=tmp_path / "skorch"),
    ]
    model = mlp(max_iter=12, learning_rate_init=0.5)[0]
    whole = clone(model).set_params(callbacks=[Counter(), *skorchs]).fit(X, Y)
    part = cut_short(model.set_params(callbacks=[Counter(), *skorchs]), X, Y, tmp_path / "ours")
    counter = Counter()
    part.set_params(callbacks=[counter, *skorchs]).fit(X, Y)
    assert_same(part, whole, X)
    assert whole.n_iter_ < 12  # skorch has stopped it
    assert counter.losses_ == part.loss_curve_
    assert (counter.n_, counter.total_.item()) == (part.n_iter_, part.n_iter_)
    assert os.listdir(tmp_path / "skorch")


def test_only_what_changes_the_model_makes_another_fit(tmp_path):
    model = cut_short(mlp()[0], X, Y, tmp_path)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "checkpoint=")
        assert count_epochs(clone(model).set_params(verbose=1, checkpoint_every="1h"), X, Y) == 3


@pytest.mark.parametrize(
    ("params", "samples", "difference"),
    [
        ({"alpha": 0.5}, slice(None), "alpha was 0.0001 and is 0.5 now"),
        ({"max_iter": 7}, slice(None), "max_iter was 6 and is 7 now"),
        (
            {"callbacks": [EarlyStopping("train_loss")]},
            slice(None),
            "callbacks was .* and is .*EarlyStopping",
        ),
        ({}, slice(100), "the data were others"),
    ],
)
def test_a_fit_with_other_parameters_or_data_begins_anew(params, samples, difference, tmp_path):
    model = cut_short(mlp()[0], X, Y, tmp_path).set_params(**params)
    with pytest.warns(UserWarning, match=f"after 3 epochs, but {difference}.*begins anew"):
        model.fit(X[samples], Y[samples])
    whole = clone(model).set_params(checkpoint=None).fit(X[samples], Y[samples])
    assert_same(model, whole, X)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("damage", ["cut", "changed", "another file"])
def test_a_damaged_file_is_replaced_with_a_warning(damage, tmp_path):
    model = cut_short(mlp()[0], X, Y, tmp_path)
    (path,) = tmp_path.iterdir()
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    damaged = {"cut": content[: len(content) // 2], "changed": content, "another file": b"PK\3\4"}
    path.write_bytes(damaged[damage])
    with pytest.warns(UserWarning, match=r"cannot be read: it is n.*The fit begins anew"):
        assert count_epochs(model, X, Y) == 6
    assert_same(model, mlp()[0].fit(X, Y), X)
    assert count_epochs(clone(model).set_params(callbacks=None), X, Y) == 0


def test_another_way_to_compute_epochs_is_said(tmp_path):
    class Watcher(Callback):
        def on_batch_end(self, net, **kwargs):
            """Look at batches, so that only autograd will do."""

    model = cut_short(mlp()[0], X, Y, tmp_path)
    with pytest.warns(UserWarning, match="those to come are by 'autograd'"):
        model.set_params(callbacks=[Watcher()]).fit(X, Y)
    np.testing.assert_allclose(model.predict_proba(X), mlp()[0].fit(X, Y).predict_proba(X))


@pytest.mark.parametrize("every", [2, "1.5s", "3 min", "1h", timedelta(seconds=2), None])
def test_checkpoints_are_written_as_often_as_the_user_says(every, tmp_path):
    model = mlp()[0].set_params(checkpoint=tmp_path / "made", checkpoint_every=every)
    seen = set()

    def look(row):
        (path,) = (tmp_path / "made").glob("*.checkpoint")
        seen.add(path.stat().st_mtime_ns)

    model.set_params(callbacks=[look]).fit(X, Y)
    assert len(seen) == (3 if every == 2 else 1)  # before the first epoch, after two and four


@pytest.mark.parametrize("every", ["soon", "-3s", "0s", timedelta(0), "3"])
def test_a_time_that_is_none_is_refused(every, tmp_path):
    with pytest.raises(ValueError, match=r"checkpoint_every must be .* such as '30s'"):
        mlp()[0].set_params(checkpoint=tmp_path, checkpoint_every=every).fit(X, Y)


def test_partial_fit_is_refused(tmp_path):
    with pytest.raises(ValueError, match="partial_fit writes no checkpoints, but checkpoint="):
        mlp()[0].set_params(checkpoint=tmp_path).partial_fit(X, Y, classes=[0, 1])


def test_a_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"checkpoint='.*file' cannot be used: .*Give a folder"):
        mlp()[0].set_params(checkpoint=tmp_path / "file").fit(X, Y)


@pytest.mark.parametrize("bootstrap", [False, True])
@pytest.mark.parametrize("kind", [DeepEnsembleClassifier, DeepEnsembleRegressor])
@pytest.mark.filterwarnings("error:checkpoint=")  # members differ, as they are to
def test_an_ensemble_goes_on_to_the_same_members(kind, bootstrap, tmp_path):
    member = DeepMLPClassifier() if kind is DeepEnsembleClassifier else DeepMLPRegressor()
    member.set_params(**{**SHORT, "random_state": None}, hidden_layer_sizes=(9,), dropout=0.1)
    ensemble = kind(member, n_members=3, bootstrap=bootstrap, random_state=1)
    whole = clone(ensemble).fit(X, Y)
    ensemble.set_params(checkpoint=tmp_path, checkpoint_every=1)
    with pytest.raises(PowerCut):  # in the second member
        clone(ensemble).set_params(estimator__callbacks=[cut_after(8)]).fit(X, Y)
    rows = []
    part = clone(ensemble).set_params(estimator__callbacks=[rows.append]).fit(X, Y)
    assert len(rows) == 4 + 6
    for mine, theirs in zip(part.estimators_, whole.estimators_, strict=True):
        assert_same(mine, theirs, X)


def test_an_ensemble_that_had_ended_is_there_at_once(tmp_path):
    member = DeepMLPClassifier((9,), **SHORT)
    ensemble = DeepEnsembleClassifier(member, n_members=3, random_state=1)
    whole = clone(ensemble).fit(X, Y)
    first, second = (clone(ensemble).set_params(checkpoint=tmp_path).fit(X, Y) for _ in range(2))
    for one, other, third in zip(*(e.estimators_ for e in (whole, first, second)), strict=True):
        assert_same(one, other, X)
        assert_same(one, third, X)
        assert one.runner_ == "stacked"
        assert other.history_["time"] == third.history_["time"]


def test_an_ensemble_without_a_seed_goes_on_with_the_one_that_was_drawn(tmp_path):
    member = DeepMLPClassifier((9,), dropout=0.1, **SHORT)
    ensemble = DeepEnsembleClassifier(member, n_members=3, checkpoint=tmp_path, checkpoint_every=1)
    with pytest.raises(PowerCut):
        clone(ensemble).set_params(estimator__callbacks=[cut_after(8)]).fit(X, Y)
    rows = []
    first = clone(ensemble).set_params(estimator__callbacks=[rows.append]).fit(X, Y)
    assert len(rows) == 4 + 6
    second = clone(ensemble).fit(X, Y)
    assert (first.predict_proba(X) != second.predict_proba(X)).any()


def test_clones_in_threads_share_a_folder(tmp_path):
    models = [mlp(checkpoint=tmp_path, random_state=seed)[0] for seed in (0, 0, 0, 1, 2)]
    threads = [threading.Thread(target=model.fit, args=(X, Y)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for model in models:
        whole = clone(model).set_params(checkpoint=None).fit(X, Y)
        assert_same(model, whole, X)


def test_clones_in_processes_share_a_folder(tmp_path):
    model = mlp(max_iter=3)[0]
    whole = GridSearchCV(model, {"alpha": [0.1, 1.0]}, cv=2).fit(X, Y)
    model.set_params(checkpoint=tmp_path)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "checkpoint=")  # candidates differ, as they are to
        for n_jobs in (2, None):
            search = GridSearchCV(model, {"alpha": [0.1, 1.0]}, cv=2, n_jobs=n_jobs).fit(X, Y)
            assert_same(search.best_estimator_, whole.best_estimator_, X)
    assert len(list(tmp_path.iterdir())) == 5
    scores = cross_val_score(model.set_params(alpha=0.1), X, Y, cv=2)
    assert scores.tolist() == [search.cv_results_[f"split{i}_test_score"][0] for i in (0, 1)]
    assert len(list(tmp_path.iterdir())) == 5


#: ends as if killed where the file of this number is written, but has not yet its name
KILLED = """
import os, signal, sys, warnings
import torch
warnings.simplefilter("ignore")
torch.set_num_threads(1)
from tests.deep.test_checkpoint import make_long_fit

kind, folder, n_left = sys.argv[1], sys.argv[2], int(sys.argv[3])
model, X, y = make_long_fit(kind)


def kill(event, arguments):
    global n_left
    if event == "os.rename" and str(arguments[1]).startswith(folder):
        n_left -= 1
        if not n_left:
            os.kill(os.getpid(), signal.SIGKILL)


sys.addaudithook(kill)
model.set_params(checkpoint=folder).fit(X, y)
print("ends")
"""


def read_chunks():
    """Yield more samples than are held in memory, in chunks with their y."""
    Z = np.random.RandomState(0).randn(54_000, 40)
    for start in range(0, len(Z), 9000):
        part = Z[start : start + 9000]
        yield part, (part[:, 0] > part[:, 1] * part[:, 2]).astype(int)


def make_long_fit(kind):
    """Return a model whose fit writes checkpoints often, and its data.

    No fit is long enough for compiled steps, or it has layer normalization: whether such steps are
    ready may change while other tests run.
    """
    if kind == "source":
        model = DeepMLPClassifier((16,), max_iter=4, tol=0, random_state=0, early_stopping=True)
        return model.set_params(checkpoint_every=1, normalization="layer"), read_chunks, None
    Z, y = make_classification(1500, 20, random_state=0)
    mlp = DeepMLPClassifier(max_iter=40, tol=0, n_iter_no_change=10**6, random_state=0)
    if kind == "ensemble":
        return DeepEnsembleClassifier(mlp, 3, random_state=0, checkpoint_every=10), Z, y
    mlp.set_params(checkpoint_every=10)
    model = {
        "network": clone(mlp).set_params(normalization="layer"),
        "tables": TabularMLPClassifier(n_members=2, max_iter=6, checkpoint_every=2, random_state=0),
        "search": BatchedGridSearchCV(mlp, {"alpha": [0.1, 1.0]}, cv=2),
    }[kind]
    return model, Z, y


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize(
    ("kind", "n_files"),
    [("network", 3), ("ensemble", 3), ("tables", 2), ("search", 4), ("source", 3)],
)
def test_a_killed_process_loses_nothing(kind, n_files, tmp_path):
    model, Z, y = make_long_fit(kind)
    assert torch.get_num_threads() == 1  # as in the process that is killed
    whole = clone(model).fit(Z, y).predict_proba(Z)
    done = apart.run(KILLED, kind, tmp_path, n_files)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, ""), done.stderr
    assert list(tmp_path.rglob("Stack*" if kind in ("ensemble", "search") else "*.checkpoint"))
    model.set_params(checkpoint=tmp_path)
    np.testing.assert_array_equal(model.fit(Z, y).predict_proba(Z), whole)
    assert all(path.suffix == ".checkpoint" for path in tmp_path.iterdir())

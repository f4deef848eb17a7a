"""Fits that two processes make together; run as ``python -m`` with rank, folder of results.

Each rank writes what its fits ended in. The tests compare that between ranks, and with one process.
"""

import contextlib
import io
import os
import pickle
import signal
import sys
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from scipy import sparse
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback, EpochScoring, Freezer, GradientNormClipping

from sknn import (
    DeepMLPClassifier,
    DeepMLPRegressor,
    SequenceCNNClassifier,
    TabularMLPClassifier,
    TabularMLPRegressor,
)
from sknn.engine._spawn import INTERFACE, LOOPBACK
from sknn.model_selection import BatchedGridSearchCV
from tests import apart
from tests.engine.distributed import networks

RANDOM = np.random.default_rng(0)
#: 103 samples in batches of 16 leave a last one of 7
X = RANDOM.normal(size=(103, 5))
Y = X[:, 0] - 2 * X[:, 1] ** 2 + 0.1 * RANDOM.normal(size=103)
LABELS = np.digitize(Y, [-2.0, 0.0])
WEIGHT = RANDOM.uniform(0.1, 3.0, size=103)
WEIGHT[:5] = 0.0
X_VAL, Y_VAL = RANDOM.normal(size=(31, 5)), RANDOM.normal(size=31)
COMMON = {"max_iter": 5, "random_state": 0, "batch_size": 16, "dtype": "float64"}
SEQUENCES = ["".join(row) for row in RANDOM.choice(list("ACGT"), size=(60, 20))]
TWO = np.column_stack([Y, Y**2])
TWO_WITH_MISSING = np.where(RANDOM.random(TWO.shape) < 0.2, np.nan, TWO)


def classifier(**params):
    return DeepMLPClassifier((8, 6), **{**COMMON, **params})


def regressor(**params):
    return DeepMLPRegressor(hidden_layer_sizes=(8, 6), **{**COMMON, **params})


def read_chunks():
    """Yield samples a chunk at a time."""
    for start in range(0, len(X), 40):
        yield X[start : start + 40], Y[start : start + 40]


#: what lets gloo talk within this machine
ON_LOOPBACK = {INTERFACE: LOOPBACK[sys.platform]} if sys.platform in LOOPBACK else {}
CHECKPOINT = "from a checkpoint"
#: name -> estimator, positional and keyword arguments of fit
FITS = {
    "weights": (classifier(), (X, LABELS, WEIGHT), {}),
    "early stopping": (
        classifier(early_stopping=True, n_iter_no_change=1, max_iter=12, learning_rate_init=0.1),
        (X, LABELS, WEIGHT),
        {},
    ),
    "a validation set and a scorer": (
        regressor(early_stopping=True, scoring="neg_mean_absolute_error"),
        (X, Y),
        {"X_val": X_VAL, "y_val": Y_VAL},
    ),
    "sparse X": (classifier(), (sparse.csr_matrix(np.where(X > 0, X, 0)), LABELS), {}),
    "dropout": (classifier(dropout=[0.5, 0.2]), (X, LABELS), {}),
    "momentum and penalties": (
        regressor(
            solver="sgd", l1_ratio=0.4, alpha=0.1, max_grad_norm=0.3, learning_rate="adaptive"
        ),
        (X, Y, WEIGHT),
        {},
    ),
    "a rate for each step": (
        regressor(learning_rate="one_cycle", solver="nadam", warmup_epochs=0.5),
        (X, Y),
        {},
    ),
    "decay of what is used": (
        DeepMLPRegressor(
            module=networks.HasUnused,
            solver=torch.optim.AdamW,
            solver__weight_decay=0.1,
            loss=networks.squared,
            **COMMON,
        ),
        (X, Y),
        {},
    ),
    "batches smaller than the world": (regressor(batch_size=1, max_iter=2), (X[:40], Y[:40]), {}),
    "missing targets": (regressor(loss="squared_error"), (X, TWO_WITH_MISSING), {}),
    "layers that are frozen": (classifier(callbacks=[Freezer("linears.0.*")]), (X, LABELS), {}),
    "gradients that a callback clips": (
        regressor(callbacks=[GradientNormClipping(0.3)], early_stopping=True),
        (X, Y),
        {},
    ),
    "layer normalization": (
        classifier(normalization="layer", residual=True, hidden_width=8, n_hidden_layers=3),
        (X, LABELS),
        {},
    ),
    "chunks": (regressor(), (read_chunks,), {}),
    "no shuffling": (regressor(shuffle=False), (X, Y), {}),
    "sequences": (
        SequenceCNNClassifier(8, kernel_size=5, batch_norm=False, dropout=0.3, **COMMON),
        (SEQUENCES, LABELS[:60] > 0),
        {},
    ),
    "a limit of time that is not reached": (
        TabularMLPRegressor(n_members=2, hidden_width=4, time_limit=1000.0, **COMMON),
        (X, Y),
        {},
    ),
    "a tabular ensemble": (
        TabularMLPRegressor(n_members=3, hidden_width=8, **COMMON),
        (X, Y, WEIGHT),
        {},
    ),
    "lbfgs": (
        classifier(solver="lbfgs", alpha=0.1, early_stopping=True),
        (X, LABELS, WEIGHT),
        {"X_val": X_VAL, "y_val": (Y_VAL > 0).astype(int)},
    ),
    "lbfgs of a module": (
        DeepMLPRegressor(module=networks.HasUnused, **COMMON, solver="lbfgs"),
        (X, Y),
        {},
    ),
    "lbfgs of sparse X": (
        regressor(solver="lbfgs", max_iter=3),
        (sparse.csr_matrix(np.where(X > 0, X, 0)), Y),
        {},
    ),
    "lbfgs of one sample": (regressor(solver="lbfgs"), (X[:1], Y[:1]), {}),
    "tabular classes": (
        TabularMLPClassifier(n_members=2, hidden_width=8, class_weight="balanced", **COMMON),
        (X, LABELS),
        {},
    ),
}


def describe(model, X):
    """Return what a fitted estimator has that is to be equal."""
    return {
        "weights": {
            k: v.numpy() for k, v in model.module_.state_dict().items() if "_extra" not in k
        },
        "loss_curve_": model.loss_curve_,
        "validation_scores_": model.validation_scores_,
        "validation_loss_curve_": model.validation_loss_curve_,
        "history_": model.history_,
        "best_iter_": model.best_iter_,
        "n_iter_": model.n_iter_,
        "t_": model.t_,
        "predictions": np.asarray(model.predict(X), dtype=float),
        "runner_": model.runner_,
    }


def fit(name, **params):
    """Return what an estimator has of `FITS`, fitted."""
    model, arguments, keywords = FITS[name]
    model = pickle.loads(pickle.dumps(model)).set_params(**params)
    model.fit(*arguments, **keywords)
    return describe(model, X if callable(arguments[0]) else arguments[0])


def fit_twice(**params):
    """Return what an estimator has that went on training its network, once by partial_fit."""
    model = regressor(warm_start=True, max_iter=2, **params).fit(X, Y).fit(X, Y)
    model.partial_fit(X, Y)
    return describe(model, X)


def fit_without_seed(**params):
    """Return what an estimator has that draws a seed of its own."""
    model = classifier(random_state=None, early_stopping=True, dropout=0.2, **params)
    model.fit(X, LABELS)
    return describe(model, X)


class Interrupt(Callback):
    """Presses Ctrl-C in the middle of the second epoch."""

    n_batches = 0

    def on_batch_end(self, net, batch=None, training=None, **kwargs):
        self.n_batches += training
        if self.n_batches == 8 and training:
            os.kill(os.getpid(), signal.SIGINT)


def fit_interrupted(**params):
    """Return what an estimator has that went on after Ctrl-C in its second epoch."""
    params |= {"callbacks": [Interrupt()], "early_stopping": True, "dropout": 0.3}
    model = regressor(warm_start=True, **params)
    model.fit(X, Y)
    assert model._result.progress.stopped_because == "interrupted"
    assert model.n_iter_ == 1
    model.fit(X, Y)
    return describe(model, X)


def fit_from_checkpoint(folder, **params):
    """Return what an estimator has that went on where one failed, by files of the first process."""

    def fail(row):
        if (folder / "fail").exists() and row["loss"] and len(seen) == 2:
            raise OSError("pulled the plug")
        seen.append(row)

    seen, rank = [], dist.get_rank()
    own = folder / str(rank)
    model = regressor(checkpoint=own, checkpoint_every=1, callbacks=[fail], **params)
    if rank == 0:
        (folder / "fail").touch()
    dist.barrier()
    with contextlib.suppress(OSError, RuntimeError):
        model.fit(X, Y)
    dist.barrier()
    if rank == 0:
        (folder / "fail").unlink()
    dist.barrier()
    model.fit(X, Y)
    assert len(list(own.glob("*.checkpoint"))) == (rank == 0)
    assert len(seen) == (5 if rank == 0 else 0)  # two before the failure, three after it
    return describe(model, X)


def search(kind=GridSearchCV, **params):
    """Return what the best estimator of a search has."""
    model = regressor(max_iter=2, **params)
    found = kind(model, {"alpha": [0.1, 10.0]}, cv=2).fit(X, Y)
    return describe(found.best_estimator_, X)


def watch(**params):
    """Return what callbacks and printing did in this process, and how many epochs there were."""
    seen, out, shapes = [], io.StringIO(), set()

    class SeeBatches(Callback):
        def on_batch_end(self, net, batch, training, y_pred, **kwargs):
            if training:
                shapes.add((len(batch[0]), *y_pred.shape))

    def stop_after_three(row):
        seen.append(row["loss"])
        return len(seen) == 3

    scoring = EpochScoring("neg_mean_squared_error", name="error", lower_is_better=False)
    with contextlib.redirect_stdout(out):
        model = regressor(
            callbacks=[stop_after_three, scoring, SeeBatches()], verbose=2, **params
        ).fit(X, Y)
    return {
        "seen": len(seen),
        "shapes": shapes,
        "printed": out.getvalue(),
        "n_iter_": model.n_iter_,
    }


def fail_in_callback(rank, **params):
    """Fail in the first process, after an epoch."""

    def fail(row):
        raise ZeroDivisionError("in a callback")

    regressor(callbacks=[fail], **params).fit(X, Y)


def fail_in_finish(rank, **params):
    """Fail in the second process, once the network is trained."""
    model = regressor(**params)
    if rank == 1:
        finish = model._finish
        model._finish = lambda plan, result: finish(plan, None)
    model.fit(X, Y)


def give_other_samples(rank, **params):
    """Give the second process other samples and other parameters."""
    regressor(alpha=0.1 * (1 + rank), **params).fit(X + rank, Y)


#: name -> what fails in one process or in both
FAILURES = {
    "callback": fail_in_callback,
    "finish": fail_in_finish,
    "other samples": give_other_samples,
    "other y": lambda rank, **params: regressor(**params).fit(X, Y if rank else LABELS),
    "missing values": lambda rank, **params: DeepMLPRegressor(
        module=networks.HasUnused, **COMMON, **params
    ).fit(np.full_like(X, np.inf) if rank else X, Y),
    "means over samples": lambda rank, **params: DeepMLPRegressor(
        module=networks.Centered, **COMMON, **params
    ).fit(X, Y),
    "network": lambda rank, **params: DeepMLPRegressor(
        module=networks.FailsOnSecond, **COMMON, **params
    ).fit(X, Y),
    "lost": lambda rank, **params: DeepMLPRegressor(
        module=networks.EndsSecond, **COMMON, **params
    ).fit(X, Y),
}
OTHERS = {
    "going on": fit_twice,
    "no seed": fit_without_seed,
    "Ctrl-C": fit_interrupted,
    "search": search,
    "batched search": partial(search, BatchedGridSearchCV),
}


def run(rank, folder):
    """Make all fits, and write what they ended in after each."""
    found, world = {}, {"n_processes": "world"}
    jobs = {name: lambda name=name: fit(name, **world) for name in FITS}
    jobs |= {n: lambda make=make: make(**world) for n, make in OTHERS.items()}
    jobs[CHECKPOINT] = lambda: fit_from_checkpoint(folder, **world)
    jobs["watched"] = lambda: watch(**world)
    jobs |= {n: lambda make=make: make(rank, **world) for n, make in FAILURES.items()}
    for name, job in jobs.items():
        try:
            found[name] = job()
        except BaseException as error:
            found[name] = f"{type(error).__name__}: {error}"
        (folder / f"{rank}.pickle").write_bytes(pickle.dumps(found))


def run_two(module, folder):
    """Run a module in two processes; return their exit codes, and what they wrote to stderr."""
    code = f"import runpy; runpy.run_module({module!r}, run_name='__main__')"
    places = [folder / f"process {rank}" for rank in range(2)]
    for place in places:
        place.mkdir()
    processes = [
        apart.start(code, rank, folder, folder=place, **ON_LOOPBACK)
        for rank, place in enumerate(places)
    ]
    try:
        for process in processes:
            process.join(apart.LIMIT)
    finally:
        for process in processes:
            process.kill()
            process.join()
    errors = [(place / "err").read_text(encoding="utf-8") for place in places]
    return [process.exitcode for process in processes], "".join(errors)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    own_rank, where = int(sys.argv[1]), Path(sys.argv[2])
    dist.init_process_group("gloo", f"file://{where / 'meeting'}", rank=own_rank, world_size=2)
    run(own_rank, where)

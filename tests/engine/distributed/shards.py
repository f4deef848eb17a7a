"""Fits of two processes with samples of their own; run as ``python -m`` with rank and folder."""

import pickle
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.distributed as dist
from scipy import sparse
from skorch.callbacks import Callback

from sknn import (
    DeepMLPClassifier,
    DeepMLPRegressor,
    SequenceCNNClassifier,
    TabularMLPClassifier,
    TabularMLPRegressor,
)
from tests.engine.distributed import networks
from tests.engine.distributed.fits import (
    LABELS,
    SEQUENCES,
    WEIGHT,
    X_VAL,
    Y_VAL,
    X,
    Y,
    classifier,
    describe,
    regressor,
)

N = len(X)
#: the first process has more samples than the second one, which alone has the last class
N_FIRST = 70
CLASSES = np.where(np.arange(N) == N - 1, 7, LABELS)
RANDOM = np.random.default_rng(1)
FRAME = pd.DataFrame(X, columns=list("abcde")).assign(
    city=np.where(np.arange(N) < 40, "Oslo", RANDOM.choice(["Bern", "Rome"], N)),
    size=pd.Categorical(RANDOM.choice(["small", "large"], N)),
)
FRAME.loc[N - 1, "city"] = "seen by the second"
FRAME.loc[3, "a"] = np.nan
#: all samples are one mini-batch, as processes have other samples of smaller ones than one has
WHOLE = {"batch_size": N}
WHOLE_SMALL = {**WHOLE, "max_iter": 4, "random_state": 0, "dtype": "float64"}
MEMBERS = {"n_members": 2, "hidden_width": 8, "dropout": 0.0, **WHOLE_SMALL}
LEARNING = {"max_iter": 60, "learning_rate_init": 0.02, "early_stopping": True}
#: name -> estimator, X, y and weights; keyword arguments of fit
SAME_AS_ONE = {
    "weights": (classifier(**WHOLE), (X, CLASSES, WEIGHT), {}),
    "balanced classes": (
        classifier(**WHOLE, class_weight="balanced", scale="standard"),
        (X, LABELS, WEIGHT),
        {},
    ),
    "dropout": (classifier(**WHOLE, dropout=0.4, shuffle=False), (X, CLASSES), {}),
    "a frame": (regressor(**WHOLE, scale="quantile"), (FRAME, Y), {}),
    "a validation set": (
        regressor(**WHOLE, early_stopping=True, max_iter=8, scoring="loss"),
        (X, Y, WEIGHT),
        {"X_val": X_VAL, "y_val": Y_VAL},
    ),
    "several targets": (regressor(**WHOLE), (X, np.column_stack([Y, -Y])), {}),
    "sparse X": (classifier(**WHOLE), (sparse.csr_matrix(np.where(X > 0, X, 0)), CLASSES), {}),
    "sequences": (
        SequenceCNNClassifier(8, kernel_size=5, batch_norm=False, dropout=0.0, **WHOLE_SMALL),
        (SEQUENCES, CLASSES[-60:] > 0),
        {},
    ),
    "members that hold samples out": (TabularMLPRegressor(**MEMBERS), (FRAME, Y, WEIGHT), {}),
    "members of classes": (TabularMLPClassifier(**MEMBERS), (FRAME, LABELS), {}),
}


def take(values, own):
    """Return some samples of X, y or weights."""
    return values.iloc[own] if hasattr(values, "iloc") else values[own]


def share(arrays, rank):
    """Return the samples of a process."""
    n_first = min(N_FIRST, arrays[0].shape[0] - 20 if hasattr(arrays[0], "shape") else 45)
    own = slice(0, n_first) if rank == 0 else slice(n_first, None)
    return [take(values, own) for values in arrays]


def fit_same(name, rank=None):
    """Return what an estimator has, fitted on shards or, without a rank, on all samples."""
    model, arrays, keywords = SAME_AS_ONE[name]
    model = pickle.loads(pickle.dumps(model))
    if rank is None:
        model.fit(*arrays, **keywords)
    else:
        model.set_params(n_processes="shards").fit(*share(arrays, rank), **keywords)
    return describe_with_scales(model, arrays[0])


def describe_with_scales(model, X):
    """Return what a fitted estimator has that is to be equal."""
    extra = {
        name: getattr(model, name)
        for name in ("classes_", "target_mean_", "target_scale_", "n_features_in_")
        if hasattr(model, name)
    }
    return {**describe(model, X), **extra}


def fit_batches(rank, **params):
    """Return what an estimator has that was trained by mini-batches, and stopped early."""
    model = classifier(**{**LEARNING, **params}, n_processes="shards")
    model.fit(*share((X, CLASSES, WEIGHT), rank))
    return describe_with_scales(model, X)


def fit_chunks(rank):
    """Return what an estimator has whose samples are read in chunks, some of them held out."""
    own = share((X, Y, WEIGHT), rank)

    def read():
        for start in range(0, len(own[0]), 25):
            yield tuple(values[start : start + 25] for values in own)

    model = regressor(n_processes="shards", early_stopping=True, validation_fraction=0.3)
    return describe_with_scales(model.fit(read), X)


def fit_twice(rank):
    """Return what an estimator has that goes on with the network of its first fit."""
    model = regressor(n_processes="shards", warm_start=True, max_iter=2)
    own = share((X, Y), rank)
    return describe_with_scales(model.fit(*own).fit(*own), X)


def fit_from_checkpoint(rank, folder):
    """Return what an estimator has that went on where one failed, and one that did not fail."""
    own, seen = share((X, Y, WEIGHT), rank), []

    def fail(row):
        seen.append(row["loss"])
        if len(seen) == 3:
            raise OSError("pulled the plug")

    params = {"n_processes": "shards", "dropout": 0.2, "early_stopping": True, "max_iter": 6}
    model = regressor(**params, checkpoint=folder / "shards", checkpoint_every=1, callbacks=[fail])
    try:
        model.fit(*own)
    except (OSError, RuntimeError):
        found = model.fit(*own)
    assert len(seen) == (7 if rank == 0 else 0)  # three before the failure, four after it
    undisturbed = regressor(**params).fit(*own)
    return [describe_with_scales(one, X) for one in (found, undisturbed)]


def watch(rank):
    """Return the numbers of samples that a callback has seen of mini-batches in this process."""

    class SeeBatches(Callback):
        def on_batch_end(self, net, batch, training, y_pred, **kwargs):
            if training:
                sizes.append((len(batch[0]), len(batch[1]), len(y_pred)))

    sizes = []
    model = regressor(n_processes="shards", callbacks=[SeeBatches()], max_iter=1)
    model.fit(*share((X, Y), rank))
    return sizes


OTHERS = {
    "mini-batches": fit_batches,
    "chunks": fit_chunks,
    "going on": fit_twice,
    "no seed": lambda rank: fit_batches(rank, random_state=None, max_iter=3),
    "no shuffling": lambda rank: fit_batches(rank, shuffle=False, max_iter=3),
}


def fail_in(rank, X, y, weight=None, **params):
    """Fit what cannot be."""
    DeepMLPClassifier(**params, n_processes="shards").fit(*share((X, y), rank), weight)


#: name -> what fails in one process or in both
FAILURES = {
    "missing values": lambda rank: fail_in(rank, np.where(rank, np.inf, X), CLASSES),
    "columns": lambda rank: fail_in(rank, X[:, : 4 + rank], CLASSES),
    "names": lambda rank: fail_in(rank, FRAME.rename(columns={"a": f"a{rank}"}), CLASSES),
    "kinds of labels": lambda rank: fail_in(rank, X, CLASSES if rank else CLASSES.astype(str)),
    "kinds of columns": lambda rank: fail_in(
        rank, FRAME.assign(e=FRAME.city) if rank else FRAME, CLASSES
    ),
    "weights of one": lambda rank: fail_in(
        rank, X, CLASSES, WEIGHT[:N_FIRST] if rank == 0 else None
    ),
    "no weight": lambda rank: fail_in(rank, X, CLASSES, None if rank == 0 else np.zeros(33)),
    "too small batches": lambda rank: fail_in(rank, X, CLASSES, batch_size=1),
    "means over samples": lambda rank: DeepMLPRegressor(
        module=networks.Centered, n_processes="shards"
    ).fit(*share((X, Y), rank)),
    "a callback": lambda rank: fail_in(rank, X, CLASSES, callbacks=[lambda row: 1 / 0]),
    "sources that change": lambda rank: fit_what_changes(rank),
}


def fit_what_changes(rank):
    """Fit a source that gives fewer samples after the first pass, in the second process."""
    own, calls = share((X, Y), rank), []

    def read():
        calls.append(1)
        n = 10 if len(calls) > 1 and rank == 1 else None
        yield tuple(values[:n] for values in own)

    regressor(n_processes="shards").fit(read)


def run(rank, folder):
    """Make all fits, and write what they ended in after each."""
    found = {}
    jobs = {name: lambda rank, name=name: fit_same(name, rank) for name in SAME_AS_ONE}
    jobs |= {**OTHERS, "watched": watch, **FAILURES}
    jobs["from a checkpoint"] = lambda rank: fit_from_checkpoint(rank, folder)
    for name, job in jobs.items():
        try:
            found[name] = job(rank)
        except BaseException as error:
            found[name] = f"{type(error).__name__}: {error}"
    (folder / f"{rank}.pickle").write_bytes(pickle.dumps(found))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    own_rank, where = int(sys.argv[1]), Path(sys.argv[2])
    dist.init_process_group("gloo", f"file://{where / 'meeting'}", rank=own_rank, world_size=2)
    run(own_rank, where)

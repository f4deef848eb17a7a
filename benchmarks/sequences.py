"""Sequence networks on real sets of DNA, beside logistic regression on counts of k-mers.

``python -m benchmarks.sequences FOLDER`` prints a line for each set and seed: AUC, Matthews'
correlation and accuracy on the test samples, the epochs of the fit and its processor time; and a
table of medians beside the baseline's. FOLDER has ``gue/<set>/{train,dev,test}.csv.gz``,
``deepbind_encode/<set>_{AC,B}.seq.gz``, ``uci_splice`` and ``uci_promoters``. Networks are at their
defaults; where a set has development samples these say when to stop. ``--sets`` names some sets,
``--small N`` trains on N samples of each (and as many eighths for validation), ``--seeds`` is the
number of seeds, ``--params`` has parameters of the network, such as ``n_filters=128``.
"""

import argparse
import ast
import time
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import accuracy_score, matthews_corrcoef, roc_auc_score
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from sknn import SequenceCNNClassifier
from sknn.preprocessing import dinucleotide_shuffle

GUE = ("tf_3", "mouse_2", "prom_core_tata")
FACTORS = ("ELK1", "GABPA", "REST")
SETS = (*GUE, *FACTORS, "uci_splice", "uci_promoters")
#: strengths of the baseline's penalty among which it chooses
STRENGTHS = (0.01, 0.1, 1.0)


@dataclass
class SequenceSet:
    """Sequences and labels to train on, to test on, and perhaps to stop by."""

    name: str
    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    X_dev: np.ndarray | None = None
    y_dev: np.ndarray | None = None

    def take(self, n: int, seed: int) -> "SequenceSet":
        """Return the set with n training samples, drawn at random, and an eighth to stop by."""
        draw = np.random.RandomState(seed).permutation
        chosen = draw(len(self.X))[:n]
        small = replace(self, X=self.X[chosen], y=self.y[chosen])
        if self.X_dev is None:
            return small
        chosen = draw(len(self.X_dev))[: n // 8]
        return replace(small, X_dev=self.X_dev[chosen], y_dev=self.y_dev[chosen])


def load(name: str, folder: Path) -> SequenceSet:
    if name in GUE:
        tables = [
            pd.read_csv(folder / "gue" / name / f"{p}.csv.gz") for p in ("train", "test", "dev")
        ]
        parts = [(t["sequence"].to_numpy(str), t["label"].to_numpy()) for t in tables]
        return SequenceSet(name, *parts[0], *parts[1], *parts[2])
    if name in FACTORS:
        (train,) = (folder / "deepbind_encode").glob(f"{name}_*_AC.seq.gz")
        (test,) = (folder / "deepbind_encode").glob(f"{name}_*_B.seq.gz")
        bound = pd.read_csv(train, sep="\t")["seq"].to_numpy(str)
        others = dinucleotide_shuffle(bound, random_state=0)
        table = pd.read_csv(test, sep="\t")
        X, y = np.concatenate([bound, others]), np.repeat([1, 0], len(bound))
        return SequenceSet(name, X, y, table["seq"].to_numpy(str), table["Bound"].to_numpy())
    if name == "uci_splice":
        table = pd.read_csv(folder / name / "splice_statlog.csv.gz")
        train, test = (table[table["statlog_split"] == part] for part in ("train", "test"))
        X, X_test = train["sequence"].to_numpy(str), test["sequence"].to_numpy(str)
        return SequenceSet(
            name, X, train["label"].to_numpy(str), X_test, test["label"].to_numpy(str)
        )
    table = pd.read_csv(folder / name / "promoters.csv")
    X, y = table["sequence"].to_numpy(str), table["label"].to_numpy(str)
    return SequenceSet(name, X, y, X, y)  # tested by leaving one out


def make_baseline() -> BaseEstimator:
    counts = CountVectorizer(analyzer="char", ngram_range=(1, 6), lowercase=False, dtype=np.float32)
    chooser = LogisticRegressionCV(Cs=STRENGTHS, max_iter=300, scoring="neg_log_loss", cv=3)
    return make_pipeline(counts, MaxAbsScaler(), chooser)


def fit(model: BaseEstimator, data: SequenceSet) -> BaseEstimator:
    if data.X_dev is None or not isinstance(model, SequenceCNNClassifier):
        return model.fit(data.X, data.y)
    return model.fit(data.X, data.y, X_val=data.X_dev, y_val=data.y_dev)


def measure(model: BaseEstimator, data: SequenceSet) -> dict[str, float]:
    """Return the figures of a fit, all that a line shows."""
    start = time.process_time()
    if data.X_test is data.X:
        p = cross_val_predict(model, data.X, data.y, cv=LeaveOneOut(), method="predict_proba")
        classes, epochs, best = np.unique(data.y), 0, 0
    else:
        p = fit(model, data).predict_proba(data.X_test)
        classes = model.classes_
        epochs, best = getattr(model, "n_iter_", 0), getattr(model, "best_iter_", 0)
    seconds = time.process_time() - start
    guessed, is_second = classes[p.argmax(1)], data.y_test == classes[1]
    return {
        "auc": roc_auc_score(is_second, p[:, 1]) if len(classes) == 2 else np.nan,
        "mcc": matthews_corrcoef(data.y_test, guessed),
        "accuracy": accuracy_score(data.y_test, guessed),
        "epochs": epochs,
        "best": best,
        "seconds": seconds,
    }


def show(name: str, what: str, figures: dict[str, float]) -> None:
    a, m, c = (f"{figures[key]:.4f}" for key in ("auc", "mcc", "accuracy"))
    rest = f"{figures['epochs']:4.0f} {figures['best']:4.0f} {figures['seconds']:7.1f} s"
    print(f"{name:15} {what:10} {a} {m} {c} {rest}", flush=True)  # noqa: T201


def read_params(texts: list[str]) -> dict[str, object]:
    """Return parameters from words such as ``n_filters=128``."""
    params = {}
    for name, _, value in (text.partition("=") for text in texts):
        try:
            params[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            params[name] = value
    return params


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sequences", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--small", type=int)
    parser.add_argument("--params", nargs="*", default=[])
    parser.add_argument("--no-baseline", action="store_true")
    args = parser.parse_args(words)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    print(f"{'set':15} {'model':10} {'AUC':6} {'MCC':6} {'acc.':6} fit best    time")  # noqa: T201
    for name in args.sets.split(","):
        whole, found = load(name, args.folder), []
        for seed in range(args.seeds):
            data = whole if args.small is None else whole.take(args.small, seed)
            model = SequenceCNNClassifier(random_state=seed, **read_params(args.params))
            found.append(measure(model, data))
            show(name, f"seed {seed}", found[-1])
        show(name, "median", {key: median(f[key] for f in found) for key in found[0]})
        if not args.no_baseline:
            data = whole if args.small is None else whole.take(args.small, 0)
            show(name, "k-mers", measure(make_baseline(), data))


if __name__ == "__main__":
    main()

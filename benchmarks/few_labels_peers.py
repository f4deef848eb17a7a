"""Few labels: `PseudoLabelClassifier` at its defaults beside scikit-learn's ways to use others.

Each peer has the best of a few settings, chosen on labels of another seed by the true labels of the
samples without, which is more than one would know. Errors of images and log losses of tables are of
held-out samples; LabelSpreading and MLPClassifier get standardised tables of numbers.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier

from sknn import DeepMLPClassifier
from sknn.semi_supervised import PseudoLabelClassifier

#: seed of the labels by which settings are chosen, and the settings
TUNING = 100
THRESHOLDS, NEIGHBORS, GAMMAS, ALPHAS = (0.75, 0.9, 0.99), (5, 7, 10), (0.1, 1.0, 3.0), (0.2, 0.8)
NAMES = (
    "network",
    "ours",
    "self-training of it",
    "self-training of MLPClassifier",
    "spreading, knn",
    "spreading, rbf",
)


def make_peers(network: DeepMLPClassifier, hidden: tuple[int, ...]) -> list[list]:
    """Return candidates of each method, in the order of `NAMES`."""
    mlp = MLPClassifier(hidden, max_iter=network.max_iter, random_state=network.random_state)
    spreads = [
        [LabelSpreading(kernel="knn", n_neighbors=k, alpha=a) for k in NEIGHBORS for a in ALPHAS],
        [LabelSpreading(kernel="rbf", gamma=g, alpha=a) for g in GAMMAS for a in ALPHAS],
    ]
    trained = [
        [SelfTrainingClassifier(base, threshold=t, max_iter=5) for t in THRESHOLDS]
        for base in (network, mlp)
    ]
    soft = network.early_stopping
    ours = PseudoLabelClassifier(network, soft=soft, random_state=network.random_state)
    return [[network], [ours.set_params(round_params={"max_iter": 60})], *trained, *spreads]


def judge(model: object, data: tuple, few: np.ndarray, *, is_table: bool, on_train: bool) -> float:
    """Return the error, or log loss, of a model that knows the labels of a few samples."""
    X, y, X_test, y_test = data
    partly = np.full(len(y), -1)
    partly[few] = y[few]
    if isinstance(model, DeepMLPClassifier):
        model = clone(model).fit(X[few], y[few])
    else:
        model = clone(model).fit(X, partly)
    if on_train:
        others = np.setdiff1d(np.arange(len(y)), few)
        X_test, y_test = X[others], y[others]
    if not is_table:
        return 1 - model.score(X_test, y_test)
    # Spreading gives some samples the probability 0 of a class, and some none at all.
    proba = np.nan_to_num(model.predict_proba(X_test), nan=1 / len(np.unique(y)))
    return log_loss(y_test, np.clip(proba, 1e-3, 1))


def compare_peers(
    name: str, load: Callable[[int], tuple], n_labels: int | float, seeds: range, *, is_table: bool
) -> list:
    """Return a line with the mean of each method over seeds; ``load(seed)`` returns the data."""
    chosen: list = [None] * len(NAMES)
    found = []
    for seed in (TUNING, *seeds):
        data = load(seed)
        numbers = np.arange(len(data[1]))
        few, _ = train_test_split(numbers, train_size=n_labels, random_state=seed, stratify=data[1])
        network = DeepMLPClassifier((100,), max_iter=150, dropout=0.3, dtype="float32")
        if is_table:
            network.set_params(early_stopping=True, scoring="loss", max_iter=200)
        candidates = make_peers(network.set_params(random_state=seed), (100,))
        if seed == TUNING:
            for i, models in enumerate(candidates):
                losses = [
                    judge(model, data, few, is_table=is_table, on_train=True)
                    for model in models
                    if len(models) > 1
                ]
                chosen[i] = int(np.argmin(losses)) if losses else 0
            continue
        models = [some[i] for some, i in zip(candidates, chosen, strict=True)]
        found.append([judge(m, data, few, is_table=is_table, on_train=False) for m in models])
    return [name, len(few), *map(float, np.mean(found, axis=0))]


def load_table(name: str, folder: Path, seed: int, *, load_classes: Callable) -> tuple:
    """Return standardised numbers and classes of a table without categories, split in two."""
    frame, y = load_classes(name, folder, seed)
    X, X_test, y, y_test = train_test_split(
        frame.to_numpy(float), y, test_size=0.3, random_state=seed, stratify=y
    )
    scaler = StandardScaler().fit(X)
    codes = np.unique(y, return_inverse=True)[1]
    levels = dict(zip(y.tolist(), codes.tolist(), strict=True))
    of_test = np.array([levels[label] for label in y_test.tolist()])
    return scaler.transform(X), codes, scaler.transform(X_test), of_test

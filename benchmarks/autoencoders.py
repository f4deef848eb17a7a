"""Autoencoders against what one would take instead: anomalies, reconstruction, and speed.

``python -m benchmarks.autoencoders`` prints three tables, each with a line for every data set:

- AUROC of `AutoencoderOutlierDetector`, of the mean distance to five nearest neighbours, of
  ``IsolationForest`` and of PyOD's ``AutoEncoder``, all at their defaults, trained on normal
  samples alone and on all samples; with ``--criteria`` also ours by reconstruction and by distance
  alone;
- the error per standardised value of held-out samples, reconstructed from codes by
  `AutoencoderTransformer`, PCA, and ``MLPRegressor(X, X)`` of the same shape;
- processor time of a fit by `AutoencoderTransformer`, ``MLPRegressor(X, X)`` and PyOD, which do the
  same number of epochs with mini-batches of the same size, in turn.

``--tables`` is the folder with the real tables, ``--seeds`` the number of seeds, ``--parts`` some
of anomalies, reconstruction and speed, and ``--quick`` only shows that everything works.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler

from benchmarks.anomaly_tables import MADE_UP, OF_SKLEARN, REAL, iterate_tables, load_real, split
from sknn import AutoencoderOutlierDetector, AutoencoderTransformer

#: PyOD is left out where it is not installed
HAS_PYOD = find_spec("pyod") is not None
PARTS = ("anomalies", "reconstruction", "speed")
#: setting of the comparison with PCA, the same for every data set
PLAIN = {
    "hidden_layer_sizes": (64,),
    "batch_size": 64,
    "early_stopping": True,
    "n_iter_no_change": 100,
    "max_iter": 500,
    "tol": 0.0,
}
#: epochs of a fit, and samples of a mini-batch, when time is measured
EPOCHS, BATCH = 20, 32


def score_neighbors(train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    scaler = StandardScaler().fit(train)
    nearest = NearestNeighbors(n_neighbors=5).fit(scaler.transform(train))
    return nearest.kneighbors(scaler.transform(test))[0].mean(axis=1)


def score_forest(train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    return -IsolationForest(random_state=seed).fit(train).score_samples(test)


def make_pyod(**arguments: object) -> object:
    from pyod.models.auto_encoder import AutoEncoder

    return AutoEncoder(verbose=0, device="cpu", **arguments)


def score_pyod(train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    return make_pyod(random_state=seed).fit(train).decision_function(test)


def make_scorer(criterion: str) -> Callable[[np.ndarray, np.ndarray, int], np.ndarray]:
    def score(train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        detector = AutoencoderOutlierDetector(criterion=criterion, random_state=seed)
        return -detector.fit(train).score_samples(test)

    return score


DETECTORS = {
    "ours": make_scorer("both"),
    "k neighbours": score_neighbors,
    "IsolationForest": score_forest,
    **({"PyOD": score_pyod} if HAS_PYOD else {}),
}
CRITERIA = {name: make_scorer(name) for name in ("reconstruction", "distance")}


def print_table(head: list[str], lines: list[list]) -> None:
    """Print a table in Markdown; numbers have three decimals."""
    print("| " + " | ".join(head) + " |")  # noqa: T201
    print("|" + " --- |" * len(head))  # noqa: T201
    for line in lines:
        cells = [f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in line]
        print("| " + " | ".join(cells) + " |", flush=True)  # noqa: T201
    print()  # noqa: T201


def compare_detectors(
    folder: Path, seeds: range, names: tuple[str, ...], detectors: dict[str, Callable]
) -> None:
    """Print AUROC of each detector, means over seeds."""
    for only_normal in (True, False):
        found: dict[str, list] = {}
        for name, seed, X, odd in iterate_tables(folder, seeds, names):
            train, test, labels = split(X, odd, seed, only_normal=only_normal)
            scores = [detect(train, test, seed) for detect in detectors.values()]
            found.setdefault(name, []).append([roc_auc_score(labels, score) for score in scores])
        means = {name: np.mean(values, axis=0) for name, values in found.items()}
        print("Trained on normal samples:" if only_normal else "Trained on all samples:", "\n")  # noqa: T201
        lines = [[name, *map(float, values)] for name, values in means.items()]
        lines.append(["mean", *map(float, np.mean(list(means.values()), axis=0))])
        print_table(["AUROC", *detectors], lines)


def load_numbers(folder: Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Return tables of numbers: a few samples of scikit-learn's alone where no others are named."""
    limit = 3000 if names else 60
    of_sklearn = {
        "digits": load_digits().data,
        "breast_cancer": load_breast_cancer().data,
        "wine": load_wine().data,
    }
    real = {name: load_real(name, folder)[0] for name in names}
    rng = np.random.default_rng(0)
    return {k: X[rng.permutation(len(X))[:limit]] for k, X in {**of_sklearn, **real}.items()}


def compare_reconstructions(folder: Path, seeds: range, names: tuple[str, ...]) -> None:
    """Print held-out squared errors, means over seeds, for a third of the features as codes."""
    lines = []
    for name, X in load_numbers(folder, names).items():
        n_components, errors = max(1, min(16, X.shape[1] // 3)), []
        for seed in seeds:
            train, test = train_test_split(X, test_size=0.3, random_state=seed)
            scaler = StandardScaler().fit(train)
            train, test = scaler.transform(train), scaler.transform(test)
            pca = PCA(n_components).fit(train)
            hidden = PLAIN["hidden_layer_sizes"]
            layers = (*hidden, n_components, *hidden[::-1])
            mlp = MLPRegressor(hidden_layer_sizes=layers, random_state=seed).fit(train, train)
            ours = AutoencoderTransformer(n_components, **PLAIN, random_state=seed).fit(train)
            guesses = (
                ours.reconstruct(test),
                pca.inverse_transform(pca.transform(test)),
                mlp.predict(test),
            )
            errors.append([np.mean((guess - test) ** 2) for guess in guesses])
        ours, pca, mlp = map(float, np.mean(errors, axis=0))
        lines.append([name, n_components, ours, pca, mlp, ours / pca, ours / mlp])
    print_table(
        ["error", "components", "ours", "PCA", "MLPRegressor(X, X)", "ours / PCA", "ours / MLP"],
        lines,
    )


def measure_fits(fits: list[Callable[[], object]], n_rounds: int) -> list[float]:
    """Return the median processor time of each fit, taken in turn."""
    times: list[list[float]] = [[] for _ in fits]
    for _ in range(n_rounds):
        for fit, own in zip(fits, times, strict=True):
            start = time.process_time()
            fit()
            own.append(time.process_time() - start)
    return [median(own) for own in times]


def make_fits(X: np.ndarray) -> list[Callable[[], object]]:
    """Return fits by ours, scikit-learn and PyOD of a network with the layers (64, 32, 64)."""
    common = {"batch_size": BATCH, "max_iter": EPOCHS, "n_iter_no_change": EPOCHS}
    plain = {"batch_norm": False, "dropout_rate": 0.0, "hidden_neuron_list": [64, 32]}
    mlp = MLPRegressor(hidden_layer_sizes=(64, 32, 64), **common, random_state=0)
    fits = [
        lambda: AutoencoderTransformer(32, (64,), **common, random_state=0).fit(X),
        lambda: mlp.fit(X, X),
        lambda: make_pyod(epoch_num=EPOCHS, batch_size=BATCH, **plain).fit(X),
    ]
    return fits[: 2 + HAS_PYOD]


def compare_speed(folder: Path, n_rounds: int, names: tuple[str, ...]) -> None:
    """Print seconds of a fit with the layers (64, 32, 64), and how many times as long others do."""
    lines = []
    for name, X in load_numbers(folder, names).items():
        X = StandardScaler().fit_transform(X)
        ours, *others = measure_fits(make_fits(X), n_rounds)
        lines.append([name, *X.shape, ours, *(other / ours for other in others)])
    head = ["processor time", "samples", "features", "ours (s)", "MLPRegressor(X, X)", "PyOD"]
    print_table(head[: len(lines[0])], lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tables", type=Path, default=Path("../shared/data/tabular"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--criteria", action="store_true")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    seeds = range(1 if options.quick else options.seeds)
    names = ("wine",) if options.quick else (*REAL, *OF_SKLEARN, *MADE_UP)
    real = () if options.quick else REAL
    detectors = {**DETECTORS, **CRITERIA} if options.criteria else DETECTORS
    if "anomalies" in options.parts:
        compare_detectors(options.tables, seeds, names, detectors)
    if "reconstruction" in options.parts:
        compare_reconstructions(options.tables, seeds, real)
    if "speed" in options.parts:
        compare_speed(options.tables, 1 if options.quick else 5, real)
    if options.quick:
        print("A quick run: the figures mean nothing.")  # noqa: T201


if __name__ == "__main__":
    main()

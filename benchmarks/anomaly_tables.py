"""Tables with anomalies, after the recipe of ADBench: the rarest class, or anomalies made up.

Each is a matrix of numbers (categories one-hot, missing values filled) with a label of 1 for an
anomaly. Made-up anomalies follow S. Han et al., "ADBench: Anomaly detection benchmark", NeurIPS
2022, arXiv:2206.09426.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import train_test_split

from sknn.preprocessing import TabularEncoder

#: real tables with classes, the rarest of which is the anomaly
REAL = (
    "mammography",
    "hypothyroid",
    "phoneme",
    "magic",
    "soybean",
    "bank_marketing",
    "adult",
    "credit_default",
    "german_credit",
    "electricity",
)
#: most samples of a table, and the largest share of anomalies among them
MAX_SAMPLES, MAX_SHARE = 4000, 0.1


def load_real(name: str, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return a table of `folder`, its categories one-hot, and which samples are anomalies."""
    meta = {entry["name"]: entry for entry in json.loads((folder / "meta.json").read_text())}
    frame = pd.read_parquet(folder / f"{name}.parquet")
    labels = frame.pop("__target__").to_numpy()
    for column in meta[name]["cats"]:
        frame[column] = frame[column].astype("category")
    classes, counts = np.unique(labels, return_counts=True)
    return _encode(frame), labels == classes[counts.argmin()]


def _encode(frame: pd.DataFrame) -> np.ndarray:
    return TabularEncoder(scale="standard", max_one_hot=None, dtype="float64").fit_transform(frame)


def load_of_sklearn(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return one of scikit-learn's small tables: malignant, zeros of the digits, or third wine."""
    if name == "breast_cancer":
        X, y = load_breast_cancer(return_X_y=True)
        return X, y == 0
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        return X, y == 0
    X, y = load_wine(return_X_y=True)
    return X, y == 2


def make_up(kind: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return normal samples of a curved surface with noise, and anomalies of a kind among them."""
    n_normal, n_odd, n_features = 2000, 100, 10
    hidden = rng.normal(size=(n_normal, 3))
    mixing = rng.normal(size=(3, n_features))
    normal = np.tanh(hidden @ mixing) + 0.5 * np.sin(hidden @ rng.normal(size=(3, n_features)))
    normal += 0.1 * rng.normal(size=normal.shape)
    mixture = GaussianMixture(8, random_state=0, reg_covar=1e-3).fit(normal)
    odd = MADE_UP[kind](normal, mixture, n_odd, rng)
    return np.vstack([normal, odd]), np.repeat([False, True], [n_normal, n_odd])


def _draw_local(normal, mixture, n, rng) -> np.ndarray:
    """Return samples of the clusters, each cluster five times as wide."""
    which = rng.choice(len(mixture.weights_), n, p=mixture.weights_)
    draws = [rng.multivariate_normal(mixture.means_[k], 5 * mixture.covariances_[k]) for k in which]
    return np.array(draws)


def _draw_global(normal, mixture, n, rng) -> np.ndarray:
    """Return samples that are uniform in a box a tenth larger than the normal ones."""
    low, high = normal.min(0), normal.max(0)
    return rng.uniform(low - 0.05 * (high - low), high + 0.05 * (high - low), (n, len(low)))


def _draw_dependency(normal, mixture, n, rng) -> np.ndarray:
    """Return samples whose features are each normal, but independent of the others."""
    return np.column_stack([rng.choice(column, n) for column in normal.T])


def _draw_clustered(normal, mixture, n, rng) -> np.ndarray:
    """Return samples of the clusters, their centres moved five times as far from the origin."""
    which = rng.choice(len(mixture.weights_), n, p=mixture.weights_)
    means = 5 * mixture.means_
    return np.array([rng.multivariate_normal(means[k], mixture.covariances_[k]) for k in which])


MADE_UP: dict[str, Callable] = {
    "local": _draw_local,
    "global": _draw_global,
    "dependency": _draw_dependency,
    "clustered": _draw_clustered,
}
OF_SKLEARN = ("breast_cancer", "digits", "wine")
NAMES = (*REAL, *OF_SKLEARN, *MADE_UP)


def load_table(name: str, folder: Path, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return X and labels of a table, at most `MAX_SAMPLES`, at most `MAX_SHARE` of them odd."""
    rng = np.random.default_rng(seed)
    if name in REAL:
        X, odd = load_real(name, folder)
    else:
        X, odd = load_of_sklearn(name) if name in OF_SKLEARN else make_up(name, rng)
    normals = rng.permutation(np.flatnonzero(~odd))[:MAX_SAMPLES]
    n_odd = max(10, int(MAX_SHARE / (1 - MAX_SHARE) * len(normals)))
    rows = np.concatenate([normals, rng.permutation(np.flatnonzero(odd))[:n_odd]])
    return X[rows], odd[rows].astype(int)


def split(X: np.ndarray, odd: np.ndarray, seed: int, *, only_normal: bool) -> tuple:
    """Return training samples, test samples and test labels: 70 % and 30 %, by class."""
    train, test = train_test_split(
        np.arange(len(X)), test_size=0.3, random_state=seed, stratify=odd
    )
    if only_normal:
        train = train[odd[train] == 0]
    return X[train], X[test], odd[test]


def iterate_tables(folder: Path, seeds: range, names: tuple[str, ...] = NAMES) -> Iterator[tuple]:
    """Yield name, seed, X and labels."""
    for name in names:
        for seed in seeds:
            yield name, seed, *load_table(name, folder, seed)

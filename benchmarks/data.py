"""The data of the rows, made once by the parent and read by every worker."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from sknn.datasets import load_fashion_mnist

#: the lecture trains on the first 55,000 training images and validates on the last 5,000
N_FASHION_TRAIN = 55_000
#: rows of a quick run
N_MADE_QUICKLY = 4_000


def _classes(X: Any, n_classes: int, rng: np.random.Generator) -> np.ndarray:
    """Return classes that a network can learn: the largest of some random directions."""
    directions = rng.normal(size=(X.shape[1], n_classes))
    return np.asarray(X @ directions).argmax(1)


def _table(n_rows: int, n_features: int, rng: np.random.Generator) -> tuple[Any, np.ndarray]:
    X = rng.normal(size=(n_rows, n_features))
    return X, _classes(X, 3, rng)


def small(rng: np.random.Generator) -> tuple[Any, np.ndarray]:
    return _table(1_000, 20, rng)


def medium(rng: np.random.Generator) -> tuple[Any, np.ndarray]:
    return _table(10_000, 50, rng)


def million(rng: np.random.Generator) -> tuple[Any, np.ndarray]:
    return _table(1_000_000, 20, rng)


def california_sized(rng: np.random.Generator) -> tuple[Any, np.ndarray]:
    X = rng.normal(size=(20_640, 8))
    y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.5 * X[:, 3] + 0.1 * rng.normal(size=len(X))
    return X, y


def sparse_words(rng: np.random.Generator) -> tuple[Any, np.ndarray]:
    X = sparse.random(20_000, 10_000, density=0.001, format="csr", rng=rng)
    return X, _classes(X, 3, rng)


def digits(rng: np.random.Generator) -> tuple[Any, np.ndarray]:
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return X / 16, y


def fashion(rng: np.random.Generator) -> tuple[Any, np.ndarray]:
    if not has_fashion():
        X = rng.random((N_FASHION_TRAIN, 784), dtype=np.float32)
        return X, _classes(X - 0.5, 10, rng)
    X, y = load_fashion_mnist(subset="train", return_X_y=True, download_if_missing=False)
    return X[:N_FASHION_TRAIN], y[:N_FASHION_TRAIN]


@cache
def has_fashion() -> bool:
    """Tell whether Fashion-MNIST lies on this machine; if not, noise of its shape stands in."""
    try:
        load_fashion_mnist(subset="test", return_X_y=True, download_if_missing=False)
    except OSError:
        return False
    return True


#: name -> function of a random generator that returns X and y
MAKERS = {
    maker.__name__: maker
    for maker in (small, medium, million, california_sized, sparse_words, digits, fashion)
}


def save(name: str, dtype: str, folder: Path, n_rows: int | None = None) -> None:
    """Make a data set and write it to `folder`, unless it is there.

    Parameters
    ----------
    name : str
        Key of `MAKERS`.
    dtype : {'float32', 'float64'}
        Of X, and of the target of a regression.
    folder : Path
        Where the workers look for it.
    n_rows : int or None, default=None
        Keep the first rows only.
    """
    start = folder / f"{name}-{dtype}"
    if start.with_suffix(".y.npy").exists():
        return
    X, y = MAKERS[name](np.random.default_rng(0))
    X, y = X[:n_rows].astype(dtype), y[:n_rows]
    if sparse.issparse(X):
        sparse.save_npz(start.with_suffix(".X.npz"), X, compressed=False)
    else:
        np.save(start.with_suffix(".X.npy"), X)
    np.save(start.with_suffix(".y.npy"), y.astype(dtype) if y.dtype.kind == "f" else y)


def load(name: str, dtype: str, folder: Path) -> tuple[Any, np.ndarray]:
    """Return X and y as `save` wrote them."""
    start = folder / f"{name}-{dtype}"
    y = np.load(start.with_suffix(".y.npy"))
    if start.with_suffix(".X.npz").exists():
        return sparse.load_npz(start.with_suffix(".X.npz")), y
    return np.load(start.with_suffix(".X.npy")), y

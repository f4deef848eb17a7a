"""Principal components of encoded samples, from which an autoencoder can start."""

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

from sknn._validation import to_dense
from sknn.architectures import Principal

#: maximum number of samples that are used, and of inputs for which all components are computed
MOST_SAMPLES, MOST_INPUTS = 50_000, 1000


def fit_principal(
    X: np.ndarray | sparse.csr_matrix,
    targets: np.ndarray,
    weight: np.ndarray | None,
    n_components: int,
) -> Principal:
    """Return components of X (n_samples, n_inputs) to predict targets (n_samples, n_outputs).

    Targets that are NaN count as their column's mean.
    """
    if X.shape[0] > MOST_SAMPLES:
        kept = np.linspace(0, X.shape[0] - 1, MOST_SAMPLES).astype(int)
        X, targets, weight = X[kept], targets[kept], None if weight is None else weight[kept]
    X = np.asarray(to_dense(X), dtype=np.float64)
    weight = np.ones(len(X)) if weight is None else weight.astype(np.float64)
    weight = weight / weight.sum()
    mean = weight @ X
    centered = X - mean
    variances, directions = _find_directions(centered * np.sqrt(weight)[:, None], n_components)
    scores = centered @ directions.T
    known = ~np.isnan(targets)
    filled = np.where(known, targets, 0.0).astype(np.float64)
    intercepts = weight @ filled / np.maximum(weight @ known, np.finfo(np.float64).tiny)
    residual = np.where(known, filled - intercepts, 0.0)
    # Scores are uncorrelated, so that each has a slope of its own: covariance by variance.
    noise = np.finfo(np.float64).eps * max(variances.max(initial=0.0), np.finfo(np.float64).tiny)
    slopes = (residual.T * weight) @ scores / np.maximum(variances, noise)
    reach = 2.0 ** np.ceil(np.log2(max(np.abs(scores).max(initial=0.0), 1e-300)))
    mean, directions, slopes, intercepts = map(_drop_digits, (mean, directions, slopes, intercepts))
    return Principal(mean, directions, slopes, intercepts, float(reach))


def _drop_digits(values: np.ndarray) -> np.ndarray:
    """Return values to 26 bits below the largest."""
    # The last digits of eigenvectors are chance, which training would make larger; and as the start
    # is an optimum, an error of 1e-8 in it changes the loss by 1e-16.
    unit = 2.0 ** np.ceil(np.log2(max(np.abs(values).max(initial=0.0), np.finfo(float).tiny)))
    return np.round(values / unit * 2.0**26) / 2.0**26 * unit


def _find_directions(weighted: np.ndarray, n_components: int) -> tuple[np.ndarray, np.ndarray]:
    """Return variances (n_components,) and directions (n_components, n_inputs), largest first."""
    if weighted.shape[1] > MOST_INPUTS:
        _, values, directions = randomized_svd(weighted, n_components, random_state=0)
        variances = values**2
    else:  # the right singular vectors are the eigenvectors of the covariance
        values, vectors = np.linalg.eigh(weighted.T @ weighted)
        order = np.argsort(values)[::-1][:n_components]
        variances, directions = values[order], vectors[:, order].T
    largest = np.abs(directions).argmax(axis=1)[:, None]
    signs = np.sign(np.take_along_axis(directions, largest, axis=1))
    return variances, directions * signs

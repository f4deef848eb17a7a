"""Steps of a fit with few labels: the choice of samples that get one, and fits of classifiers."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_array

from sknn._validation import draw_seed
from sknn.deep import AutoencoderTransformer, DeepEstimator

if TYPE_CHECKING:
    from sknn._validation import MatrixLike
    from sknn.semi_supervised._samples import PartlyLabelled


def choose_surest(proba: np.ndarray, share: float) -> np.ndarray:
    """Return numbers of a share of the samples of each class, those with the largest probability.

    `proba` is of shape (n_samples, n_classes); a sample belongs to its likeliest class.
    """
    # By class, because one threshold for all would take the easy classes alone, and the others
    # would have even fewer labels beside them. The stable sort keeps equal samples in their order.
    top, codes = proba.max(axis=1), proba.argmax(axis=1)
    chosen = []
    for code in np.unique(codes):
        members = np.flatnonzero(codes == code)
        order = np.argsort(-top[members], kind="stable")
        chosen.append(members[order[: int(np.ceil(share * len(members)))]])
    return np.sort(np.concatenate(chosen))


def fit_one(
    classifier: BaseEstimator,
    random_state: np.random.RandomState,
    params: Mapping[str, Any],
    data: tuple,
    unlabelled: MatrixLike | None = None,
) -> BaseEstimator:
    """Return a clone of a classifier, fitted with a seed of its own; `data` is X, y and weights."""
    model, (X, y, weight) = clone(classifier).set_params(**params), data
    if "random_state" in model.get_params(deep=False):
        model.set_params(random_state=draw_seed(random_state))
    arguments = {} if weight is None else {"sample_weight": weight}
    if unlabelled is not None and _learns_without_labels(model):
        arguments["X_unlabelled"] = unlabelled
    return model.fit(X, y, **arguments)


def predict_mean(models: Sequence[BaseEstimator], X: MatrixLike) -> np.ndarray:
    """Return the mean probabilities (n_samples, n_classes) of classifiers."""
    return np.mean([model.predict_proba(X) for model in models], axis=0)


def predict_without(
    teachers: Sequence[BaseEstimator],
    samples: PartlyLabelled,
    numbers: np.ndarray,
    random_state: np.random.RandomState,
) -> np.ndarray:
    """Return probabilities (n_samples, n_classes) by teachers that know some labels alone.

    `numbers` are those of the labels.
    """
    # All of them, because the mean of several is better than one, and would lose to neighbours.
    data = samples.take_labelled(numbers)
    try:
        models = [fit_one(t, random_state, {}, data, samples.X_unlabelled) for t in teachers]
    except ValueError as error:
        raise ValueError(
            f"A teacher cannot be fitted where a fifth of the labels is held out: {error} Set "
            "neighbor_share and teacher_weight, which are chosen so, or give more labels."
        ) from error
    return predict_mean(models, samples.X)


def _learns_without_labels(model: BaseEstimator) -> bool:
    """Return whether ``fit`` begins with samples without labels."""
    pretrained = getattr(model, "pretrained", None)
    takes_them = "X_unlabelled" in inspect.signature(model.fit).parameters
    return takes_them and pretrained is not None and not hasattr(pretrained, "net_")


def fit_autoencoders(
    classifiers: Sequence[BaseEstimator], X: MatrixLike, random_state: np.random.RandomState
) -> list[BaseEstimator]:
    """Return classifiers whose autoencoders are fitted on X, each autoencoder once."""
    fitted: dict[int, AutoencoderTransformer] = {}
    made = []
    for classifier in classifiers:
        given = getattr(classifier, "pretrained", None)
        if isinstance(given, AutoencoderTransformer) and not hasattr(given, "net_"):
            # Known by the object: several teachers may be given one and the same autoencoder.
            if id(given) not in fitted:
                fitted[id(given)] = _fit_clone(given, X, random_state)
            classifier = clone(classifier).set_params(pretrained=fitted[id(given)])
        made.append(classifier)
    return made


def _fit_clone(
    given: AutoencoderTransformer, X: MatrixLike, random_state: np.random.RandomState
) -> AutoencoderTransformer:
    autoencoder = clone(given)
    if autoencoder.random_state is None:
        autoencoder.set_params(random_state=draw_seed(random_state))
    return autoencoder.fit(X)


def find_places(
    classifier: BaseEstimator, fitted: BaseEstimator, X: MatrixLike
) -> list[np.ndarray | sparse.csr_matrix]:
    """Return numbers (n_samples, n_columns) by which samples of X are near to each other or far.

    They are codes of the autoencoder with which `classifier` begins, and beside them what it takes;
    or the numbers that a network that is `fitted` takes, or X.
    """
    start = getattr(classifier, "pretrained", None)
    if isinstance(start, AutoencoderTransformer):
        return [np.asarray(start.transform(X)), _encode_numbers(start, X)]
    if isinstance(fitted, DeepEstimator):
        return [_encode_numbers(fitted, X)]
    try:
        return [check_array(X, accept_sparse="csr")]
    except ValueError as error:
        raise ValueError(
            f"n_neighbors needs samples of numbers, of which X has none: {error} Set n_neighbors=0."
        ) from error


def _encode_numbers(network: DeepEstimator, X: MatrixLike) -> np.ndarray | sparse.csr_matrix:
    """Return what a network takes (n_samples, n_inputs), without categories with an embedding."""
    encoded, spec = network._encoded_inputs(X), network._inputs
    # Codes of such categories are no distances.
    return encoded[:, : spec.n_numeric] if spec.cardinalities else encoded

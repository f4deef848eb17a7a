"""Attributes of estimators from which Displays are drawn.

sknn's estimators, scikit-learn's own MLPs and linear models, and sknn's units and networks have
the same attributes; pipelines and searches are looked into.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sknn._suggestions import check_no_class
from sknn._validation import MatrixLike
from sknn.activations import resolve_activation


@runtime_checkable
class HasLayers(Protocol):
    """A network, by the weights and biases of its layers, first to last."""

    coefs_: Sequence[np.ndarray]
    intercepts_: Sequence[np.ndarray]


@runtime_checkable
class HasUnits(Protocol):
    """A layer of units, of weights of shape (n_units, n_inputs) or (n_inputs,)."""

    coef_: np.ndarray
    intercept_: np.ndarray


#: what pictures are drawn of
Model: TypeAlias = BaseEstimator | HasLayers | HasUnits


@dataclass(frozen=True)
class Layers:
    """The weights of a network.

    Attributes
    ----------
    coefs : list of ndarray of shape (n_before, n_units)
    intercepts : list of ndarray of shape (n_units,)
    activations : list of str
        Name of the function of each layer.
    """

    coefs: list[np.ndarray]
    intercepts: list[np.ndarray]
    activations: list[str]


def unwrap(estimator: Model) -> tuple[list[BaseEstimator], Model]:
    """Return the transformers before a network, first to last, and the network itself.

    Pipelines, searches and `TransformedTargetRegressor`, also in each other, are looked into;
    what is not fitted raises NotFittedError.
    """
    check_no_class(estimator, "A Display")
    transformers: list[BaseEstimator] = []
    while True:
        if isinstance(estimator, Pipeline):
            check_is_fitted(estimator)
            transformers += [
                step for _, step in estimator.steps[:-1] if step not in (None, "passthrough")
            ]
            estimator = estimator[-1]
            continue
        if isinstance(estimator, BaseEstimator):
            check_is_fitted(estimator)
        inner = getattr(estimator, "best_estimator_", getattr(estimator, "regressor_", None))
        if inner is None:
            return transformers, estimator
        estimator = inner


def apply_steps(transformers: list[BaseEstimator], X: MatrixLike) -> MatrixLike:
    """Return X after all transformers, in their order."""
    for transformer in transformers:
        X = transformer.transform(X)
    return X


def read_layers(network: Model, purpose: str) -> Layers:
    """Return the weights of a network or of a layer of units; `purpose` begins the error."""
    if hasattr(network, "coefs_") and hasattr(network, "intercepts_"):
        coefs = [np.asarray(coef) for coef in network.coefs_]
        names = _get_hidden_names(network, len(coefs) - 1)
        names.append(str(getattr(network, "out_activation_", "")))
        return Layers(coefs, [np.asarray(b) for b in network.intercepts_], names)
    if hasattr(network, "coef_") and hasattr(network, "intercept_"):
        coef = np.atleast_2d(np.asarray(network.coef_)).T
        intercept = np.broadcast_to(np.ravel(network.intercept_), coef.shape[1])
        return Layers([coef], [intercept], [str(getattr(network, "step", ""))])
    raise ValueError(
        f"{purpose} needs a fitted network with coefs_ and intercepts_, or units with coef_ and "
        f"intercept_; got {type(network).__name__}.{advise_on_layers(network)}"
    )


def advise_on_layers(network: object) -> str:
    """Return how to see the layers of a network without plain weights, or ''."""
    return " Its summary() lists the layers." if hasattr(network, "summary") else ""


def _get_hidden_names(network: Model, n_hidden: int) -> list[str]:
    """Return the name of each hidden layer's activation, ``''`` in a user-defined module."""
    given = getattr(network, "activation", "")
    if getattr(network, "module", None) is not None:
        given = ""
    if isinstance(given, str) or not isinstance(given, Sequence | np.ndarray):
        given = [given] * n_hidden
    return [
        resolve_activation(x) if isinstance(x, str) else getattr(x, "__name__", type(x).__name__)
        for x in given
    ]


def get_input_names(network: Model, n_inputs: int) -> list[str]:
    """Return the names of the inputs, x1, x2 and so on where the network knows none."""
    names = getattr(network, "feature_names_in_", None)
    return [f"x{i + 1}" for i in range(n_inputs)] if names is None else [str(n) for n in names]


def read_names(names: Iterable[str], n: int, what: str) -> list[str]:
    """Return n names as text, or raise ValueError that says what they name."""
    names = [str(name) for name in names]
    if len(names) != n:
        raise ValueError(f"Expected {n} {what}, got {len(names)}: {names[:10]}.")
    return names


def make_images(samples: np.ndarray, image_shape: Sequence[int] | None) -> np.ndarray:
    """Return samples of pixels as images of shape (n_images, height, width[, n_channels]).

    `samples` are images already, or of shape (n_images, n_pixels); `image_shape` is a height and a
    width, for colours also 3 or 4 channels (a single one is grey), and None for square grey images.
    """
    if samples.ndim > 2 and image_shape is None:
        image_shape = samples.shape[1:]
    samples = samples.reshape(len(samples), -1)
    n_pixels = samples.shape[1]
    if image_shape is None:
        side = round(n_pixels**0.5)
        if side * side != n_pixels:
            raise ValueError(
                f"{n_pixels} features are not the pixels of a square image. Give image_shape, "
                "its height and width (and 3, for colours)."
            )
        image_shape = (side, side)
    shape = tuple(image_shape)
    shape = shape[:2] if shape[2:] == (1,) else shape
    is_image = len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))
    if not is_image or int(np.prod(shape)) != n_pixels:
        raise ValueError(
            "image_shape must be a height and a width, and for colours 3 or 4 channels, whose "
            f"product is the number of features, {n_pixels}; got {image_shape!r}."
        )
    return samples.reshape(-1, *shape)


def give_samples(estimator: BaseEstimator, X: MatrixLike) -> MatrixLike:
    """Return X as an estimator takes it: images as samples of pixels, if it was fitted on these."""
    shape = np.shape(X)
    if len(shape) > 2 and getattr(estimator, "n_features_in_", None) == np.prod(shape[1:]):
        return np.reshape(X, (shape[0], -1))
    return X


def find_sequence_network(
    estimator: BaseEstimator, X: MatrixLike, purpose: str
) -> tuple[BaseEstimator, MatrixLike]:
    """Return a fitted network for sequences of letters, and X after the transformers before it."""
    transformers, network = unwrap(estimator)
    check_is_fitted(network)
    if getattr(network, "letters_", None) is None:
        raise ValueError(
            f"{purpose} draws networks that were fitted on sequences of letters, such as "
            f"SequenceCNNClassifier; got {type(network).__name__}."
        )
    for transformer in transformers:
        X = transformer.transform(X)
    return network, X

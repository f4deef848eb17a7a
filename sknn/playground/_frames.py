"""Frames: the state of a network at one moment, packed into one binary message.

A message is a little-endian uint32 with the length of a JSON text, that text, zeros up to a
multiple of 4 bytes, and the arrays that the text lists under ``arrays``, each padded alike.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.special import expit, softmax

from sknn.activations import ACTIVATIONS
from sknn.playground._problems import Problem

#: steps of the grid along each axis: of the surface, and how many fewer a unit's picture has
SURFACE_STEPS, UNIT_STRIDE, CURVE_STEPS = 64, 2, 160
#: largest byte of a picture; 128 is 0 for units
_FULL, _MIDDLE = 255, 128
_INVERSE_LINKS = {
    "softmax": lambda z: softmax(z, axis=1),
    "logistic": expit,
    "identity": lambda z: z,
}


@dataclass(frozen=True)
class NetworkCopy:
    """The weights of a network at one moment, copied.

    Attributes
    ----------
    coefs : list of ndarray of shape (n_before, n_units)
    intercepts : list of ndarray of shape (n_units,)
    activations : list of str
        Activation of each layer; the last may be 'softmax'.
    target_mean, target_scale : float
        Shift and factor of a raw prediction of a regressor.
    """

    coefs: list[np.ndarray]
    intercepts: list[np.ndarray]
    activations: list[str]
    target_mean: float = 0.0
    target_scale: float = 1.0

    def compute_layers(self, X: np.ndarray) -> list[np.ndarray]:
        """Return the values of the inputs and of all layers, each (n_samples, n_units)."""
        return self.compute_sums_and_values(X)[1]

    def compute_sums_and_values(self, X: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return the weighted sums of all layers, and the values of the inputs and all layers."""
        sums, values = [], [X]
        for coef, intercept, name in zip(
            self.coefs, self.intercepts, self.activations, strict=True
        ):
            value = _INVERSE_LINKS.get(name) or ACTIVATIONS[name].value
            sums.append(values[-1] @ coef + intercept)
            values.append(value(sums[-1]))
        return sums, values

    def predict(self, layers: Sequence[np.ndarray]) -> np.ndarray:
        """Return predictions in the user's units, or probabilities, from the last layer."""
        return layers[-1] * self.target_scale + self.target_mean


def compute_gradient_norms(network: NetworkCopy, X: np.ndarray, target: np.ndarray) -> list[float]:
    """Return the length of the gradient of the mean loss by each layer's weights, inputs first.

    X is (n_samples, n_features), `target` indicators of classes or values: (n_samples, n_outputs).
    """
    # Log loss with softmax or logistic outputs and half the squared error with identity have the
    # same derivative with respect to the logits, prediction minus target. From there the chain rule
    # goes back layer by layer: the gradient of a layer's weights is its inputs times its delta, and
    # the delta of the layer before is that delta times the weights times the slope of the
    # activation.
    sums, values = network.compute_sums_and_values(X)
    delta, norms = (values[-1] - target) / len(X), []
    for layer in reversed(range(len(network.coefs))):
        norms.append(float(np.linalg.norm(values[layer].T @ delta)))
        if layer:
            slope = ACTIVATIONS[network.activations[layer - 1]].derivative(sums[layer - 1])
            delta = (delta @ network.coefs[layer].T) * slope
    return norms[::-1]


def make_pictures(network: NetworkCopy, problem: Problem) -> dict[str, np.ndarray]:
    """Return what the output and every unit compute over the plane or the line.

    Parameters
    ----------
    network : NetworkCopy
    problem : Problem

    Returns
    -------
    dict of ndarray
        ``units`` of shape (n_units, n_points), inputs first, in bytes around 128 by the
        ``scales`` of shape (n_units,); ``surface`` of shape (n_points,): a probability or a value
        as float32; with three classes or more the largest probability, and ``winners`` beside it.
    """
    is_line = len(problem.bounds) == 1
    points = problem.make_grid(CURVE_STEPS if is_line else SURFACE_STEPS)
    layers = network.compute_layers(problem.to_features(points))
    predicted = network.predict(layers)
    values = np.hstack(layers)
    if not is_line:
        square = values.reshape(SURFACE_STEPS, SURFACE_STEPS, -1)
        values = square[::UNIT_STRIDE, ::UNIT_STRIDE].reshape(-1, values.shape[1])
    pictures = {"surface": predicted[:, -1].astype(np.float32)}
    if predicted.shape[1] > 1:
        pictures["winners"] = predicted.argmax(axis=1).astype(np.uint8)
        pictures["surface"] = predicted.max(axis=1).astype(np.float32)
    scales = np.maximum(np.abs(np.nan_to_num(values)).max(axis=0), 1e-12)
    shares = np.nan_to_num(values / scales)
    pictures["units"] = (_MIDDLE + (_FULL - _MIDDLE) * shares).clip(0, _FULL).astype(np.uint8).T
    pictures["scales"] = scales.astype(np.float32)
    return pictures


def pack_message(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray | bytes]) -> bytes:
    """Return a header and arrays, float32, uint8 or raw bytes, as one binary message.

    What is not finite in the header becomes null.
    """
    listed, parts = [], []
    for name, array in arrays.items():
        data = array if isinstance(array, bytes) else np.ascontiguousarray(array).tobytes()
        is_float = not isinstance(array, bytes) and array.dtype == np.float32
        shape = [len(data)] if isinstance(array, bytes) else list(array.shape)
        dtype = "float32" if is_float else "uint8"
        listed.append({"name": name, "dtype": dtype, "shape": shape})
        parts.append(data + b"\0" * (-len(data) % 4))
    text = json.dumps(_only_finite({**header, "arrays": listed}), allow_nan=False).encode()
    return b"".join([len(text).to_bytes(4, "little"), text, b"\0" * (-len(text) % 4), *parts])


def pack_weights(network: NetworkCopy) -> np.ndarray:
    """Return all weights in one float32 vector: of each layer its matrix by rows, then biases."""
    pairs = zip(network.coefs, network.intercepts, strict=True)
    return np.concatenate([part.ravel() for pair in pairs for part in pair]).astype(np.float32)


def layer_sizes(network: NetworkCopy) -> list[int]:
    """Return the number of inputs and the number of units of each layer."""
    return [len(network.coefs[0]), *(coef.shape[1] for coef in network.coefs)]


def unpack_weights(vector: np.ndarray, sizes: Sequence[int]) -> list[np.ndarray]:
    """Return weights and biases by layers from the vector of `pack_weights`."""
    parts, start = [], 0
    for n_before, n_units in pairwise(sizes):
        for shape in ((n_before, n_units), (n_units,)):
            stop = start + int(np.prod(shape))
            parts.append(vector[start:stop].reshape(shape))
            start = stop
    return parts


def _only_finite(value: Any) -> Any:
    """Return the value with None in place of infinite numbers and NaN, which JSON has not."""
    if isinstance(value, Mapping):
        return {key: _only_finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_only_finite(item) for item in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    return value

"""First weights with which an autoencoder computes what a principal component analysis does."""

from dataclasses import dataclass

import numpy as np
import torch

from sknn.architectures._autoencoder import Autoencoder
from sknn.architectures.layers._tied import TiedLinear

#: activation f -> (ε, c) with f(ε u) - f(-ε u) = c u: for every u where ε is 1, else nearly so for
#: u from -1 to 1
PAIRS = {
    "identity": (1.0, 2.0),
    "relu": (1.0, 1.0),
    "leaky_relu": (1.0, 1.01),
    "gelu": (1.0, 1.0),
    "silu": (1.0, 1.0),
    "softplus": (1.0, 1.0),
    "tanh": (0.05, 0.1),
    "logistic": (0.05, 0.025),
}


@dataclass(frozen=True)
class Principal:
    """Principal components of encoded samples, and what their scores tell of the target.

    Attributes
    ----------
    mean : ndarray of shape (n_inputs,)
        Mean of the inputs.
    directions : ndarray of shape (n_components, n_inputs)
        Orthonormal, by decreasing variance.
    slopes : ndarray of shape (n_numbers, n_components)
        Weights of the scores in the least-squares prediction of the first outputs, numbers.
    intercepts : ndarray of shape (n_numbers,)
        Predictions where all scores are 0.
    reach : float
        Absolute value that scores hardly exceed.
    """

    mean: np.ndarray
    directions: np.ndarray
    slopes: np.ndarray
    intercepts: np.ndarray
    reach: float


def supports_principal_start(autoencoder: Autoencoder) -> bool:
    """Return whether all hidden activations can carry a number unchanged, in pairs of units."""
    known = all(name in PAIRS for name in autoencoder.activation_names)
    is_tied = any(isinstance(layer, TiedLinear) for layer in autoencoder.linears)
    # The factor ε of a layer would have to be 1 / ε in the layer that is tied to it.
    return known and not (is_tied and any(PAIRS[n][0] != 1 for n in autoencoder.activation_names))


def get_pair(activation: str, principal: Principal) -> tuple[float, float]:
    """Return ε and c of `PAIRS` for scores of any size."""
    epsilon, factor = PAIRS[activation]
    # Where the pair is nearly linear in [-1, 1] alone, as of tanh, scores are brought there: f(ε u
    # / r) - f(-ε u / r) = (c / r) u.
    unit = 1.0 if epsilon == 1 else max(principal.reach, np.finfo(np.float64).tiny)
    return epsilon / unit, factor / unit


def count_carried(autoencoder: Autoencoder) -> int:
    """Return how many components the layers can carry: two units for each in a hidden layer."""
    code = autoencoder.n_encoder_layers
    n_carried = autoencoder.layer_sizes[code]
    hidden = [n for i, n in enumerate(autoencoder.layer_sizes[1:-1], 1) if i != code]
    return min([n_carried, *(n // 2 for n in hidden)])


@torch.no_grad()
def start_from_principal(
    autoencoder: Autoencoder, principal: Principal, log_shares: np.ndarray
) -> None:
    """Let the network reconstruct from the scores of the components that it can carry.

    `log_shares` are predicted by the outputs behind the numbers, whatever the scores.
    """
    # A hidden layer holds a score u in two units, as f(ε u) and f(-ε u), whose difference is c u.
    # The other units keep their drawn weights but are not yet listened to, so that they are free to
    # learn what the components leave.
    # Layer 0 computes u = D (x - μ), a hidden layer hands each u on as a pair, and the last one
    # computes A u + b. As f(ε u) - f(-ε u) = c u, a layer behind pairs reads u as (p_1 - p_2) / c;
    # the code, which has no activation, holds u itself.
    m, code = len(principal.directions), autoencoder.n_encoder_layers
    n_layers = len(autoencoder.linears)
    for i, layer in enumerate(autoencoder.linears):
        is_paired = i + 1 < n_layers and i + 1 != code  # whether its outputs are pairs
        epsilon, _ = (
            get_pair(autoencoder.activation_names[i], principal) if is_paired else (1.0, 1.0)
        )
        read = _read_scores(
            autoencoder, principal, i, len(log_shares)
        )  # (m or n_outputs, n_inputs)
        bias = _find_bias(principal, i, n_layers, log_shares)
        if is_paired:
            read, bias = (
                np.vstack([read, -read]) * epsilon,
                np.tile(bias, 2) * np.repeat([epsilon, -epsilon], m),
            )
        n = len(read)
        if not isinstance(layer, TiedLinear):
            layer.weight[:n] = torch.from_numpy(read).to(layer.weight)
        layer.bias[:n] = torch.from_numpy(bias).to(layer.bias)


def _find_bias(principal: Principal, i: int, n_layers: int, log_shares: np.ndarray) -> np.ndarray:
    if i == n_layers - 1:
        return np.concatenate([principal.intercepts, log_shares])
    if i == 0:
        # D (x - μ) = D x - D μ.
        return -principal.directions @ principal.mean
    return np.zeros(len(principal.directions))


def _read_scores(
    autoencoder: Autoencoder, principal: Principal, i: int, n_log_shares: int
) -> np.ndarray:
    """Return weights of layer i with which it computes scores, or the last one outputs."""
    n_inputs, m = autoencoder.linears[i].in_features, len(principal.directions)
    if i == 0:
        read = np.zeros((m, n_inputs))
        read[:, : principal.directions.shape[1]] = principal.directions
    else:
        read = np.zeros((m, n_inputs))
        places = np.arange(m)
        if i == autoencoder.n_encoder_layers:
            read[places, places] = 1.0
        else:
            factor = 1.0 / get_pair(autoencoder.activation_names[i - 1], principal)[1]
            read[places, places], read[places, m + places] = factor, -factor
    is_last = i == len(autoencoder.linears) - 1
    if not is_last:
        return read
    return np.vstack([principal.slopes @ read, np.zeros((n_log_shares, n_inputs))])

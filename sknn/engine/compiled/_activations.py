"""Activations and their slopes as compiled loops.

A slope is computed from the value a = f(z) where that tells it, else from the sum z:

    relu  [a > 0]          tanh  1 - a²              logistic  a (1 - a)
    elu   1 or a + α       softplus  1 - exp(-a)     silu  σ(z) (1 + z (1 - σ(z)))
    selu  s or a + s α     gelu  Φ(z) + z φ(z)       leaky_relu  1 or its slope

with Φ and φ of the standard normal distribution.
"""

import math

import numpy as np

from sknn._jit import jit
from sknn.activations import LEAKY_SLOPE, SELU_ALPHA, SELU_SCALE

Array = np.ndarray
(IDENTITY, RELU, TANH, LOGISTIC, LEAKY_RELU, ELU, SELU, SOFTPLUS, SILU, GELU) = range(10)
#: name of an activation -> its number in compiled code
CODES = {
    "identity": IDENTITY,
    "relu": RELU,
    "tanh": TANH,
    "logistic": LOGISTIC,
    "leaky_relu": LEAKY_RELU,
    "elu": ELU,
    "selu": SELU,
    "softplus": SOFTPLUS,
    "silu": SILU,
    "gelu": GELU,
}
_ROOT_HALF, _DENSITY_AT_0 = math.sqrt(0.5), 1 / math.sqrt(2 * math.pi)


@jit
def compute_sigmoid(t: float) -> float:
    """Return 1 / (1 + exp(-t)), without overflow."""
    e = math.exp(-abs(t))
    return 1 / (1 + e) if t >= 0 else e / (1 + e)


@jit
def compute_softplus(t: float) -> float:
    """Return log(1 + exp(t)), without overflow."""
    return max(t, 0.0) + math.log1p(math.exp(-abs(t)))


@jit
def compute_value(code: int, t: float) -> float:
    """Return the value of the activation of this number at t."""
    if code == TANH:
        return math.tanh(t)
    if code == LOGISTIC:
        return compute_sigmoid(t)
    if code == LEAKY_RELU:
        return t if t > 0 else LEAKY_SLOPE * t
    if code == ELU:
        return t if t > 0 else math.expm1(t)
    if code == SELU:
        return SELU_SCALE * t if t > 0 else SELU_SCALE * SELU_ALPHA * math.expm1(t)
    if code == SOFTPLUS:
        return compute_softplus(t)
    if code == SILU:
        return t * compute_sigmoid(t)
    return 0.5 * t * (1 + math.erf(t * _ROOT_HALF))


@jit
def compute_slope(code: int, a: float, z: float) -> float:
    """Return the slope of the activation of this number, from its value and its sum."""
    if code == TANH:
        return 1 - a * a
    if code == LOGISTIC:
        return a * (1 - a)
    if code == LEAKY_RELU:
        return 1.0 if a > 0 else LEAKY_SLOPE
    if code == ELU:
        return 1.0 if a > 0 else a + 1
    if code == SELU:
        return SELU_SCALE if a > 0 else a + SELU_SCALE * SELU_ALPHA
    if code == SOFTPLUS:
        return -math.expm1(-a)
    if code == SILU:
        p = compute_sigmoid(z)
        return p * (1 + z * (1 - p))
    half = 0.5 * (1 + math.erf(z * _ROOT_HALF))
    return half + z * _DENSITY_AT_0 * math.exp(-0.5 * z * z)


@jit
def add_bias(z: Array, bias: Array) -> None:
    """Add a bias of shape (n_units,) to each line of z, of shape (n_samples, n_units)."""
    for r in range(z.shape[0]):
        for c in range(z.shape[1]):
            z[r, c] += bias[c]


@jit
def activate(code: int, z: Array, bias: Array, sums: Array) -> None:
    """Overwrite z by the activation of z + bias; `sums` keeps z + bias where slopes need it."""
    if code == RELU:
        for r in range(z.shape[0]):
            for c in range(z.shape[1]):
                t = z[r, c] + bias[c]
                z[r, c] = 0 if t < 0 else t  # which leaves NaN as it is
        return
    add_bias(z, bias)
    if code == IDENTITY:
        return
    if code >= SILU:
        sums[:] = z
    for r in range(z.shape[0]):
        for c in range(z.shape[1]):
            z[r, c] = compute_value(code, z[r, c])


@jit
def multiply_by_slope(code: int, delta: Array, a: Array, sums: Array) -> None:
    """Multiply delta by the slopes where the activation had the values a."""
    if code == RELU:
        for r in range(a.shape[0]):
            for c in range(a.shape[1]):
                if a[r, c] <= 0:
                    delta[r, c] = 0
        return
    if code == IDENTITY:
        return
    for r in range(a.shape[0]):
        for c in range(a.shape[1]):
            delta[r, c] *= compute_slope(code, a[r, c], sums[r, c])

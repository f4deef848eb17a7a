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
from sknn.engine.compiled._codes import (
    ELU,
    IDENTITY,
    LEAKY_RELU,
    LOGISTIC,
    RELU,
    SELU,
    SILU,
    SOFTPLUS,
    TANH,
)

Array = np.ndarray
#: log 2 as the sum of two numbers, the first with so few digits that its multiples are exact
_LOG_2_HIGH, _LOG_2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_LOG_2_E, _SHIFT, _LARGEST = 1 / math.log(2), 1.5 * 2.0**52, 700.0
_ROOT_HALF, _DENSITY_AT_0 = math.sqrt(0.5), 1 / math.sqrt(2 * math.pi)


@jit
def compute_sigmoid(t: float) -> float:
    """Return 1 / (1 + exp(-t)), without overflow."""
    # The exponent is never positive: 1 / (1 + exp(-t)) for t >= 0, else the same fraction expanded
    # by exp(t).
    e = math.exp(-abs(t))
    return 1 / (1 + e) if t >= 0 else e / (1 + e)


@jit
def compute_softplus(t: float) -> float:
    """Return log(1 + exp(t)), without overflow."""
    # log(1 + exp(t)) = t + log(1 + exp(-t)); of the two forms the one whose exponent is negative.
    return max(t, 0.0) + math.log1p(math.exp(-abs(t)))


@jit
def compute_value(code: int, t: float) -> float:
    """Return the value of an activation that is computed number by number."""
    if code == LEAKY_RELU:
        return t if t > 0 else LEAKY_SLOPE * t
    if code == SOFTPLUS:
        return compute_softplus(t)
    if code == SILU:
        return t * compute_sigmoid(t)
    return 0.5 * t * (1 + math.erf(t * _ROOT_HALF))


@jit
def fill_exponentials(x: Array, scaled: Array, minus: int) -> None:
    """Overwrite x, of float64, by exp(x) - minus, in loops that are done several at once.

    With n the whole number nearest to x / log 2 and r = x - n log 2, at most 0.35 away from 0,

        exp(x) - 1 = 2ⁿ (exp(r) - 1) + (2ⁿ - 1),

    where exp(r) - 1 is its Taylor polynomial of degree 13, whose error is below 1e-17 r. So nothing
    is lost near 0; `minus` is 1 or 0. Adding 1.5 * 2⁵² rounds to a whole number and leaves n in the
    lowest bits; moved to the place of the exponent they are 2ⁿ. NaN stays NaN.
    """
    bits = scaled.view(np.int64)
    for j in range(len(x)):
        t = x[j]
        t = _LARGEST if t > _LARGEST else t
        t = -_LARGEST if t < -_LARGEST else t
        shifted = t * _LOG_2_E + _SHIFT
        n = shifted - _SHIFT
        r = (t - n * _LOG_2_HIGH) - n * _LOG_2_LOW
        # Horner's scheme for r + r²/2! + ... + r¹³/13!
        p = 1 / 479001600 + r * (1 / 6227020800)
        p = 1 / 39916800 + r * p
        p = 1 / 3628800 + r * p
        p = 1 / 362880 + r * p
        p = 1 / 40320 + r * p
        p = 1 / 5040 + r * p
        p = 1 / 720 + r * p
        p = 1 / 120 + r * p
        p = 1 / 24 + r * p
        p = 1 / 6 + r * p
        p = 0.5 + r * p
        x[j] = r + r * r * p
        scaled[j] = shifted
    for j in range(len(x)):
        bits[j] = (bits[j] << 52) + (1023 << 52)
    for j in range(len(x)):
        x[j] = x[j] * scaled[j] + (scaled[j] - minus)


@jit
def fill_exponential(code: int, z: Array, x: Array, scaled: Array) -> None:
    """Overwrite z by the value of an activation that is made of exp(x) - 1.

    tanh z = E / (E + 2) with E of 2z; σ(z) = 1 / (1 + e) or e / (1 + e) with e = exp(-|z|).
    """
    for j in range(len(z)):
        if code == TANH:
            x[j] = 2 * z[j]
        elif code == LOGISTIC:
            x[j] = -abs(z[j])
        else:
            x[j] = 0 if z[j] > 0 else z[j]
    fill_exponentials(x, scaled, 1)
    if code == TANH:
        for j in range(len(z)):
            z[j] = x[j] / (x[j] + 2)
    elif code == LOGISTIC:
        for j in range(len(z)):
            z[j] = (1 if z[j] >= 0 else x[j] + 1) / (x[j] + 2)
    else:
        scale, alpha = (1.0, 1.0) if code == ELU else (SELU_SCALE, SELU_ALPHA)
        for j in range(len(z)):
            z[j] = scale * (z[j] if z[j] > 0 else alpha * x[j])


@jit
def compute_slope(code: int, a: float, z: float) -> float:
    """Return the slope of the activation of this number, from its value and its sum."""
    # tanh' = 1 - tanh² and σ' = σ (1 - σ) need the values alone, which are at hand. Of elu, a + α =
    # α exp(z) is the slope below 0; softplus has σ(z) = 1 - exp(-a), as exp(a) = 1 + exp(z).
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
        # (z σ(z))' = σ + z σ (1 - σ)
        p = compute_sigmoid(z)
        return p * (1 + z * (1 - p))
    # (z Φ(z))' = Φ(z) + z φ(z)
    half = 0.5 * (1 + math.erf(z * _ROOT_HALF))
    return half + z * _DENSITY_AT_0 * math.exp(-0.5 * z * z)


@jit
def activate(code: int, z: Array, sums: Array, space: Array) -> None:
    """Overwrite z by its activation; `sums` keeps z where slopes need it.

    `space` is of float64, of shape (3, at least the size of z). ReLU was taken care of before.
    """
    if code in (IDENTITY, RELU):
        return
    if code in (TANH, LOGISTIC, ELU, SELU):
        fill_exponential(code, z.reshape(z.size), space[0, : z.size], space[1, : z.size])
        return
    if code >= SILU:
        sums[:] = z
    for r in range(z.shape[0]):
        for c in range(z.shape[1]):
            z[r, c] = compute_value(code, z[r, c])


@jit
def multiply_by_slope(code: int, delta: Array, a: Array, sums: Array) -> None:
    """Multiply delta by the slopes where the activation had the values a.

    ReLU was taken care of before.
    """
    if code in (IDENTITY, RELU):
        return
    for r in range(a.shape[0]):
        for c in range(a.shape[1]):
            delta[r, c] *= compute_slope(code, a[r, c], sums[r, c])

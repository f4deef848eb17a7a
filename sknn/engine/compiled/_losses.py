"""Losses and their gradients as compiled code, one sample at a time.

The formulas and their derivations are in `sknn.losses`; here stands what is left of them for one
sample: z are its logits or raw predictions, y its encoded targets, with classes one-hot and
smoothed. A loss without an entry in `_codes.LOSSES` is trained in another way.
"""

import math

import numpy as np

from sknn._jit import jit
from sknn.engine.compiled._activations import (
    compute_sigmoid,
    compute_softplus,
    fill_exponentials,
)
from sknn.engine.compiled._codes import (
    ABSOLUTE,
    BINARY_HINGE,
    BINARY_LOG,
    FOCAL,
    GAMMA,
    HINGE,
    HUBER,
    LOG,
    LOSS,
    NORMAL,
    POISSON,
    QUANTILE,
    SQUARED,
    FlatNetwork,
)

Array = np.ndarray
_HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)


@jit
def fill_losses(network: FlatNetwork, z: Array, Y: Array, order: Array, space: Array) -> None:
    """Write the losses of a mini-batch into the last line of the space, and derivatives into z.

    z is (n_samples, n_outputs), `order` the numbers of its samples in Y, and the space is float64
    of shape (3, at least the size of z), overwritten.
    """
    losses, code = space[2], network.codes[LOSS]
    if code == LOG:
        _fill_log(z, Y, order, space)
    elif code == BINARY_LOG:
        _fill_binary_log(z, Y, order, space)
    elif code == SQUARED:
        _fill_squared(z, Y, order, losses)
    else:
        for r in range(len(z)):
            losses[r] = compute_loss(code, z[r], Y[order[r]], network.settings, z[r])


@jit
def _fill_log(z: Array, Y: Array, order: Array, space: Array) -> None:
    (n, width), kind = z.shape, z.dtype.type
    # The space has the logits class by class, so that loops go over samples, several at once; each
    # sum is still in the order of the classes.
    x, scaled, losses = space[0, : z.size], space[1, : z.size], space[2, :n]
    for r in range(n):
        for c in range(width):
            x[c * n + r] = z[r, c]
    # log Σ exp(z_k) = m + log Σ exp(z_k - m) for every m. With the largest logit as m no term is
    # above 1 and one is 1: nothing overflows, and the logarithm is of a number of at least 1.
    losses[:] = x[:n]
    for c in range(1, width):
        own = x[c * n : (c + 1) * n]
        for r in range(n):
            losses[r] = max(losses[r], own[r])
    for c in range(width):
        own = x[c * n : (c + 1) * n]
        for r in range(n):
            own[r] = kind(own[r] - losses[r])
    fill_exponentials(x, scaled, 0)
    totals = scaled[:n]
    totals[:] = 0
    for c in range(width):
        own = x[c * n : (c + 1) * n]
        for r in range(n):
            totals[r] += own[r]
    for c in range(width):
        own = x[c * n : (c + 1) * n]
        for r in range(n):
            own[r] /= totals[r]
    for r in range(n):
        i, loss = order[r], 0.0
        log_sum = losses[r] + math.log(totals[r])
        # l = -Σ y_k (z_k - log Σ exp(z)), and its slope by z_c is p_c - y_c, as the y_k sum to 1.
        for c in range(width):
            y = Y[i, c]
            loss -= y * (z[r, c] - log_sum)
            z[r, c] = x[c * n + r] - y
        losses[r] = loss


@jit
def _fill_binary_log(z: Array, Y: Array, order: Array, space: Array) -> None:
    n, width = z.shape
    x, losses = space[0, : z.size], space[2]
    for r in range(n):
        for c in range(width):
            x[r * width + c] = -abs(z[r, c])
    fill_exponentials(x, space[1, : z.size], 0)
    for r in range(n):
        i, loss = order[r], 0.0
        for c in range(width):
            e, t, y = x[r * width + c], z[r, c], Y[i, c]
            # log(1 + exp(-z)) = max(-z, 0) + log(1 + exp(-|z|))
            loss += (1 - y) * t + max(-t, 0.0) + math.log1p(e)
            z[r, c] = (1 if t >= 0 else e) / (1 + e) - y
        losses[r] = loss


@jit
def _fill_squared(z: Array, Y: Array, order: Array, losses: Array) -> None:
    for r in range(len(z)):
        i, loss = order[r], 0.0
        for c in range(z.shape[1]):
            error = z[r, c] - Y[i, c]
            loss += 0.5 * error * error
            z[r, c] = error
        losses[r] = loss


@jit
def compute_loss(code: int, z: Array, y: Array, settings: Array, delta: Array) -> float:
    """Return the loss of a sample, and write its derivative by z into delta, which may be z."""
    if code == FOCAL:
        return _compute_focal(z, y, settings[0], delta)
    if code == HINGE:
        return _compute_hinge(z, y, delta)
    if code == QUANTILE:
        return _compute_quantiles(z, y, settings, delta)
    if code == NORMAL:
        return _compute_normal(z, y, settings[0], delta)
    total = 0.0
    for c in range(len(z)):
        value, slope = _compute_number(code, z[c], y[c], settings[0])
        total += value
        delta[c] = slope
    return total


@jit
def _compute_number(code: int, z: float, y: float, setting: float) -> tuple[float, float]:
    """Return value and derivative of a loss whose outputs do not know of each other."""
    error = z - y
    if code == ABSOLUTE:
        return abs(error), float(np.sign(error))
    if code == HUBER:
        if abs(error) < setting:
            return 0.5 * error * error, error
        slope = setting * float(np.sign(error))
        return setting * (abs(error) - 0.5 * setting), slope
    if code == POISSON:
        # Half the deviance: y log(y / μ) - y + μ with μ = exp(z), so that y z is y log μ; 0 log 0
        # is 0.
        mean = math.exp(z)
        constant = y * math.log(y) - y if y > 0 else -y
        return mean - y * z + constant, mean - y
    if code == GAMMA:
        # Half the deviance: log(μ / y) + y / μ - 1 with μ = exp(z); y is above 0.
        ratio = y * math.exp(-z)
        return z - math.log(y) + ratio - 1, 1 - ratio
    if code == BINARY_HINGE:
        # y is 0 or 1, and t = 2 y - 1 is -1 or 1: max(0, 1 - t z), with the slope -t where it is
        # positive.
        sign = 2 * y - 1
        margin = 1 - sign * z
        return max(margin, 0.0), -sign if margin > 0 else 0.0
    # The label 0 is the label 1 of -z, whose slope by z has the opposite sign; a smoothed label is
    # a mixture of both.
    one, one_slope = _compute_focal_label(z, setting)
    zero, zero_slope = _compute_focal_label(-z, setting)
    return y * one + (1 - y) * zero, y * one_slope - (1 - y) * zero_slope


@jit
def _compute_focal_label(z: float, gamma: float) -> tuple[float, float]:
    # log σ(z) = -log(1 + exp(-z)), and (1 - p)^γ = exp(γ log σ(-z)): both are exact where p is next
    # to 0 or 1, unlike the logarithm or a power of the rounded p.
    log_p, p, rest = -compute_softplus(-z), compute_sigmoid(z), compute_sigmoid(-z)
    weight = math.exp(-gamma * compute_softplus(z))
    return -weight * log_p, weight * (gamma * p * log_p - rest)


@jit
def _compute_log_sum(z: Array) -> float:
    """Return log of the sum of exp(z), without overflow."""
    largest = z[0]
    for c in range(1, len(z)):
        largest = max(largest, z[c])
    total = 0.0
    for c in range(len(z)):
        total += math.exp(z[c] - largest)
    return largest + math.log(total)


@jit
def _compute_focal(z: Array, y: Array, gamma: float, delta: Array) -> float:
    # Two passes: the slope of each logit needs the sum of all classes' slopes by their log p, as
    # p_c depends on all logits: dl/dz_c = s_c - p_c Σ s_k. Nothing is kept between them, so that no
    # memory is taken for a sample.
    log_sum, total, slopes = _compute_log_sum(z), 0.0, 0.0
    for c in range(len(z)):
        log_p = z[c] - log_sum
        p, rest = math.exp(log_p), max(-math.expm1(log_p), 1e-38)
        weight = rest**gamma
        total -= y[c] * weight * log_p
        slopes += y[c] * weight * (gamma * p * log_p / rest - 1)
    for c in range(len(z)):
        log_p = z[c] - log_sum
        p, rest = math.exp(log_p), max(-math.expm1(log_p), 1e-38)
        delta[c] = y[c] * rest**gamma * (gamma * p * log_p / rest - 1) - p * slopes
    return total


@jit
def _compute_hinge(z: Array, y: Array, delta: Array) -> float:
    right, best, wrong = 0.0, -np.inf, 0
    for c in range(len(z)):
        if y[c] > 0:
            right += z[c] * y[c]
        elif z[c] > best:
            best, wrong = z[c], c
    # With y one-hot the right logit is Σ y_k z_k. Where the margin is negative the loss is flat.
    margin = 1 + best - right
    for c in range(len(z)):
        delta[c] = ((1 if c == wrong else 0) - y[c]) if margin > 0 else 0
    # A comparison with NaN is False, so that the loss would be 0, and training would seem to end
    # well.
    if math.isnan(right + best):
        delta[0] = np.nan
        return np.nan
    return max(margin, 0.0)


@jit
def _compute_quantiles(z: Array, y: Array, settings: Array, delta: Array) -> float:
    """Add the increments from the start outwards, then pass the slopes back inwards."""
    n, start = int(settings[0]), int(settings[1])
    levels, steps = settings[2 : 2 + n], settings[2 + n : 2 + 2 * n]
    slopes, total = np.empty(n), 0.0
    for column in range(len(y)):
        raw, into = z[column * n : (column + 1) * n], delta[column * n : (column + 1) * n]
        value, slopes[start] = _compute_pinball(y[column] - raw[start], levels[start])
        total += value / n
        for sign in (1, -1):
            error = float(y[column] - raw[start])
            i = start + sign
            while 0 <= i < n:
                error -= sign * steps[i] * compute_softplus(raw[i])
                value, slopes[i] = _compute_pinball(error, levels[i])
                total += value / n
                i += sign
        all_slopes = slopes.sum() / n
        for sign in (1, -1):
            beyond, i = 0.0, n - 1 if sign == 1 else 0
            while i != start:
                beyond += slopes[i] / n
                into[i] = sign * beyond * steps[i] * compute_sigmoid(raw[i])
                i -= sign
        into[start] = all_slopes
    return total


@jit
def _compute_pinball(error: float, level: float) -> tuple[float, float]:
    """Return the loss for a target that lies by `error` above the quantile, and its slope."""
    factor = level - 1 if error < 0 else level
    return error * factor, -factor


@jit
def _compute_normal(z: Array, y: Array, min_std: float, delta: Array) -> float:
    total = 0.0
    for column in range(len(y)):
        mean, raw = z[2 * column], z[2 * column + 1]
        std = min_std + compute_softplus(raw)
        error = (mean - y[column]) / std
        total += math.log(std) + 0.5 * error * error + _HALF_LOG_2_PI
        delta[2 * column] = error / std
        delta[2 * column + 1] = (1 - error * error) / std * compute_sigmoid(raw)
    return total

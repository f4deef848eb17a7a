"""Losses of numbers, each with its gradient.

Where a target column has several raw outputs they lie next to each other: output number
``column * k + i`` is the i-th of k.
"""

import math
from functools import cache, partial

import torch
from torch.nn import functional

from sknn.engine.losses._loss import Loss, identity
from sknn.preprocessing import VALUE_LOSSES, quantile_steps

Tensor = torch.Tensor

HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)


def _default(loss: str, name: str) -> object:
    return VALUE_LOSSES[loss].settings[name].default


def _squared_rows(output: Tensor, target: Tensor) -> Tensor:
    return 0.5 * (output - target).square().sum(dim=1)


def _squared_gradient(z: Tensor, y: Tensor, out: Tensor) -> None:
    torch.sub(z, y, out=out)


def squared_error() -> Loss:
    """Return half the squared error."""
    return Loss("squared_error", _squared_rows, identity, _squared_gradient)


def _absolute_rows(output: Tensor, target: Tensor) -> Tensor:
    return (output - target).abs().sum(dim=1)


def _absolute_gradient(z: Tensor, y: Tensor, out: Tensor) -> None:
    torch.sub(z, y, out=out).sign_()


def absolute_error() -> Loss:
    """Return the absolute error, whose best constant prediction is the median."""
    return Loss("absolute_error", _absolute_rows, identity, _absolute_gradient)


def _huber_rows(output: Tensor, target: Tensor, delta: float) -> Tensor:
    return functional.huber_loss(output, target, reduction="none", delta=delta).sum(dim=1)


def _huber_gradient(z: Tensor, y: Tensor, out: Tensor, delta: float) -> None:
    torch.sub(z, y, out=out).clamp_(-delta, delta)


def huber(delta: float = _default("huber", "delta")) -> Loss:
    """Return Huber's loss: half the square of an error up to `delta`, then linear.

    P. J. Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics
    35(1), 1964, doi:10.1214/aoms/1177703732. With 1.35 standard deviations it is 95 % as
    efficient as the mean where errors are normal.
    """
    rows, gradient = partial(_huber_rows, delta=delta), partial(_huber_gradient, delta=delta)
    return Loss("huber", rows, identity, gradient)


def _poisson_rows(output: Tensor, target: Tensor) -> Tensor:
    # Half the deviance: y log(y / exp(z)) - y + exp(z), 0 for a perfect prediction.
    constant = torch.xlogy(target, target) - target
    return (output.exp() - target * output + constant).sum(dim=1)


def _poisson_gradient(z: Tensor, y: Tensor, out: Tensor) -> None:
    torch.exp(z, out=out).sub_(y)


def poisson() -> Loss:
    """Return half the Poisson deviance with a logarithmic link."""
    return Loss("poisson", _poisson_rows, torch.exp, _poisson_gradient)


def _gamma_rows(output: Tensor, target: Tensor) -> Tensor:
    # Half the deviance: log(exp(z) / y) + y / exp(z) - 1, 0 for a perfect prediction.
    return (output - target.log() + target * (-output).exp() - 1).sum(dim=1)


def _gamma_gradient(z: Tensor, y: Tensor, out: Tensor) -> None:
    torch.neg(z, out=out).exp_().mul_(y).neg_().add_(1)


def gamma() -> Loss:
    """Return half the gamma deviance with a logarithmic link."""
    return Loss("gamma", _gamma_rows, torch.exp, _gamma_gradient)


def _as_quantiles(raw: Tensor, steps: Tensor, start: int) -> Tensor:
    """Return quantiles for raw output of shape (..., n_levels, rows), see `quantile_steps`."""
    parts = functional.softplus(raw) * steps
    first = raw[:, start : start + 1]
    above = first + parts[:, start + 1 :].cumsum(dim=1)
    below = first - parts[:, :start].flip(1).cumsum(dim=1).flip(1)
    return torch.cat([below, first, above], dim=1)


def _by_level(output_t: Tensor, levels: tuple[float, ...]) -> tuple[Tensor, Tensor, Tensor, int]:
    """Return raw output of shape (n_columns, n_levels, n_rows), levels, steps and the start."""
    start, steps = quantile_steps(levels)
    raw = output_t.unflatten(0, (-1, len(levels)))
    columns = [_constants(tuple(numbers), raw.dtype, raw.device) for numbers in (levels, steps)]
    return raw, *columns, start


@cache  # a captured step reads the same memory again and again
def _constants(numbers: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return a column of numbers, which a step that is captured may not bring to the device."""
    with torch.inference_mode(False):  # else autograd could not use what a prediction made
        return torch.tensor(numbers, dtype=dtype, device=device)[:, None]


def _quantile_link(output: Tensor, levels: tuple[float, ...]) -> Tensor:
    raw, _, steps, start = _by_level(output.t(), levels)
    return _as_quantiles(raw, steps, start).flatten(0, 1).t()


def _quantile_rows(output: Tensor, target: Tensor, levels: tuple[float, ...]) -> Tensor:
    raw, level, steps, start = _by_level(output.t(), levels)
    error = target.t()[:, None] - _as_quantiles(raw, steps, start)
    return (error * (level - (error < 0).to(error.dtype))).mean(dim=1).sum(dim=0)


def _quantile_gradient(z: Tensor, y: Tensor, out: Tensor, levels: tuple[float, ...]) -> None:
    raw, level, steps, start = _by_level(z, levels)
    below = y[:, None] < _as_quantiles(raw, steps, start)
    g = below.to(z.dtype).sub_(level).div_(len(levels))
    slope = raw.sigmoid() * steps
    into = out.unflatten(0, (-1, len(levels)))
    # A step moves all quantiles on its far side, the start moves all.
    into[:, start] = g.sum(dim=1)
    into[:, start + 1 :] = g[:, start + 1 :].flip(1).cumsum(dim=1).flip(1)
    into[:, :start] = -g[:, :start].cumsum(dim=1)
    into[:, start + 1 :] *= slope[:, start + 1 :]
    into[:, :start] *= slope[:, :start]


def quantile(quantiles: tuple[float, ...] = _default("quantile", "quantiles")) -> Loss:
    """Return the pinball loss of quantiles that never cross, averaged over their levels.

    R. Koenker and G. Bassett, "Regression quantiles", Econometrica 46(1), 1978,
    doi:10.2307/1913643. `sknn.preprocessing.quantile_steps` says what the raw output means.
    """
    settings = {"levels": tuple(quantiles)}
    return Loss(
        "quantile",
        partial(_quantile_rows, **settings),
        partial(_quantile_link, **settings),
        partial(_quantile_gradient, **settings),
    )


def _gaussian_parts(output_t: Tensor, min_std: float) -> tuple[Tensor, Tensor]:
    raw = output_t.unflatten(0, (-1, 2))
    return raw[:, 0], functional.softplus(raw[:, 1]) + min_std


def _gaussian_link(output: Tensor, min_std: float) -> Tensor:
    return torch.stack(_gaussian_parts(output.t(), min_std), dim=1).flatten(0, 1).t()


def _gaussian_rows(output: Tensor, target: Tensor, min_std: float) -> Tensor:
    mean, std = _gaussian_parts(output.t(), min_std)
    costs = std.log() + 0.5 * ((target.t() - mean) / std).square() + HALF_LOG_2_PI
    return costs.sum(dim=0)


def _gaussian_gradient(z: Tensor, y: Tensor, out: Tensor, min_std: float) -> None:
    mean, std = _gaussian_parts(z, min_std)
    error, into = (mean - y) / std, out.unflatten(0, (-1, 2))
    into[:, 0] = error / std
    into[:, 1] = (1 - error.square()) / std * z.unflatten(0, (-1, 2))[:, 1].sigmoid()


def gaussian_nll(min_std: float = _default("gaussian_nll", "min_std")) -> Loss:
    """Return the negative log density of a normal distribution, whose spread is learned too.

    D. A. Nix and A. S. Weigend, "Estimating the mean and variance of the target probability
    distribution", ICNN 1994, doi:10.1109/ICNN.1994.374138. Of two raw outputs the first is the
    mean, the other gives ``std = min_std + softplus(raw)``.
    """
    settings = {"min_std": min_std}
    return Loss(
        "gaussian_nll",
        partial(_gaussian_rows, **settings),
        partial(_gaussian_link, **settings),
        partial(_gaussian_gradient, **settings),
    )

"""Calibration of probabilities by temperature scaling: one number divides all logits."""

import math

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from sknn._specs import TrainPlan, TrainResult
from sknn.engine import forward

#: largest temperature; the smallest one is 1 / LIMIT
LIMIT = 5.0


def log_loss_of(kind: str, y: np.ndarray, output: np.ndarray, weight: np.ndarray | None) -> float:
    """Return the mean log loss of logits (n_samples, n_outputs), averaged over labels."""
    if kind == "multiclass":
        costs = logsumexp(output, axis=1) - np.take_along_axis(output, y[:, None], axis=1)[:, 0]
    else:
        # -y log σ(z) - (1 - y) log(1 - σ(z)) = log(1 + exp(z)) - y z, which never takes the
        # logarithm of 0.
        costs = np.logaddexp(0, output) - y * output
        measured = ~np.isnan(costs)
        if not measured.all():  # the mean over the labels that are known
            share = measured if weight is None else measured * weight[:, None]
            return float(np.average(np.where(measured, costs, 0.0), weights=share))
        costs = np.mean(costs, axis=1)
    return float(np.average(costs, weights=weight))


def best_temperature(
    kind: str, y: np.ndarray, output: np.ndarray, weight: np.ndarray | None
) -> tuple[float, float]:
    """Return the temperature with the smallest log loss, and that loss.

    Arguments are as for `log_loss_of`, of held-out samples.
    """
    # C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural networks",
    # ICML 2017, arXiv:1706.04599. Log loss is convex in the inverse temperature b = 1 / T: it is a
    # sum of logsumexp(b z) - b z_y, a convex function and a line. So it has one minimum. It has one
    # over log T, too, which is monotone in b; on this axis T and 1 / T are equally far from 1, and
    # a bounded search cannot end in another minimum. Dividing all logits by one positive number
    # changes no order of classes, and so no prediction.
    output = output.astype(np.float64)

    def loss_at(log_temperature: float) -> float:
        return log_loss_of(kind, y, output * math.exp(-log_temperature), weight)

    bounds = -math.log(LIMIT), math.log(LIMIT)
    found = minimize_scalar(loss_at, bounds=bounds, method="bounded", options={"xatol": 1e-3})
    return math.exp(found.x), float(found.fun)


class TemperedLogLoss:
    """A `sknn.deep.parts._targets.ClassJudge`: the log loss that is left with the best temperature.

    Epochs are compared by it, and not by the log loss as it is: probabilities that are too near to
    0 and 1 do not count against an epoch, because the temperature corrects them.
    """

    def score(
        self, kind: str, y: np.ndarray, output: np.ndarray, sample_weight: np.ndarray | None
    ) -> float:
        """Return the negative loss."""
        return -best_temperature(kind, y, output, sample_weight)[1]

    def calibrate(self, kind: str, plan: TrainPlan, result: TrainResult) -> None:
        """Divide the outputs by the best temperature on held-out samples."""
        held_out = plan.validation
        if held_out is not None:
            output, weight = forward(result.net, held_out.X), held_out.sample_weight
            temperature, _ = best_temperature(kind, held_out.y, output, weight)
            result.net.module_.set_temperature(temperature)

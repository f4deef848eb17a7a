"""Probabilities that mean what they say: one temperature for all outputs."""

import math

import numpy as np
from scipy.optimize import minimize_scalar

from sknn._specs import Sample, TrainResult
from sknn.engine import mean_loss

#: largest and, inverted, smallest temperature
LIMIT = 5.0


def best_temperature(result: TrainResult, sample: Sample, output: np.ndarray) -> float:
    """Return the temperature with the smallest loss on rows that were not trained on [1]_.

    Parameters
    ----------
    result : TrainResult
        Of training; gives the loss.
    sample : Sample
        Encoded targets and weights of the rows.
    output : ndarray of shape (n_samples, n_outputs)
        Raw output for them, which is to be divided by the temperature.

    Returns
    -------
    float
        In [1 / `LIMIT`, `LIMIT`].

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural
       networks", ICML 2017, arXiv:1706.04599.
    """

    def loss_at(log_temperature: float) -> float:
        return mean_loss(result.net, sample, output / output.dtype.type(math.exp(log_temperature)))

    bounds = -math.log(LIMIT), math.log(LIMIT)
    found = minimize_scalar(loss_at, bounds=bounds, method="bounded", options={"xatol": 1e-3})
    return math.exp(found.x)

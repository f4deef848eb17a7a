"""Torch's fused optimizer steps: one kernel for all parameters, called in one place.

Weight decay is taken before the step where there is some, and no step maximises.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

Tensor = torch.Tensor

# Adam's step number t is r m̂ / (sqrt(v̂) + ε̂) with the learning rate r, m̂ = m / (1 - β1^t) and
# v̂ = v / (1 - β2^t). torch adds its epsilon there; scikit-learn adds ε to sqrt(v), as the end of
# section 2 of the paper has it: ε = ε̂ sqrt(1 - β2^t). Multiplied through by that root, the step is
#
#     r' m / (sqrt(v) + ε)    with    r' = r sqrt(1 - β2^t) / (1 - β1^t).
#
# A kernel that corrects biases itself gets ε̂; one that is told of infinitely many steps, and then
# corrects nothing, gets r' and ε.


def compute_corrected_epsilon(group: Mapping[str, Any]) -> float:
    """Return ε̂ of the step ``group["n_steps"]``, for a kernel that corrects biases."""
    return group["epsilon"] / math.sqrt(1 - group["betas"][1] ** group["n_steps"])


def compute_corrected_rate(group: Mapping[str, Any], rate: float) -> float:
    """Return r' of the step ``group["n_steps"]``, for a kernel that corrects nothing."""
    (beta_1, beta_2), t = group["betas"], group["n_steps"]
    return rate * math.sqrt(1 - beta_2**t) / (1 - beta_1**t)


def step_adam(
    pieces: Sequence[list[Tensor]],
    counts: list[Tensor],
    group: Mapping[str, Any],
    *,
    rate: float | Tensor,
    epsilon: float,
) -> None:
    """Follow gradients once, as Adam does.

    `pieces` are parameters, gradients, first and second moments, of equal lengths and shapes;
    `counts` the numbers of the step, of shape (). `rate`, of shape (), is on the device for a step
    that is captured; `epsilon` is added to the root of the corrected second moment.
    """
    # ``torch.optim.Adam(fused=True)`` calls the same kernel, after sorting tensors by device and
    # dtype and looking at hooks at each step, which takes longer than a small network's kernel.
    beta_1, beta_2 = group["betas"]
    parameters, gradients, first_moments, second_moments = pieces
    torch._fused_adam_(
        parameters,
        gradients,
        first_moments,
        second_moments,
        [],  # the largest second moments, for amsgrad alone
        counts,
        lr=rate,
        beta1=beta_1,
        beta2=beta_2,
        weight_decay=0.0,
        eps=epsilon,
        amsgrad=False,
        maximize=False,
    )


def step_sgd(
    pieces: Sequence[list[Tensor]], group: Mapping[str, Any], *, rate: float | Tensor
) -> None:
    """Follow gradients once, as stochastic gradient descent does.

    Parameters
    ----------
    pieces : sequence of three lists of Tensor
        Parameters, gradients, and momentum buffers; the last is not read without momentum.
    group : mapping
        Group of the optimizer, with its ``momentum`` and ``nesterov``.
    rate : float or Tensor of shape ()
        Learning rate; on the device for a step that is captured.
    """
    parameters, gradients, buffers = pieces
    # Buffers begin as zeros, so that the first step is one like the others, v = μ·0 + g. Were they
    # made of the first gradients, as torch's are, a captured step would do that at each replay.
    torch._fused_sgd_(
        parameters,
        gradients,
        buffers if group["momentum"] else [],
        weight_decay=0.0,
        momentum=group["momentum"],
        lr=rate,
        dampening=0.0,
        nesterov=group["nesterov"],
        maximize=False,
        is_first_step=False,
    )

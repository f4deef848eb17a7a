"""Losses of classes, each with its gradient.

Names that begin with ``binary_`` take 0/1 of shape (n_rows, n_outputs), one output a label; the
others class numbers of shape (n_rows,), one output a class.
"""

from functools import partial

import torch
from torch.nn import functional

from sknn.engine.losses._loss import Loss, identity, softmax
from sknn.preprocessing import CLASS_LOSSES

Tensor = torch.Tensor

GAMMA = CLASS_LOSSES["focal"].settings["gamma"].default


def _log_loss_rows(output: Tensor, target: Tensor, smoothing: float = 0.0) -> Tensor:
    # As if rows were the pixels of one image: over few classes many times faster than row by row.
    return functional.cross_entropy(
        output.t()[None], target[None], reduction="none", label_smoothing=smoothing
    )[0]


def _log_loss_gradient(z: Tensor, y: Tensor, out: Tensor, smoothing: float = 0.0) -> None:
    torch.softmax(z, 0, out=out)
    out.sub_(y if not smoothing else _smooth_classes(y, smoothing))


def _smooth_classes(one_hot: Tensor, smoothing: float) -> Tensor:
    """Return one-hot targets, of shape (n_classes, n_rows), with a share for every class."""
    return one_hot * (1 - smoothing) + smoothing / len(one_hot)


def _smooth_labels(target: Tensor, smoothing: float) -> Tensor:
    return target * (1 - smoothing) + smoothing / 2 if smoothing else target


def _binary_log_loss_rows(output: Tensor, target: Tensor, smoothing: float = 0.0) -> Tensor:
    target = _smooth_labels(target, smoothing)
    cost = functional.binary_cross_entropy_with_logits(output, target, reduction="none")
    return cost.sum(dim=1)


def _binary_log_loss_gradient(z: Tensor, y: Tensor, out: Tensor, smoothing: float = 0.0) -> None:
    torch.sigmoid(z, out=out).sub_(_smooth_labels(y, smoothing))


def log_loss(label_smoothing: float = 0.0) -> Loss:
    """Return the cross-entropy of classes.

    With label smoothing the target is ``1 - s + s / n_classes`` for the class and
    ``s / n_classes`` for the others: C. Szegedy et al., "Rethinking the Inception architecture
    for computer vision", CVPR 2016, arXiv:1512.00567.
    """
    rows, gradient = _log_loss_rows, _log_loss_gradient
    if label_smoothing:
        rows = partial(rows, smoothing=label_smoothing)
        gradient = partial(gradient, smoothing=label_smoothing)
    return Loss("log_loss", rows, softmax, gradient)


def binary_log_loss(label_smoothing: float = 0.0) -> Loss:
    """Return the cross-entropy of labels, each smoothed as one of two classes."""
    rows, gradient = _binary_log_loss_rows, _binary_log_loss_gradient
    if label_smoothing:
        rows = partial(rows, smoothing=label_smoothing)
        gradient = partial(gradient, smoothing=label_smoothing)
    return Loss("binary_log_loss", rows, torch.sigmoid, gradient)


def _focal_factors(log_p: Tensor, gamma: float) -> tuple[Tensor, Tensor]:
    """Return cost -(1 - p)^gamma log p, and its derivative by log p."""
    # 1 - p is kept off 0, where a power below 1 has no slope; log p is 0 there.
    p, rest = log_p.exp(), (-torch.expm1(log_p)).clamp(min=torch.finfo(log_p.dtype).tiny)
    weight = rest.pow(gamma)
    return -weight * log_p, weight * (gamma * p * log_p / rest - 1)


def _focal_rows(output: Tensor, target: Tensor, gamma: float, smoothing: float) -> Tensor:
    costs, _ = _focal_factors(output.t().log_softmax(dim=0), gamma)
    y = torch.zeros_like(costs).scatter_(0, target[None], 1)
    return (_smooth_classes(y, smoothing) * costs).sum(dim=0)


def _focal_gradient(z: Tensor, y: Tensor, out: Tensor, gamma: float, smoothing: float) -> None:
    log_p = z.log_softmax(dim=0)
    slopes = _smooth_classes(y, smoothing).mul_(_focal_factors(log_p, gamma)[1])
    torch.sub(slopes, log_p.exp_().mul_(slopes.sum(dim=0)), out=out)


def _binary_focal_parts(z: Tensor, gamma: float) -> tuple[Tensor, Tensor]:
    """Return cost and slope by z where the label is 1."""
    # With 1 - p = sigmoid(-z) nothing is singular.
    log_p, p, rest = functional.logsigmoid(z), z.sigmoid(), torch.sigmoid(-z)
    weight = (gamma * functional.logsigmoid(-z)).exp()
    return -weight * log_p, weight * (gamma * p * log_p - rest)


def _binary_focal_rows(output: Tensor, target: Tensor, gamma: float, smoothing: float) -> Tensor:
    y = _smooth_labels(target, smoothing)
    ones, zeros = _binary_focal_parts(output, gamma)[0], _binary_focal_parts(-output, gamma)[0]
    return (y * ones + (1 - y) * zeros).sum(dim=1)


def _binary_focal_gradient(
    z: Tensor, y: Tensor, out: Tensor, gamma: float, smoothing: float
) -> None:
    y = _smooth_labels(y, smoothing)
    ones, zeros = _binary_focal_parts(z, gamma)[1], _binary_focal_parts(-z, gamma)[1]
    torch.sub(y * ones, (1 - y) * zeros, out=out)


def focal(gamma: float = GAMMA, label_smoothing: float = 0.0) -> Loss:
    """Return the focal loss of classes, which counts rows less the surer they are right.

    ``-(1 - p)^gamma log p`` with p the probability of the class: T.-Y. Lin et al., "Focal loss
    for dense object detection", ICCV 2017, arXiv:1708.02002.
    """
    settings = {"gamma": gamma, "smoothing": label_smoothing}
    rows, gradient = partial(_focal_rows, **settings), partial(_focal_gradient, **settings)
    return Loss("focal", rows, softmax, gradient)


def binary_focal(gamma: float = GAMMA, label_smoothing: float = 0.0) -> Loss:
    """Return the focal loss of labels, see `focal`."""
    settings = {"gamma": gamma, "smoothing": label_smoothing}
    rows = partial(_binary_focal_rows, **settings)
    return Loss("binary_focal", rows, torch.sigmoid, partial(_binary_focal_gradient, **settings))


def _margins(z: Tensor, one_hot: Tensor) -> tuple[Tensor, Tensor]:
    """Return 1 + the best wrong class's lead over the right one, and which class that is."""
    best, which = z.masked_fill(one_hot > 0, -torch.inf).max(dim=0)
    return 1 + best - (z * one_hot).sum(dim=0), which


def _hinge_rows(output: Tensor, target: Tensor) -> Tensor:
    z = output.t()
    return _margins(z, torch.zeros_like(z).scatter_(0, target[None], 1))[0].relu()


def _hinge_gradient(z: Tensor, y: Tensor, out: Tensor) -> None:
    margin, which = _margins(z, y)
    out.copy_(y).neg_().scatter_(0, which[None], 1).mul_(margin > 0)


def hinge() -> Loss:
    """Return the multiclass hinge loss: by how much the right class fails to lead by 1.

    K. Crammer and Y. Singer, "On the algorithmic implementation of multiclass kernel-based
    vector machines", Journal of Machine Learning Research 2, 2001.
    """
    return Loss("hinge", _hinge_rows, identity, _hinge_gradient)


def _binary_hinge_rows(output: Tensor, target: Tensor) -> Tensor:
    return (1 - (2 * target - 1) * output).relu().sum(dim=1)


def _binary_hinge_gradient(z: Tensor, y: Tensor, out: Tensor) -> None:
    sign = 2 * y - 1
    torch.mul(-sign, sign * z < 1, out=out)


def binary_hinge() -> Loss:
    """Return the hinge loss of labels, ``max(0, 1 - z)`` or ``max(0, 1 + z)``."""
    return Loss("binary_hinge", _binary_hinge_rows, identity, _binary_hinge_gradient)

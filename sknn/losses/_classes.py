"""Losses of classes.

Shapes are those of `LossFunction`. With a logit per class y is one-hot, with a logit per label it
is 0 or 1 for each label.
"""

import numpy as np

from sknn.losses._array import Array, ArrayNamespace
from sknn.losses._loss import ClassLoss, LossFunction, find_loss
from sknn.losses._settings import NumberIn, Setting

# --- log loss: cross-entropy of softmax or sigmoid.
# Classes: l = -sum of y log p with p = softmax(z); as the y sum to 1,
#     dl/dz_j = sum over i of y_i (p_j - [i = j]) = p_j - y_j.
# Labels: as log σ(-z) = log σ(z) - z,
#     l = -y log σ(z) - (1 - y) log σ(-z) = (1 - y) z - log σ(z),    l' = 1 - y - σ(-z) = σ(z) - y.
# Label smoothing s puts 1 - s + s / n in place of 1 and s / n in place of 0, of n classes; a label
# is one of 2. C. Szegedy et al., "Rethinking the Inception architecture for computer vision", CVPR
# 2016, arXiv:1512.00567.


def _smooth_classes(y: Array, smoothing: float) -> Array:
    return y * (1 - smoothing) + smoothing / y.shape[-2] if smoothing else y


def _smooth_labels(y: Array, smoothing: float) -> Array:
    return y * (1 - smoothing) + smoothing / 2 if smoothing else y


def _compute_log_loss(
    xp: ArrayNamespace, z: Array, y: Array, *, label_smoothing: float = 0.0
) -> Array:
    return -xp.sum(_smooth_classes(y, label_smoothing) * xp.log_softmax(z, axis=-2), axis=-2)


def _write_log_loss_gradient(
    xp: ArrayNamespace, z: Array, y: Array, out: Array, *, label_smoothing: float = 0.0
) -> None:
    xp.softmax(z, axis=-2, out=out)
    out -= _smooth_classes(y, label_smoothing)


def _compute_binary_log_loss(
    xp: ArrayNamespace, z: Array, y: Array, *, label_smoothing: float = 0.0
) -> Array:
    y = _smooth_labels(y, label_smoothing)
    return xp.sum((1 - y) * z - xp.log_sigmoid(z), axis=-2)


def _write_binary_log_loss_gradient(
    xp: ArrayNamespace, z: Array, y: Array, out: Array, *, label_smoothing: float = 0.0
) -> None:
    xp.sigmoid(z, out=out)
    out -= _smooth_labels(y, label_smoothing)


# --- focal loss: samples count less the surer they are right.
# With p the probability of the class, c = -(1 - p)^γ log p; as dp/dlog p = p,
#     dc/dlog p = γ (1 - p)^(γ-1) p log p - (1 - p)^γ = (1 - p)^γ (γ p log p / (1 - p) - 1).
# Classes: dlog p_i / dz_j = [i = j] - p_j, so with s_i = y_i dc/dlog p_i,
#     dl/dz_j = s_j - p_j (sum of s).
# Labels: dlog σ(z)/dz = 1 - p, so dc/dz = (1 - p)^γ (γ p log p - (1 - p)), and of the label 0 the
# same of -z with the opposite sign. T.-Y. Lin et al., "Focal loss for dense object detection",
# ICCV 2017, arXiv:1708.02002.


def _differentiate_focal(xp: ArrayNamespace, log_p: Array, gamma: float) -> tuple[Array, Array]:
    """Return the loss c, and its derivative by log p."""
    # 1 - p is kept off 0, where a power below 1 has no slope; log p is 0 there.
    p, rest = xp.exp(log_p), xp.clip(-xp.expm1(log_p), xp.finfo(log_p.dtype).tiny, None)
    weight = rest**gamma
    return -weight * log_p, weight * (gamma * p * log_p / rest - 1)


def _compute_focal_loss(
    xp: ArrayNamespace, z: Array, y: Array, *, gamma: float, label_smoothing: float = 0.0
) -> Array:
    values, _ = _differentiate_focal(xp, xp.log_softmax(z, axis=-2), gamma)
    return xp.sum(_smooth_classes(y, label_smoothing) * values, axis=-2)


def _write_focal_gradient(
    xp: ArrayNamespace,
    z: Array,
    y: Array,
    out: Array,
    *,
    gamma: float,
    label_smoothing: float = 0.0,
) -> None:
    log_p = xp.log_softmax(z, axis=-2)
    slopes = _smooth_classes(y, label_smoothing) * _differentiate_focal(xp, log_p, gamma)[1]
    total = xp.sum(slopes, axis=-2, keepdims=True)
    xp.subtract(slopes, xp.exp(log_p) * total, out=out)


def _differentiate_label_focal(xp: ArrayNamespace, z: Array, gamma: float) -> tuple[Array, Array]:
    """Return loss and slope by z where the label is 1."""
    # With 1 - p = sigmoid(-z) nothing is singular.
    log_p, p, rest = xp.log_sigmoid(z), xp.sigmoid(z), xp.sigmoid(-z)
    weight = xp.exp(gamma * xp.log_sigmoid(-z))
    return -weight * log_p, weight * (gamma * p * log_p - rest)


def _compute_binary_focal_loss(
    xp: ArrayNamespace, z: Array, y: Array, *, gamma: float, label_smoothing: float = 0.0
) -> Array:
    y = _smooth_labels(y, label_smoothing)
    ones, zeros = (
        _differentiate_label_focal(xp, z, gamma)[0],
        _differentiate_label_focal(xp, -z, gamma)[0],
    )
    return xp.sum(y * ones + (1 - y) * zeros, axis=-2)


def _write_binary_focal_gradient(
    xp: ArrayNamespace,
    z: Array,
    y: Array,
    out: Array,
    *,
    gamma: float,
    label_smoothing: float = 0.0,
) -> None:
    y = _smooth_labels(y, label_smoothing)
    ones, zeros = (
        _differentiate_label_focal(xp, z, gamma)[1],
        _differentiate_label_focal(xp, -z, gamma)[1],
    )
    xp.subtract(y * ones, (1 - y) * zeros, out=out)


# --- hinge: by how much the right class fails to lead by 1.
# l = max(0, 1 + best wrong logit - right logit): where it is positive the slope is 1 for the best
# wrong class and -1 for the right one. Labels: l = max(0, 1 - t z) with t = ±1. K. Crammer and
# Y. Singer, "On the algorithmic implementation of multiclass kernel-based vector machines", Journal
# of Machine Learning Research 2, 2001.


def _hide_right_logits(xp: ArrayNamespace, z: Array, y: Array) -> Array:
    return xp.where(y > 0, -np.inf, z)


def _compute_hinge_margin(xp: ArrayNamespace, z: Array, y: Array) -> Array:
    """Return 1 + the best wrong class's lead over the right one."""
    return 1 + xp.amax(_hide_right_logits(xp, z, y), axis=-2) - xp.sum(z * y, axis=-2)


def _compute_hinge_loss(xp: ArrayNamespace, z: Array, y: Array) -> Array:
    return xp.clip(_compute_hinge_margin(xp, z, y), 0, None)


def _write_hinge_gradient(xp: ArrayNamespace, z: Array, y: Array, out: Array) -> None:
    # Of several equally good wrong classes the first has all of the slope: any of them is a
    # subgradient.
    best = xp.one_hot(xp.argmax(_hide_right_logits(xp, z, y), axis=-2), z)
    xp.subtract(best, y, out=out)
    out *= (_compute_hinge_margin(xp, z, y) > 0)[..., None, :]


def _compute_binary_hinge_loss(xp: ArrayNamespace, z: Array, y: Array) -> Array:
    return xp.sum(xp.clip(1 - (2 * y - 1) * z, 0, None), axis=-2)


def _write_binary_hinge_gradient(xp: ArrayNamespace, z: Array, y: Array, out: Array) -> None:
    # At the kink, t z = 1, the slope is taken as 0.
    sign = 2 * y - 1
    xp.multiply(-sign, sign * z < 1, out=out)


# --- the table -----------------------------------------------------------------------------

_SMOOTHING = Setting(0.0, NumberIn(0, 1, includes_low=True), "a number in [0, 1)")
_GAMMA = Setting(2.0, NumberIn(0, includes_low=True), "a number >= 0")

_ENTRIES = (
    ClassLoss(
        "log_loss",
        LossFunction(_compute_log_loss, _write_log_loss_gradient),
        LossFunction(_compute_binary_log_loss, _write_binary_log_loss_gradient),
        settings={"label_smoothing": _SMOOTHING},
    ),
    ClassLoss(
        "focal",
        LossFunction(_compute_focal_loss, _write_focal_gradient),
        LossFunction(_compute_binary_focal_loss, _write_binary_focal_gradient),
        settings={"gamma": _GAMMA, "label_smoothing": _SMOOTHING},
    ),
    ClassLoss(
        "hinge",
        LossFunction(_compute_hinge_loss, _write_hinge_gradient),
        LossFunction(_compute_binary_hinge_loss, _write_binary_hinge_gradient),
        gives_probabilities=False,
    ),
)

CLASS_LOSSES: dict[str, ClassLoss] = {entry.name: entry for entry in _ENTRIES}
#: entry of a user-defined function
_OF_USER = ClassLoss("", None, None)


def find_class_loss(loss: object) -> ClassLoss:
    """Return the entry of a loss of classes.

    Parameters
    ----------
    loss : str, ClassLoss or callable
        Loss as a user gives it. The output of a callable counts as log-odds, or as unnormalised
        log-probabilities, as torch's own losses take it.

    Returns
    -------
    ClassLoss

    Raises
    ------
    ValueError
        If there is no such loss.
    """
    return find_loss(loss, CLASS_LOSSES, _OF_USER)


def gives_probabilities(loss: object) -> bool:
    """Return whether a classifier trained on a loss can give probabilities.

    Parameters
    ----------
    loss : str, ClassLoss or callable
        Loss as a user gives it.

    Returns
    -------
    bool
    """
    return find_class_loss(loss).gives_probabilities

"""Platt scaling: probabilities from margins by a logistic function with one slope."""

from collections.abc import Callable

import numpy as np
from scipy.special import expit, softmax

from sknn.threshold._linear_base import TrainingSet

#: the slope is looked for between 1/1000 and 1000 per root mean square of the margins
_REACH = np.log(1000.0)
#: relative change of the slope, and number of evaluations, at which the search ends
_PRECISION, _MAX_STEPS = 1e-11, 60
#: margins outside are scaled before they are squared, which would overflow or vanish
_SAFE = (1e-150, 1e150)

#: from the slope to the first and the second derivative of the log-loss, convex in the slope
Derivatives = Callable[[float], tuple[float, float]]


def apply_inverse_link(decision: np.ndarray, slope: float) -> np.ndarray:
    """Return class probabilities, the largest where the decision is.

    For margins of shape (n_samples,) the second column is ``1 / (1 + exp(-slope * decision))``, for
    (n_samples, n_classes) it is the softmax of ``slope * decision``.
    """
    if decision.ndim == 2:
        with np.errstate(over="ignore"):
            scaled = slope * decision
            if not np.all(np.isfinite(scaled)):  # inf - inf; differences from the largest will do
                scaled = slope * (decision - decision.max(axis=1, keepdims=True))
        return softmax(scaled, axis=1)
    return np.column_stack([expit(-slope * decision), expit(slope * decision)])


def fit_slope(
    decision: np.ndarray, codes: np.ndarray, weights: np.ndarray, n_classes: int
) -> float:
    """Fit the slope of the inverse link by weighted maximum likelihood; it is always above 0."""
    # As in Platt (1999) the target of a sample in a class with weight N is not 1 but the mean of a
    # Beta (Dirichlet) posterior under a uniform prior, (N + 1) / (N + n_classes), and 1 / (N +
    # n_classes) for each other class. With targets 0 and 1 the likelihood of separated classes
    # rises with the slope for ever; with these the slope stays finite. There is no offset, which
    # would let the probabilities contradict the decision.
    # Margins times u with the slope divided by u give the same probabilities, so that a unit can be
    # chosen in which no square overflows; a power of two changes no digits.
    largest = np.abs(decision).max(initial=0.0)
    if largest > 0 and not _SAFE[0] < largest < _SAFE[1]:  # the slope is 1 over the margins' unit
        unit = 2.0 ** np.floor(np.log2(largest))
        return fit_slope(decision / unit, codes, weights, n_classes) / unit
    share = weights / weights.sum()
    of_class = np.bincount(codes, weights, minlength=n_classes)
    # The mean of a Dirichlet posterior under a uniform prior: one sample more of each class.
    hit, missed = (of_class + 1) / (of_class + n_classes), 1 / (of_class + n_classes)
    if decision.ndim == 1:
        # half a margin for each class: only the difference counts
        scale = np.sqrt(share @ np.square(decision)) / 2
        loss = _derive_binary_loss(decision, share, np.array([missed[0], hit[1]])[codes])
    else:
        scale = np.sqrt(share @ np.square(decision).mean(axis=1))
        target = np.repeat(missed[codes], n_classes).reshape(-1, n_classes)
        target[np.arange(len(codes)), codes] = hit[codes]
        loss = _derive_softmax_loss(decision, share, target)
    # A slope of 1 / scale brings margins to a root mean square of 1, where the sigmoid bends: the
    # search begins there. Without any margin no slope matters.
    return 1.0 if scale == 0 else _find_root(loss, 1 / scale)


def fit_slopes(margins: np.ndarray, training: TrainingSet) -> float | np.ndarray:
    """Fit the slope of a classifier's inverse link to margins of shape (n_samples, n_units).

    Labels that may go together get one each, of shape (n_units,).
    """
    if training.codes is None:
        there = (training.signs > 0).astype(int)
        pairs = zip(margins.T, there.T, strict=True)
        return np.array([fit_slope(margin, codes, training.weights, 2) for margin, codes in pairs])
    decision = margins.ravel() if margins.shape[1] == 1 else margins
    return fit_slope(decision, training.codes, training.weights, len(training.classes))


def compute_probabilities(decision: np.ndarray, slope: float | np.ndarray) -> np.ndarray:
    """Return probabilities (n_samples, n_classes) of classes, or of labels that may go together."""
    if np.ndim(slope):
        return expit(slope * decision)
    return apply_inverse_link(decision, float(slope))


def _derive_binary_loss(margins: np.ndarray, share: np.ndarray, target: np.ndarray) -> Derivatives:
    """Return the derivatives of Σ share (log(1 + exp(a m)) - target a m) by the slope a."""
    # They are Σ share m (σ(a m) - target) and Σ share m² σ(a m) (1 - σ(a m)).
    weighted = share * margins
    squared, at_target = weighted * margins, float(weighted @ target)

    def derivatives(slope: float) -> tuple[float, float]:
        p = expit(slope * margins)
        first = float(weighted @ p) - at_target
        return first, float(squared @ (p * (1 - p)))

    return derivatives


def _derive_softmax_loss(scores: np.ndarray, share: np.ndarray, target: np.ndarray) -> Derivatives:
    """Return the derivatives of Σ share (log Σ exp(a s_k) - a Σ target_k s_k) by the slope a."""
    # With p = softmax(a s) they are Σ share (E_p[s] - Σ target_k s_k) and Σ share Var_p[s].
    at_target = float(share @ np.einsum("ij,ij->i", target, scores))

    def derivatives(slope: float) -> tuple[float, float]:
        expected = softmax(slope * scores, axis=1)
        expected *= scores
        mean = expected.sum(axis=1)
        square = np.einsum("ij,ij->i", expected, scores)
        return float(share @ mean) - at_target, float(share @ (square - mean**2))

    return derivatives


def _find_root(loss: Derivatives, unit: float) -> float:
    """Find the root of the first derivative: Newton's steps, halving where they leave it."""
    # The position is log(slope / unit), so that the slope stays above 0; by the chain rule a step
    # is first / (second * slope), where the term of the curvature of exp is left out.
    low, high = -_REACH, _REACH
    position = 0.0
    for _ in range(_MAX_STEPS):
        # With a = unit exp(p): dL/dp = a L'(a), d²L/dp² = a² L''(a) + a L'(a). Near the root L' is
        # 0, so that a step of Newton's is a L' / (a² L'') = L' / (a L'').
        # L is convex, so that L' has one root, and its sign says on which side: the bracket always
        # holds it.
        slope = unit * np.exp(position)
        first, second = loss(slope)
        low, high = (position, high) if first < 0 else (low, position)
        step = first / (second * slope) if second > 0 else np.inf
        ahead = position - step
        if not low < ahead < high:
            ahead = (low + high) / 2
        if abs(ahead - position) < _PRECISION:
            break
        position = ahead
    return float(unit * np.exp(ahead))

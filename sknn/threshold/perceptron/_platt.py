"""From margins to probabilities: a logistic link with one slope."""

from collections.abc import Callable

import numpy as np
from scipy.special import expit, softmax

from sknn.threshold._linear_base import Rows

#: the slope is looked for between 1/1000 and 1000 per root mean square of the scores
_REACH = np.log(1000.0)
#: relative change of the slope, and number of evaluations, at which the search ends
_PRECISION, _MOST_STEPS = 1e-11, 60


def logistic_link(decision: np.ndarray, slope: float) -> np.ndarray:
    """Return class probabilities, the largest where the decision is.

    Parameters
    ----------
    decision : ndarray of shape (n_samples,) or (n_samples, n_classes)
        Margins, as of ``decision_function``.
    slope : float
        Above 0.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        For two classes the second column is ``1 / (1 + exp(-slope * decision))``, otherwise the
        softmax of ``slope * decision``.
    """
    if decision.ndim == 2:
        return softmax(slope * decision, axis=1)
    return np.column_stack([expit(-slope * decision), expit(slope * decision)])


def fit_slope(
    decision: np.ndarray, codes: np.ndarray, weights: np.ndarray, n_classes: int
) -> float:
    """Fit the slope of the link by weighted maximum likelihood.

    As in Platt (1999) a row of a class with weight N does not ask for probability 1 but for
    (N + 1) / (N + n_classes), so that the slope stays finite where no row is misclassified. There
    is no offset, which would let the probabilities contradict the decision.

    Parameters
    ----------
    decision : ndarray of shape (n_rows,) or (n_rows, n_classes)
        Margins of the training rows.
    codes : ndarray of int of shape (n_rows,)
        Class numbers.
    weights : ndarray of shape (n_rows,)
        Above 0.
    n_classes : int

    Returns
    -------
    float
        Above 0, even where the best slope is not.
    """
    share = weights / weights.sum()
    of_class = np.bincount(codes, weights, minlength=n_classes)
    hit, missed = (of_class + 1) / (of_class + n_classes), 1 / (of_class + n_classes)
    if decision.ndim == 1:
        # half a margin for each class: only the difference counts
        scale = np.sqrt(share @ np.square(decision)) / 2
        loss = _binary_loss(decision, share, np.array([missed[0], hit[1]])[codes])
    else:
        scale = np.sqrt(share @ np.square(decision).mean(axis=1))
        target = np.repeat(missed[codes], n_classes).reshape(-1, n_classes)
        target[np.arange(len(codes)), codes] = hit[codes]
        loss = _softmax_loss(decision, share, target)
    return 1.0 if scale == 0 else _least(loss, 1 / scale)


def fit_slopes(margins: np.ndarray, rows: Rows) -> float | np.ndarray:
    """Fit the slope of a classifier's link, for labels that may go together one for each.

    Parameters
    ----------
    margins : ndarray of shape (n_rows, n_units)
    rows : Rows

    Returns
    -------
    float or ndarray of shape (n_units,)
    """
    if rows.codes is None:
        there = (rows.signs > 0).astype(int)
        pairs = zip(margins.T, there.T, strict=True)
        return np.array([fit_slope(margin, codes, rows.weights, 2) for margin, codes in pairs])
    decision = margins.ravel() if margins.shape[1] == 1 else margins
    return fit_slope(decision, rows.codes, rows.weights, len(rows.classes))


def link_probabilities(decision: np.ndarray, slope: float | np.ndarray) -> np.ndarray:
    """Return probabilities of classes, or of labels that may go together.

    Parameters
    ----------
    decision : ndarray of shape (n_samples,) or (n_samples, n_classes)
        Margins, as of ``decision_function``.
    slope : float or ndarray of shape (n_classes,)
        As from `fit_slopes`.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
    """
    return expit(slope * decision) if np.ndim(slope) else logistic_link(decision, slope)


#: from the slope to the first and the second derivative of the log-loss, convex in the slope
_Loss = Callable[[float], tuple[float, float]]


def _binary_loss(margins: np.ndarray, share: np.ndarray, target: np.ndarray) -> _Loss:
    weighted = share * margins
    squared, wanted = weighted * margins, float(weighted @ target)

    def derivatives(slope: float) -> tuple[float, float]:
        p = expit(slope * margins)
        first = float(weighted @ p) - wanted
        return first, float(squared @ (p * (1 - p)))

    return derivatives


def _softmax_loss(scores: np.ndarray, share: np.ndarray, target: np.ndarray) -> _Loss:
    wanted = float(share @ np.einsum("ij,ij->i", target, scores))

    def derivatives(slope: float) -> tuple[float, float]:
        expected = softmax(slope * scores, axis=1)
        expected *= scores
        mean = expected.sum(axis=1)
        square = np.einsum("ij,ij->i", expected, scores)
        return float(share @ mean) - wanted, float(share @ (square - mean**2))

    return derivatives


def _least(loss: _Loss, unit: float) -> float:
    """Find the root of the first derivative: Newton's steps, halving where they leave it."""
    low, high = -_REACH, _REACH
    position = 0.0
    for _ in range(_MOST_STEPS):
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

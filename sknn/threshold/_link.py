"""From margins to probabilities: a logistic link with one slope."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import softmax

#: the slope is looked for between 1/1000 and 1000 per root mean square of the scores
_REACH = np.log(1000.0)


def _class_scores(decision: np.ndarray) -> np.ndarray:
    """Return one score per class; the difference of two is the margin of a single unit."""
    if decision.ndim == 2:
        return decision
    return np.column_stack([-decision / 2, decision / 2])


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
    return softmax(slope * _class_scores(decision), axis=1)


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
    scores = _class_scores(decision)
    share = weights / weights.sum()
    scale = np.sqrt(share @ np.square(scores).mean(axis=1))
    if scale == 0:
        return 1.0
    of_class = np.bincount(codes, weights, minlength=n_classes)[codes]
    target = np.repeat(1 / (of_class + n_classes), n_classes).reshape(-1, n_classes)
    target[np.arange(len(codes)), codes] = (of_class + 1) / (of_class + n_classes)

    def derivative(log_slope: float) -> float:
        # of the log-loss, convex in the slope
        excess = softmax(np.exp(log_slope) / scale * scores, axis=1) - target
        return float(share @ np.sum(excess * scores, axis=1))

    if derivative(-_REACH) >= 0:
        return float(np.exp(-_REACH) / scale)
    if derivative(_REACH) <= 0:
        return float(np.exp(_REACH) / scale)
    return float(np.exp(brentq(derivative, -_REACH, _REACH)) / scale)

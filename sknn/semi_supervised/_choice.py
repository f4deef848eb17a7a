"""How far probabilities spread, as samples with labels decide that are held out in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import sparse

from sknn.semi_supervised._neighbors import Spread, spread_probabilities

#: shares and weights that are tried; 0 and 1 leave the teachers' probabilities as they are
SHARES, TEACHER_WEIGHTS = (0.5, 0.8, 0.95), (1.0, 0.1, 0.01, 0.0)
#: what is taken where no class has two labels, so that none can be held out
USUAL = Spread(0.8, 0.1)
#: parts of the labels that are held out in turn
N_FOLDS = 5


def list_spreads(share: float | str, teacher_weight: float | str) -> list[Spread]:
    """Return what is tried; 'auto' stands for several numbers."""
    shares = SHARES if isinstance(share, str) else (share,)
    weights = TEACHER_WEIGHTS if isinstance(teacher_weight, str) else (teacher_weight,)
    spreads = [Spread(float(s), float(w)) for s in shares for w in weights]
    free = isinstance(share, str) and isinstance(teacher_weight, str)
    return [Spread(0.0, 1.0), *spreads] if free else spreads


def assign_folds(codes: np.ndarray, random_state: np.random.RandomState) -> np.ndarray:
    """Return the fold (n_samples,) in which each label is held out, -1 where it never is.

    `codes` of shape (n_samples,) are known classes, or -1. A class is never without a label in the
    other folds.
    """
    folds, start = np.full(len(codes), -1), 0
    for code in np.unique(codes[codes >= 0]):
        members = random_state.permutation(np.flatnonzero(codes == code))
        if len(members) > 1:
            folds[members] = (start + np.arange(len(members))) % N_FOLDS
            start += len(members)
    return folds


def choose_spread(
    spreads: Sequence[Spread],
    codes: np.ndarray,
    weight: np.ndarray,
    neighbors: sparse.csr_array,
    learn: Callable[[np.ndarray], np.ndarray],
    *,
    random_state: np.random.RandomState,
) -> Spread:
    """Return the spread by which held-out labels have the smallest Brier score.

    The Brier score is the squared error of probabilities, which a few certain mistakes do not rule,
    as they would the log loss.

    `codes` (n_samples,) are known classes, or -1; `neighbors` come from `connect_neighbors`.
    ``learn(numbers)`` returns probabilities (n_samples, n_classes) of all samples, by teachers that
    know these labels alone; `random_state` assigns labels to folds.
    """
    if len(spreads) == 1:
        return spreads[0]
    folds, losses = assign_folds(codes, random_state), np.zeros(len(spreads))
    if folds.max() < 0:
        return min(spreads, key=_compute_distance)
    for fold in np.unique(folds[folds >= 0]):
        held = np.flatnonzero(folds == fold)
        known = np.where(folds == fold, -1, codes)
        proba = learn(np.flatnonzero(known >= 0))
        truth = np.eye(proba.shape[1])[codes[held]]
        for i, spread in enumerate(spreads):
            guess = spread_probabilities(neighbors, proba, known, spread)[held]
            losses[i] += weight[held] @ ((guess - truth) ** 2).sum(axis=1)
    return spreads[int(losses.argmin())]


def _compute_distance(spread: Spread) -> float:
    """Return how far a spread is from the usual one."""
    return abs(spread.share - USUAL.share) + abs(spread.teacher_weight - USUAL.teacher_weight)

"""How far probabilities spread, as samples with labels decide that are held out in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import sparse

from sknn._validation import is_above_zero
from sknn.semi_supervised._neighbors import Spread, spread_probabilities

#: weights of neighbours, and how far probabilities spread
Candidate = tuple[sparse.csr_array, Spread]
#: shares and weights that are tried; 0 and 1 leave the teachers' probabilities as they are
SHARES, TEACHER_WEIGHTS = (0.5, 0.8, 0.95), (1.0, 0.1, 0.01, 0.0)
#: what is taken where no class has two labels, so that none can be held out
USUAL = Spread(0.8, 0.1)
#: probability that counts as the smallest in the log loss
LEAST = 1e-3
#: parts of the labels that are held out in turn
N_FOLDS = 5
#: standard errors by which neighbours must be ahead of teachers alone
EVIDENCE = 1.0


def list_candidates(
    graphs: Sequence[sparse.csr_array], share: float | str, teacher_weight: float | str
) -> list[Candidate]:
    """Return what is tried; 'auto' stands for several numbers, and the first graph is the usual."""
    shares = SHARES if isinstance(share, str) else (share,)
    weights = TEACHER_WEIGHTS if isinstance(teacher_weight, str) else (teacher_weight,)
    spreads = [Spread(float(s), float(w)) for s in shares for w in weights]
    if len(spreads) == 1:
        return [(graphs[0], spreads[0])]
    found = [(graph, spread) for graph in graphs for spread in spreads]
    free = isinstance(share, str) and isinstance(teacher_weight, str)
    return [(graphs[0], Spread(0.0, 1.0)), *found] if free else found


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
    candidates: Sequence[Candidate],
    codes: np.ndarray,
    weight: np.ndarray,
    learn: Callable[[np.ndarray], np.ndarray],
    random_state: np.random.RandomState,
    *,
    by_log_loss: bool,
) -> Candidate:
    """Return neighbours and spread by which held-out labels have the smallest loss.

    Where teachers alone are the first candidate, another one must be ahead of them by more than
    chance: the smallest of many losses is smaller than it will be for other samples.

    `candidates` have weights of `connect_neighbors`; `codes` (n_samples,) are known classes, or -1.
    ``learn(numbers)`` returns probabilities (n_samples, n_classes) of all samples, by teachers that
    know these labels alone; `random_state` assigns labels to folds.
    """
    if len(candidates) == 1:
        return candidates[0]
    folds, losses = assign_folds(codes, random_state), np.zeros((len(candidates), len(codes)))
    if folds.max() < 0:
        return min(candidates, key=_compute_distance)
    for fold in np.unique(folds[folds >= 0]):
        held = np.flatnonzero(folds == fold)
        known = np.where(folds == fold, -1, codes)
        proba = learn(np.flatnonzero(known >= 0))
        truth = np.eye(proba.shape[1])[codes[held]]
        for i, (neighbors, spread) in enumerate(candidates):
            guess = spread_probabilities(neighbors, proba, known, spread)[held]
            losses[i, held] = weight[held] * _compute_losses(guess, truth, by_log_loss=by_log_loss)
    best = int(losses.sum(axis=1).argmin())
    is_first = not candidates[0][1].share and not is_above_zero(losses[0] - losses[best], EVIDENCE)
    return candidates[0 if is_first else best]


def _compute_losses(guess: np.ndarray, truth: np.ndarray, *, by_log_loss: bool) -> np.ndarray:
    """Return losses (n_samples,) of probabilities (n_samples, n_classes): log or Brier."""
    if by_log_loss:
        return -np.log(np.maximum((guess * truth).sum(axis=1), LEAST))
    # The squared error, because for classes a few certain mistakes must not rule.
    return ((guess - truth) ** 2).sum(axis=1)


def _compute_distance(candidate: Candidate) -> float:
    """Return how far a spread is from the usual one."""
    _, spread = candidate
    return abs(spread.share - USUAL.share) + abs(spread.teacher_weight - USUAL.teacher_weight)

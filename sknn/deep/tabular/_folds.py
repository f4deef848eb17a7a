"""Folds: the samples that each member of an ensemble holds out."""

import numpy as np

#: minimum number of folds: a member holds out at most one sample in five
FEWEST_FOLDS = 5
#: maximum number of samples held out by all members together: enough to tell epochs apart
MOST_LEFT_OUT = 50_000


def leave_out(
    y: np.ndarray,
    n_members: int,
    random_state: np.random.RandomState,
    most: int = MOST_LEFT_OUT,
) -> np.ndarray:
    """Return the number (n_samples,) of the member that holds each sample out, -1 for none.

    At most `most` samples are held out; of more, some are drawn at random.
    """
    # Stratification: samples are dealt out like cards, in the order of y (of several columns, of
    # the first), with equal ones shuffled. Each hand goes to all folds once, in an order of its
    # own, so that each class, and each region of a number, falls to all members alike, to within
    # one sample.
    n_folds = max(n_members, FEWEST_FOLDS)
    chance = random_state.permutation(len(y))
    order = np.lexsort((chance, y.reshape(len(y), -1)[:, 0]))
    folds = np.empty(len(y), dtype=np.int64)
    hands = -(-len(y) // n_folds)
    dealt = np.concatenate([random_state.permutation(n_folds) for _ in range(hands)])
    folds[order] = dealt[: len(y)]
    members = np.where(folds < n_members, folds, -1)
    left_out = np.flatnonzero(members >= 0)
    if len(left_out) > most:
        members[random_state.permutation(left_out)[most:]] = -1
    return members

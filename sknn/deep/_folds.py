"""Which member of an ensemble leaves out which rows."""

import numpy as np

#: a member leaves out one row of so many at most
FEWEST_FOLDS = 5


def leave_out(y: np.ndarray, n_members: int, random_state: np.random.RandomState) -> np.ndarray:
    """Give each row a member that leaves it out, rows of like y to different ones.

    Rows are dealt out in the order of y, equal ones shuffled, so that each class, and each region
    of a number, falls to all members alike.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Encoded targets; of several columns the first is looked at.
    n_members : int
        Members. Where they are fewer than `FEWEST_FOLDS` some rows are left out by none.
    random_state : numpy.random.RandomState
        Shuffles.

    Returns
    -------
    ndarray of int of shape (n_samples,)
        Number of the member; -1 for rows from which all members learn.
    """
    n_folds = max(n_members, FEWEST_FOLDS)
    chance = random_state.permutation(len(y))
    order = np.lexsort((chance, y.reshape(len(y), -1)[:, 0]))
    folds = np.empty(len(y), dtype=np.int64)
    hands = -(-len(y) // n_folds)
    dealt = np.concatenate([random_state.permutation(n_folds) for _ in range(hands)])
    folds[order] = dealt[: len(y)]
    return np.where(folds < n_members, folds, -1)

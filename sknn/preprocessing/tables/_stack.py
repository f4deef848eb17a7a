"""Samples of two tables as those of one."""

import numpy as np
from scipy import sparse

from sknn._validation import MatrixLike
from sknn.preprocessing.tables._columns import stack_frames, wrap_frame


def stack_samples(X: MatrixLike, other: MatrixLike) -> MatrixLike:
    """Return the samples of X, then those of another table of the same columns.

    Parameters
    ----------
    X, other : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
        Both frames of one library, or none of them.

    Returns
    -------
    {ndarray, sparse matrix, data frame} of shape (n_samples, n_features)

    Raises
    ------
    ValueError
        If the columns differ, or one is a frame and the other is not.
    """
    frames = [wrap_frame(table) for table in (X, other)]
    if all(frame is not None for frame in frames):
        ours, theirs = (list(frame.columns) for frame in frames)
        if ours != theirs:
            raise ValueError(
                f"X has the columns {ours}, but the samples without labels have {theirs}. Give the "
                "same columns in the same order."
            )
        return stack_frames(frames)
    if any(frame is not None for frame in frames):
        kinds = [type(table).__name__ for table in (X, other)]
        raise ValueError(
            f"X is of type {kinds[0]!r}, and the samples without labels are of type {kinds[1]!r}. "
            "Give two data frames, or two arrays."
        )
    if sparse.issparse(X) or sparse.issparse(other):
        return sparse.vstack([X, other], format="csr")
    n_columns = [np.shape(table)[1:] for table in (X, other)]
    if n_columns[0] != n_columns[1]:
        raise ValueError(
            f"X has samples of shape {n_columns[0]}, but those without labels are of shape "
            f"{n_columns[1]}. Give the same columns."
        )
    return np.concatenate([np.asarray(X), np.asarray(other)])

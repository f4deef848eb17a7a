"""From rows to the network's raw output, in chunks so that memory stays flat."""

from typing import Any

import numpy as np

from sknn.engine._data import Batches, Rows

#: numbers that the widest layer of one chunk may hold: 32 MiB in float64
CHUNK_NUMBERS = 2**22


def chunk_rows(net: Any) -> int:
    """Return how many rows go through the network at once.

    Parameters
    ----------
    net : Net
        With its module.

    Returns
    -------
    int
    """
    widest = max(max(p.shape) for p in net.module_.parameters())
    return max(1, CHUNK_NUMBERS // widest)


def raw_output(net: Any, rows: Rows) -> np.ndarray:
    """Return the network's output, before the link, of all rows.

    Parameters
    ----------
    net : Net
        Trained, or in training; put into evaluation mode.
    rows : Rows
        The data.

    Returns
    -------
    ndarray of shape (n_samples, n_outputs)
    """
    batches = Batches(rows, chunk_rows(net))
    return np.concatenate([net.evaluation_step(batch).cpu().numpy() for batch in batches])


def forward(net: Any, X: Any) -> np.ndarray:
    """Return the network's output, before the link.

    Parameters
    ----------
    net : Net
        Trained.
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Cast to the dtype of the network.

    Returns
    -------
    ndarray of shape (n_samples, n_outputs)
    """
    dtype = next(net.module_.parameters()).dtype
    return raw_output(net, Rows(X, device=net.device, dtype=dtype))

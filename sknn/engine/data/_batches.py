"""Rows of data as tensors, batch by batch, without torch's DataLoader."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from scipy import sparse
from skorch.dataset import Dataset

from sknn.engine.data._device import has_room_for

#: numbers of X in a group of batches: 2 MiB in float64, small enough for a processor's cache
GROUP_NUMBERS = 2**18


def make_tensor(array: Any, device: str = "cpu", dtype: torch.dtype | None = None) -> torch.Tensor:
    """Return a tensor, which shares memory with the array where device and dtype allow it.

    Parameters
    ----------
    array : ndarray or Tensor
        Of any shape.
    device : str, default='cpu'
        Where to.
    dtype : torch.dtype, default=None
        Of the result; None keeps it.

    Returns
    -------
    torch.Tensor
    """
    if isinstance(array, torch.Tensor):
        return array.to(device=device, dtype=dtype)
    array = np.asarray(array)
    if any(stride < 0 for stride in array.strides):  # which torch cannot have
        array = np.ascontiguousarray(array)
    if array.flags.writeable:
        return torch.as_tensor(array, dtype=dtype, device=device)
    with warnings.catch_warnings():  # a read-only array is fine: nothing here writes into data
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.as_tensor(array, dtype=dtype, device=device)


class Rows(Dataset):
    """X, y and weights, of which any rows can be taken as tensors.

    A dense X is moved to the device once, if it fits there; else, as a sparse one, it stays and
    only the rows taken are moved.

    Parameters
    ----------
    X : {ndarray, CSR matrix, Tensor} of shape (n_samples, n_features)
        Inputs.
    y : {ndarray, Tensor} of shape (n_samples, ...), default=None
        Encoded targets.
    sample_weight : ndarray of shape (n_samples,), default=None
        Non-negative.
    device : str, default='cpu'
        Of the tensors.
    dtype : torch.dtype, default=None
        Of X; None keeps its own.
    """

    def __init__(
        self,
        X: Any,
        y: Any = None,
        sample_weight: np.ndarray | None = None,
        device: str = "cpu",
        dtype: torch.dtype | None = None,
    ):
        self.device = device
        if not sparse.issparse(X):
            stays = isinstance(X, np.ndarray) and not has_room_for(device, X.nbytes)
            self.X = make_tensor(X, "cpu" if stays else device, dtype)
        elif dtype is None:
            self.X = X
        else:
            self.X = X.astype(str(dtype).removeprefix("torch."), copy=False)
        self.y = None if y is None else make_tensor(y, device)
        self.sample_weight = None if sample_weight is None else make_tensor(sample_weight, device)

    @property
    def is_sparse(self) -> bool:
        """Whether X is a sparse matrix."""
        return sparse.issparse(self.X)

    def __len__(self) -> int:
        return self.X.shape[0]

    def __getitem__(self, i: int) -> tuple[torch.Tensor, Any]:
        X, target = self.take(np.array([i]))
        return X[0], target

    def take(self, rows: slice | np.ndarray, dense: bool = True) -> tuple[Any, Any]:
        """Return the rows as ``X, y``, or ``X, (y, sample_weight)`` where there are weights.

        A missing y is a 0, as in skorch's own data sets. A sparse X stays one unless `dense`.
        """
        if self.is_sparse:
            X = self.X[rows]
            X = make_tensor(X.toarray(), self.device) if dense else X
        if isinstance(rows, np.ndarray):
            rows = torch.from_numpy(rows)
            on_device = rows.to(self.device)
        else:
            on_device = rows
        if not self.is_sparse:
            X = self._take_dense(rows, on_device)
        rows = on_device
        if self.y is None:
            return X, 0
        if self.sample_weight is None:
            return X, self.y[rows]
        return X, (self.y[rows], self.sample_weight[rows])

    def take_targets(self, rows: np.ndarray) -> Any:
        """Return y, or ``(y, sample_weight)``, of the samples of these numbers."""
        index = torch.from_numpy(rows).to(self.device)
        if self.sample_weight is None:
            return self.y[index]
        return self.y[index], self.sample_weight[index]

    def _take_dense(self, rows: Any, on_device: Any) -> torch.Tensor:
        if self.X.device.type == torch.device(self.device).type:
            return self.X[on_device]
        X = self.X[rows]
        if torch.cuda.is_available():  # page-locked memory is copied while the GPU still works
            X = X.pin_memory()
        return X.to(self.device, non_blocking=True)


def split_target(target: Any) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return the parts of what `Rows.take` gives beside X."""
    return target if isinstance(target, tuple | list) else (target, None)


class Batches:
    """All samples of a `Rows`, batch by batch, each time it is looped over.

    Parameters
    ----------
    dataset : Rows
        The data.
    batch_size : int
        Samples in a batch; the last may have fewer.
    shuffle : bool, default=False
        Draw a new order each time. As in scikit-learn the new order permutes the one before.
    random_state : numpy.random.RandomState, default=None
        Needed to shuffle.

    Attributes
    ----------
    order : ndarray of shape (n_samples,)
        That of the epoch that runs or ran last; at first that of the samples.
    is_open : bool
        Whether an epoch has begun and not ended, so that its order is not drawn again.
    """

    def __init__(
        self,
        dataset: Rows,
        batch_size: int,
        shuffle: bool = False,
        random_state: np.random.RandomState | None = None,
    ):
        self.dataset = dataset
        self.batch_size = batch_size
        self.random_state = random_state if shuffle else None
        self.order = np.arange(len(dataset))
        self.is_open = False

    def __len__(self) -> int:
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, Any]]:
        yield from self.iterate()
        self.end()

    def iterate(self, first: int = 0) -> Iterator[tuple[torch.Tensor, Any]]:
        """Go through the batches of the epoch at hand, from the one of this number on."""
        for X, target in self.iterate_groups(first=first):
            y, weight = split_target(target)
            for start in range(0, len(X), self.batch_size):
                rows = slice(start, start + self.batch_size)
                part = 0 if self.dataset.y is None else y[rows]
                yield X[rows], part if weight is None else (part, weight[rows])

    def iterate_groups(self, dense: bool = True, first: int = 0) -> Iterator[tuple[Any, Any]]:
        """Go through the samples of the epoch at hand, several batches at a time.

        Taking the samples of several batches in one call costs about as much as those of one.

        Parameters
        ----------
        dense : bool, default=True
            Whether to make sparse samples dense, or to give them as CSR matrices.
        first : int, default=0
            Number of the batch to begin with.

        Yields
        ------
        tuple
            As from `Rows.take`.
        """
        self.begin()
        X = self.dataset.X
        numbers = self.batch_size * (X.shape[1] if dense else 1 + X.nnz // X.shape[0])
        size = self.batch_size * max(1, GROUP_NUMBERS // numbers)
        for start in range(first * self.batch_size, len(self.order), size):
            stop = min(start + size, len(self.order))
            rows = slice(start, stop) if self.random_state is None else self.order[start:stop]
            yield self.dataset.take(rows, dense)

    def begin(self) -> np.ndarray:
        """Return the order of an epoch; a new one, unless an epoch has begun and not ended."""
        if self.random_state is not None and not self.is_open:
            self.order = self.order[self.random_state.permutation(len(self.order))]
        self.is_open = True
        return self.order

    def end(self) -> None:
        """Let the next epoch have an order of its own."""
        self.is_open = False

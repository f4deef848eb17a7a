"""Samples as tensors, batch by batch, without torch's DataLoader."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np
import torch
from scipy import sparse
from skorch.dataset import Dataset

from sknn.engine.data._device import has_room_for

#: numbers of X in a group of batches: 2 MiB in float64, small enough for a processor's cache
GROUP_NUMBERS = 2**18

#: encoded targets, and sample weights beside them if there are any
TargetTensors = torch.Tensor | tuple[torch.Tensor, torch.Tensor]


def make_tensor(
    array: np.ndarray | torch.Tensor, device: str = "cpu", dtype: torch.dtype | None = None
) -> torch.Tensor:
    """Return a tensor, which shares memory with the array where device and dtype allow it."""
    if isinstance(array, torch.Tensor):
        return array.to(device=device, dtype=dtype)
    values = np.asarray(array)
    if min(values.strides, default=0) < 0:  # which torch cannot have
        values = np.ascontiguousarray(values)
    if values.flags.writeable:
        return torch.as_tensor(values, dtype=dtype, device=device)
    with warnings.catch_warnings():  # a read-only array is fine: nothing here writes into data
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.as_tensor(values, dtype=dtype, device=device)


class SampleDataset(Dataset):
    """X, y and weights, of which any samples can be taken as tensors.

    A dense X is moved to the device once, if it fits there; else, as a sparse one, it stays and
    only the samples taken are moved.

    Parameters
    ----------
    X : {ndarray, CSR matrix, Tensor} of shape (n_samples, n_features)
        Inputs.
    y : {ndarray, Tensor} of shape (n_samples, ...), default=None
        Encoded targets.
    sample_weight : {ndarray, Tensor} of shape (n_samples,), default=None
        Non-negative weights of the samples.
    device : str, default='cpu'
        Device of the tensors.
    dtype : torch.dtype, default=None
        Dtype of X; None keeps its own.
    numbers : ndarray of int of shape (n_samples,), default=None
        Which samples of a dense X these are, where X has others, too, and is not to be copied; y
        and weights have these alone. None is all of X.
    has_room : callable, default=has_room_for
        Function of a device and a number of bytes: whether X may lie there.
    """

    def __init__(
        self,
        X: np.ndarray | sparse.csr_array | sparse.csr_matrix | torch.Tensor,
        y: np.ndarray | torch.Tensor | None = None,
        sample_weight: np.ndarray | torch.Tensor | None = None,
        device: str = "cpu",
        dtype: torch.dtype | None = None,
        *,
        numbers: np.ndarray | None = None,
        has_room: Callable[[str, int], bool] = has_room_for,
    ):
        self.device = device
        self.numbers = None if numbers is None else torch.from_numpy(numbers)
        #: a CSR matrix where `is_sparse`, a tensor elsewhere
        self.X: Any
        if not sparse.issparse(X):
            stays = isinstance(X, np.ndarray) and not has_room(device, X.nbytes)
            self.X = make_tensor(X, "cpu" if stays else device, dtype)
        elif dtype is None:
            self.X = X
        else:
            name = str(dtype).removeprefix("torch.")
            self.X = cast("sparse.csr_matrix", X).astype(name, copy=False)
        self.y = None if y is None else make_tensor(y, device)
        self.sample_weight = None if sample_weight is None else make_tensor(sample_weight, device)

    @property
    def is_sparse(self) -> bool:
        """Whether X is a sparse matrix."""
        return sparse.issparse(self.X)

    @property
    def in_memory(self) -> "SampleDataset":
        """The samples that can be taken at once: all."""
        return self

    def __len__(self) -> int:
        return self.X.shape[0] if self.numbers is None else len(self.numbers)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, Any]:
        X, target = self.take(np.array([i]))
        return X[0], target

    def take(self, index: slice | np.ndarray, dense: bool = True) -> tuple[Any, Any]:
        """Return samples as ``X, y``, or ``X, (y, sample_weight)`` where there are weights.

        A missing y is a 0, as in skorch's own data sets. A sparse X stays one unless `dense`.
        """
        if self.is_sparse:
            X = self.X[index]
            X = make_tensor(X.toarray(), self.device) if dense else X
        here = torch.from_numpy(index) if isinstance(index, np.ndarray) else index
        on_device = here.to(self.device) if isinstance(here, torch.Tensor) else here
        if self.numbers is not None:
            X = self.X[self.numbers[here]]
        elif not self.is_sparse:
            X = self._take_dense(here, on_device)
        if self.y is None:
            return X, 0
        if self.sample_weight is None:
            return X, self.y[on_device]
        return X, (self.y[on_device], self.sample_weight[on_device])

    def take_targets(self, numbers: np.ndarray) -> TargetTensors:
        """Return y, or ``(y, sample_weight)``, of the samples of these numbers."""
        y, weight = cast("torch.Tensor", self.y), self.sample_weight
        index = torch.from_numpy(numbers).to(self.device)
        return y[index] if weight is None else (y[index], weight[index])

    def _take_dense(
        self, index: slice | torch.Tensor, on_device: slice | torch.Tensor
    ) -> torch.Tensor:
        if self.X.device.type == torch.device(self.device).type:
            return self.X[on_device]
        X = self.X[index]
        if torch.cuda.is_available():  # page-locked memory is copied while the GPU still works
            X = X.pin_memory()
        return X.to(self.device, non_blocking=True)


def split_target(target: TargetTensors) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return the parts of what `SampleDataset.take` gives beside X."""
    return target if isinstance(target, tuple | list) else (target, None)


class Batches:
    """All samples of a `SampleDataset`, batch by batch, each time it is looped over.

    Parameters
    ----------
    dataset : SampleDataset
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
        Order of the current or the last epoch; at first that of the samples.
    is_open : bool
        Whether an epoch has begun and not ended, so that its order is not drawn again.
    """

    def __init__(
        self,
        dataset: SampleDataset,
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

    @property
    def capacity(self) -> int:
        """Most samples that `iterate_parts` gives at a time."""
        return len(self.dataset)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, Any]]:
        yield from self.iterate()
        self.end()

    def iterate(self, first: int = 0) -> Iterator[tuple[torch.Tensor, Any]]:
        """Go through the batches of the epoch at hand, from the one of this number on."""
        for X, target in self.iterate_groups(first=first):
            y, weight = split_target(target)
            for start in range(0, len(X), self.batch_size):
                own = slice(start, start + self.batch_size)
                part = 0 if self.dataset.y is None else y[own]
                yield X[own], part if weight is None else (part, weight[own])

    def iterate_groups(self, dense: bool = True, first: int = 0) -> Iterator[tuple[Any, Any]]:
        """Go through the samples of the epoch at hand, several batches at a time, from `first` on.

        What comes is that of `SampleDataset.take`.
        """
        # Taking the samples of several batches in one call costs about as much as those of one:
        # what a small batch costs is the call, not its numbers.
        for dataset, order in self.iterate_parts(first):
            X = dataset.X
            numbers = self.batch_size * (X.shape[1] if dense else 1 + X.nnz // X.shape[0])
            size = self.batch_size * max(1, GROUP_NUMBERS // numbers)
            for start in range(0, len(order), size):
                index: slice | np.ndarray = order[start : start + size]
                if self.random_state is None:  # a slice copies nothing
                    stop = min(start + size, len(order))
                    index = slice(int(order[start]), int(order[stop - 1]) + 1)
                yield dataset.take(index, dense)

    def iterate_parts(self, first: int = 0) -> Iterator[tuple[SampleDataset, np.ndarray]]:
        """Yield the samples of the epoch at hand and the order of those left; here all at once."""
        # Where memory does not hold all, parts but the last are whole batches.
        yield self.dataset, self.begin()[first * self.batch_size :]

    def begin(self) -> np.ndarray:
        """Return the order of an epoch; a new one, unless an epoch has begun and not ended."""
        if self.random_state is not None and not self.is_open:
            self.order = self.order[self.random_state.permutation(len(self.order))]
        self.is_open = True
        return self.order

    def begin_many(self, n_epochs: int, *, is_drawn_later: bool = False) -> np.ndarray:
        """Return the orders of some epochs, of shape (n_epochs, n_samples), or one for all.

        `keep_begun` has to follow. With `is_drawn_later` only the first is there, and the caller
        draws the others into their places.
        """
        order = self.begin()
        if self.random_state is None:
            return order[None]
        orders = np.empty((n_epochs, len(order)), dtype=order.dtype)
        orders[0] = order
        for i in range(1, 1 if is_drawn_later else n_epochs):
            np.take(orders[i - 1], self.random_state.permutation(len(order)), out=orders[i])
        return orders

    def keep_begun(
        self,
        orders: np.ndarray,
        n_epochs: int,
        before: dict[str, Any],
        after: dict[str, Any] | None = None,
    ) -> None:
        """Be where only `n_epochs` of the orders of `begin_many` have been drawn.

        `before` and `after` are states of the generator: after the first of them, and, where the
        caller drew them, after the last of these epochs.
        """
        if self.random_state is None:
            return
        self.order = orders[n_epochs - 1].copy()
        if after is not None:
            self.random_state.set_state(after)
        elif n_epochs < len(orders):
            # Orders drawn ahead are given back by drawing those that were used again from where it
            # began, so that what comes next is as if the others had never been drawn.
            self.random_state.set_state(before)
            for _ in range(n_epochs - 1):
                self.random_state.permutation(len(self.order))

    def end(self) -> None:
        """Let the next epoch have an order of its own."""
        self.is_open = False

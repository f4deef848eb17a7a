"""The order in which many networks see their samples: tables of numbers, and batches by them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch

from sknn.engine.data._batches import GROUP_NUMBERS, TargetTensors

Tensor = torch.Tensor

#: steps of a chunk on a GPU, and numbers that it may hold: there each chunk costs what it takes to
#: bring sample numbers over, and nothing is gained by chunks that fit a cache
DEVICE_STEPS, DEVICE_NUMBERS = 64, 2**24


@dataclass(frozen=True, eq=False)
class SampleSubset:
    """The training samples of a network, out of an X that several networks may share.

    Attributes
    ----------
    X : Tensor of shape (n_shared_samples, n_features)
        Samples of all networks that share them.
    numbers : ndarray of int of shape (n_samples,)
        Numbers of the samples that are trained on.
    y : Tensor of shape (n_samples, ...)
        Encoded targets of these samples.
    weight : Tensor of shape (n_samples,) or None
        Their weights.
    """

    X: Tensor
    numbers: np.ndarray
    y: Tensor
    weight: Tensor | None


class Order:
    """The order of a network's samples, drawn anew for each epoch as `Batches` draws it.

    Networks with the same sample whose random states are equal share one.

    Parameters
    ----------
    sample : SampleSubset
        The samples.
    random_state : numpy.random.RandomState or None
        Copied; None leaves them as they are.
    positions : ndarray of int of shape (n_samples,), default=None
        The order of the epoch before the first; None is that of the samples.
    """

    def __init__(
        self,
        sample: SampleSubset,
        random_state: np.random.RandomState | None,
        positions: np.ndarray | None = None,
    ):
        self.sample = sample
        self.positions = np.arange(len(sample.numbers)) if positions is None else positions
        self.random_state = None
        if random_state is not None:
            self.random_state = np.random.RandomState()
            self.random_state.set_state(random_state.get_state())

    def __len__(self) -> int:
        return len(self.positions)

    def shuffle(self) -> None:
        """Draw the order of the next epoch."""
        if self.random_state is not None:
            self.positions = self.positions[self.random_state.permutation(len(self))]

    def take_targets(self) -> TargetTensors:
        """Return the targets of all samples in their order, and weights if there are any."""
        y, weight = self.sample.y, self.sample.weight
        index = torch.from_numpy(self.positions).to(y.device)
        return y[index] if weight is None else (y[index], weight[index])


@dataclass(frozen=True)
class StackedBatches:
    """Consecutive batches of all orders.

    Attributes
    ----------
    X : Tensor of shape (n_steps, n_orders, n_samples, n_features)
        Inputs. Their memory is that of the next chunk, too.
    y : Tensor of shape (n_steps, n_orders, n_samples, ...)
        Encoded targets.
    weight : Tensor of shape (n_steps, n_orders, n_samples)
        1, or the sample weight; 0 where a shorter batch is filled up.
    total : Tensor of shape (n_steps, n_orders)
        Summed weights of a batch.
    size : Tensor of shape (n_steps, n_orders)
        Samples of a batch, without those that fill it up.
    """

    X: Tensor
    y: Tensor
    weight: Tensor
    total: Tensor
    size: Tensor


class ChunkLoader:
    """Takes the samples of several orders at the same time.

    Parameters
    ----------
    orders : list of Order
        Orders with equal numbers of batches.
    batch_size : int
        Samples in a batch. The last batch has as many as the longest order needs.
    numbers_per_sample : int
        Number of values that the user of a chunk keeps for each step and sample of an order.

    Attributes
    ----------
    n_samples : int
        Number of samples of an epoch, with those that fill up the last batch.
    """

    def __init__(self, orders: list[Order], batch_size: int, numbers_per_sample: int):
        self.orders, self.batch_size = orders, batch_size
        longest = max(len(order) for order in orders)
        self.n_full = -(-longest // batch_size) - 1
        self.n_samples = longest
        self.width_of_last = longest - self.n_full * batch_size
        size = len(orders) * batch_size * max(orders[0].sample.X.shape[1], numbers_per_sample)
        self.n_steps = max(1, GROUP_NUMBERS // size)
        if orders[0].sample.X.device.type != "cpu":
            self.n_steps = max(1, min(DEVICE_STEPS, DEVICE_NUMBERS // size))
        # The samples of all networks, one network after the other, are taken in one call.
        samples = list(dict.fromkeys(order.sample for order in orders))
        starts = np.cumsum([0, *(len(sample.numbers) for sample in samples)])
        place = dict(zip(samples, starts[:-1], strict=True))
        self.starts = np.array([place[order.sample] for order in orders])
        self.y = _join([sample.y for sample in samples])
        weights = [sample.weight for sample in samples if sample.weight is not None]
        self.weight = _join(weights) if weights else None  # all have some, or none has
        self.parts = _group_by_inputs(orders)
        self.numbers = np.concatenate([sample.numbers for sample in samples])
        self.buffers: dict[tuple[int, int], Tensor] = {}

    def iterate_chunks(self) -> Iterator[StackedBatches]:
        """Go through the samples of all orders once.

        Yields
        ------
        StackedBatches
        """
        size = self.batch_size
        for start in range(0, self.n_full, self.n_steps):
            steps = slice(start * size, min(start + self.n_steps, self.n_full) * size)
            tables = [order.positions[steps].reshape(-1, size) for order in self.orders]
            yield self._take(np.stack(tables, axis=1), [size] * len(self.orders))
        rest = [order.positions[self.n_full * size :] for order in self.orders]
        # A sample of the same batch fills it up, with weight 0: finite where the batch itself is.
        table = np.array([np.resize(part, self.width_of_last) for part in rest])
        for row, part in zip(table, rest, strict=True):
            row[len(part) :] = part[0]
        yield self._take(table[None], [len(part) for part in rest])

    def _take(self, table: np.ndarray, sizes: list[int]) -> StackedBatches:
        """Return the samples of a table of positions, of shape (n_steps, n_orders, n_samples)."""
        table = table + self.starts[:, None]
        X = self._take_inputs(self.numbers[table])
        size, index = X.new_tensor(sizes), torch.from_numpy(table).to(X.device)
        weight = X.new_ones(table.shape) if self.weight is None else self.weight[index]
        width = table.shape[2]
        if min(sizes) < width:
            weight = weight * (torch.arange(width, device=X.device) < size[:, None])
        return StackedBatches(X, self.y[index], weight, weight.sum(2), size.expand(len(table), -1))

    def _take_inputs(self, table: np.ndarray) -> Tensor:
        """Return the inputs in memory that is used again, or else their parts in new memory."""
        if len(self.parts) > 1:
            return torch.cat([_take_samples(X, table[:, part]) for part, X in self.parts], 1)
        ((_, X),) = self.parts
        key = table.shape[0], table.shape[2]
        if key not in self.buffers:
            self.buffers[key] = X.new_empty(*table.shape, X.shape[1])
        return _take_samples(X, table, self.buffers[key])


def _join(tensors: list[Tensor]) -> Tensor:
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors)


def _group_by_inputs(orders: list[Order]) -> list[tuple[slice, Tensor]]:
    """Return the X of consecutive orders that share one, and which orders these are."""
    parts, stop = [], 0
    for _, group in groupby(orders, key=lambda order: id(order.sample.X)):
        members = list(group)
        start, stop = stop, stop + len(members)
        parts.append((slice(start, stop), members[0].sample.X))
    return parts


def _take_samples(X: Tensor, table: np.ndarray, out: Tensor | None = None) -> Tensor:
    """Return samples of X in the shape of a table of their numbers."""
    index = torch.from_numpy(np.ascontiguousarray(table)).to(X.device).view(-1)
    if out is None:
        return X.index_select(0, index).view(*table.shape, X.shape[1])
    torch.index_select(X, 0, index, out=out.view(-1, X.shape[1]))
    return out

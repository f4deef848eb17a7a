"""In which order many networks see their rows: tables of row numbers, and batches taken by them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from sknn.engine._data import GROUP_NUMBERS

Tensor = torch.Tensor


@dataclass(frozen=True, eq=False)
class Sample:
    """The training rows of a network, out of an X that several networks may share.

    Attributes
    ----------
    X : Tensor of shape (n_shared_rows, n_features)
        Of all who share it.
    rows : ndarray of int of shape (n_samples,)
        Which of them are trained on.
    y : Tensor of shape (n_samples, ...)
        Encoded targets of these rows.
    weight : Tensor of shape (n_samples,) or None
        Their weights.
    """

    X: Tensor
    rows: np.ndarray
    y: Tensor
    weight: Tensor | None


class Order:
    """The order of a sample's rows, drawn anew for each epoch as `Batches` draws it.

    Networks with the same sample whose random states are equal share one.

    Parameters
    ----------
    sample : Sample
        The rows.
    random_state : numpy.random.RandomState or None
        Copied; None leaves the rows as they are.
    """

    def __init__(self, sample: Sample, random_state: np.random.RandomState | None):
        self.sample = sample
        self.positions = np.arange(len(sample.rows))
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


@dataclass(frozen=True)
class Chunk:
    """Consecutive batches of all orders.

    Attributes
    ----------
    X : Tensor of shape (n_steps, n_orders, n_rows, n_features)
        Inputs.
    y : Tensor of shape (n_steps, n_orders, n_rows, ...)
        Encoded targets.
    weight : Tensor of shape (n_steps, n_orders, n_rows)
        1, or the sample weight; 0 where a shorter batch is filled up.
    total : Tensor of shape (n_steps, n_orders)
        Summed weights of a batch.
    size : Tensor of shape (n_steps, n_orders)
        Rows of a batch, without those that fill it up.
    """

    X: Tensor
    y: Tensor
    weight: Tensor
    total: Tensor
    size: Tensor


def epoch(orders: list[Order], batch_size: int, numbers_per_row: int) -> Iterator[Chunk]:
    """Go through the rows of all orders once, side by side.

    Parameters
    ----------
    orders : list of Order
        With equal numbers of batches; shuffled before.
    batch_size : int
        Rows in a batch. The last batch has as many as the longest order needs.
    numbers_per_row : int
        That the user of a chunk keeps for each step and row of an order.

    Yields
    ------
    Chunk
    """
    longest = max(len(order) for order in orders)
    n_full = -(-longest // batch_size) - 1
    size = len(orders) * batch_size * max(orders[0].sample.X.shape[1], numbers_per_row)
    n_steps = max(1, GROUP_NUMBERS // size)
    for start in range(0, n_full, n_steps):
        stop = min(start + n_steps, n_full)
        rows = slice(start * batch_size, stop * batch_size)
        tables = [order.positions[rows].reshape(-1, batch_size) for order in orders]
        yield _take(orders, np.stack(tables, axis=1), [batch_size] * len(orders))
    rest = [order.positions[n_full * batch_size :] for order in orders]
    width = longest - n_full * batch_size
    # A row of the same batch fills it up, with weight 0: finite wherever the batch itself is.
    filled = [np.concatenate([part, np.repeat(part[:1], width - len(part))]) for part in rest]
    yield _take(orders, np.stack(filled)[None], [len(part) for part in rest])


def _take(orders: list[Order], table: np.ndarray, sizes: list[int]) -> Chunk:
    """Return the rows of a table of positions, of shape (n_steps, n_orders, n_rows)."""
    n_steps, _, width = table.shape
    X = _take_inputs(orders, table)
    size = X.new_tensor(sizes)
    on_device = [torch.from_numpy(table[:, i]).to(X.device) for i in range(len(orders))]
    y = torch.stack([o.sample.y[part] for o, part in zip(orders, on_device, strict=True)], 1)
    if orders[0].sample.weight is None:
        weight = X.new_ones(n_steps, len(orders), width)
    else:
        parts = [o.sample.weight[part] for o, part in zip(orders, on_device, strict=True)]
        weight = torch.stack(parts, 1)
    if min(sizes) < width:
        weight = weight * (torch.arange(width, device=X.device) < size[:, None])
    return Chunk(X, y, weight, weight.sum(2), size.expand(n_steps, -1))


def _take_inputs(orders: list[Order], table: np.ndarray) -> Tensor:
    """Return the inputs, in one call for consecutive orders that share an X."""
    parts, start = [], 0
    for stop in range(1, len(orders) + 1):
        shared = orders[start].sample.X
        if stop < len(orders) and orders[stop].sample.X is shared:
            continue
        numbers = [orders[i].sample.rows[table[:, i]] for i in range(start, stop)]
        index = torch.from_numpy(np.stack(numbers, axis=1)).to(shared.device)
        part = shared.index_select(0, index.view(-1))
        parts.append(part.view(*index.shape, shared.shape[1]))
        start = stop
    return parts[0] if len(parts) == 1 else torch.cat(parts, 1)

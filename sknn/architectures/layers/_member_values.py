"""Embeddings of single values of numbers, for the members of an ensemble."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from torch.nn.functional import embedding

from sknn._saved import saved

Tensor = torch.Tensor


@saved
class ValueEmbeddings(nn.Module):
    """Embeddings of the values that many samples share, a vector for each value and member.

    A function of a number that is linear, or linear between knots, gives neighbours about the same.
    Numbers that repeat, such as round amounts, ages or codes, can each mean something of their own.
    Other numbers have a vector of 0, and so has each value at first.

    Parameters
    ----------
    n_members : int
        Members.
    intervals : sequence of ndarray of shape (n_values, 2)
        Rising, disjoint intervals of each column, in which its values lie.
    width : int
        Width of an embedding.
    dtype : torch.dtype, default=torch.float32
        Dtype of the embeddings.

    Shape
    -----
    - Input: ``(n_samples, n_columns)``
    - Output: ``(n_members, n_columns * width, n_samples)``
    """

    edges: Tensor
    offsets: Tensor

    def __init__(
        self,
        n_members: int,
        intervals: Sequence[np.ndarray],
        width: int,
        dtype: torch.dtype = torch.float32,
    ):
        super().__init__()
        self.n_members, self.width, self.n_columns = n_members, width, len(intervals)
        n_values = [len(of_column) for of_column in intervals]
        edges = np.full((len(intervals), 2 * max(n_values)), np.inf)
        for of_column, row in zip(intervals, edges, strict=True):
            row[: of_column.size] = of_column.ravel()
        offsets = np.cumsum([0, *n_values[:-1]])[:, None]
        self.register_buffer("edges", torch.from_numpy(edges).to(dtype))
        self.register_buffer("offsets", torch.from_numpy(offsets))
        rows = 1 + sum(n_values)
        self.table = nn.Parameter(torch.zeros(rows, n_members * width, dtype=dtype))

    @property
    def n_outputs(self) -> int:
        """Numbers that a member gets."""
        return self.width * self.n_columns

    @torch.no_grad()
    def initialize_weights(self, random_state: np.random.RandomState) -> None:
        """Set all embeddings to 0, with which values have no effect before they are trained."""
        self.table.zero_()

    def find_rows(self, X: Tensor) -> Tensor:
        """Return rows of the table (n_columns, n_samples), 0 for numbers without a vector."""
        numbers = X.t().contiguous()
        if torch.onnx.is_in_onnx_export():  # which knows comparisons alone
            passed = (numbers[:, :, None] > self.edges[:, None, :]).sum(2)
        else:
            passed = torch.searchsorted(self.edges, numbers)
        # Edges are the starts and ends of intervals in turn: inside of one an odd number is passed.
        return torch.where(passed % 2 == 1, self.offsets + (passed + 1) // 2, 0)

    def forward(self, X: Tensor, members: slice = slice(None)) -> Tensor:
        """Return the embeddings of `members`."""
        vectors = embedding(self.find_rows(X), self.table, padding_idx=0)
        by_member = vectors.unflatten(2, (self.n_members, self.width))[:, :, members]
        return by_member.permute(2, 0, 3, 1).flatten(1, 2)

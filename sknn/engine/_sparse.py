"""Products of sparse rows with dense matrices, without making the rows dense."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn.functional import embedding_bag

Tensor = torch.Tensor


@dataclass(frozen=True)
class SparseBatch:
    """A few rows of a CSR matrix X, ordered by row and by column.

    Attributes
    ----------
    n_rows : int
        Rows of X.
    by_row : tuple of Tensor
        Column number and value of each entry, and where each row starts.
    by_column : tuple of Tensor
        Row number and value of each entry, and where each column of `columns` starts.
    columns : Tensor of shape (n_columns,)
        Numbers of the columns that have an entry.
    """

    n_rows: int
    by_row: tuple[Tensor, Tensor, Tensor]
    by_column: tuple[Tensor, Tensor, Tensor]
    columns: Tensor

    @classmethod
    def from_csr(cls, X: Any, device: str) -> "SparseBatch":
        """Return the batch for a CSR matrix of shape (n_rows, n_features)."""
        turned = X.tocsc()
        columns = np.flatnonzero(np.diff(turned.indptr))

        def tensors(*arrays: np.ndarray) -> tuple[Tensor, ...]:
            return tuple(torch.from_numpy(array).to(device) for array in arrays)

        return cls(
            n_rows=X.shape[0],
            by_row=tensors(X.indices, X.data, X.indptr[:-1]),
            by_column=tensors(turned.indices, turned.data, turned.indptr[columns]),
            columns=tensors(columns)[0],
        )

    def __len__(self) -> int:
        return self.n_rows

    def times(self, matrix: Tensor) -> Tensor:
        """Return X times a contiguous matrix of shape (n_features, n_outputs)."""
        return _summed_rows(matrix, *self.by_row)

    def add_transposed_times(self, matrix: Tensor, out: Tensor, scale: float) -> None:
        """Add ``scale * X.T @ matrix``, of shape (n_features, n_outputs), to `out`."""
        out.index_add_(0, self.columns, _summed_rows(matrix, *self.by_column), alpha=scale)


def _summed_rows(matrix: Tensor, rows: Tensor, factors: Tensor, starts: Tensor) -> Tensor:
    """Return sums of some rows of a matrix, each times a factor, a sum for each start."""
    return embedding_bag(rows, matrix, starts, mode="sum", per_sample_weights=factors)

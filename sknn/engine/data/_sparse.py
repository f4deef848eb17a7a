"""Products of sparse samples with dense matrices, without making the samples dense."""

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from scipy import sparse
from torch.nn.functional import embedding_bag

from sknn.engine.data._batches import make_tensor

Tensor = torch.Tensor


@dataclass(frozen=True)
class SparseBatch:
    """A few samples of a CSR matrix X, ordered by row and by column.

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
    by_column: tuple[Tensor, Tensor, Tensor] | None
    columns: Tensor | None

    @classmethod
    def from_csr(
        cls, X: sparse.csr_array | sparse.csr_matrix, device: str, *, by_column: bool = False
    ) -> "SparseBatch":
        """Return the batch for a CSR matrix of shape (n_rows, n_features)."""
        # Only with `by_column` can it be multiplied from the left, as gradients need.

        def tensors(*arrays: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
            first, second, third = (make_tensor(array, device) for array in arrays)
            return first, second, third

        rows = tensors(X.indices, X.data, X.indptr[:-1])
        if not by_column:
            return cls(X.shape[0], rows, None, None)
        turned = X.tocsc()
        columns = np.flatnonzero(np.diff(turned.indptr))
        # The gradient of the first layer is X^T d: sums over the samples of each column that
        # occurs, which the transposed matrix, also in CSR, lists in order. Other columns are not
        # touched.
        turned_rows = tensors(turned.indices, turned.data, turned.indptr[columns])
        return cls(X.shape[0], rows, turned_rows, make_tensor(columns, device))

    def __len__(self) -> int:
        return self.n_rows

    def multiply(self, matrix: Tensor) -> Tensor:
        """Return X times a contiguous matrix of shape (n_features, n_outputs)."""
        return _sum_rows(matrix, *self.by_row)

    def add_transposed_product(self, matrix: Tensor, out: Tensor, scale: float) -> None:
        """Add ``scale * X.T @ matrix``, of shape (n_features, n_outputs), to `out`."""
        columns = cast("Tensor", self.columns)
        by_column = cast("tuple[Tensor, Tensor, Tensor]", self.by_column)
        out.index_add_(0, columns, _sum_rows(matrix, *by_column), alpha=scale)


def _sum_rows(matrix: Tensor, rows: Tensor, factors: Tensor, starts: Tensor) -> Tensor:
    """Return sums of some rows of a matrix, each times a factor, a sum for each start."""
    return embedding_bag(rows, matrix, starts, mode="sum", per_sample_weights=factors)

"""Embeddings of category codes."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from sknn._saved import saved
from sknn.architectures.layers._lists import LayerList

MAX_EMBEDDING_WIDTH = 50


def choose_embedding_width(cardinality: int) -> int:
    """Return how many numbers stand for a level of a column with so many codes."""
    # 2, 3, 10, 100 and 1000 codes have 2, 3, 6, 21 and 50.
    # The rule of thumb of J. Howard and S. Gugger, "fastai: A layered API for deep learning",
    # Information 11, 2020, doi:10.3390/info11020108. It grows about as the root of the number of
    # levels: few levels are told apart by few numbers, and many have few samples each.
    return min(MAX_EMBEDDING_WIDTH, round(1.6 * cardinality**0.56))


@saved
class UnsetEmbedding(nn.Embedding):
    """A table of embeddings that draws no numbers when it is made; see `UnsetLinear`."""

    def reset_parameters(self) -> None:
        """Leave the embeddings unset."""


@saved
class CategoryEmbeddings(nn.Module):
    """Replace the trailing columns of codes by embeddings, and keep the numeric ones [1]_.

    Code 0 stands for levels that training did not see: its embedding is 0 and stays so. First
    embeddings have mean 0, and a penalty pulls them there, so that 0 is the best guess for an
    unknown level.

    Parameters
    ----------
    n_numeric : int
        Leading columns that stay as they are.
    cardinalities : sequence of int
        Number of codes of each further column, 0 counted.
    dtype : torch.dtype, default=torch.float32
        Dtype of the embeddings and of X, which must hold all codes exactly.

    Shape
    -----
    - Input: ``(batch, n_numeric + len(cardinalities))``
    - Output: ``(batch, n_outputs)``, where `n_outputs` is `n_numeric` plus the width of the
      embedding of each column, see `choose_embedding_width`

    References
    ----------
    .. [1] C. Guo and F. Berkhahn, "Entity embeddings of categorical variables", 2016,
       arXiv:1604.06737.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from sknn.architectures.layers._embeddings import CategoryEmbeddings
    >>> embeddings = CategoryEmbeddings(1, [3])
    >>> embeddings.initialize_weights(np.random.RandomState(0))
    >>> embeddings(torch.tensor([[0.5, 0.0]]))  # of a number and an unknown level
    tensor([[0.5000, 0.0000, 0.0000, 0.0000]], grad_fn=<CatBackward0>)
    """

    limits: torch.Tensor

    def __init__(
        self, n_numeric: int, cardinalities: Sequence[int], dtype: torch.dtype = torch.float32
    ):
        super().__init__()
        # Codes lie in X beside numbers, as floats.
        largest = 2 / torch.finfo(dtype).eps  # whole numbers up to it are exact
        for cardinality in cardinalities:
            if not 1 <= cardinality <= largest:
                raise ValueError(
                    f"cardinalities must be from 1 to {largest:.0f}, up to which {dtype} holds "
                    f"every code; got {cardinality!r}."
                )
        self.n_numeric = n_numeric
        self.cardinalities = tuple(cardinalities)
        self.tables: LayerList[UnsetEmbedding] = LayerList(
            UnsetEmbedding(
                cardinality, choose_embedding_width(cardinality), padding_idx=0, dtype=dtype
            )
            for cardinality in cardinalities
        )
        limits = torch.tensor(self.cardinalities)
        self.register_buffer("limits", limits, persistent=False)

    @property
    def n_outputs(self) -> int:
        """Width of the output."""
        return self.n_numeric + sum(table.embedding_dim for table in self.tables)

    @torch.no_grad()
    def initialize_weights(self, random_state: np.random.RandomState) -> None:
        """Draw all embeddings anew, normal with mean length 1, that of a standardised number."""
        for table in self.tables:
            n_codes, width = table.weight.shape
            embeddings = random_state.normal(0.0, 1 / np.sqrt(width), (n_codes, width))
            embeddings[0] = 0.0
            table.weight.copy_(torch.from_numpy(embeddings))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return numbers and embeddings side by side."""
        numbers, codes = X[:, : self.n_numeric], X[:, self.n_numeric :]
        indices = self._check_codes(codes)
        embeddings = [table(i) for table, i in zip(self.tables, indices.unbind(1), strict=True)]
        return torch.cat([numbers, *embeddings], dim=1)

    def _check_codes(self, codes: torch.Tensor) -> torch.Tensor:
        """Return codes as whole numbers; a wrong one would end the process on a GPU."""
        n_columns = len(self.cardinalities)
        if codes.shape[1] != n_columns:
            raise ValueError(
                f"X must have {self.n_numeric} numeric columns and {n_columns} of codes; got "
                f"{self.n_numeric + codes.shape[1]} columns."
            )
        indices = codes.long()
        wrong = (indices < 0) | (indices >= self.limits) | (indices != codes)
        if wrong.any():
            row, column = wrong.nonzero()[0].tolist()
            raise ValueError(
                f"Column {self.n_numeric + column} of the encoded X must hold whole numbers from 0 "
                f"to {self.cardinalities[column] - 1}, the codes of its levels; got "
                f"{codes[row, column].item()!r} in row {row}."
            )
        return indices

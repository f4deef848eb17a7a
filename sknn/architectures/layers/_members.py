"""Layers of the members of an ensemble, which see the same samples.

Values have the shape (n_members, n_units, n_samples), so that a layer of all members is one batched
product, and the samples of a unit lie in one piece. A layer can be asked for some of its members
only. In training the passes are those of `sknn.architectures.layers._member_steps`.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn.functional import embedding, relu

from sknn._saved import saved
from sknn.architectures.layers._member_steps import EmbeddingStep, MemberStep

Tensor = torch.Tensor

#: samples whose means are taken together, and numbers that they may have when they are encoded
CENTER_SAMPLES, CENTER_NUMBERS = 4096, 2**20


@saved
class MemberLinear(nn.Module):
    """A linear layer of each member.

    Parameters
    ----------
    n_members, n_inputs, n_outputs : int
        Members, and widths of the layer of each.
    dtype : torch.dtype, default=torch.float32
        Dtype of the weights, which are unset; see `initialize_weights`.

    Shape
    -----
    - Input: ``(n_members, n_inputs, n_samples)``
    - Output: ``(n_members, n_outputs, n_samples)``
    """

    def __init__(
        self, n_members: int, n_inputs: int, n_outputs: int, dtype: torch.dtype = torch.float32
    ):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n_members, n_inputs, n_outputs, dtype=dtype))
        self.bias = nn.Parameter(torch.zeros(n_members, 1, n_outputs, dtype=dtype))

    @torch.no_grad()
    def initialize_weights(self, random_state: np.random.RandomState) -> None:
        """Draw weights as He et al. do for ReLU, and biases uniform in ±1/sqrt(n_inputs)."""
        # K. He, X. Zhang, S. Ren and J. Sun, "Delving deep into rectifiers", ICCV 2015,
        # arXiv:1502.01852.
        # A sum of n products of variance 2 / n and inputs of mean square m has variance 2 m, of
        # which ReLU leaves the positive half: mean squares stay the same from layer to layer.
        n_inputs = self.weight.shape[1]
        _draw_normal(self.weight, math.sqrt(2 / max(n_inputs, 1)), random_state)
        bound = 1 / math.sqrt(max(n_inputs, 1))
        self.bias.copy_(torch.from_numpy(random_state.uniform(-bound, bound, self.bias.shape)))

    def forward(self, X: Tensor, members: slice = slice(None)) -> Tensor:
        """Return the outputs of `members`, whose values X are."""
        weight, bias = self.weight[members], self.bias[members]
        return torch.baddbmm(bias.transpose(1, 2), weight.transpose(1, 2), X)

    def train_hidden(self, X: Tensor, mask: Tensor | None, scales: tuple[float, float]) -> Tensor:
        """Return the outputs of all members as a hidden layer, see `MemberStep`."""
        return MemberStep.apply(X, self.weight, self.bias, mask, scales)

    def train_output(self, X: Tensor) -> Tensor:
        """Return the outputs of all members as an output layer."""
        return MemberStep.apply(X, self.weight, self.bias, None, None)


@saved
class MemberEmbeddings(nn.Module):
    """Embeddings of category codes, a table for each column and member [1]_.

    Parameters
    ----------
    n_members : int
        Members.
    cardinalities : sequence of int
        Codes of each column, 0 for unknown levels counted; its vector is 0 and stays so.
    width : int
        Width of an embedding.
    dtype : torch.dtype, default=torch.float32
        Dtype of the embeddings, which are unset.

    Shape
    -----
    - Input: whole numbers ``(n_samples, n_columns)``
    - Output: ``(n_members, n_columns * width, n_samples)``

    References
    ----------
    .. [1] C. Guo and F. Berkhahn, "Entity embeddings of categorical variables", 2016,
       arXiv:1604.06737.
    """

    def __init__(
        self,
        n_members: int,
        cardinalities: Sequence[int],
        width: int,
        dtype: torch.dtype = torch.float32,
    ):
        super().__init__()
        self.n_members, self.width = n_members, width
        self.tables = nn.ParameterList(
            nn.Parameter(torch.zeros(cardinality, n_members * width, dtype=dtype))
            for cardinality in cardinalities
        )

    @property
    def n_outputs(self) -> int:
        """Numbers that a member gets."""
        return self.width * len(self.tables)

    @torch.no_grad()
    def initialize_weights(self, random_state: np.random.RandomState) -> None:
        """Draw embeddings of mean length 1, that of a standardised number."""
        # width numbers of variance 1 / width: squares sum to 1.
        for table in self.tables:
            _draw_normal(table, 1 / math.sqrt(self.width), random_state)
            table[0] = 0.0

    def forward(self, codes: Tensor, members: slice = slice(None)) -> Tensor:
        """Return the embeddings of `members`."""
        columns = zip(self.tables, codes.unbind(1), strict=True)
        embeddings = [
            embedding(column, table, padding_idx=0).view(-1, self.n_members, self.width)[:, members]
            for table, column in columns
        ]
        return torch.cat(embeddings, dim=2).permute(1, 2, 0)


@saved
class PiecewiseLinear(nn.Module):
    """Embeddings of numbers, linear between knots, one for each column and member [1]_.

    Each stretch between two knots has a number that rises from 0 to 1 on it; these numbers, less
    their means, are multiplied with weights of the column, and `ReLU` follows.

    Parameters
    ----------
    n_members : int
        Members.
    knots : sequence of ndarray
        Rising values of each column, two at least.
    width : int
        Width of an embedding.
    dtype : torch.dtype, default=torch.float32
        Dtype of the weights, which are unset.

    Shape
    -----
    - Input: ``(n_samples, n_columns)``
    - Output: ``(n_members, n_columns * width, n_samples)``

    References
    ----------
    .. [1] Y. Gorishniy, I. Rubachev and A. Babenko, "On embeddings for numerical features in
       tabular deep learning", NeurIPS 2022, arXiv:2203.05556.
    """

    left: Tensor
    slope: Tensor
    mean: Tensor

    def __init__(
        self,
        n_members: int,
        knots: Sequence[np.ndarray],
        width: int,
        dtype: torch.dtype = torch.float32,
    ):
        super().__init__()
        self.n_members, self.width = n_members, width
        n_columns, n_stretches = len(knots), max(len(of_column) for of_column in knots) - 1
        left, slope = np.zeros((n_columns, 1, n_stretches)), np.zeros((n_columns, 1, n_stretches))
        for j, of_column in enumerate(knots):
            left[j, 0, : len(of_column) - 1] = of_column[:-1]
            slope[j, 0, : len(of_column) - 1] = 1 / np.diff(of_column)
        self.n_stretches = [len(of_column) - 1 for of_column in knots]
        self.register_buffer("left", torch.from_numpy(left).to(dtype))
        self.register_buffer("slope", torch.from_numpy(slope).to(dtype))
        self.register_buffer("mean", torch.zeros_like(self.left))
        shape = n_columns, n_stretches, n_members * width
        self.weight = nn.Parameter(torch.zeros(shape, dtype=dtype))
        self.bias = nn.Parameter(torch.zeros(n_columns, 1, shape[2], dtype=dtype))

    @property
    def n_outputs(self) -> int:
        """Numbers that a member gets."""
        return self.width * len(self.n_stretches)

    @torch.no_grad()
    def initialize_weights(self, random_state: np.random.RandomState) -> None:
        """Draw weights of variance 1 / n_stretches of the column."""
        _draw_normal(self.weight, 1.0, random_state)
        for weight, n in zip(self.weight, self.n_stretches, strict=True):
            # Shorter columns are filled up with stretches of slope 0, whose numbers are 0: so their
            # weights never learn, and are set to 0 not to decay from anything.
            weight /= math.sqrt(n)
            weight[n:] = 0.0
        self.bias.zero_()

    @torch.no_grad()
    def center(self, X: Tensor, weight: Tensor, places: Sequence[int] | None = None) -> None:
        """Take the means from samples of shape (n_samples, n_columns), weighted by (n_samples,).

        `places` are the columns of X that have embeddings, by default all; X is never copied whole.
        """
        total = torch.zeros_like(self.mean)
        n_columns, _, n_stretches = self.left.shape
        chosen = torch.tensor(range(n_columns) if places is None else places)
        # Few columns at a time: the encoded samples are n_stretches times as large as X.
        for columns in _slice(n_columns, CENTER_NUMBERS // (CENTER_SAMPLES * n_stretches)):
            for samples in _slice(len(X), CENTER_SAMPLES):
                encoded = self._encode(X[samples][:, chosen[columns]], columns)
                total[columns] += torch.matmul(encoded, weight[samples])[:, None]
        self.mean.copy_(total / weight.sum())

    def _encode(self, X: Tensor, columns: slice = slice(None)) -> Tensor:
        # min(max((x - knot_i) / (knot_i+1 - knot_i), 0), 1): of shape (n_columns, n_stretches,
        # n_samples). Any function that is linear between knots is a weighted sum of these.
        left, slope = (t[columns].transpose(1, 2) for t in (self.left, self.slope))
        return (X.t()[:, None, :] - left).mul_(slope).clamp_(0, 1)

    def forward(self, X: Tensor, members: slice = slice(None)) -> Tensor:
        """Return the embeddings of `members`."""
        weight, bias = self._select(self.weight, members), self._select(self.bias, members)
        # Less their means: numbers that are 1 for half of the samples would move all sums by about
        # as much, which biases would first have to make up for.
        encoded = self._encode(X).sub_(self.mean.transpose(1, 2))
        z = relu(torch.baddbmm(bias.transpose(1, 2), weight.transpose(1, 2), encoded))
        return z.unflatten(1, (-1, self.width)).permute(1, 0, 2, 3).flatten(1, 2)

    def train_all(self, X: Tensor, dtype: torch.dtype) -> Tensor:
        """Return the embeddings of all members in a dtype, see `EmbeddingStep`."""
        encoded = self._encode(X).sub_(self.mean.transpose(1, 2)).to(dtype)
        return EmbeddingStep.apply(encoded, self.weight, self.bias, self.n_members)

    def _select(self, tensor: Tensor, members: slice) -> Tensor:
        parts = tensor.unflatten(2, (self.n_members, self.width))[:, :, members]
        return parts.flatten(2)


@saved
class Periodic(nn.Module):
    """Periodic embeddings of numbers, cosines of learned frequencies, of each member [1]_ [2]_.

    Parameters
    ----------
    n_members, n_columns : int
        Members, and columns of numbers.
    width : int
        Width of an embedding.
    n_waves : int, default=16
        Number of cosines of each column and member; a layer with `ReLU` makes an embedding of them.
    frequency : float, default=0.5
        Standard deviation of the first frequencies, in periods per standardised number.
    dtype : torch.dtype, default=torch.float32
        Dtype of the weights, which are unset.

    Shape
    -----
    - Input: ``(n_samples, n_columns)``
    - Output: ``(n_members, n_columns * width, n_samples)``

    References
    ----------
    .. [1] Y. Gorishniy, I. Rubachev and A. Babenko, "On embeddings for numerical features in
       tabular deep learning", NeurIPS 2022, arXiv:2203.05556.
    .. [2] D. Holzmüller, L. Grinsztajn and I. Steinwart, "Better by default: Strong pre-tuned MLPs
       and boosted trees on tabular data", NeurIPS 2024, arXiv:2407.04491.
    """

    def __init__(
        self,
        n_members: int,
        n_columns: int,
        width: int,
        *,
        n_waves: int = 16,
        frequency: float = 0.5,
        dtype: torch.dtype = torch.float32,
    ):
        super().__init__()
        self.n_members, self.n_columns, self.width = n_members, n_columns, width
        self.n_waves, self.initial_frequency = n_waves, frequency
        shape = n_columns, 1, n_members * n_waves
        self.frequency = nn.Parameter(torch.zeros(shape, dtype=dtype))
        self.phase = nn.Parameter(torch.zeros(shape, dtype=dtype))
        self.weight = nn.Parameter(torch.zeros(n_columns, n_members, n_waves, width, dtype=dtype))
        self.bias = nn.Parameter(torch.zeros(n_columns, n_members, 1, width, dtype=dtype))

    @property
    def n_outputs(self) -> int:
        """Numbers that a member gets."""
        return self.width * self.n_columns

    @torch.no_grad()
    def initialize_weights(self, random_state: np.random.RandomState) -> None:
        """Draw normal frequencies, phases of all angles, and weights of variance 1 / n_waves."""
        _draw_normal(self.frequency, self.initial_frequency, random_state)
        # Frequencies are small at first, half a wave for a deviation: higher ones would tell near
        # samples apart before the low ones have learned what they have in common.
        angles = random_state.uniform(-math.pi, math.pi, self.phase.shape)
        self.phase.copy_(torch.from_numpy(angles))
        _draw_normal(self.weight, 1 / math.sqrt(self.n_waves), random_state)
        self.bias.zero_()

    def center(self, X: Tensor, weight: Tensor, places: Sequence[int] | None = None) -> None:
        """Do nothing: cosines vary about 0 already."""

    def forward(self, X: Tensor, members: slice = slice(None)) -> Tensor:
        """Return the embeddings of `members`."""
        frequency, phase = (
            t.unflatten(2, (self.n_members, self.n_waves))[:, :, members].flatten(2)
            for t in (self.frequency, self.phase)
        )
        # cos(2π f x + φ) with a phase spans both cos and sin of the frequency f.
        waves = torch.cos(2 * math.pi * X.t()[:, :, None] * frequency + phase)
        waves = waves.unflatten(2, (-1, self.n_waves)).transpose(1, 2)
        z = relu(waves @ self.weight[:, members] + self.bias[:, members])
        return z.permute(1, 0, 3, 2).flatten(1, 2)


def _slice(n: int, size: int) -> Iterator[slice]:
    """Return slices of `size`, of one at least, that cover n."""
    return (slice(start, start + max(size, 1)) for start in range(0, n, max(size, 1)))


def _draw_normal(tensor: Tensor, deviation: float, random_state: np.random.RandomState) -> None:
    tensor.copy_(torch.from_numpy(random_state.normal(0.0, deviation, tuple(tensor.shape))))

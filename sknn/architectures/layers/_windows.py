"""Filters that slide along sequences: the first layer of `SequenceCNN`, and what it sees."""

import numpy as np
import torch
from torch import nn
from torch.autograd.function import FunctionCtx
from torch.nn import functional

from sknn._saved import saved
from sknn.architectures.letters._codes import Letters
from sknn.architectures.letters._pooling import PooledLetters

Tensor = torch.Tensor

#: what the squares of the bias of positions cost. Adam moves all parameters at the same pace, at
#: which that bias, one number for each window and filter, would fit the training samples before the
#: filters have learned. Loss of held-out samples with 0.001 instead of 0.0003: 0.211, not 0.233, on
#: peaks of a transcription factor, and 0.226, not 0.223, on TATA promoters, where places matter.
POSITION_PENALTY = 0.001
#: up to where 'exp' is the exponential function; beyond, its tangent. On letters filters hardly get
#: there, but on numbers without a scale the exponential is soon more than float32 can hold.
STRAIGHT_FROM = 5.0


def compute_bounded_exp(values: Tensor) -> Tensor:
    """Return the exponential, which goes on as a straight line from `STRAIGHT_FROM`."""
    # Beyond s: exp(s) (1 + v - s), with the value and the slope of exp at s.
    return values.clamp(max=STRAIGHT_FROM).exp() * (1 + (values - STRAIGHT_FROM).relu())


#: name -> function; all of them grow with their argument, so that the maximum can come first
FIRST_ACTIVATIONS = {
    "relu": torch.relu,
    "exp": compute_bounded_exp,
    "linear": lambda values: values,
}


def extract_windows(X: Tensor, kernel_size: int) -> Tensor:
    """Return windows (batch, n_windows, kernel_size * channels) of (batch, length, channels)."""
    return X.unfold(1, kernel_size, 1).transpose(2, 3).flatten(2)


def find_valid_windows(X: Tensor, kernel_size: int) -> Tensor | None:
    """Return which windows see no padding, bool of (batch, n_windows); None for all.

    Padding is the run of positions with zeros alone at an end of a sequence; X is of shape (batch,
    length, channels). Of a sequence shorter than the kernel those windows are valid that see all
    of it, and of one with nothing but zeros all are.
    """
    ends = X[:, :: max(X.shape[1] - 1, 1)]
    if not X.is_cuda and bool((ends != 0).any(dim=2).all()):  # the usual case, told at little cost
        return None
    real = (X != 0).any(dim=2)
    # Positions of zeros with letters on both sides are unknown letters, not padding: counts of
    # letters from either end tell both kinds apart.
    before, after = real.cumsum(1), real.flip(1).cumsum(1).flip(1)
    inside = ((before > 0) & (after > 0)).to(X.dtype)  # letters, and gaps between letters
    seen = inside.unfold(1, kernel_size, 1).sum(2)
    return seen >= inside.sum(1, keepdim=True).clamp(max=kernel_size)


class PoolingContext(FunctionCtx):
    """State that the forward pass leaves for the backward pass."""

    saved_tensors: tuple[Tensor, ...]
    activation: str | None
    #: valid windows: of all sequences, or of each, of shape (batch, 1)
    counts: int | Tensor


class PooledWindows(torch.autograd.Function):
    """The largest value of each filter along a sequence, and the mean of what it activates.

    In the backward pass the maximum needs the one best window of each filter and sequence, and the
    mean one product of matrices. Both passes together take about a third of the time of autograd
    with the same operations. There is no gradient for X, and one backward pass alone.
    """

    @staticmethod
    def forward(
        ctx: PoolingContext,
        X: Tensor,
        filters: Tensor,
        shift: Tensor,
        *how: *tuple[Tensor | None, str | None],
    ) -> tuple[Tensor, Tensor | None]:
        """Return the largest values, and the means.

        Shape
        -----
        - X: ``(batch, length, channels)``
        - filters: ``(n_filters, kernel_size, channels)``
        - shift: ``(n_windows, n_filters)``, ``(1, n_filters)`` or, where it differs from sample to
          sample, ``(batch, n_windows, n_filters)``, added to the products
        - how: two; of bool ``(batch, n_windows)``, which windows are valid, or None; and 'relu',
          'exp' or 'linear', whose mean is computed, or None for no mean
        - returns two of ``(batch, n_filters)``; the second is None without an activation
        """
        valid, activation = how
        seen = extract_windows(X, filters.shape[1])
        values = torch.matmul(seen, filters.flatten(1).t()).add_(shift)
        if valid is not None:
            values.masked_fill_(~valid[:, :, None], -torch.inf)
        best = values.amax(1)
        place = find_first_place(values, best)
        ctx.activation = activation
        if activation is None:
            ctx.save_for_backward(seen, place, filters, shift)
            return best, None
        # New memory of this size costs more time than what is computed in it, hence in place.
        if activation == "relu":
            mean = values.relu_().sum(1)
        elif activation == "exp":
            mean = compute_bounded_exp(values).sum(1)
        else:
            shown = values if valid is None else values.masked_fill(~valid[:, :, None], 0.0)
            mean = shown.sum(1)
        ctx.save_for_backward(seen, place, filters, shift, values)
        ctx.counts = values.shape[1] if valid is None else valid.sum(1, keepdim=True)
        return best, mean / ctx.counts

    @staticmethod
    def backward(
        ctx: PoolingContext, of_best: Tensor, of_mean: Tensor | None
    ) -> tuple[None, Tensor, Tensor, None, None]:
        """Return the gradients of filters and shift."""
        seen, place, filters, shift, *rest = ctx.saved_tensors
        activation = ctx.activation
        n_samples, n_windows, _ = seen.shape
        of_best = of_best.to(seen.dtype)  # autocast makes products, and so values, less precise
        if activation is not None and of_mean is not None:
            # d(mean)/d(value) = f'(value) / count for each valid window, and d(max)/d(value) = 1 at
            # the best: both are in one array of slopes, of which filters take one product with the
            # windows.
            of_values = write_slopes(activation, rest[0]).to(seen.dtype)
            of_values = of_values.mul_(of_mean.div(ctx.counts)[:, None])
            of_values.scatter_add_(1, place[:, None], of_best[:, None])
            of_filters = of_values.flatten(0, 1).t() @ seen.flatten(0, 1)
            of_shift = of_values if shift.ndim == 3 else of_values.sum(0)
            if shift.shape[0] == 1 and shift.ndim == 2:
                of_shift = of_shift.sum(0, keepdim=True)
            return None, of_filters.view_as(filters), of_shift, None, None
        # Without a mean only the best windows have a slope: they are gathered, one for each filter
        # and sequence, in place of a product over all windows.
        places = place + n_windows * torch.arange(n_samples, device=seen.device)[:, None]
        chosen = seen.flatten(0, 1)[places.flatten()].view(n_samples, len(filters), -1)
        of_filters = torch.einsum("nf,nfk->fk", of_best, chosen).view_as(filters)
        if shift.ndim == 3:
            of_shift = torch.zeros_like(shift).scatter_(1, place[:, None], of_best[:, None])
        elif len(shift) == 1:
            of_shift = of_best.sum(0, keepdim=True)
        else:
            of_shift = torch.zeros_like(shift).scatter_add_(0, place, of_best)
        return None, of_filters, of_shift, None, None


def write_slopes(activation: str, values: Tensor) -> Tensor:
    """Turn values into the derivative there, 0 where a window is hidden by minus infinity."""
    if activation == "exp":
        return values.clamp_(max=STRAIGHT_FROM).exp_()
    return values.gt_(0.0 if activation == "relu" else -torch.inf)


def count_places(valid: Tensor, from_end: bool) -> Tensor:
    """Return how many valid windows lie before each, or behind it; both (batch, n_windows)."""
    counts = valid.flip(1).cumsum(1).flip(1) if from_end else valid.cumsum(1)
    return (counts - 1).clamp(min=0)


def align_left(values: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Return values (batch, n_windows, n_filters), and which are valid, the valid ones first."""
    order = valid.to(torch.uint8).argsort(dim=1, descending=True, stable=True)
    return values.gather(1, order[:, :, None].expand_as(values)), valid.gather(1, order)


def find_first_place(values: Tensor, best: Tensor) -> Tensor:
    """Return where (batch, n_filters) values (batch, n_windows, n_filters) are first `best`."""
    # argmax over an axis that is not the last takes four times as long, and comparing twice.
    n_windows = values.shape[1]
    # The first window of equal ones has the largest number, n down to 1.
    numbers = torch.arange(n_windows, 0, -1, dtype=torch.float32, device=values.device)[:, None]
    is_best = (values - best[:, None]).sign_().add_(1)  # 1 or 0
    first = n_windows - is_best.float().mul_(numbers).amax(1).long()
    return first.clamp(0, n_windows - 1)  # of values that are not finite any


@torch.no_grad()
def draw_filters(weight: Tensor, random_state: np.random.RandomState) -> None:
    """Draw weights of shape (n_filters, ...) as He et al. (2015, arXiv:1502.01852) do."""
    # Behind a ReLU the variance of values stays the same from layer to layer if that of the weights
    # is 2 / n with n inputs of a filter. Uniform numbers in ±b have b² / 3: b = sqrt(6 / n).
    bound = np.sqrt(6 / weight[0].numel())
    weight.copy_(torch.from_numpy(random_state.uniform(-bound, bound, tuple(weight.shape))))


@saved
class FilterBank(nn.Module):
    """Filters that are compared with each window of a sequence, on one strand or on both.

    On the other strand the same windows are read backwards with complementary letters, for which
    the filters are turned in place of the sequences.

    Parameters
    ----------
    shape : tuple of int
        Number of filters, positions that a filter covers, and channels.
    n_windows : int
        Windows along a sequence.
    both_strands : bool
        Whether there are two strands.
    position_bias : bool or 'mirrored'
        Whether each filter learns what to add at each window, on each strand, so that it can
        prefer some places. ``'mirrored'`` adds the same on both strands, with places that count
        from the start of each strand: a sequence and its reverse complement then give the same.
    dtype : torch.dtype
        Dtype of the weights.

    Shape
    -----
    - Input: ``(batch, length, channels)``
    - Output: ``(batch, n_windows, n_filters)``
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        n_windows: int,
        both_strands: bool,
        position_bias: bool | str,
        dtype: torch.dtype,
    ):
        super().__init__()
        n_strands = 2 if both_strands else 1
        self.is_mirrored = position_bias == "mirrored"
        self.weight = nn.Parameter(torch.empty(shape, dtype=dtype))
        self.bias = nn.Parameter(torch.empty(shape[0], dtype=dtype))
        self.position_bias = None
        if position_bias:
            size = (1 if self.is_mirrored else n_strands, n_windows, shape[0])
            self.position_bias = nn.Parameter(torch.empty(size, dtype=dtype))
        self.n_strands, self.n_windows = n_strands, n_windows

    @torch.no_grad()
    def initialize_weights(self, random_state: np.random.RandomState) -> None:
        """Draw the filters; biases are 0."""
        draw_filters(self.weight, random_state)
        self.bias.zero_()
        if self.position_bias is not None:
            self.position_bias.zero_()

    def compute_position_penalty(self) -> Tensor | float:
        """Return the penalty that keeps the bias of positions small, whatever the batch."""
        if self.position_bias is None:
            return 0.0
        return POSITION_PENALTY * self.position_bias.square().sum()

    def get_strand(self, i: int, valid: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the filters and what is added at each window, for a strand.

        The latter has the shape (n_windows, n_filters) or (1, n_filters), or with mirrored places
        and padding, which they do not count, (batch, n_windows, n_filters).
        """
        # Flipped along positions and letters of ACGT: the product with a window is that of the
        # filter with the window's reverse complement.
        filters = self.weight.flip(1, 2) if i else self.weight
        if self.position_bias is None:
            return filters, self.bias[None]
        if not self.is_mirrored:
            return filters, self.bias + self.position_bias[i]
        of_places = self.bias + self.position_bias[0]
        if valid is not None:
            return filters, of_places[count_places(valid, from_end=i == 1)]
        return filters, of_places.flip(0) if i else of_places

    def forward(self, X: Tensor, i: int = 0, valid: Tensor | None = None) -> Tensor:
        """Return the value of each filter at each window, for strand `i`."""
        filters, shift = self.get_strand(i, valid)
        return torch.matmul(extract_windows(X, filters.shape[1]), filters.flatten(1).t()) + shift

    def pool(
        self, X: Tensor, valid: Tensor | None, activation: str | None
    ) -> tuple[Tensor, Tensor | None]:
        """Return what `PooledWindows` does, the larger value of both strands."""
        strands = [self.get_strand(i, valid) for i in range(self.n_strands)]
        filters, shift = zip(*strands, strict=True)
        pair = PooledWindows.apply(
            X, torch.cat(filters), torch.cat(shift, dim=-1), valid, activation
        )
        if self.n_strands == 1:
            return pair
        best, mean = pair
        both = None if mean is None else torch.maximum(*mean.chunk(2, dim=1))
        return torch.maximum(*best.chunk(2, dim=1)), both

    def pool_letters(self, letters: Letters, floor: float) -> tuple[Tensor, Tensor]:
        """Return what `pool` does for letters, the mean of values raised to a floor."""
        strands = [self.get_strand(i) for i in range(self.n_strands)]
        filters, shift = (torch.stack(parts) for parts in zip(*strands, strict=True))
        shift = shift.expand(-1, self.n_windows, -1)
        pair = PooledLetters.apply(letters, filters, shift, self.is_mirrored, floor)
        if self.n_strands == 1:
            return pair[0][:, 0], pair[1][:, 0]
        best, mean = (torch.maximum(*both.unbind(1)) for both in pair)
        return best, mean

    def find_best_place(self, X: Tensor, valid: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Return the largest values, their windows, and whether on the other strand.

        Shape
        -----
        - X: ``(batch, length, channels)``
        - valid: ``(batch, n_windows)`` of bool, or None
        - returns three of ``(batch, n_filters)``
        """
        found = []
        for i in range(self.n_strands):
            values = self(X, i, valid)
            if valid is not None:
                values = values.masked_fill(~valid[:, :, None], -torch.inf)
            best = values.amax(1)
            found.append((best, find_first_place(values, best)))
        best, place = found[0]
        other = found[-1][0] > best
        return (
            torch.where(other, found[-1][0], best),
            torch.where(other, found[-1][1], place),
            other,
        )

    def extra_repr(self) -> str:
        """Return what stands between the brackets of the repr."""
        n_filters, kernel_size, n_channels = self.weight.shape
        return f"{n_channels}, {n_filters}, kernel_size={kernel_size}, n_strands={self.n_strands}"


def pool_locally(values: Tensor, size: int, valid: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Return the largest value in each stretch of windows, 0 where there is padding alone.

    Values are (batch, channels, n_windows), `valid` is bool of (batch, n_windows) or None; both
    come back with stretches in place of windows.
    """
    if valid is None:
        return functional.max_pool1d(values, size, ceil_mode=True), None
    left = functional.max_pool1d(valid[:, None].to(values.dtype), size, ceil_mode=True)
    pooled = functional.max_pool1d(
        values.masked_fill(~valid[:, None], -torch.inf), size, ceil_mode=True
    )
    return pooled.masked_fill(left == 0, 0.0), left[:, 0] > 0

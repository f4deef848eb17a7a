"""In-silico mutagenesis: every exchange of one letter, computed from what it changes alone."""

from dataclasses import dataclass

import numpy as np
import torch

from sknn.architectures import FIRST_ACTIVATIONS, SequenceCNN, find_valid_windows
from sknn.engine.data._device import use_precision
from sknn.engine.data._forward import forward
from sknn.engine.net._net import Net

Tensor = torch.Tensor

#: numbers that the changed windows of a chunk of exchanges may take up
CHUNK_NUMBERS = 2**21


def compute_mutation_effects(
    net: Net,
    X: np.ndarray,
    target: np.ndarray,
    positions: np.ndarray | None = None,
    *,
    chunk_numbers: int = CHUNK_NUMBERS,
) -> np.ndarray:
    """Return how each exchange of one letter changes an output (in-silico mutagenesis).

    X, and what is returned, have the shape (n_samples, length, n_letters); `target` is which
    output of each sample, and `positions`, bool of (n_samples, length), belong to the sequence
    (None: all but the zeros at both ends). Effects are 0 there where the letter is the sequence's
    own.
    """
    # An exchange changes the windows that see its position, and no others. Of a network with one
    # convolutional layer that is pooled over the whole sequence, these few are computed anew and
    # joined with the maximum and the sum over all others, so that a sequence costs as much as
    # ``n_letters * kernel_size`` forward passes, whatever its length, not ``3 * length``.
    n_samples, length, n_letters = X.shape
    before = forward(net, X.reshape(n_samples, -1))[np.arange(n_samples), target]
    effects = np.zeros(X.shape, before.dtype)
    inside = find_inside(X)
    asked = inside if positions is None else positions
    module = net.module_
    anew: np.ndarray = asked & (inside if is_single_layer(module) else np.zeros_like(inside))
    if anew.any():
        module.eval()
        size = n_letters * module.bank.weight.shape[1] * len(module.bank.weight)
        n_positions = max(1, chunk_numbers // size)
        with torch.inference_mode(), use_precision(net):
            for i in np.flatnonzero(anew.any(axis=1)):
                sample = net.get_dataset(X[i].reshape(1, -1)).take(slice(None))[0]
                scan = FilterScan.scan(module, sample.reshape(1, length, n_letters))
                where = np.flatnonzero(anew[i])
                for start in range(0, len(where), n_positions):
                    part = torch.from_numpy(where[start : start + n_positions]).to(sample.device)
                    output = module.apply_head(scan.pool_mutants(part).flatten(0, 1))
                    output = output[:, int(target[i])].cpu().numpy().reshape(-1, n_letters)
                    effects[i, where[start : start + n_positions]] = output - before[i]
    rest = {"positions": asked & ~anew, "chunk_numbers": chunk_numbers}
    _mutate_one_by_one(net, X, target, before, effects, **rest)
    effects[X == 1] = 0
    return effects


def find_inside(X: np.ndarray) -> np.ndarray:
    """Return which positions lie between the first and the last known letter, of (n, length)."""
    known = np.asarray(X.any(axis=2))
    after = np.logical_or.accumulate(known[:, ::-1], axis=1)[:, ::-1]
    return np.logical_or.accumulate(known, axis=1) & after


def is_single_layer(module: torch.nn.Module) -> bool:
    """Return whether a network has one convolutional layer, pooled over the whole sequence."""
    return (
        isinstance(module, SequenceCNN)
        and not (module.convs or module.norms)
        and isinstance(module.pooling, str)
        and module.bank.weight.dtype in (torch.float32, torch.float64)
    )


@dataclass
class StrandScan:
    """Values of the filters along one strand of one sequence, with room at both ends.

    Attributes
    ----------
    filters : Tensor of shape (n_filters, kernel_size, n_letters)
        Turned for this strand.
    values : Tensor of shape (n_windows + 2 * (kernel_size - 1), n_filters)
        Values of the windows; minus infinity at the ends, and where a window sees padding.
    before, after : Tensor of shape (n_windows + 2 * kernel_size - 1, n_filters)
        Largest of ``values[:j]``, and of ``values[j:]``.
    total : Tensor of shape (n_filters,)
        Sum over all windows of what the activation makes of their values.
    """

    filters: Tensor
    values: Tensor
    before: Tensor
    after: Tensor
    total: Tensor


class FilterScan:
    """One sequence as a network's only layer sees it: what a new letter changes, and what not.

    Parameters
    ----------
    module : SequenceCNN
        Network, see `is_single_layer`.
    X : Tensor of shape (1, length, n_letters)
        The encoded sequence.
    """

    def __init__(self, module: SequenceCNN, X: Tensor, strands: list[StrandScan], count: int):
        self.module, self.X, self.strands, self.count = module, X, strands, count

    @classmethod
    def scan(cls, module: SequenceCNN, X: Tensor) -> "FilterScan":
        """Scan a sequence of shape (1, length, n_letters)."""
        kernel_size = module.bank.weight.shape[1]
        valid = find_valid_windows(X, kernel_size)
        activate = FIRST_ACTIVATIONS[module.options.first_activation]
        strands = []
        for i in range(module.bank.n_strands):
            values = module.bank(X, i, valid)[0]
            if valid is not None:
                values = values.masked_fill(~valid[0, :, None], -torch.inf)
            room = values.new_full((kernel_size - 1, values.shape[1]), -torch.inf)
            padded = torch.cat([room, values, room])
            one = padded.new_full((1, padded.shape[1]), -torch.inf)
            # A maximum cannot take a window back: it is kept over all windows before each place and
            # over all after, so that the maximum over all but some neighbours is that of two
            # numbers.
            before = torch.cat([one, padded.cummax(0).values])
            after = torch.cat([padded.flip(0).cummax(0).values.flip(0), one])
            shown = mask_windows(activate(values), values)
            strands.append(
                StrandScan(module.bank.get_strand(i)[0], padded, before, after, shown.sum(0))
            )
        count = len(values) if valid is None else int(valid.sum())
        return cls(module, X[0], strands, count)

    def pool_mutants(self, positions: Tensor) -> Tensor:
        """Return what pooling hands on for every letter at each of some positions.

        Shape
        -----
        - positions: ``(n_positions,)``, of int
        - returns ``(n_positions, n_letters, n_pooled)``
        """
        pairs = [self._find_best_and_mean(strand, positions) for strand in self.strands]
        best, mean = pairs[0]
        for other_best, other_mean in pairs[1:]:
            best, mean = torch.maximum(best, other_best), torch.maximum(mean, other_mean)
        activate = FIRST_ACTIVATIONS[self.module.options.first_activation]
        parts: dict[str | int, list[Tensor]] = {
            "max": [activate(best)],
            "mean": [mean],
            "maxmean": [activate(best), mean],
        }
        return torch.cat(parts[self.module.pooling], dim=-1)

    def _find_best_and_mean(self, strand: StrandScan, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Return largest value and mean activation, two of (positions, letters, filters)."""
        # The windows that see position p are rows p to p + kernel_size - 1 of `values`; in the
        # first of them p is the filter's last position, in the last one its first.
        kernel_size = strand.filters.shape[1]
        seen = positions[:, None] + torch.arange(kernel_size, device=positions.device)
        old = strand.values[seen]  # (positions, kernel, filters)
        filters = strand.filters.flip(1).permute(2, 1, 0)  # (letters, kernel, filters)
        # The old letter's share of each window goes, the new one's comes.
        gone = torch.einsum("pc,ckf->pkf", self.X[positions], filters)
        new = (old - gone)[:, None] + filters[None]  # (positions, letters, kernel, filters)
        # The sum over windows changes by the new activations less the old ones; the maximum is that
        # of the new ones and of all windows outside.
        outside = torch.maximum(strand.before[positions], strand.after[positions + kernel_size])
        best = torch.maximum(new.amax(2), outside[:, None])
        activate = FIRST_ACTIVATIONS[self.module.options.first_activation]
        change = (
            mask_windows(activate(new), new).sum(2)
            - mask_windows(activate(old), old).sum(1)[:, None]
        )
        return best, (strand.total + change) / self.count


def mask_windows(shown: Tensor, values: Tensor) -> Tensor:
    """Return activations, 0 where the value is minus infinity, which is no window's."""
    return shown.masked_fill(values == -torch.inf, 0.0)


def _mutate_one_by_one(
    net: Net,
    X: np.ndarray,
    target: np.ndarray,
    before: np.ndarray,
    effects: np.ndarray,
    *,
    positions: np.ndarray,
    chunk_numbers: int,
) -> None:
    """Write into `effects` what whole forward passes say of some positions.

    Parameters
    ----------
    net, X, target
        See `compute_mutation_effects`.
    before : ndarray of shape (n_samples,)
        Outputs of the sequences as they are.
    effects : ndarray of shape (n_samples, length, n_letters)
        Effects, overwritten.
    positions : ndarray of bool of shape (n_samples, length)
        Positions whose letters are exchanged.
    chunk_numbers : int
        Numbers to hold at a time.
    """
    n_letters = X.shape[2]
    row, place = np.nonzero(positions)
    row, place = np.repeat(row, n_letters), np.repeat(place, n_letters)
    letter = np.tile(np.arange(n_letters), len(row) // n_letters)
    other = X[row, place, letter] != 1
    row, place, letter = row[other], place[other], letter[other]
    n_mutants = max(1, chunk_numbers // X[0].size)
    for start in range(0, len(row), n_mutants):
        part = slice(start, start + n_mutants)
        i, j, k = row[part], place[part], letter[part]
        mutated = X[i]
        each = np.arange(len(i))
        mutated[each, j] = 0
        mutated[each, j, k] = 1
        output = forward(net, mutated.reshape(len(i), -1))
        effects[i, j, k] = output[each, target[i]] - before[i]

"""Dropout that leaves torch's global generator alone.

On the CPU the bits of a mask are those of SplitMix64 [1]_, a generator that counts: word k is a
mixture of the bits of s + (k + 1) γ, modulo 2**64. No word waits for the one before, so that a loop
over words is vector instructions, and a batch has a start s of its own at no cost; the Mersenne
Twister would first make a state of 624 words, one after the other, for every batch.

References
----------
.. [1] G. L. Steele, D. Lea and C. H. Flood, "Fast splittable pseudorandom number generators",
   OOPSLA 2014, doi:10.1145/2660193.2660195.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import numpy as np
import torch
from torch import nn

from sknn._saved import saved

#: a unit is kept with a probability that is a multiple of one part in so many: 16 random bits
N_PARTS = 2**16
#: odd, near 2**32 divided by the golden ratio: multiples of it visit all seeds, far apart
WEYL = 0x9E3779B9
#: γ, and the factors that mix bits
GAMMA, FACTORS = 0x9E3779B97F4A7C15, (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
#: what lies between the starts of neighbouring batches: an odd number that is no small multiple of
#: γ, so that no two batches count through the same numbers
APART = 0xD1342543DE82EF95


def fill_words(words: np.ndarray, seed: int, n_batches: int) -> None:
    """Overwrite words of 64 bits, a vector, by the random bits of a batch."""
    start = np.array([n_batches * 2**32 + seed], np.uint64)
    start *= np.uint64(APART)  # arrays, unlike numbers, silently drop what is beyond 2**64
    words[:] = np.arange(1, len(words) + 1)
    words *= np.uint64(GAMMA)
    words += start
    words ^= words >> np.uint64(30)
    words *= np.uint64(FACTORS[0])
    words ^= words >> np.uint64(27)
    words *= np.uint64(FACTORS[1])
    words ^= words >> np.uint64(31)


def draw_into(mask: torch.Tensor, state: torch.Tensor, n_parts: int) -> torch.Tensor:
    """Overwrite a mask of any shape by ``N_PARTS / n_parts`` for units to keep, and 0 for others.

    `state` holds the seed and the number of batches before, which is counted up, on the CPU. A
    unit is kept with probability ``n_parts / N_PARTS``.
    """
    seed, n_batches = state.tolist()
    state[1] += 1
    if mask.device.type == "cpu":
        words = np.empty(-(-mask.numel() // 4), np.uint64)  # 64 bits decide about four units
        fill_words(words, seed, n_batches)
        numbers = torch.from_numpy(words.view(np.int16)[: mask.numel()]).view(mask.shape)
        # 0 or 1 in place: writing and reading truth values of a byte would take ten times as long.
        mask.copy_(numbers.lt_(n_parts - N_PARTS // 2))
    else:
        generator = torch.Generator(mask.device)
        generator.manual_seed((seed + n_batches * WEYL) % 2**32)
        mask.bernoulli_(n_parts / N_PARTS, generator=generator)
    # Kept with probability p and divided by p, a unit has the mean that it has in evaluation.
    return mask.mul_(N_PARTS / n_parts)


def draw_mask(X: torch.Tensor, state: torch.Tensor, n_parts: int) -> torch.Tensor:
    """Return a new mask of the shape, dtype and device of X; see `draw_into`."""
    return draw_into(torch.empty_like(X), state, n_parts)


# For torch.compile, which would otherwise take the seed for a constant and compile every batch.
draw_compiled_mask = torch.library.custom_op("sknn::draw_mask", draw_mask, mutates_args=("state",))
draw_compiled_mask.register_fake(lambda X, state, n_parts: torch.empty_like(X))


@saved
class Dropout(nn.Module):
    """Set units to 0 at random in training, and the others larger by as much [1]_.

    What is dropped depends on the seed and on how many batches there were, on nothing else:
    torch's global generator, which ``torch.nn.Dropout`` uses, is left alone. Seed and count are
    in the ``state_dict``, so that a network that was saved, copied or put back goes on as the
    other would have. Each kind of device draws numbers of its own.

    Parameters
    ----------
    rate : float
        Share of units to drop, in (0, 1); rounded to 1 / 65536.
    seed : int, default=0
        Seed of the masks, in [0, 2**32).
    sample_axis : int, default=0
        Axis of the samples of a mini-batch, which several processes share.

    Shape
    -----
    - Input: ``(batch, ...)``
    - Output: as the input

    References
    ----------
    .. [1] N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov, "Dropout: A
       simple way to prevent neural networks from overfitting", JMLR 15, 2014.

    Examples
    --------
    >>> import torch
    >>> from sknn.architectures.layers._dropout import Dropout
    >>> dropout = Dropout(0.5, seed=1)
    >>> sorted(set(dropout(torch.ones(100, 10)).ravel().tolist()))
    [0.0, 2.0]
    >>> float(dropout.eval()(torch.ones(100, 10)).mean())
    1.0
    """

    #: gives the masks where a layer is not to draw its own
    masks: "MaskGiver | None" = None

    def __init__(self, rate: float, seed: int = 0, sample_axis: int = 0):
        super().__init__()
        self.sample_axis = sample_axis
        self.rate = rate
        self.n_parts = min(max(round((1 - rate) * N_PARTS), 1), N_PARTS - 1)
        self.set_seed(seed)

    @property
    def factor(self) -> float:
        """Factor of the units that are kept."""
        return N_PARTS / self.n_parts

    def set_seed(self, seed: int) -> None:
        """Start anew from a seed in [0, 2**32)."""
        self.state = torch.tensor([seed, 0])  # no buffer, as it stays on the CPU

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return X with units dropped in training, and X itself in evaluation."""
        if not self.training:
            return X
        return X * self.draw_mask_for(X.detach())

    def draw_mask_for(self, X: torch.Tensor) -> torch.Tensor:
        """Return the mask of the next batch, of the shape and dtype of X, to multiply it by."""
        if self.masks is not None:
            return self.masks.take(self, X)
        draw = draw_compiled_mask if torch.compiler.is_compiling() else draw_mask
        return draw(X, self.state, self.n_parts)

    def get_extra_state(self) -> torch.Tensor:
        """Return seed and count, for ``state_dict``."""
        return self.state

    def set_extra_state(self, state: torch.Tensor) -> None:
        """Go on from what `get_extra_state` returned."""
        self.state = state.to("cpu", copy=True)

    def extra_repr(self) -> str:
        """Return what stands between the brackets of the repr."""
        return f"rate={self.rate}"


class MaskGiver(Protocol):
    """Gives layers their masks."""

    def take(self, layer: Dropout, X: torch.Tensor) -> torch.Tensor:
        """Return the next mask, for X, which is multiplied with it in a layer."""


class DrawnMasks:
    """Masks of some batches that lie at fixed places and are drawn before they are needed.

    A recording of a step that is replayed cannot draw by a seed that depends on the batch. So the
    first time the masks are drawn as ever and kept; from then on `draw_again` overwrites them, by
    the seeds that each layer would have taken, and the layers are given what lies there.
    """

    def __init__(self) -> None:
        self.drawn: list[tuple[Dropout, torch.Tensor]] = []
        self.is_complete = False
        self.n_taken = 0

    def draw_again(self) -> None:
        """Draw all masks for the coming batches, in the order in which they were taken."""
        for layer, mask in self.drawn:
            draw_into(mask, layer.state, layer.n_parts)

    def take(self, layer: Dropout, X: torch.Tensor) -> torch.Tensor:
        """Return the next mask, for X, which is multiplied with it in a layer."""
        if not self.is_complete:
            self.drawn.append((layer, draw_mask(X, layer.state, layer.n_parts)))
        self.n_taken += 1
        return self.drawn[self.n_taken - 1][1]

    @contextmanager
    def give_to(self, module: nn.Module) -> Iterator[None]:
        """Let the layers of a module take their masks from here inside the block."""
        layers = [part for part in module.modules() if isinstance(part, Dropout)]
        self.n_taken = 0
        for layer in layers:
            layer.masks = self
        try:
            yield
            self.is_complete = True
        finally:
            for layer in layers:
                del layer.masks

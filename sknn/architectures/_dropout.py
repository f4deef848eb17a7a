"""Dropout that leaves torch's global generator alone."""

import torch
from torch import nn

#: a unit is kept with a probability that is a multiple of one part in so many: 16 random bits
PARTS = 2**16
#: odd, near 2**32 divided by the golden ratio: multiples of it visit all seeds, far apart
WEYL = 0x9E3779B9


def kept(X: torch.Tensor, state: torch.Tensor, n_parts: int) -> torch.Tensor:
    """Draw which units to keep in one batch.

    Parameters
    ----------
    X : Tensor
        Gives shape, dtype and device.
    state : Tensor of shape (2,)
        Seed, and number of batches before; on the CPU. The number is counted up.
    n_parts : int
        A unit is kept with probability ``n_parts / PARTS``.

    Returns
    -------
    Tensor of X's shape
        ``PARTS / n_parts`` for units to keep, 0 for the others.
    """
    seed, n_batches = state.tolist()
    state[1] += 1
    generator = torch.Generator(X.device)
    generator.manual_seed((seed + n_batches * WEYL) % 2**32)
    if X.device.type == "cpu":
        # 64 bits decide about four units: a third of the time that bernoulli_ takes.
        bits = torch.empty(-(-X.numel() // 4), dtype=torch.int64)
        bits.random_(-(2**63), None, generator=generator)
        numbers = bits.view(torch.int16)[: X.numel()].view(X.shape)
        mask = (numbers < n_parts - PARTS // 2).to(X.dtype)
    else:
        mask = torch.empty_like(X).bernoulli_(n_parts / PARTS, generator=generator)
    return mask.mul_(PARTS / n_parts)


# For torch.compile, which would otherwise take the seed for a constant and compile every batch.
compiled_kept = torch.library.custom_op("sknn::kept", kept, mutates_args=("state",))
compiled_kept.register_fake(lambda X, state, n_parts: torch.empty_like(X))


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
        In [0, 2**32).

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
    >>> from sknn.architectures._dropout import Dropout
    >>> dropout = Dropout(0.5, seed=1)
    >>> sorted(set(dropout(torch.ones(100, 10)).ravel().tolist()))
    [0.0, 2.0]
    >>> float(dropout.eval()(torch.ones(100, 10)).mean())
    1.0
    """

    def __init__(self, rate: float, seed: int = 0):
        super().__init__()
        self.rate = rate
        self.n_parts = min(max(round((1 - rate) * PARTS), 1), PARTS - 1)
        self.reseed(seed)

    def reseed(self, seed: int) -> None:
        """Start anew from a seed in [0, 2**32)."""
        self.state = torch.tensor([seed, 0])  # no buffer, as it stays on the CPU

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return X with units dropped in training, and X itself in evaluation."""
        if not self.training:
            return X
        draw = compiled_kept if torch.compiler.is_compiling() else kept
        return X * draw(X.detach(), self.state, self.n_parts)

    def get_extra_state(self) -> torch.Tensor:
        """Return seed and count, for ``state_dict``."""
        return self.state

    def set_extra_state(self, state: torch.Tensor) -> None:
        """Go on from what `get_extra_state` returned."""
        self.state = state.to("cpu", copy=True)

    def extra_repr(self) -> str:
        """Return what stands between the brackets of the repr."""
        return f"rate={self.rate}"

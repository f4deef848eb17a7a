"""Check that a network computes each sample apart from the others, as shares of a batch need."""

import torch

from sknn.engine.distributed._shares import SharedMasks
from sknn.engine.net._net import Net

#: relative difference of outputs up to which rounding explains it
TOLERANCE = 1e-3


@torch.no_grad()
def check_apart(net: Net, masks: SharedMasks, X: torch.Tensor, share: slice) -> None:
    """Raise ValueError if outputs depend on chance, or on the other samples of a mini-batch.

    Parameters
    ----------
    net : Net
        Net with a user's module, of whose code nothing is known.
    masks : SharedMasks
        Dropout masks of the module.
    X : Tensor of shape (n_samples, ...)
        Mini-batch.
    share : slice
        Some samples of the mini-batch.
    """
    net._set_training(training=True)
    buffers = {name: buffer.clone() for name, buffer in net.module_.named_buffers()}
    # A share of a batch must give what the whole one gives for these samples: means over samples,
    # and numbers drawn in forward, would differ.
    whole, part = (_compute(net, masks, X, of) for of in (slice(0, len(X)), share))
    scale = float(whole.abs().max())
    if not torch.allclose(whole[share], part, rtol=0, atol=TOLERANCE * scale, equal_nan=True):
        what = "its outputs depend on chance or on the other samples of a mini-batch"
    else:
        changed = [n for n, b in net.module_.named_buffers() if not torch.equal(b, buffers[n])]
        if not changed:
            return
        what = f"its buffer {changed[0]!r} changes with each mini-batch"
    raise ValueError(
        "n_processes gives each process a share of a mini-batch, for which "
        f"{type(net.module_).__name__} would give other outputs than in the whole mini-batch: "
        f"{what}. Draw no random numbers in forward and take no means over samples, or set "
        "n_processes=None."
    )


def _compute(net: Net, masks: SharedMasks, X: torch.Tensor, share: slice) -> torch.Tensor:
    """Return the outputs of some samples; the state of dropout layers is restored."""
    before = [layer.state.clone() for layer in masks.layers]
    with masks.use(len(X), share):
        output = net.infer(X[share])
    for layer, state in zip(masks.layers, before, strict=True):
        layer.state.copy_(state)
    return output

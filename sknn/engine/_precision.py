"""How precisely matrix products are computed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def precision_of(net: Any) -> Iterator[None]:
    """Compute as precisely inside the block as a net asks for.

    Parameters
    ----------
    net : Net
        With ``precision='full'`` no GPU rounds float32 to TF32, also not in convolutions, where
        torch would; with ``'tf32'`` it may; with ``'bfloat16'`` products of all devices are
        computed in bfloat16 and what is sensitive in float32 (autocast). What torch was set to
        before comes back after the block.
    """
    kind = torch.device(net.device).type
    if kind == "cuda":
        before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
        _allow_tf32(net.precision == "tf32", net.precision == "tf32")
    try:
        if net.precision == "bfloat16":
            with torch.autocast(kind, dtype=torch.bfloat16):
                yield
        else:
            yield
    finally:
        if kind == "cuda":
            _allow_tf32(*before)


def _allow_tf32(products: bool, convolutions: bool) -> None:
    torch.backends.cuda.matmul.allow_tf32 = products
    torch.backends.cudnn.allow_tf32 = convolutions

"""Memory of the steps of training, kept from one step to the next."""

import torch

#: bytes of the block that is freed: the largest temporary tensors of a step are smaller
BLOCK = 2**24


def keep_freed_memory(n_bytes: int = BLOCK) -> None:
    """Let the C library keep what is freed, up to twice `n_bytes`, for the next allocation."""
    # glibc maps each block above a threshold anew, and gives free memory at the end of the heap
    # back: a step would touch a thousand pages for the first time, for a third of its time. Where a
    # block that was mapped is freed, the threshold rises to its size, and what is given back to
    # twice that (mallopt(3), M_MMAP_THRESHOLD). Nothing is written into the block, so that it takes
    # no memory itself; other C libraries ignore it.
    torch.empty(n_bytes, dtype=torch.uint8)

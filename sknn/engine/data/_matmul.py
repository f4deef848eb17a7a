"""Products of stacks of matrices, by the library that is fastest at them on each device."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from threadpoolctl import threadpool_limits


def multiply(a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> None:
    """Write ``out[i] = a[i] @ b[i]`` for (n, n_rows, n_inner) and (n, n_inner, n_columns)."""
    # On the CPU by NumPy, whose BLAS takes a half to a third of the time of the one in PyTorch's
    # wheels for many small or narrow products in float64, and about the same for others; and is
    # called for one matrix after the other without further costs. a and b may be transposed views;
    # out shares no memory with them.
    if out.device.type == "cpu":
        np.matmul(a.numpy(), b.numpy(), out=out.numpy())
    else:
        torch.bmm(a, b, out=out)


@contextmanager
def use_one_thread_per_product() -> Iterator[None]:
    """Let NumPy's products use one thread each inside the block, in all threads."""
    with threadpool_limits(limits=1, user_api="blas"):
        yield


def ignore_overflow() -> np.errstate:
    """Return a context in which NumPy does not warn of infinite products, as torch never does."""
    return np.errstate(all="ignore")

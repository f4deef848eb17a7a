"""How many networks may be trained side by side: what fits memory, and what is worth it."""

import os
from typing import Any

import torch

from sknn.engine._threads import FLOPS_WORTH_THREADS

#: of the free memory that networks side by side take at most
SHARE_OF_FREE_MEMORY = 0.25
#: bytes taken to be free where the system does not say
USUAL_FREE_MEMORY = 2**32
#: copies of the parameters that a network has in training: in the stack the parameters, their
#: gradients and two moments; of its own the weights it began with and the best
COPIES = 6
#: fewest and most networks side by side. From eight on a step costs each about the same; more
#: only serve to let several threads share the work, and to keep a GPU busy.
FEWEST, MOST, MOST_ON_GPU = 8, 128, 1024


def free_memory(device: str) -> int:
    """Return the number of bytes that are free on a device, as far as the system says.

    Parameters
    ----------
    device : str
        torch's name of it.

    Returns
    -------
    int
    """
    if torch.device(device).type == "cuda":
        return torch.cuda.mem_get_info(torch.device(device))[0]
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # not on every system
        return USUAL_FREE_MEMORY


def bytes_of_member(net: Any) -> int:
    """Return about how many bytes a network takes in a stack.

    Parameters
    ----------
    net : Net
        Initialised, with its batch size.

    Returns
    -------
    int
    """
    units = sum(2 * layer.out_features for layer in net.module_.linears)
    inputs = 2 * net.module_.linears[0].in_features
    numbers = COPIES * net.n_parameters_ + net.batch_size * (units + inputs)
    return numbers * net.dtype_.itemsize


def side_by_side(net: Any, memory: int | None, flops_of_a_weight: int) -> int:
    """Return how many networks of one shape to train side by side.

    Parameters
    ----------
    net : Net
        One of them.
    memory : int or None
        Bytes they may take; None is `SHARE_OF_FREE_MEMORY` of what is free.
    flops_of_a_weight : int
        Floating-point operations that a row costs each weight.

    Returns
    -------
    int
        One at least, whatever the memory.
    """
    if memory is None:
        memory = int(SHARE_OF_FREE_MEMORY * free_memory(net.device))
    if torch.device(net.device).type == "cpu":
        flops = flops_of_a_weight * net.n_parameters_ * net.batch_size
        wanted = min(max(FEWEST, int(-(-FLOPS_WORTH_THREADS // flops))), MOST)
    else:
        wanted = MOST_ON_GPU
    return max(1, min(wanted, memory // bytes_of_member(net)))

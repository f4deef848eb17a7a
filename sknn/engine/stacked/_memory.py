"""Number of networks that are trained as one stack: limits of memory, and of what pays."""

import os

import torch

from sknn.engine.net._net import Net

#: of the free memory that stacked networks take at most
SHARE_OF_FREE_MEMORY = 0.25
#: bytes taken to be free where the system does not say
USUAL_FREE_MEMORY = 2**32
#: copies of the parameters that a network has in training: in the stack the parameters, their
#: gradients and two moments; of its own the weights it began with and the best
COPIES = 6
#: bytes of parameters, gradients and moments of a stack that a processor's cache holds
CACHE = 2**23
#: minimum and maximum number of networks in a stack. Measured, a step costs each of eight about
#: what it costs each of sixty; a GPU wants as many as there are.
MIN_NETWORKS, MAX_NETWORKS, MAX_ON_GPU = 8, 64, 1024


def free_memory(device: str) -> int:
    """Return the number of bytes that are free on a device, as far as the system says."""
    if torch.device(device).type == "cuda":
        return torch.cuda.mem_get_info(torch.device(device))[0]
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # not on every system
        return USUAL_FREE_MEMORY


def estimate_member_bytes(net: Net, n_outputs_kept: int = 0) -> int:
    """Return about how many bytes a network takes in a stack, with outputs kept to be scored."""
    # Each unit has a value and a delta for each sample; inputs lie in the chunk and in the batch.
    units = sum(2 * layer.out_features for layer in net.module_.linears)
    inputs = 2 * net.module_.linears[0].in_features
    numbers = COPIES * net.n_parameters_ + net.batch_size * (units + inputs) + n_outputs_kept
    return numbers * net.dtype_.itemsize


def get_memory_budget(device: str = "cpu") -> int:
    """Return how many bytes a stack of networks may take, a share of what is free."""
    return int(SHARE_OF_FREE_MEMORY * free_memory(device))


def count_side_by_side(net: Net, memory: int, n_outputs_kept: int = 0) -> int:
    """Return how many networks like this one a stack may hold in so many bytes: at least one."""
    count = MAX_ON_GPU
    if torch.device(net.device).type == "cpu":
        # A step reads weights, gradient and two moments of all networks of a stack, four numbers a
        # parameter: while these stay in the cache, a stack costs less than its networks in turn.
        in_cache = CACHE // (4 * net.n_parameters_ * net.dtype_.itemsize)
        count = min(max(MIN_NETWORKS, in_cache), MAX_NETWORKS)
    # One network is always trained, however little memory there is: it would be so alone, too.
    return max(1, min(count, memory // estimate_member_bytes(net, n_outputs_kept)))

"""How many threads to compute with."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

#: floating-point operations of a step from which several threads pay. Below, handing work to
#: another thread costs more than it saves, and beside a busy neighbour many times more: every
#: operation waits for the thread that has no core.
FLOPS_WORTH_THREADS = 3e7
#: weights for each unit of a network from which several threads pay. In a narrow network the time
#: goes into reading and writing the values of units, which one thread does as fast as two.
WEIGHTS_WORTH_THREADS = 80


@contextmanager
def threads_for(flops: float, weights_per_unit: float) -> Iterator[None]:
    """Compute with one thread inside the block where the work is small.

    With large work the present number stays, which is the user's (``OMP_NUM_THREADS``,
    ``torch.set_num_threads``) or what joblib leaves to each of its workers. The choice depends
    on the work alone, as the number of threads can change the last bit of a sum.

    Parameters
    ----------
    flops : float
        Floating-point operations of one step, between which threads wait for each other.
    weights_per_unit : float
        Parameters of the network over its units, inputs and outputs counted too.
    """
    before = torch.get_num_threads()
    pays = flops >= FLOPS_WORTH_THREADS and weights_per_unit >= WEIGHTS_WORTH_THREADS
    if before == 1 or pays:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)

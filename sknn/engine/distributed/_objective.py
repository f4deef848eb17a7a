"""L-BFGS by several processes: the loss is the sum of the losses that each computes."""

import zlib

import numpy as np

from sknn.engine._lbfgs import Objective, Share, make_objective
from sknn.engine._run import TrainingRun
from sknn.engine.data._batches import SampleDataset
from sknn.engine.distributed._apart import check_apart
from sknn.engine.distributed._peers import Peers
from sknn.engine.distributed._shares import SharedMasks, divide
from sknn.exceptions import PeerError

#: number of samples on which a user's module is checked
N_CHECKED = 64


class SharedObjective(Objective):
    """The penalised mean loss of all samples, to which each process adds that of its own samples.

    An evaluation is one message, which sums losses and gradients. Each process runs SciPy's L-BFGS
    by itself; as all get the same sums, all come to the same points.

    Parameters
    ----------
    run : TrainingRun
        Run with peers that has begun.
    peers : Peers
        Processes whose messages have room for gradient, loss and a mark, in float64.
    """

    def __init__(self, run: TrainingRun, peers: Peers):
        self.peers = peers
        share = divide(len(run.samples), peers.rank, peers.size)
        #: whether this process has samples; if not, it computes one, whose loss is set to 0
        self.counts = share.start < share.stop
        samples = take_share(run.samples, share if self.counts else slice(0, 1))
        if run.draws:
            X, _ = run.samples.take(slice(0, N_CHECKED))
            check_apart(run.net, SharedMasks(run.net.module_), X, slice(0, -(-len(X) // 2)))
        # The penalty must be added once. The last process adds it: it has samples even where there
        # are fewer of them than processes.
        self.own = make_objective(run, Share(samples, penalizes=peers.rank == peers.size - 1))

    def get_vector(self) -> np.ndarray:
        """Return the present parameters, in float64 for SciPy."""
        return self.own.get_vector()

    def set_vector(self, vector: np.ndarray) -> None:
        """Write the parameters."""
        self.own.set_vector(vector)

    def __call__(self, vector: np.ndarray) -> tuple[float, np.ndarray]:
        """Return loss and gradient, of shape (n_parameters,), of the samples of all processes.

        Raises
        ------
        PeerError
            If SciPy came to another point in another process.
        """
        loss, gradient = self.own(vector)
        if not self.counts:
            loss, gradient = 0.0, np.zeros_like(gradient)
        # A checksum of the point, 32 bits that float64 holds exactly, goes to this process's place
        # of the message; after the sum, all places must be equal.
        mark, n = float(zlib.crc32(vector.tobytes())), len(gradient)
        peers, numbers = self.peers, self.peers.numbers.cpu().numpy()
        numbers[:n], numbers[n], numbers[n + 1 :] = gradient, loss, 0.0
        numbers[n + 1 + peers.rank] = mark
        peers.numbers.copy_(peers.numbers.new_tensor(numbers))
        peers.exchange()
        total = peers.numbers.cpu().numpy()
        if (total[n + 1 : n + 1 + peers.size] != mark).any():
            raise PeerError(
                f"L-BFGS came to other points in some of {peers.size} processes, because their "
                "processors or versions of SciPy round differently. Use machines and packages of "
                "one kind, or solver='adam'."
            )
        return float(total[n]), total[:n].copy()

    def close(self) -> None:
        """Give the net memory of its own again."""
        self.own.close()


def take_share(samples: SampleDataset, share: slice) -> SampleDataset:
    """Return consecutive samples of a data set, as views of its memory."""
    weight, numbers = samples.sample_weight, samples.numbers
    return SampleDataset(
        samples.X[share] if numbers is None else samples.X,
        None if samples.y is None else samples.y[share],
        None if weight is None else weight[share],
        samples.device,
        numbers=None if numbers is None else numbers[share].numpy(),
    )

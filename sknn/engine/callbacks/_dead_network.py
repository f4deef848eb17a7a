"""A network whose outputs no longer depend on its inputs gets new weights."""

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknn._specs import TrainConfig
from sknn.engine.data._batches import SampleDataset
from sknn.engine.data._forward import predict_raw
from sknn.engine.net._net import Net
from sknn.engine.optimizers._optimizers import forget_steps
from sknn.exceptions import warn_user

#: samples whose outputs are compared
N_SAMPLES = 64
#: outputs that differ by less than this share of the largest one are the same, up to rounding
TOLERANCE = 1e-6


class DeadNetworkRestart:
    """Look after each epoch whether the network is dead, and if so draw its weights anew.

    A network with rectified units is dead when all units of a layer are 0 for every sample: then
    all samples have the same output, and no gradient reaches the layers below [1]_. A network that
    has learned nothing yet is not dead; its outputs differ.

    Parameters
    ----------
    config : TrainConfig
        Says how often to try.
    samples : SampleDataset
        Some samples of the training data.

    Attributes
    ----------
    n_left : int
        Number of restarts that are left.

    References
    ----------
    .. [1] L. Lu, Y. Shin, Y. Su and G. E. Karniadakis, "Dying ReLU and initialization: theory and
       numerical examples", Communications in Computational Physics 28, 2020,
       doi:10.4208/cicp.OA-2020-0165.
    """

    def __init__(self, config: TrainConfig, samples: SampleDataset):
        self.config, self.n_left = config, config.n_restarts
        step = max(1, len(samples) // N_SAMPLES)
        chosen = np.arange(0, len(samples), step)[:N_SAMPLES]
        X, target = samples.take(chosen)
        self.samples = SampleDataset(X, device=samples.device)
        y = target[0] if isinstance(target, tuple) else target
        self.varies = _differ(X.cpu().numpy()) and _differ(y.cpu().numpy())

    def restart_if_dead(self, net: Net, random_state: np.random.RandomState) -> None:
        """Draw the weights of a dead network anew while there are restarts left."""
        if self.n_left and self.is_dead(net):
            self.n_left -= 1
            # Moments of gradients that were 0 would make first steps of the new weights huge.
            net.module_.initialize_weights(random_state)
            forget_steps(net.optimizer_)

    def warn_if_dead(self, net: Net) -> None:
        """Warn if all restarts were in vain."""
        if not self.n_left and self.is_dead(net):
            warn_user(
                f"The network is dead: all sequences have the same output, still after "
                f"{self.config.n_restarts} restarts with new weights. Lower "
                f"learning_rate_init={self.config.learning_rate_init!r}, scale X if it holds "
                "numbers, or set batch_norm=True.",
                ConvergenceWarning,
            )

    def is_dead(self, net: Net) -> bool:
        """Return whether the samples that were chosen, which differ, all have the same output."""
        if not self.varies:
            return False
        output = predict_raw(net, self.samples)
        # No unit of a layer is active for any sample: all have the same output up to rounding,
        # where a network that has learned nothing yet has different ones.
        spread, largest = np.ptp(output, axis=0).max(), np.abs(output).max()
        return bool(np.isfinite(output).all() and spread <= TOLERANCE * largest)


def _differ(values: np.ndarray) -> bool:
    return bool((values != values[:1]).any())

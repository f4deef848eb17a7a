"""Whether training ended with numbers that can be used."""

import numpy as np
import torch

from sknn._specs import TrainConfig
from sknn.engine.data._batches import SampleDataset
from sknn.engine.data._forward import predict_raw
from sknn.engine.net._net import Net
from sknn.exceptions import NonFiniteLossError

#: weights from which predictions are looked at, and of how many training samples
LARGE, N_CHECKED = 1e6, 256


def is_finite(net: Net, samples: SampleDataset) -> bool:
    """Return whether weights and predictions are finite.

    Weights may be finite and so large that their products are not; that is looked at where there
    are large ones.
    """
    largest = [p.detach().abs().max() for p in net.module_.parameters() if p.numel()]
    if not all(map(torch.isfinite, largest)):
        return False
    if not any(value > LARGE for value in largest):
        return True
    X, _ = samples.take(np.arange(min(len(samples), N_CHECKED)))
    return bool(np.isfinite(predict_raw(net, SampleDataset(X, device=net.device))).all())


def describe_non_finite(config: TrainConfig) -> NonFiniteLossError:
    """Return the error that says why numbers may not be finite."""
    return NonFiniteLossError(
        "Solver produced non-finite parameter weights. The input data may contain large values and "
        "need to be preprocessed. Likely causes: X is not scaled (put a StandardScaler before this "
        f"estimator), learning_rate_init={config.learning_rate_init!r} is too large, or y or "
        "sample_weight are huge or tiny. Weights whose predictions are not finite count as such."
    )

"""Checks that training ended with finite weights and predictions."""

import math
from typing import Protocol

import numpy as np

from sknn._specs import Progress, TrainConfig
from sknn.architectures import list_parameters
from sknn.engine.data._batches import SampleDataset
from sknn.engine.data._device import is_out_of_memory
from sknn.engine.data._forward import predict_raw
from sknn.engine.net._net import Net
from sknn.exceptions import NonFiniteLossError

#: size of weights from which predictions are checked, and number of training samples for that
LARGE, N_CHECKED = 1e6, 256


class Trained(Protocol):
    """The parts of a `sknn.engine._run.TrainingRun` that are checked when it ends."""

    net: Net
    config: TrainConfig
    progress: Progress
    samples: SampleDataset


def check_finite(run: Trained) -> None:
    """Raise NonFiniteLossError if loss, weights or predictions are not finite at the end."""
    has_best = run.config.early_stopping and run.progress.best_epoch
    diverged = run.progress.stopped_because == "diverged" and not has_best
    if diverged or not is_finite(run.net, run.samples.in_memory):
        raise describe_non_finite(run.config)


def explain_limit(error: BaseException, net: Net, config: TrainConfig) -> Exception | None:
    """Return what to do where the memory of a device, or the range of a dtype, is not enough."""
    if not isinstance(error, MemoryError | RuntimeError):
        return None
    if is_out_of_memory(error):
        return describe_shortage(net)
    # torch's fused steps take rates and shares of a sample as numbers of the dtype.
    return describe_non_finite(config) if "without overflow" in str(error) else None


def is_finite(net: Net, samples: SampleDataset) -> bool:
    """Return whether weights and predictions are finite."""
    # The largest of NaN and others is NaN, so that one number says whether all weights are finite.
    # Some may be so large that their products are not: then predictions are looked at, too.
    largest = 0.0
    for parameter in list_parameters(net.module_):
        if parameter.numel():
            own = float(parameter.detach().abs().max())
            if not math.isfinite(own):
                return False
            largest = max(largest, own)
    if largest <= LARGE:
        return True
    X, _ = samples.take(np.arange(min(len(samples), N_CHECKED)))
    return bool(np.isfinite(predict_raw(net, SampleDataset(X, device=net.device))).all())


def describe_shortage(net: Net) -> MemoryError:
    """Return the error that says what makes a step need less memory."""
    another = "dtype='float32'" + (" or device='cpu'" if net.device != "cpu" else "")
    return MemoryError(
        f"The memory of {net.device!r} is not enough to train this network on batches "
        f"of {net.batch_size} samples. Lower batch_size or the widths of the layers, or "
        f"take {another}."
    )


def describe_non_finite(config: TrainConfig) -> NonFiniteLossError:
    """Return the error that says why numbers may not be finite."""
    return NonFiniteLossError(
        "Solver produced non-finite parameter weights. The input data may contain large values and "
        "need to be preprocessed. Likely causes: X is not scaled (put a StandardScaler before this "
        f"estimator), learning_rate_init={config.learning_rate_init!r} is too large, or y or "
        "sample_weight are huge or tiny. Weights whose predictions are not finite count as such."
    )

"""Training and prediction: the only place that knows skorch."""

from sknn.engine._train import train
from sknn.engine.callbacks._of_net import NetCallback
from sknn.engine.data._device import resolve_device
from sknn.engine.data._forward import forward, mean_loss
from sknn.engine.net._attribution import (
    best_windows,
    gradient_times_input,
    input_gradient,
    knock_out_effects,
)
from sknn.engine.net._mutagenesis import mutation_effects
from sknn.engine.net._net import Net, snapshot
from sknn.engine.net._weights import layer_weights
from sknn.engine.stacked._memory import memory_budget
from sknn.engine.stacked._train_many import train_many

__all__ = [
    "Net",
    "NetCallback",
    "best_windows",
    "forward",
    "gradient_times_input",
    "input_gradient",
    "knock_out_effects",
    "layer_weights",
    "mean_loss",
    "memory_budget",
    "mutation_effects",
    "resolve_device",
    "snapshot",
    "train",
    "train_many",
]

"""Training and prediction: the only place that knows skorch."""

from sknn.engine._runners import RUNNERS, MembersRunner
from sknn.engine._spawn import train_together
from sknn.engine._threads import TrainingThreads, supports_thread
from sknn.engine._train import train, train_compiled
from sknn.engine.callbacks._of_net import NetCallback
from sknn.engine.callbacks._progress import show_bar
from sknn.engine.callbacks._user import make_freezing_callbacks
from sknn.engine.checkpoints._folder import CheckpointFile, CheckpointSpec, make_spec
from sknn.engine.checkpoints._identity import Identity, describe_params, hash_data, hash_start
from sknn.engine.checkpoints._recorder import Pace, warn_of_full_disk
from sknn.engine.compiled._runner import CompiledRunner
from sknn.engine.data._device import explain_memory, resolve_device
from sknn.engine.data._forward import compute_losses, compute_mean_loss, forward
from sknn.engine.data._hardware import list_devices
from sknn.engine.data._stream import prefetch
from sknn.engine.distributed._peers import Peers, join_peers, leads
from sknn.engine.graphs._runner import CudaGraphRunner
from sknn.engine.net._attribution import (
    compute_input_gradient,
    find_best_windows,
    gradient_times_input,
    knock_out_effects,
)
from sknn.engine.net._mutagenesis import compute_mutation_effects
from sknn.engine.net._net import Net, snapshot
from sknn.engine.net._weights import get_layer_weights
from sknn.engine.optimizers._optimizers import SOLVERS
from sknn.engine.optimizers._schedules import SCHEDULES
from sknn.engine.stacked._memory import get_memory_budget
from sknn.engine.stacked._train_many import train_many

__all__ = [
    "RUNNERS",
    "SCHEDULES",
    "SOLVERS",
    "CheckpointFile",
    "CheckpointSpec",
    "CompiledRunner",
    "CudaGraphRunner",
    "Identity",
    "MembersRunner",
    "Net",
    "NetCallback",
    "Pace",
    "Peers",
    "TrainingThreads",
    "compute_input_gradient",
    "compute_losses",
    "compute_mean_loss",
    "compute_mutation_effects",
    "describe_params",
    "explain_memory",
    "find_best_windows",
    "forward",
    "get_layer_weights",
    "get_memory_budget",
    "gradient_times_input",
    "hash_data",
    "hash_start",
    "join_peers",
    "knock_out_effects",
    "leads",
    "list_devices",
    "make_freezing_callbacks",
    "make_spec",
    "prefetch",
    "resolve_device",
    "show_bar",
    "snapshot",
    "supports_thread",
    "train",
    "train_compiled",
    "train_many",
    "train_together",
    "warn_of_full_disk",
]

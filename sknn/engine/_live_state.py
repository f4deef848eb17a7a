"""State of a run that changes from step to step: copied before each epoch, kept when it pauses."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import numpy as np
import torch
from skorch.callbacks import Callback

from sknn._specs import Progress, TrainConfig, TrainPlan
from sknn.engine.callbacks._dead_network import DeadNetworkRestart
from sknn.engine.callbacks._kept_outputs import KeptOutputs
from sknn.engine.callbacks._stopping import StoppingRule
from sknn.engine.callbacks._user import UserCallbacks
from sknn.engine.callbacks._validation import Validation
from sknn.engine.callbacks._weight_average import WeightAverage
from sknn.engine.data._batches import Batches, SampleDataset
from sknn.engine.net._net import Net


@dataclass
class EpochState:
    """Progress of the current epoch, from which runners begin, and in which they count steps.

    Attributes
    ----------
    n_steps, n_samples : int
        Number of steps that are done, and of their samples.
    loss_sum : float or Tensor of shape ()
        Σ (mean loss of a mini-batch) * (its size), on the device.
    outputs : KeptOutputs
        Raw predictions of the samples so far, each before the step of its batch, if they are kept.
    """

    n_steps: int = 0
    n_samples: int = 0
    loss_sum: float | torch.Tensor = 0.0
    outputs: KeptOutputs = field(default_factory=KeptOutputs)


class LiveState(Protocol):
    """The parts of a `sknn.engine._run.TrainingRun` that its steps change or read."""

    net: Net
    plan: TrainPlan
    config: TrainConfig
    progress: Progress
    samples: SampleDataset
    batches: Batches
    epoch: EpochState
    stopping: StoppingRule
    callbacks: UserCallbacks
    average: WeightAverage | None
    dead_network: DeadNetworkRestart | None
    validation: Validation | None
    display: Callback | None
    deadline: float | None
    random_state: np.random.RandomState
    first_weights: np.ndarray | None
    draws: bool

    @property
    def n_batches(self) -> int:
        """Number of mini-batches of an epoch."""


class Fellows(Protocol):
    """The processes that compute a run.

    Attributes
    ----------
    leads : bool
        Whether this process scores epochs.
    """

    @property
    def leads(self) -> bool: ...

    def share_epoch(self) -> None:
        """Give all processes the weights after an epoch, and its entry of the history."""

    def agree(self, wish: bool, *, is_late: bool) -> tuple[bool, bool]:
        """Return the wish of the process that leads, and whether any process is out of time."""


class Alone:
    """The only process of a run."""

    leads = True

    def share_epoch(self) -> None:
        """Do nothing."""

    def agree(self, wish: bool, *, is_late: bool) -> tuple[bool, bool]:
        """Return both arguments."""
        return wish, is_late


class Runner(Protocol):
    """The part of `sknn.engine._runners.EpochRunner` that a run uses."""

    name: ClassVar[str]
    epochs_at_once: int

    def run_epoch(self) -> float:
        """Train on the remaining mini-batches of the current epoch; return the mean loss."""


@dataclass
class UnseenEpochs:
    """Results of epochs that were computed in one call.

    Attributes
    ----------
    losses : list of float
        Mean losses of the training samples.
    validated : list of tuple
        Raw predictions and loss of the held-out samples after each of them, if there are some.
    outputs : list of KeptOutputs
        Raw predictions of the training samples in each epoch; empty if these are not scored.
    load : callable
        Function that gives the module the parameters after an epoch, by its number in this list.
    """

    losses: list[float]
    validated: list[tuple[np.ndarray, float]] = field(default_factory=list)
    outputs: list[KeptOutputs] = field(default_factory=list)
    load: Callable[[int], None] = field(default=lambda i: None)


class ManyEpochsRunner(Runner, Protocol):
    """A runner whose `epochs_at_once` may be above 1."""

    def run_many(self, n_epochs: int) -> UnseenEpochs:
        """Train for some epochs that no callback or output needs, from the start of one.

        They end early with an epoch whose loss is not finite, or after which the rule of
        ``run.stopping`` on the training loss ends training. Best loss and stalled epochs are
        updated, except with held-out samples, which have to be scored before.
        """

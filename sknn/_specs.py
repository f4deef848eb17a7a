"""The words in which the levels of the package talk to each other.

An encoder writes an `InputSpec`, a target codec a `TargetSpec`; an architecture reads both and
describes itself in `LayerSpec`. An estimator writes a `TrainConfig` and puts everything into a
`TrainPlan`; the engine answers with a `TrainResult`. Nothing here knows torch or skorch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, TypeVar

import numpy as np

from sknn._saved import saved

Value = TypeVar("Value")
SeenNet = TypeVar("SeenNet", contravariant=True)
Dtype = Literal["float32", "float64"]
TargetKind = Literal["binary", "multiclass", "multilabel", "values"]


@saved
@dataclass(frozen=True)
class InputSpec:
    """Description of an encoded X.

    Attributes
    ----------
    kind : {'table', 'sequence'}
        A table, dense or sparse: first `n_numeric` columns of numbers, then a column of category
        codes, whole numbers from 0, for each of `cardinalities`, all in one array of `dtype`. Or
        sequences, of shape (n_samples, length, n_numeric), flattened to two axes.
    n_numeric : int
        Number of numeric columns, or of channels of a sequence.
    dtype : {'float32', 'float64'}
        Dtype in which the network computes.
    cardinalities : tuple of int, default=()
        Number of codes of each embedded column, unknown and missing levels counted.
    length : int or None, default=None
        Positions of a sequence.
    """

    kind: Literal["table", "sequence"]
    n_numeric: int
    dtype: Dtype
    cardinalities: tuple[int, ...] = ()
    length: int | None = None

    @property
    def n_positions(self) -> int:
        """Positions of a sequence, 1 for a table."""
        return self.length or 1


@saved
@dataclass(frozen=True)
class TargetSpec:
    """Description of an encoded y, and of its loss.

    Attributes
    ----------
    kind : {'binary', 'multiclass', 'multilabel', 'values'}
        Encoded as 0/1 of shape (n_samples, 1); class numbers of shape (n_samples,); 0/1 of shape
        (n_samples, n_labels); numbers of shape (n_samples, n_outputs).
    n_outputs : int
        Units in the output layer.
    loss : str, sknn.losses.ValueLoss, sknn.losses.ClassLoss or callable
        Name in the tables of `sknn.losses`, an entry of one's own, or ``loss(output, target)`` on
        tensors, which returns the loss per sample.
    loss_params : mapping, default={}
        Settings of the loss, such as ``{'quantiles': (0.1, 0.9)}`` or ``{'gamma': 2.0}``.
    has_missing : bool, default=False
        Whether values may be NaN, which the loss leaves out.
    """

    kind: TargetKind
    n_outputs: int
    loss: Any
    loss_params: Mapping[str, Any] = field(default_factory=dict)
    has_missing: bool = False


@dataclass(frozen=True)
class LayerSpec:
    """One layer of a network, for summaries and diagrams.

    Attributes
    ----------
    name : str
        Dotted name of the torch module.
    kind : str
        ``'Linear'``, for instance.
    n_inputs, n_outputs : int
        Width before and after.
    activation : str
        Key of `sknn.activations.ACTIVATIONS` applied to the outputs.
    n_parameters : int
        Weights and biases.
    """

    name: str
    kind: str
    n_inputs: int
    n_outputs: int
    activation: str
    n_parameters: int


@saved
@dataclass(frozen=True)
class TrainConfig:
    """Configuration of training; each field is the estimators' parameter of that name.

    Attributes
    ----------
    solver_params, learning_rate_params : mapping
        Arguments for a class of torch given as `solver` or `learning_rate`.
    precision : {'full', 'tf32', 'bfloat16'}
        Precision of the matrix products, if the weights are float32.
    stop_on_loss : bool
        Whether the validation loss decides about stopping, and not the validation score.
    callbacks : tuple
        The user's callbacks of skorch, and functions of an epoch's entry of `Progress.history`
        that may return True to stop.
    auto_batch_size : int
        The most that ``batch_size='auto'`` is.
    runs_to_the_end : bool
        Whether training is to take all of `max_iter`, so that this deserves no warning.
    n_restarts : int
        Number of times that a dead network may be given new weights, see
        `sknn.engine.callbacks._dead_network`.
    averaged_epochs : float
        Epochs over which weights are averaged, see `sknn.engine.callbacks._weight_average`; 0 for
        no average.
    patience_share : float
        Patience grows with what has been achieved: training may also go on without an improvement
        for this share of the epochs up to the best.
    time_limit : float or None
        Seconds after which training ends: at the end of a step where the steps of an epoch are
        taken one by one, else at that of the epoch.
    score_name : str
        Name of the validation score, for what is shown.
    scores_training_samples : bool
        Whether training samples are scored, too, where the score is not the loss.
    scores_start : bool
        Whether early stopping scores the first weights, too, so that it may keep them.
    n_processes : int, 'world', 'shards' or None
        Number of processes that share each mini-batch, see `sknn.engine.distributed`.
    """

    solver: Any
    alpha: float
    batch_size: int | Literal["auto"]
    learning_rate: Any
    learning_rate_init: float
    power_t: float
    max_iter: int
    shuffle: bool
    tol: float
    verbose: bool | int
    momentum: float
    nesterovs_momentum: bool
    early_stopping: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: float
    max_fun: int
    device: str
    l1_ratio: float = 0.0
    weight_decay: float = 0.01
    warmup_epochs: float = 0
    max_grad_norm: float | None = None
    precision: Literal["full", "tf32", "bfloat16"] = "full"
    compile: bool = False
    stop_on_loss: bool = False
    callbacks: tuple = ()
    auto_batch_size: int = 200
    runs_to_the_end: bool = False
    n_restarts: int = 0
    averaged_epochs: float = 0.0
    patience_share: float = 0.0
    time_limit: float | None = None
    scores_training_samples: bool = True
    scores_start: bool = False
    score_name: str = "score"
    n_processes: int | Literal["world", "shards"] | None = None
    solver_params: Mapping[str, Any] = field(default_factory=dict)
    learning_rate_params: Mapping[str, Any] = field(default_factory=dict)


@saved
@dataclass
class Progress:
    """Progress of training, which goes on through ``warm_start`` and ``partial_fit``.

    Attributes
    ----------
    n_epochs : int
        Epochs (iterations of L-BFGS) of the last call alone.
    n_samples_seen : int
        Training samples that went through the network, over all calls.
    loss : float
        Training loss of the last epoch; NaN where none was finished.
    loss_curve : list of float
        Training loss, an entry an epoch.
    validation_scores, validation_losses : list of float or None
        Score and loss of the validation samples for each epoch; None without validation samples.
    history : dict of list of float
        All that was noted of each epoch, in lists of equal length with NaN for what was not:
        ``'loss'`` always, ``'score'``, ``'validation_loss'`` and ``'validation_score'`` with
        validation samples, ``'learning_rate'`` of the solvers that have one, and ``'time'`` in
        seconds.
    best_loss, best_score : float or None
        The one that training does not look at is None.
    best_epoch : int
        Number of the epoch, from 1 and within the last call, whose weights the network has; 0
        where those are the weights it started from.
    n_stalled : int
        Epochs in a row without an improvement by ``tol``.
    stopped_because : {'', 'max_iter', 'converged', 'interrupted', 'diverged', 'callback', \
            'time_limit'}
        Empty while training.
    """

    n_epochs: int = 0
    n_samples_seen: int = 0
    loss: float = float("nan")
    loss_curve: list[float] = field(default_factory=list)
    validation_scores: list[float] | None = None
    validation_losses: list[float] | None = None
    history: dict[str, list[float]] = field(default_factory=dict)
    best_loss: float | None = None
    best_score: float | None = None
    best_epoch: int = 0
    n_stalled: int = 0
    stopped_because: str = ""

    def __getstate__(self) -> dict[str, Any]:
        """Return the attributes, curves as arrays, which take less space in files."""
        state = {name: _pack_curve(value) for name, value in vars(self).items()}
        state["history"] = {name: _pack_curve(column) for name, column in self.history.items()}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Set the attributes, curves as lists."""
        vars(self).update({name: _unpack_curve(value) for name, value in state.items()})
        self.history = {name: _unpack_curve(column) for name, column in state["history"].items()}

    def note(self, row: Mapping[str, float]) -> None:
        """Append an epoch to the history; what other epochs did not have is NaN there."""
        self.note_many({key: [value] for key, value in row.items()}, 1)

    def note_many(self, columns: Mapping[str, list[float]], n_epochs: int) -> None:
        """Append some epochs to the history, as `note` does for one."""
        n_before = max(map(len, self.history.values()), default=0)
        for key in {**self.history, **columns}:
            column = self.history.setdefault(key, [float("nan")] * n_before)
            column += columns.get(key, [float("nan")] * n_epochs)


def _pack_curve(value: Value) -> Value | np.ndarray:
    return np.array(value, dtype=np.float64) if isinstance(value, list) else value


def _unpack_curve(value: Value) -> Value | list[float]:
    return value.tolist() if isinstance(value, np.ndarray) else value


class Watcher(Protocol[SeenNet]):
    """Object that is called for each epoch."""

    def begin_epoch(self) -> None:
        """Take note that an epoch, or an iteration of L-BFGS, begins."""

    def end_epoch(self, net: SeenNet, progress: Progress) -> bool:
        """Look at the net and its progress; return True to stop training."""


class TargetCodec(Protocol):
    """Translates between the user's y and what a network computes with."""

    spec_: TargetSpec

    def decode(self, output: np.ndarray) -> Any:
        """Return labels or numbers for the raw predictions of a network."""

    def decode_target(self, y: np.ndarray) -> np.ndarray:
        """Return the labels or numbers that an encoded y stands for."""


@saved
@dataclass(frozen=True)
class TrainResult:
    """A trained skorch net and what happened on the way.

    Attributes
    ----------
    net : skorch.NeuralNet
        Net with the module, the optimizer with its state, and the history.
    progress : Progress
        Curves, counts, and why training stopped.
    resume : object or None, default=None
        State from which the engine goes on exactly where training was interrupted.
    runner : str, default=''
        Name of what computed the epochs, such as 'handwritten' or 'autograd'.
    runner_reasons : dict of str to str, default={}
        Why faster ones did not, by their names.
    """

    net: Any
    progress: Progress
    resume: Any = None
    runner: str = ""
    runner_reasons: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sample:
    """Encoded samples to validate on; X, y and sample_weight as in `TrainPlan`."""

    X: Any
    y: np.ndarray
    sample_weight: np.ndarray | None = None


@dataclass(frozen=True)
class TrainPlan:
    """Everything the engine needs for one call of ``fit`` or ``partial_fit``.

    Attributes
    ----------
    module : torch.nn.Module
        The network with its initial weights; ignored where `previous` is given.
    X : ndarray, CSR matrix or SampleStream of shape (n_samples, n_features)
        Encoded inputs in the dtype of the computation.
    y : ndarray
        Encoded targets, see `TargetSpec`; of a stream those of the samples that it keeps.
    sample_weight : ndarray of shape (n_samples,) or None
        Non-negative weights in the dtype of the computation.
    config : TrainConfig
        Configuration of the training.
    target : TargetSpec
        Chooses the loss.
    score : callable
        ``score(y, output, sample_weight) -> float``, larger is better, of encoded targets and
        the network's raw predictions as arrays; used where there are validation samples.
    random_state : numpy.random.RandomState
        Source of the order of the batches.
    numbers : ndarray of int or None, default=None
        Numbers of the samples of X that belong to this plan, so that plans of several folds can
        share one X; `y` and `sample_weight` have these samples only. None is all of X.
    validation : Sample or None, default=None
        Samples to score after each epoch; needed for early stopping.
    watcher : Watcher or None, default=None
        Told of each epoch.
    previous : TrainResult or None, default=None
        Result of an earlier call, from which training goes on.
    incremental : bool, default=False
        Whether to train for one epoch with the optimizer's state kept (``partial_fit``).
    codec : TargetCodec or None, default=None
        Translates y for callbacks that score.
    checkpoint : sknn.engine.checkpoints._folder.CheckpointSpec or None, default=None
        Place and time of checkpoints.
    """

    module: Any
    X: Any
    y: np.ndarray
    sample_weight: np.ndarray | None
    config: TrainConfig
    target: TargetSpec
    score: Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]
    random_state: np.random.RandomState
    numbers: np.ndarray | None = None
    validation: Sample | None = None
    watcher: Watcher | None = None
    previous: TrainResult | None = None
    incremental: bool = False
    codec: TargetCodec | None = None
    checkpoint: Any = None

    @property
    def is_streamed(self) -> bool:
        """Whether X is read a chunk at a time."""
        return hasattr(self.X, "n_pieces")

    @property
    def is_sharded(self) -> bool:
        """Whether each process has training samples of its own."""
        return hasattr(self.X, "counts")

    @property
    def n_samples(self) -> int:
        """Number of training samples."""
        return self.X.shape[0] if self.numbers is None else len(self.numbers)

    def select_own_samples(self) -> "TrainPlan":
        """Return a plan whose X has no other samples than its own."""
        return self if self.numbers is None else replace(self, X=self.X[self.numbers], numbers=None)

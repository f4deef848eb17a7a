"""One training run: everything that exists while a network is trained, and nothing longer."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch

from sknn._specs import TrainPlan, TrainResult
from sknn.architectures import seed_torch
from sknn.engine._interrupt import (
    InterruptFlag,
    PauseTraining,
    StopSign,
    ignore_second,
)
from sknn.engine._live_state import Alone, EpochState, Fellows
from sknn.engine._run_state import Resume, get_resume, get_state, set_state
from sknn.engine._snapshot import EpochSnapshot
from sknn.engine._start import (
    EPOCHS_REMEMBERED,
    choose_batch_size,
    place_samples,
    put_back,
    start_net,
    start_progress,
)
from sknn.engine.callbacks._dead_network import DeadNetworkRestart
from sknn.engine.callbacks._kept_outputs import KeptOutputs
from sknn.engine.callbacks._progress import choose_display
from sknn.engine.callbacks._stopping import StoppingRule, make_row
from sknn.engine.callbacks._user import UserCallbacks
from sknn.engine.callbacks._validation import Validation
from sknn.engine.callbacks._weight_average import WeightAverage
from sknn.engine.checkpoints._recorder import Recorder
from sknn.engine.data._batches import SampleDataset, TargetTensors
from sknn.engine.data._device import use_precision
from sknn.engine.data._shards import make_batches
from sknn.engine.net._finite import explain_limit
from sknn.engine.optimizers._optimizers import get_learning_rate
from sknn.engine.optimizers._schedules import start_schedule
from sknn.exceptions import warn_user


class TrainingRun:
    """One call of ``fit`` or ``partial_fit`` for one network.

    A run can be stopped after any step, and goes on from there exactly. `get_state` returns all
    that is needed for this except the data. The net, which is pickled with its estimator, holds no
    part of the run.

    Parameters
    ----------
    plan : TrainPlan
        Samples, network and configuration.

    Attributes
    ----------
    net : Net
        The skorch net that is trained.
    progress : Progress
        Curves, counts, and why training stopped.
    samples, held_out : SampleDataset or None
        Training and validation samples on the device of the net, once `begin` was called.
    batches : Batches
        Mini-batches of an epoch, and the source of their order.
    epoch : EpochState
        State of the current epoch.
    average : WeightAverage or None
        Average of the weights, if one is asked for.
    validation : Validation or None
        Scoring of an epoch by validation samples.
    stopping : StoppingRule
        Stopping rule, which keeps the best weights.
    callbacks : UserCallbacks
        Callbacks of the user.
    runner_name, runner_reasons : str, dict of str to str
        Name of the runner, and the reasons why faster ones were not taken.
    validated : tuple or None
        Raw predictions and loss of the held-out samples, where a runner has computed them.
    peers : Fellows
        Processes that compute the run together.
    compiled : module or None
        Network that ``torch.compile`` has compiled.
    recorder : Recorder
        Recorder of checkpoints, if the plan asks for some, once `begin` was called.
    deadline : float or None
        Time of `time.perf_counter` at which training ends.
    first_weights : ndarray or None
        First weights of L-BFGS.
    """

    samples: SampleDataset
    recorder: Recorder

    def __init__(self, plan: TrainPlan):
        self.plan, self.config = plan, plan.config
        self.resume = get_resume(plan)
        self.progress = start_progress(plan, self.resume)
        self.net, self.backup = start_net(plan, self.resume)
        self.random_state = plan.random_state
        self.runner_name = ""
        self.runner_reasons: dict[str, str] = {}
        self.state: dict[str, Any] | None = None
        self.held_out: SampleDataset | None = None
        self.compiled = torch.compile(self.net.module_) if self.config.compile else None
        self.validated: tuple[np.ndarray, float] | None = None
        self.deadline: float | None = None
        self.rate: float | None = None
        self.epoch = EpochState()
        self.first_weights: np.ndarray | None = None
        self.interrupt: StopSign = InterruptFlag()
        self.peers: Fellows = Alone()
        #: user-defined layers may draw from torch's global generators
        self.draws = not getattr(self.net.module_, "has_named_activations", False)
        self.by_epochs = self.config.solver != "lbfgs"

    # --- before and after ------------------------------------------------------------------

    @contextmanager
    def guard(self) -> Iterator["TrainingRun"]:
        """Restore everything if training fails, and release data and callbacks at the end."""
        try:
            with (
                # layers draw from a seed alone; bfloat16 is for the forward pass alone
                seed_torch(self.plan.random_state) if self.draws else nullcontext(),
                nullcontext() if self.net.precision == "bfloat16" else use_precision(self.net),
            ):
                yield self
        except BaseException as error:
            explained = explain_limit(error, self.net, self.config)
            put_back(self.net, self.backup)
            if explained is not None:
                raise explained from error
            raise
        finally:
            self.close()

    def prepare_steps(self) -> None:
        """Choose the size of the batches, and start the schedule of the learning rate."""
        config, net = self.config, self.net
        net.batch_size = choose_batch_size(config, self.plan.n_samples)
        goes_on = net.schedule if self.plan.incremental or self.resume else None
        net.schedule = start_schedule(config, self.n_batches, net.optimizer_, goes_on)

    @property
    def n_batches(self) -> int:
        """Number of mini-batches of an epoch."""
        return -(-self.plan.n_samples // self.net.batch_size)

    def begin(
        self,
        samples: SampleDataset | None = None,
        held_out: SampleDataset | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        """Bring the data to the device, and get ready to train and to look at epochs.

        Parameters
        ----------
        samples, held_out : SampleDataset, default=None
            The training and validation samples, where several runs share them.
        recorder : Recorder, default=None
            Recorder with the state from which the run goes on, if several runs share a file.
        """
        plan, config = self.plan, self.config
        device = self.net.device
        self.samples = place_samples(plan, device) if samples is None else samples
        if plan.validation is not None:
            held_out = place_samples(plan.validation, device) if held_out is None else held_out
            self.held_out = held_out
        self.validation = None
        if self.held_out is not None:
            self.validation = Validation(plan, self.held_out)
        self.batches = make_batches(
            self.samples, self.net.batch_size, config.shuffle, self.random_state
        )
        averages = config.averaged_epochs and self.by_epochs
        self.average = WeightAverage(config.averaged_epochs) if averages else None
        if self.average is not None:
            self.average.start(self.net, self.n_batches)
        self.dead_network = None
        if config.n_restarts and self.by_epochs:
            self.dead_network = DeadNetworkRestart(config, self.samples.in_memory)
        self.stopping = StoppingRule(plan, self.progress)
        self.callbacks = UserCallbacks(self.net, plan, self.samples, self.held_out)
        self.display = choose_display(
            config.verbose, config.max_iter, self.progress, config.score_name
        )
        self.snapshot = EpochSnapshot(self)
        if config.time_limit is not None:
            self.deadline = time.perf_counter() + config.time_limit
        # A run that goes on has its best weights and scores in its state; of a new one the first
        # weights are the best so far.
        if self.resume is not None:
            self.random_state = np.random.RandomState()  # that of the user stays as it is
            self.set_state(self.resume.state)
        elif self.stopping.keeps_best:
            self.stopping.keep_weights(self.net)
            self._score_start()
        # A checkpoint takes the place of all that was set so far, and so comes after it. What
        # callbacks count is put back last, as they begin to count anew in `on_train_begin`.
        self.recorder = recorder or Recorder.of(self)
        self.recorder.resume()
        self.n_before = len(self.net.history) - self.progress.n_epochs
        self.callbacks.notify("on_train_begin", X=self.samples.X, y=self.samples.y)
        self.recorder.resume_callbacks()
        if self.display is not None:
            self.display.on_train_begin(self.net)

    def _score_start(self) -> None:
        """Let the first weights be the best so far, if their score is to count."""
        if self.config.scores_start and self.progress.best_score == -np.inf:
            validation = cast("Validation", self.validation)
            score = validation.evaluate(self.net, KeptOutputs(), None)["valid_score"]
            self.progress.best_score = score if np.isfinite(score) else -np.inf

    def end(self) -> None:
        """Let everybody know that training is over, and go back to the best weights."""
        if self.average is not None:
            self.average.show()
        if self.dead_network is not None:
            self.dead_network.warn_if_dead(self.net)
        self.callbacks.notify("on_train_end", X=self.samples.X, y=self.samples.y)
        if self.display is not None:
            self.display.on_train_end(self.net)
        if self.plan.incremental:
            del self.net.history[:-EPOCHS_REMEMBERED]
        self.stopping.conclude(self.net)

    def close(self) -> None:
        """Let the net forget the user's callbacks, and other fits have the checkpoint."""
        UserCallbacks.detach(self.net)
        if hasattr(self, "recorder"):  # there is none before `begin`
            self.recorder.close()
        # They know the run, and would keep it and its samples until Python looks for cycles.
        self.peers = Alone()
        for name in ("recorder", "snapshot"):
            vars(self).pop(name, None)

    def make_result(self) -> TrainResult:
        """Return the trained net, and what is needed to go on if it was interrupted."""
        resume = None
        if self.state is not None:
            resume = Resume(replace(self.config, callbacks=()), self.plan.n_samples, self.state)
        return TrainResult(self.net, self.progress, resume, self.runner_name, self.runner_reasons)

    # --- epochs ----------------------------------------------------------------------------

    def stop_as_interrupted(self, is_exact: bool = True) -> None:
        """Leave out the epoch that was cut short, and keep what is needed to go on."""
        # That cannot be kept unless weights and state are exactly those after a step.
        warn_user("Training interrupted by user.")
        self.progress.stopped_because = "interrupted"
        del self.net.history[self.n_before + self.progress.n_epochs :]
        if is_exact:
            self.state = self.get_state()
            self.recorder.write()

    def open_epoch(self) -> None:
        """Go on with the weights, and let everybody know that an epoch begins."""
        if self.average is not None:
            self.average.hide()
        self.callbacks.begin_epoch()
        if self.plan.watcher is not None:
            self.plan.watcher.begin_epoch()

    def count_steps(self, loss: float | torch.Tensor, n_steps: int, n_samples: int) -> None:
        """Take note of steps that are done; `loss` is their sum over samples."""
        epoch = self.epoch
        # A tensor on a GPU stays one: to read it would wait for the device at each step.
        epoch.loss_sum = epoch.loss_sum + loss
        epoch.n_steps += n_steps
        epoch.n_samples += n_samples

    def keep_outputs(self, target: TargetTensors, output: torch.Tensor) -> None:
        """Keep raw predictions of training samples if they are to be scored."""
        if self.keeps_outputs:
            self.epoch.outputs.keep(target, output, len(self.samples))

    @property
    def keeps_outputs(self) -> bool:
        """Whether raw predictions of training samples are to be scored."""
        return self.validation is not None and self.validation.keeps_outputs

    def pause_if_asked(self) -> None:
        """Raise PauseTraining between two steps if Ctrl-C was pressed."""
        if self.interrupt.is_set:
            raise PauseTraining

    @contextmanager
    def pause_on_interrupt(self) -> Iterator[None]:
        """Pause where a callback that is called between two steps raises KeyboardInterrupt."""
        try:
            yield
        except KeyboardInterrupt:
            raise PauseTraining from None

    def is_late(self) -> bool:
        """Return whether the time for training is over."""
        return self.deadline is not None and time.perf_counter() > self.deadline

    def close_epoch(self, loss: float) -> None:
        """Score the epoch, let everybody see it, and find out whether it was the last.

        Parameters
        ----------
        loss : float
            Mean loss of a sample, as it was before the step of its batch.
        """
        # In this order: the average takes the place of the weights, so that scores, callbacks and
        # the best weights are its own; samples are scored before a dead network gets new weights;
        # callbacks see the whole entry of the epoch, and may change the weights, which other
        # processes then take over; and the stopping rule keeps what everybody has seen.
        net, progress, epoch = self.net, self.progress, self.epoch
        self.batches.end()
        record = net.history.record
        record("train_loss", loss)
        if self.by_epochs:
            record("train_batch_count", epoch.n_steps)
            self.rate = get_learning_rate(net.optimizer_)
        if self.average is not None:
            self.average.show()
        if not self.by_epochs:  # whose batches nobody has seen
            self.callbacks.show_batches(training=True)
        self.callbacks.show_batches(training=False)
        if self.validation is not None and self.peers.leads:
            known, self.validated = self.validated, None
            for name, value in self.validation.evaluate(net, epoch.outputs, known).items():
                record(name, value)
        if self.dead_network is not None:
            self.dead_network.restart_if_dead(net, self.random_state)
        asks_to_stop = self.callbacks.end_epoch(self.rate, self.interrupt)
        self.peers.share_epoch()
        if self.display is not None:
            self.display.on_epoch_end(net)
        with ignore_second(self.interrupt):
            self.stopping.take_note(net, make_row(net.history[-1], self.rate), epoch.n_samples)
        # Progress, history and best weights are to be of the same epoch: a second Ctrl-C, which
        # does not wait for the end of a step, waits for these blocks.
        watcher = self.plan.watcher
        asks_to_stop |= watcher is not None and bool(watcher.end_epoch(net, progress))
        with ignore_second(self.interrupt):
            self._decide(asks_to_stop)
            self.snapshot.is_taken = False
            self.epoch = EpochState()
            self.recorder.end_epoch()

    def _decide(self, asks_to_stop: bool) -> None:
        progress = self.progress
        asks_to_stop, is_late = self.peers.agree(asks_to_stop, is_late=self.is_late())
        if asks_to_stop and np.isfinite(progress.loss):
            progress.stopped_because = "callback"
            return
        progress.stopped_because = self.stopping.find_reason_to_stop(self.net)
        if not progress.stopped_because and self.by_epochs and is_late:
            progress.stopped_because = "time_limit"

    def get_state(self) -> dict[str, Any]:
        """Return all that is needed to go on from between two steps, without the data."""
        return get_state(self)

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` returned."""
        set_state(self, state)

"""``train(plan)``: a run, the loop over its epochs, and its result."""

import time
from collections.abc import Callable, Sequence
from typing import cast

import torch

from sknn._specs import TrainPlan, TrainResult
from sknn.architectures import find_stochastic_layers
from sknn.engine._interrupt import (
    PauseTraining,
    StopSign,
    ignore_second,
    is_one_of_several_fits,
)
from sknn.engine._lbfgs import LBFGSRunner, Objective
from sknn.engine._live_state import Alone, ManyEpochsRunner, Runner
from sknn.engine._run import TrainingRun
from sknn.engine._runners import (
    RUNNERS,
    AutogradRunner,
    EpochRunner,
    MembersRunner,
    choose_runner,
)
from sknn.engine._start import FLOPS_OF_A_WEIGHT, is_left_in_place
from sknn.engine._unseen import count_epochs_at_once, note_epochs
from sknn.engine.callbacks._user import make_callbacks
from sknn.engine.compiled._runner import CompiledRunner
from sknn.engine.distributed._objective import SharedObjective
from sknn.engine.distributed._peers import Peers
from sknn.engine.distributed._start import (
    check_plan,
    check_same,
    end_together,
    make_follower,
    silence_followers,
    start_together,
)
from sknn.engine.net._finite import check_finite


def train(
    plan: TrainPlan,
    runners: Sequence[type[EpochRunner]] = RUNNERS,
    interrupt: StopSign | None = None,
    peers: Peers | None = None,
) -> TrainResult:
    """Train a network, by the first of the `runners` that supports the run.

    If the plan goes on from an earlier result, that result's net is trained further, and is
    restored if training fails. `interrupt` is a stop sign in place of the run's own; in one of
    several fits Ctrl-C raises KeyboardInterrupt. Weights that are not finite raise
    NonFiniteLossError, unless earlier weights were kept. `peers` are the processes that train this
    network together, all of which call this function; PeerError means that another one failed.
    """
    make_callbacks(plan.config.callbacks)
    plan = plan if is_left_in_place(plan) else plan.select_own_samples()
    if peers is not None:
        with silence_followers(peers):
            return _train_together(plan, peers, runners)
    run = TrainingRun(plan)
    if interrupt is not None:
        run.interrupt = interrupt
    with run.guard():
        if run.by_epochs:
            _train_by_epochs(run, runners)
        else:
            _train_by_lbfgs(run)
        check_finite(run)
        return run.make_result()


class _AnySteps(CompiledRunner):
    """Takes fits of few steps, too."""

    min_steps = min_warm_steps = 0


class _AnyMembers(MembersRunner):
    """Takes fits of little work, too."""

    min_flops = min_warm_flops = 0.0


def train_compiled(plan: TrainPlan) -> TrainResult:
    """Train a network as `train` does, by compiled code even where it does not pay."""
    return train(plan, (_AnySteps, _AnyMembers, AutogradRunner))


def _train_together(
    plan: TrainPlan, peers: Peers, runners: Sequence[type[EpochRunner]]
) -> TrainResult:
    check_plan(plan)
    run = TrainingRun(plan if peers.leads else make_follower(plan))
    with run.guard():
        if run.by_epochs:
            run.prepare_steps()
        else:
            _check_steady(run)
        # Processes compare what they were given before the first of them calls callbacks or reads
        # a checkpoint; `start_together` then sends the state in which it begins.
        check_same(peers, run)
        run.begin()
        start_together(peers, run)
        if run.by_epochs:
            _run_epochs(run, runners)
        else:
            _minimize(run, SharedObjective(run, peers))
        end_together(peers)
        run.end()
        check_finite(run)
        return run.make_result()


def _train_by_epochs(run: TrainingRun, runners: Sequence[type[EpochRunner]]) -> None:
    run.prepare_steps()
    run.begin()
    _run_epochs(run, runners)
    run.end()


def _run_epochs(run: TrainingRun, runners: Sequence[type[EpochRunner]]) -> None:
    with run.net.limit_threads(FLOPS_OF_A_WEIGHT, run.net.batch_size):
        runner = choose_runner(run, runners)
        try:
            run.runner_name = runner.name
            run.recorder.check_runner()
            run_interruptibly(run, lambda: _loop_over_epochs(run, runner))
        finally:
            runner.close()


def _loop_over_epochs(run: TrainingRun, runner: Runner) -> None:
    """Compute epochs, one or many at once, until there is a reason to stop."""
    progress = run.progress
    end = run.config.max_iter
    if run.plan.incremental:
        end = progress.n_epochs + 1
    while progress.n_epochs < end and not progress.stopped_because:
        at_once = count_epochs_at_once(run, runner, end - progress.n_epochs)
        if at_once > 1:
            _run_unseen(run, cast("ManyEpochsRunner", runner), run.recorder.limit_epochs(at_once))
        else:
            run.open_epoch()
            with ignore_second(run.interrupt):
                run.snapshot.take()
            run.close_epoch(runner.run_epoch())
        if not progress.stopped_because:
            run.pause_if_asked()


def _run_unseen(run: TrainingRun, runner: ManyEpochsRunner, n_epochs: int) -> None:
    """Compute several epochs in one call, if no callback or output needs single ones."""
    with ignore_second(run.interrupt):
        run.snapshot.take(draws_ahead=True)
    start = time.perf_counter()
    epochs = runner.run_many(n_epochs)
    note_epochs(run, epochs, time.perf_counter() - start)
    with ignore_second(run.interrupt):
        run.progress.stopped_because = run.stopping.find_reason_to_stop(run.net)
        run.snapshot.is_taken = False
        run.recorder.end_epoch()


def run_interruptibly(run: TrainingRun, train: Callable[[], None]) -> None:
    """Train, and handle Ctrl-C: training ends between two steps, or at the start of an epoch.

    If the run is one of several fits, KeyboardInterrupt is raised, so that all of them end.
    """
    has_gradients = torch.is_grad_enabled()
    with run.interrupt:
        try:
            run.interrupt.is_deaf = False
            train()
            run.interrupt.is_deaf = True  # until the handler from before is back
            return
        except PauseTraining:
            run.interrupt.is_deaf = True
        except KeyboardInterrupt:
            if not isinstance(run.peers, Alone):  # peers have stopped at other points
                raise
            run.interrupt.is_deaf = True
            # It may have come while a block without gradients was left.
            torch.set_grad_enabled(has_gradients)
            if run.snapshot.is_taken:  # else it came between epochs
                run.snapshot.restore()
        if is_one_of_several_fits():
            run.recorder.write()
            raise KeyboardInterrupt("Training interrupted by user.")
        run.stop_as_interrupted()


def _train_by_lbfgs(run: TrainingRun) -> None:
    _check_steady(run)
    run.begin()
    _minimize(run)
    run.end()


def _check_steady(run: TrainingRun) -> None:
    """Raise ValueError if the loss would not be a function of the weights alone."""
    unsteady = find_stochastic_layers(run.net.module_)
    if unsteady:
        raise ValueError(
            "solver='lbfgs' needs the same loss for the same weights, but the layers "
            f"{', '.join(map(repr, unsteady))} of the network change it from call to call. Use "
            "another solver, or leave out dropout and batch normalization."
        )


def _minimize(run: TrainingRun, function: Objective | None = None) -> None:
    with run.net.limit_threads(FLOPS_OF_A_WEIGHT, len(run.samples)):
        runner = LBFGSRunner(run, function)
        try:
            run.runner_name = runner.name
            run_interruptibly(run, runner.minimize)
        finally:
            runner.close()

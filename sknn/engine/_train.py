"""``train(plan)``: a run, what computes it, and its result."""

from collections.abc import Sequence

from sknn._specs import TrainPlan, TrainResult
from sknn.architectures import find_stochastic_layers
from sknn.engine._finite import check_finite
from sknn.engine._interrupt import StopSign
from sknn.engine._lbfgs import LBFGSRunner, Objective
from sknn.engine._run import TrainingRun
from sknn.engine._runners import RUNNERS, EpochRunner, choose_runner
from sknn.engine._start import FLOPS_OF_A_WEIGHT, is_left_in_place
from sknn.engine.callbacks._user import make_callbacks
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


def train(
    plan: TrainPlan,
    runners: Sequence[type[EpochRunner]] = RUNNERS,
    interrupt: StopSign | None = None,
    peers: Peers | None = None,
) -> TrainResult:
    """Train a network, by the first of the `runners` that supports the run.

    If the plan goes on from an earlier result, that result's net is trained further, and is put
    back if training fails. `interrupt` says when to stop, where it is not the run's own; of one of
    several fits Ctrl-C raises KeyboardInterrupt. Weights that are not finite raise
    NonFiniteLossError, unless good ones were kept. `peers` are the processes that train this
    network together, all of which call this; PeerError says that another one failed.
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
            run.run_epochs(runner)
        finally:
            runner.close()


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
            run.run_interruptibly(runner.minimize)
        finally:
            runner.close()

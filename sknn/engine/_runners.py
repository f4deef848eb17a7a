"""The ways to compute the epochs of a run, and which one is taken.

A way is a class with the methods of `EpochRunner`, and one entry in `RUNNERS`.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar, Protocol

import numpy as np
import torch

from sknn._jit import explain_not_kept
from sknn.engine._run import TrainingRun
from sknn.engine._start import FLOPS_OF_A_WEIGHT, find_changed_option
from sknn.engine.backprop._epochs import HandwrittenRunner, is_momentum_set
from sknn.engine.compiled._runner import CompiledRunner
from sknn.engine.data._allocator import keep_freed_memory
from sknn.engine.distributed._runner import DistributedRunner
from sknn.engine.graphs._runner import CudaGraphRunner
from sknn.engine.members._network import CompiledMembers
from sknn.engine.members._support import (
    COLD,
    explain_module,
    is_ready,
    load_steps,
    make_examples,
    was_warm,
)
from sknn.engine.optimizers._flat_parameters import make_flat_step, supports_optimizer


class EpochRunner(Protocol):
    """Computes the epochs of one run.

    It is made of a run that has begun. Its steps follow ``run.batches``, from the step
    ``run.epoch.n_steps`` on, and are counted by ``run.count_steps``; between two of them, or
    between groups of a few, it calls ``run.pause_if_asked``, at a point from where training can go
    on. It may leave the output of the held-out samples in ``run.validated``; else that is computed
    when the epoch is closed. All are held equal to autograd by one table of tests.
    """

    name: ClassVar[str]
    #: maximum number of epochs of a call of `ManyEpochsRunner.run_many`; 1 without that method
    epochs_at_once: int

    def __init__(self, run: TrainingRun): ...

    @classmethod
    def supports(cls, run: TrainingRun) -> str | None:
        """Return why a run cannot be computed so, in words for users; None if it can."""

    def run_epoch(self) -> float:
        """Train on the batches that are left of the epoch at hand; return the mean loss.

        That is the mean of the batches' losses, weighted by their sizes, each with the penalty and
        as it was before the step.
        """

    def close(self) -> None:
        """Give the module and the optimizer memory of their own again."""


class AutogradRunner:
    """Trains any network, a batch at a time, by skorch's steps."""

    name: ClassVar[str] = "autograd"
    epochs_at_once = 1

    @classmethod
    def supports(cls, run: TrainingRun) -> str | None:
        """Return None: every run can be computed so."""
        return None

    def __init__(self, run: TrainingRun):
        self.run = run
        #: what computes outputs in place of the module
        self.arguments: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {}
        if run.compiled is not None:
            self.arguments["compiled"] = run.compiled
        self.watched = run.callbacks.watches_batches
        keep_freed_memory()

    def run_epoch(self) -> float:
        """Train on the remaining mini-batches of the current epoch; return the mean loss."""
        run, net = self.run, self.run.net
        schedule = net.schedule
        for batch in run.batches.iterate(run.epoch.n_steps):
            self._begin_batch(batch)
            if schedule is not None and schedule.per_step:
                schedule.begin_step(net.optimizer_)
            step = self._do_step(batch)
            if run.average is not None:
                run.average.follow()
            size = len(batch[0])
            run.count_steps(step["loss"].detach() * size, 1, size)
            run.keep_outputs(batch[1], step["y_pred"].detach())
            self._end_batch(batch, step)
            if run.is_late():
                break
            if run.epoch.n_samples < len(run.samples):
                run.pause_if_asked()
        return float(run.epoch.loss_sum) / run.epoch.n_samples

    def _do_step(self, batch: tuple) -> dict[str, torch.Tensor]:
        """Learn from a mini-batch; return its loss and outputs, as they were before."""
        return self.run.net.train_step(batch, **self.arguments)

    def _begin_batch(self, batch: tuple) -> None:
        if self.watched:
            with self.run.pause_on_interrupt():
                self.run.callbacks.begin_batch(batch, training=True)

    def _end_batch(self, batch: tuple, step: dict) -> None:
        if self.watched:
            with self.run.pause_on_interrupt():
                self.run.callbacks.end_batch(batch, step, training=True)

    def close(self) -> None:
        """Do nothing: nothing was borrowed."""


class MembersRunner(AutogradRunner):
    """Trains an ensemble for tables as autograd does, by compiled passes of its members."""

    name: ClassVar[str] = "compiled members"
    #: floating-point operations of a fit, with all its epochs, from which compiling pays, which
    #: takes half a minute once on a machine ...
    min_flops: ClassVar[float] = 2e12
    #: ... and from which code that is there is taken: loading it costs a process half a second once
    min_warm_flops: ClassVar[float] = 1e11

    @classmethod
    def supports(cls, run: TrainingRun) -> str | None:
        """Return why a run cannot be computed so; None if it can."""
        return _explain_members(run, cls.min_flops, cls.min_warm_flops)

    @staticmethod
    def is_ready(dtype: np.dtype) -> bool:
        """Return whether passes in this precision were compiled before on this machine."""
        return is_ready(dtype)

    def __init__(self, run: TrainingRun):
        super().__init__(run)
        net = run.net
        if run.config.verbose and not self.is_ready(net.module_.temperature.numpy().dtype):
            print(COLD)  # noqa: T201
        self.members = CompiledMembers(net.module_, net.optimizer_)
        self.follow_gradient: Callable[[], None] | None = None
        is_plain = net.max_grad_norm is None and not self.watched
        if is_plain and supports_optimizer(net.optimizer_, is_momentum_set(run)) is None:
            self.follow_gradient = make_flat_step(self.members.flat, needs_gradient=True)

    def run_epoch(self) -> float:
        """Train on the remaining mini-batches of the current epoch; return the mean loss."""
        self.run.net.module_.train()
        return super().run_epoch()

    def _do_step(self, batch: tuple) -> dict[str, torch.Tensor]:
        """Learn from a mini-batch; return its loss and outputs, as they were before."""
        # As skorch's train_step, which goes through all parts of the module at each step.
        net, (X, target) = self.run.net, batch
        output = self.members(X)
        loss = net.get_loss(output, target, X=X, training=True)
        loss.backward()
        if self.follow_gradient is None:
            net.follow_gradient(batch)
        else:
            self.follow_gradient()
        return {"loss": loss, "y_pred": output}

    def close(self) -> None:
        """Give the module and the optimizer memory of their own again."""
        self.members.close()


def _explain_members(run: TrainingRun, min_flops: float, min_warm_flops: float) -> str | None:
    """Return why the steps of a run are not compiled; None if they are.

    `min_flops` and `min_warm_flops` are floating-point operations of all epochs from which it pays
    to compile the code, and to load code that was compiled before.
    """
    net = run.net
    module = net.module_
    reason = explain_module(module)
    if reason is not None:
        return reason
    if net.precision == "bfloat16":
        return "dtype='bfloat16' needs autocast"
    if net.alpha:
        return "a penalty has gradients of its own"
    if run.compiled is not None:
        return "compile=True"
    if run.callbacks.freezes or not all(p.requires_grad for p in module.parameters()):
        return "some parameters are frozen, or a callback may freeze them"
    n_epochs = 1 if run.plan.incremental else run.config.max_iter
    flops = FLOPS_OF_A_WEIGHT * module.products_per_sample * len(run.samples) * n_epochs
    dtype = module.temperature.numpy().dtype
    if flops < min_warm_flops:
        return "the fit is too short for compiled code to be loaded"
    if flops < min_flops and not was_warm(dtype):
        return "the fit is too short for compiled code to be made, once on this machine"
    return explain_not_kept(load_steps().encode_samples, *make_examples(dtype))


#: fastest first, after the one for several processes; the last one takes every run
RUNNERS: tuple[type[EpochRunner], ...] = (
    DistributedRunner,
    CudaGraphRunner,
    CompiledRunner,
    HandwrittenRunner,
    MembersRunner,
    AutogradRunner,
)


#: fields of `TrainConfig` that fast runners follow, or refuse, or need not know as they change no
#: step; a field that is not here is left to autograd
KNOWN_OPTIONS = frozenset(
    {
        *("l1_ratio", "weight_decay", "max_grad_norm", "precision", "compile"),
        *("warmup_epochs", "learning_rate_params", "solver_params", "averaged_epochs"),
        *("callbacks", "n_restarts", "n_processes", "time_limit", "runs_to_the_end"),
        *("stop_on_loss", "patience_share", "scores_training_samples", "scores_start"),
        *("score_name", "auto_batch_size"),
    }
)


def choose_runner(run: TrainingRun, runners: Sequence[type[EpochRunner]]) -> EpochRunner:
    """Return the first runner that supports a run, and note in the run why others do not."""
    unknown = find_changed_option(run.config, KNOWN_OPTIONS)
    for kind in runners:
        reason = kind.supports(run)
        if unknown is not None and kind not in (AutogradRunner, DistributedRunner):
            reason = reason or f"{unknown}={getattr(run.config, unknown)!r} is left to autograd"
        if reason is None:
            if int(run.config.verbose) > 1:
                faster = "".join(f"; not by {n!r}: {r}" for n, r in run.runner_reasons.items())
                print(f"Epochs are computed by {kind.name!r}{faster}.")  # noqa: T201
            return kind(run)
        run.runner_reasons[kind.name] = reason
    raise ValueError(f"none of the runners supports this run: {run.runner_reasons}")

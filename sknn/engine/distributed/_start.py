"""Common begin and end of a run of several processes, and checks that they agree."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch.distributed as dist
from scipy import sparse
from skorch.callbacks import GradientNormClipping, LRScheduler, ParamMapper
from torch import nn

from sknn._specs import Sample, TrainPlan
from sknn.architectures import Dropout, find_stochastic_layers
from sknn.engine._run import TrainingRun
from sknn.engine.callbacks._user import CallbackLike, make_callbacks
from sknn.engine.checkpoints._identity import describe, hash_data
from sknn.engine.distributed._network import TrainingPeers
from sknn.engine.distributed._peers import PeerInterrupt, Peers
from sknn.engine.net._serialization import make_plain

#: callbacks that change the training of a network, and so are called in all processes
OF_ALL = (GradientNormClipping, ParamMapper)


def check_plan(plan: TrainPlan) -> None:
    """Raise ValueError if several processes would train a plan differently from one process.

    Parameters
    ----------
    plan : TrainPlan
        Plan whose config has `n_processes`.
    """
    config = plan.config
    what = f"n_processes={config.n_processes!r}"
    if config.compile:
        raise ValueError(
            f"{what} trains without torch.compile, but compile=True. Leave one of them out."
        )
    for callback in make_callbacks(config.callbacks):
        callback = callback[1] if isinstance(callback, tuple) else callback
        if isinstance(callback, LRScheduler):
            raise ValueError(
                f"{what} calls callbacks in the first process alone, but LRScheduler sets the "
                "learning rate that all need. Write learning_rate='cosine', or another schedule "
                "or class, instead."
            )
    module = plan.module if plan.previous is None else plan.previous.net.module_
    layers = [name for name in find_stochastic_layers(module) if name != Dropout.__name__]
    layers += ["Dropout of torch"] * _has_other_dropout(module)
    if layers:
        raise ValueError(
            f"{what} gives each process a share of a mini-batch, but the layers "
            f"{', '.join(map(repr, layers))} need the whole of it to compute what one process "
            "would. Take layer normalization (normalization='layer'; batch_norm=False) and the "
            "parameter dropout, or set n_processes=None."
        )


def _has_other_dropout(module: nn.Module) -> bool:
    """Return whether a layer is torch's Dropout, which has the name of ours."""
    return any(
        type(part).__name__ == Dropout.__name__ and not isinstance(part, Dropout)
        for part in module.modules()
    )


def make_follower(plan: TrainPlan) -> TrainPlan:
    """Return the plan of a process that does not lead: it neither prints, scores, nor writes."""
    # The first process scores, prints and writes files. All processes take the steps, so that all
    # need the callbacks that change them.
    kept = [c for c in make_callbacks(plan.config.callbacks) if _is_of_all(c)]
    config = replace(plan.config, callbacks=tuple(kept), verbose=False)
    return replace(
        plan, config=config, score=leave_to_first, codec=None, watcher=None, checkpoint=None
    )


def _is_of_all(callback: CallbackLike) -> bool:
    return isinstance(callback[1] if isinstance(callback, tuple) else callback, OF_ALL)


def leave_to_first(y: np.ndarray, output: np.ndarray, sample_weight: np.ndarray | None) -> float:
    """Return NaN: a score that the first process computes."""
    return float("nan")


@contextmanager
def silence_followers(peers: Peers) -> Iterator[None]:
    """Return a context in which all processes but the first ignore warnings."""
    if peers.leads:
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def check_same(peers: Peers, run: TrainingRun) -> None:
    """Raise ValueError in all processes if they were given different things to train on."""
    different = peers.compare(_make_marks(run))
    if different:
        raise ValueError(
            f"The {peers.size} processes that train one network were given different things: "
            f"{', '.join(different)}. Read the same samples in all of them, in the same order, and "
            "give the estimators the same parameters; random_state=0 makes draws equal that were "
            "made before."
        )


def _make_marks(run: TrainingRun) -> dict[str, int]:
    """Return name -> mark of what has to be the same in all processes."""
    plan = run.plan
    # A stream is not read for its mark: its shape and the samples kept of it stand for it.
    # Callbacks, printing, devices and time limits may differ: they leave the mathematics alone.
    X = [plan.X.shape, plan.X.kept] if plan.is_streamed else plan.X
    config = replace(plan.config, callbacks=(), verbose=False, device="", time_limit=None)
    things = {
        "X": X,
        "y": plan.y,
        "sample_weight": plan.sample_weight,
        "validation samples": plan.validation,
        "first weights": make_plain(run.net.module_.state_dict()),
        "parameters": describe(config),
        "random_state": run.random_state.get_state(),
    }
    # 32 bits of a hash are a whole number that a message of float64 holds exactly.
    return {name: int(hash_data(_lay_out(thing))[:8], 16) for name, thing in things.items()}


def _lay_out(thing: Any) -> Any:
    """Return arrays as contiguous ones, so that equal numbers have equal hashes."""
    if isinstance(thing, Sample):
        return [_lay_out(part) for part in (thing.X, thing.y, thing.sample_weight)]
    if isinstance(thing, list):
        return [_lay_out(part) for part in thing]
    if sparse.issparse(thing):
        return [thing.shape, *map(_lay_out, (thing.data, thing.indices, thing.indptr))]
    return np.ascontiguousarray(thing) if isinstance(thing, np.ndarray) else thing


def start_together(peers: Peers, run: TrainingRun) -> TrainingPeers:
    """Return the peers of a run, which all begin in the state of the first process."""
    # The first process may go on from a checkpoint, which the others have not read. Without one
    # nothing is sent: `check_same` has found equal weights and random states.
    is_resumed = run.recorder.content is not None
    if peers.agree(is_resumed, is_late=False)[0]:
        found: list[Any] = [None, None]
        if peers.leads:
            found = [run.get_state(), run.progress.stopped_because]
        dist.broadcast_object_list(found, src=0)
        if not peers.leads:
            run.set_state(found[0])
            run.progress.stopped_because = found[1]
    run.interrupt = PeerInterrupt(peers)
    run.peers = together = TrainingPeers(peers, run)
    return together


def end_together(peers: Peers) -> None:
    """Wait until training is over for all processes."""
    # A process that left earlier could fail later by itself, and the others would wait for ever.
    peers.exchange()
    peers.use_small_messages()

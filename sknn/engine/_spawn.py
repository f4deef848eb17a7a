"""Processes on this machine that train a network together with the process that starts them."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

import joblib
import torch
import torch.distributed as dist

from sknn._specs import TrainPlan, TrainResult
from sknn.engine._start import estimate_work, is_left_in_place
from sknn.engine._train import train
from sknn.engine.data._device import resolve_device
from sknn.engine.distributed._peers import IN_USE, Peers, join_peers, tell_failures
from sknn.engine.distributed._start import check_plan, make_follower
from sknn.exceptions import PeerError

#: seconds between two checks whether processes have started
PAUSE = 0.02
#: seconds within which processes have to end by themselves
SECONDS_TO_END = 10.0
#: environment variable with the network interface of gloo, and the loopback interface by platform
INTERFACE = "GLOO_SOCKET_IFNAME"
LOOPBACK = {"linux": "lo", "darwin": "lo0"}
MAIN_GUARD = (
    "A script that is run as a file is imported by the processes it starts, so it must only fit "
    "where it is run itself: put what it does under `if __name__ == '__main__':`."
)


def train_together(plan: TrainPlan, peers: Peers | None = None) -> TrainResult:
    """Train a network with as many processes as its plan asks for; return the result in each.

    `peers` are the processes of ``torch.distributed`` that the plan asks for, if the caller has
    joined them already. Raises PeerError if another process failed.
    """
    n_processes = plan.config.n_processes
    if peers is not None:
        return train(plan, peers=peers)
    if isinstance(n_processes, str):
        with join_peers(n_processes) as peers:
            return train(plan, peers=peers)
    if n_processes is None or n_processes == 1:
        return train(plan)
    check_plan(plan)
    check_device(find_plan_device(plan), n_processes)
    plan = plan if is_left_in_place(plan) else plan.select_own_samples()
    with start_workers(plan, n_processes), tell_failures(Peers()) as peers:
        return train(plan, peers=peers)


def find_plan_device(plan: TrainPlan) -> str:
    """Return the device on which a network is, or will be."""
    if plan.previous is not None:
        return plan.previous.net.device
    return resolve_device(plan.config.device, str(plan.X.dtype), *estimate_work(plan))


def check_device(device: str, n_processes: int) -> None:
    """Raise ValueError if processes that are started here would share a GPU."""
    if torch.device(device).type != "cpu":
        raise ValueError(
            f"n_processes={n_processes} starts processes that compute on the CPU, but the network "
            f"would be on {device!r}. Set device='cpu'; or start a process for each GPU with "
            "torchrun, and set n_processes='world'."
        )


@contextmanager
def start_workers(plan: TrainPlan, n_processes: int) -> Iterator[None]:
    """Return a context in which started processes train a plan, and this one must do so, too."""
    what = f"n_processes={n_processes}"
    if not dist.is_available():
        raise RuntimeError(
            f"{what} needs torch.distributed, which this build of torch {torch.__version__} lacks. "
            "Set n_processes=None, or install another build."
        )
    if dist.is_initialized():
        raise RuntimeError(
            f"{what} starts processes of its own, but torch.distributed is initialized with "
            "processes already. Write n_processes='world' to train with these."
        )
    if multiprocessing.current_process().daemon:
        raise RuntimeError(
            f"{what} starts processes, which a daemonic process such as this one may not. Set "
            "n_processes=None here."
        )
    if not IN_USE.acquire(blocking=False):
        raise RuntimeError(
            f"{what} trains one network at a time, but another fit runs in this process. Fit one "
            "after the other (n_jobs=1), or set n_processes=None."
        )
    try:
        with tempfile.TemporaryDirectory(prefix="sknn-", ignore_cleanup_errors=True) as folder:
            path = Path(folder) / "plan"
            _write_plan(plan, path)
            with _use_loopback(), _divide_threads(n_processes):
                yield from _meet_workers(path, n_processes)
    finally:
        IN_USE.release()


def _meet_workers(path: Path, n_processes: int) -> Iterator[None]:
    """Start workers, join them in a process group, and end them all."""
    store = dist.TCPStore("127.0.0.1", 0, n_processes, is_master=True, wait_for_workers=False)
    context = multiprocessing.get_context("spawn")
    hook = sys.excepthook  # init_process_group replaces it
    arguments = n_processes, store.port, torch.get_num_threads(), path
    workers: list[BaseProcess] = [
        context.Process(target=work, args=(rank, *arguments), name=f"sknn-worker-{rank}")
        for rank in range(1, n_processes)
    ]
    try:
        _start(workers)
        _wait_for(workers, store)
        dist.init_process_group("gloo", store=store, rank=0, world_size=n_processes)
        yield
    except BaseException:
        for worker in _list_started(workers):  # they may wait for a message that does not come
            worker.terminate()
        raise
    finally:
        sys.excepthook = hook
        _end(workers)


def _start(workers: list[BaseProcess]) -> None:
    for worker in workers:
        try:
            worker.start()
        except RuntimeError as error:  # this process is a worker that imports the user's script
            raise RuntimeError(
                f"n_processes starts processes while this one is imported. {MAIN_GUARD}"
            ) from error


def _wait_for(workers: list[BaseProcess], store: dist.TCPStore) -> None:
    """Wait until all workers have started; raise if one has ended instead."""
    names = [f"started {rank}" for rank in range(1, len(workers) + 1)]
    while not store.check(names):
        for worker in workers:
            if not worker.is_alive():
                raise RuntimeError(
                    f"The process {worker.name!r} ended (exit code {worker.exitcode}) before "
                    f"training began; what it wrote says why. {MAIN_GUARD}"
                )
        time.sleep(PAUSE)


def _end(workers: list[BaseProcess]) -> None:
    """Leave the process group, and wait for workers to end; kill those that do not."""
    if dist.is_initialized():
        dist.destroy_process_group()
    deadline = time.monotonic() + SECONDS_TO_END
    for worker in _list_started(workers):
        worker.join(max(0.0, deadline - time.monotonic()))
        if worker.is_alive():
            worker.kill()
            worker.join()


def _list_started(workers: list[BaseProcess]) -> list[BaseProcess]:
    return [worker for worker in workers if worker.pid is not None]


def _write_plan(plan: TrainPlan, path: Path) -> None:
    """Write the plan of the workers to a file, whose arrays they read as memory maps."""
    try:
        joblib.dump(make_follower(plan), path)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        module = plan.module if plan.previous is None else plan.previous.net.module_
        raise TypeError(
            f"n_processes sends the network to other processes, but {type(module).__name__}, its "
            f"loss or its solver cannot be pickled ({error}). Define classes and functions at the "
            "top level of a module or script, not within a function and not as a lambda."
        ) from error


@contextmanager
def _use_loopback() -> Iterator[None]:
    """Return a context in which gloo uses the loopback interface."""
    # gloo would look up the name of this machine, which fails where no network knows it.
    name = LOOPBACK.get(sys.platform)
    if name is None or INTERFACE in os.environ:
        yield
        return
    os.environ[INTERFACE] = name
    try:
        yield
    finally:
        del os.environ[INTERFACE]


@contextmanager
def _divide_threads(n_processes: int) -> Iterator[None]:
    """Return a context in which this process uses its share of torch's threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, before // n_processes))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def work(rank: int, n_processes: int, port: int, n_threads: int, path: Path) -> None:
    """Train the plan in a file; this is the main function of a worker.

    Parameters
    ----------
    rank, n_processes : int
        Number of this process, and number of processes.
    port : int
        Port of the process that has started this one.
    n_threads : int
        Number of threads to compute with.
    path : Path
        File of the plan.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process hears Ctrl-C for all
    warnings.simplefilter("ignore")
    torch.set_num_threads(n_threads)
    store = dist.TCPStore("127.0.0.1", port, n_processes, is_master=False)
    store.set(f"started {rank}", "")
    dist.init_process_group("gloo", store=store, rank=rank, world_size=n_processes)
    try:
        # What goes wrong here is told to the first process, which raises it.
        with suppress(Exception), tell_failures(Peers()) as peers:
            train(joblib.load(path, mmap_mode="r"), peers=peers)
    finally:
        with suppress(RuntimeError, PeerError):
            dist.destroy_process_group()

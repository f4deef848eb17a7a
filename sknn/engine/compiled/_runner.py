"""The runner that trains small plain MLPs by compiled steps."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import torch

from sknn.architectures import Dropout, list_parameters
from sknn.engine._live_state import UnseenEpochs
from sknn.engine._run import TrainingRun
from sknn.engine._start import FLOPS_OF_A_WEIGHT
from sknn.engine.backprop._epochs import is_momentum_set, supports_steps
from sknn.engine.callbacks._kept_outputs import KeptOutputs
from sknn.engine.compiled import _codes
from sknn.engine.compiled._codes import (
    SolverState,
    StepMemory,
    StepRange,
    TrainingArrays,
)
from sknn.engine.compiled._packing import (
    add_dropout,
    locate,
    make_held_out,
    make_memory,
    pack_generator,
    pack_network,
    pack_samples,
    unpack_generator,
)
from sknn.engine.compiled._support import (
    COLD,
    explain_data,
    explain_module,
    explain_obstacle,
    is_warm,
    load_steps,
    was_warm,
)
from sknn.engine.data._batches import SampleDataset
from sknn.engine.optimizers._flat_parameters import STATES
from sknn.engine.optimizers._optimizers import SGD, Adam, AdamW, NAdam, RMSprop

#: floating-point operations between two looks at whether to pause: some 10 ms
CHUNK_FLOPS = 3e8
#: steps in one call, and numbers of the orders of its epochs and of what is kept of each, at most
MAX_STEPS, ORDER_NUMBERS, KEPT_NUMBERS = 2**12, 2**18, 2**20
_CODES = {
    Adam: _codes.ADAM,
    AdamW: _codes.ADAMW,
    NAdam: _codes.NADAM,
    RMSprop: _codes.RMSPROP,
}


class CompiledRunner:
    """Trains a plain MLP by steps compiled with numba, on one flat vector of parameters.

    Parameters
    ----------
    run : TrainingRun
        One that `supports` accepts, begun. The optimizer's state lies in flat vectors until
        `close`; parameters are borrowed for the steps of a call.
    """

    name: ClassVar[str] = "compiled"
    #: steps of a fit from which compiling pays, which is done once on a machine ...
    min_steps: ClassVar[int] = 5000
    #: ... and from which code that is there is taken: loading it costs a process 0.2 s once
    min_warm_steps: ClassVar[int] = 200
    #: how many times as many steps a fit on sparse samples must have: its sums have another order,
    #: and rounding, which Adam makes larger where gradients are tiny, moved the codes of an
    #: autoencoder by 1.5e-7 after the usual 200 steps, where handwritten steps moved them by 5e-8
    sparse_factor: ClassVar[int] = 2

    @classmethod
    def supports(cls, run: TrainingRun) -> str | None:
        """Return why a run cannot be computed so; None if it can."""
        size = run.net.batch_size
        reason = explain_module(run) or explain_data(run, size) or supports_steps(run)
        if reason is not None:
            return reason
        n_steps = run.n_batches * (1 if run.plan.incremental else run.config.max_iter)
        fewest = cls.min_warm_steps * (cls.sparse_factor if run.samples.is_sparse else 1)
        if n_steps < min(cls.min_steps, fewest):
            return (
                f"with at most {n_steps:,} steps it is not worth loading compiled code, which "
                f"is taken from {fewest:,} on"
            )
        dtype = list_parameters(run.net.module_)[0].detach().numpy().dtype
        if n_steps < cls.min_steps and not cls.was_warm(dtype):
            return (
                f"with at most {n_steps:,} steps it is not worth compiling, which pays from "
                f"{cls.min_steps:,} on, once on this machine"
            )
        if run.callbacks.is_interactive:
            return "training waits for the user between its epochs"
        return explain_obstacle(dtype)

    @staticmethod
    def was_warm(dtype: np.dtype) -> bool:
        """Return `is_warm` as it was at the first look, so that equal fits are computed alike."""
        return was_warm(dtype)

    @staticmethod
    def is_warm(dtype: np.dtype) -> bool:
        """Return whether steps in this precision were compiled before on this machine."""
        return is_warm(dtype)

    def __init__(self, run: TrainingRun):
        net = run.net
        self.run, self.run_epochs = run, load_steps()
        self.network, self.flat = pack_network(net)
        self.group = net.optimizer_.param_groups[0]
        sizes, values = self.network.sizes, self.network.values
        self.samples = self._pack(run.samples.in_memory)
        self.held_out = None if run.held_out is None else self._pack(run.held_out)
        self.dropouts = [d if isinstance(d, Dropout) else None for d in net.module_.dropouts]
        self.n_units = net.batch_size * int(sizes[1:-1].sum())
        self.space = make_memory(self.network, net.batch_size, run.batches.capacity)
        first, second = self._share_state(values.dtype)
        self.solver = SolverState(first, second, np.zeros(_codes.N_NUMBERS), np.ones(2))
        if run.config.verbose and not self.is_warm(values.dtype):
            print(COLD)  # noqa: T201
        self._choose_chunks(sizes)

    def _choose_chunks(self, sizes: np.ndarray) -> None:
        """Choose how many steps a call does."""
        size = self.run.net.batch_size
        self.chunk = int(CHUNK_FLOPS / (FLOPS_OF_A_WEIGHT * len(self.flat.values) * size))
        self.chunk = max(1, self.chunk)
        steps, n_samples = min(self.chunk, MAX_STEPS), len(self.run.samples)
        limits = [steps // self.run.n_batches, ORDER_NUMBERS // n_samples]
        if self.held_out is not None:
            kept = n_samples if self.run.keeps_outputs else 0
            kept = int(sizes[-1]) * (kept + self.held_out.orders.shape[1]) + len(self.flat.values)
            limits.append(KEPT_NUMBERS // kept)
        self.epochs_at_once = max(1, min(limits))

    def _share_state(self, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
        """Return the vectors of the optimizer's state; of one that has fewer, empty ones."""
        optimizer = self.flat.optimizer
        names: tuple[str, ...] = ("exp_avg", "exp_avg_sq")
        if type(optimizer) in STATES:
            names, numbers = STATES[type(optimizer)]
            self.shared = {k: self.flat.share_number(k, start) for k, start in numbers.items()}
        elif isinstance(optimizer, SGD):
            names, self.shared = ("momentum_buffer",) if self._has_momentum() else (), {}
        else:
            count = torch.full((), float(self.group["n_steps"]))
            for p in self.flat.parameters:
                optimizer.state[p]["step"] = count
            self.shared = {"step": count}
        vectors = [self.flat.share_state(name) for name in names]
        empty = np.zeros(0, dtype)
        first, second, *_ = [*vectors, empty, empty]
        return first, second

    def _has_momentum(self) -> bool:
        return bool(self.group["momentum"]) or is_momentum_set(self.run)

    def close(self) -> None:
        """Give the module and the optimizer memory of their own again."""
        self.flat.close()

    def run_epoch(self) -> float:
        """Train on the remaining mini-batches of the current epoch; return the mean loss."""
        run = self.run
        with self._borrow_parameters():
            for dataset, order in run.batches.iterate_parts(run.epoch.n_steps):
                samples = self.samples if dataset is run.samples else self._pack(dataset)
                self._run_part(samples, order)
            self._measure_held_out()
        return float(run.epoch.loss_sum) / len(run.samples)

    def _measure_held_out(self) -> None:
        """Give the run logits and loss of the held-out samples, once an epoch is done."""
        if self.held_out is None:
            return
        held_out = make_held_out(self.held_out, self.network, 1)
        size = self.run.batches.batch_size
        patience, none = np.zeros(_codes.N_PATIENCE), _codes.NO_GENERATOR
        steps = StepRange(0, 0, 0, size, patience, np.empty(1), none)
        space = self.space._replace(held_out=held_out)
        self.run_epochs(self.samples, self.network, self.solver, space, steps)
        self.run.validated = held_out.outputs[0], float(held_out.losses[0])

    def run_many(self, n_epochs: int) -> UnseenEpochs:
        """Train for some epochs that no callback or output needs, from the start of one.

        They end early where the rule of ``run.stopping`` on the training loss says so.
        """
        run, space = self.run, self.space
        if self.held_out is not None:
            held_out = make_held_out(self.held_out, self.network, n_epochs)
            kept = n_epochs if run.keeps_outputs else 1
            shape = kept, *space.outputs.shape[1:]
            space = space._replace(held_out=held_out, outputs=np.empty(shape, space.outputs.dtype))
        patience, losses = self._pack_patience(), np.empty(n_epochs)
        run.batches.begin()
        before = run.snapshot.random_state or run.random_state.get_state(legacy=False)
        generator = self._get_generator(before)
        orders = run.batches.begin_many(n_epochs, is_drawn_later=bool(len(generator)))
        size = run.batches.batch_size
        steps = StepRange(0, 0, run.n_batches, size, patience, losses, generator)
        with self._borrow_parameters():
            samples = self.samples._replace(orders=locate(run.samples, orders))
            n_done = self._call(samples, steps, space)
        after = unpack_generator(generator, before) if len(generator) else None
        run.batches.keep_begun(orders, n_done, before, after)
        run.batches.end()
        means = (losses[:n_done] / len(run.samples)).tolist()
        if self.held_out is not None:
            return self._make_validated(means, orders, space)
        run.progress.best_loss = float(patience[_codes.BEST_LOSS])
        run.progress.n_stalled = int(patience[_codes.N_STALLED])
        return UnseenEpochs(means)

    def _get_generator(self, state: dict[str, Any]) -> np.ndarray:
        """Return what draws the orders of epochs in compiled code; an empty vector if NumPy does.

        `state` is that of the run's generator once the first of them is drawn.
        """
        run = self.run
        if run.batches.random_state is None or run.samples.numbers is not None:
            return _codes.NO_GENERATOR
        return pack_generator(state)

    def _pack_patience(self) -> np.ndarray:
        """Return what the stopping rule knows, as compiled code takes it."""
        progress, config = self.run.progress, self.run.config
        patience = np.full(_codes.N_PATIENCE, np.inf)
        if not self.run.stopping.keeps_best:  # else scores are compared, which are not known there
            patience[_codes.BEST_LOSS] = progress.best_loss
            patience[_codes.N_STALLED] = progress.n_stalled
            patience[_codes.TOLERANCE] = config.tol
            patience[_codes.LIMIT] = config.n_iter_no_change
            patience[_codes.LIMIT_SHARE] = config.patience_share
            patience[_codes.N_BEFORE] = progress.n_epochs
        return patience

    def _make_validated(
        self, losses: list[float], orders: np.ndarray, space: StepMemory
    ) -> UnseenEpochs:
        """Return epochs with what is to be scored of each."""
        run, held_out = self.run, space.held_out
        validated = [(held_out.outputs[i], float(held_out.losses[i])) for i in range(len(losses))]
        outputs = [KeptOutputs() for _ in losses]
        if run.keeps_outputs:
            for i, kept in enumerate(outputs):
                order = orders[min(i, len(orders) - 1)]
                output = torch.from_numpy(space.outputs[i])
                kept.keep(run.samples.take_targets(order), output, len(order))
        now = len(losses) - 1

        def load(epoch: int) -> None:
            nonlocal now
            self.network.values[:] = held_out.values[epoch]
            self.flat.write_parameters()
            self._count_masks((epoch - now) * run.n_batches)
            now = epoch

        return UnseenEpochs(losses, validated, outputs, load)

    def _count_masks(self, n: int) -> None:
        """Let the layers of dropout know of masks that were drawn, one a step."""
        for layer in filter(None, self.dropouts):
            layer.state[1] += n

    @contextmanager
    def _borrow_parameters(self) -> Iterator[None]:
        """Take the parameters from the module, and bring them back, however the steps end."""
        self.flat.read_parameters()
        try:
            yield
        finally:
            self.flat.write_parameters()

    def _call(
        self, samples: TrainingArrays, steps: StepRange, space: StepMemory | None = None
    ) -> int:
        """Let compiled code do some steps; return the number of epochs."""
        self._read_numbers()
        space = add_dropout(space or self.space, self.dropouts, self.n_units)
        n_done = self.run_epochs(samples, self.network, self.solver, space, steps)
        n_steps = n_done * (steps.last - steps.first)
        self._count_masks(n_steps)
        self._write_counts(n_steps)
        return n_done

    def _pack(self, dataset: SampleDataset) -> TrainingArrays:
        return pack_samples(dataset, self.network, self.run.net)

    def _run_part(self, samples: TrainingArrays, order: np.ndarray) -> None:
        """Train on some samples of the epoch, the last batch of which may be smaller."""
        run, schedule = self.run, self.run.net.schedule
        n_batches = -(-len(order) // run.batches.batch_size)
        samples = samples._replace(orders=locate(run.samples, order)[None])
        by_step = schedule is not None and schedule.per_step
        chunk = 1 if by_step else self.chunk
        for first in range(0, n_batches, chunk):
            if by_step and schedule is not None:
                schedule.begin_step(self.flat.optimizer)
            self._run_chunk(samples, order, first, min(first + chunk, n_batches))
            if run.epoch.n_samples < len(run.samples):
                run.pause_if_asked()

    def _run_chunk(self, samples: TrainingArrays, order: np.ndarray, first: int, last: int) -> None:
        """Do the steps from `first` up to `last`, and count them."""
        run, size = self.run, self.run.batches.batch_size
        patience, none = np.zeros(_codes.N_PATIENCE), _codes.NO_GENERATOR
        steps = StepRange(0, first, last, size, patience, np.empty(1), none)
        self._call(samples, steps)
        start, stop = first * size, min(last * size, len(order))
        run.count_steps(float(steps.losses[0]), last - first, stop - start)
        if run.keeps_outputs:
            output = torch.from_numpy(self.space.outputs[0, start:stop].copy())
            run.keep_outputs(run.samples.take_targets(order[start:stop]), output)

    def _read_numbers(self) -> None:
        """Read what the optimizer's group and state say now."""
        group, net, optimizer = self.group, self.run.net, self.flat.optimizer
        numbers, counts = self.solver.numbers, self.solver.counts
        numbers[_codes.RATE] = group["lr"]
        numbers[_codes.ALPHA], numbers[_codes.L1_RATIO] = net.alpha, net.l1_ratio
        numbers[_codes.MAX_NORM] = net.max_grad_norm or 0.0
        if isinstance(optimizer, SGD):
            numbers[_codes.BETA_1] = group["momentum"]
            self.network.codes[_codes.SOLVER] = _choose_sgd(group)
            return
        self.network.codes[_codes.SOLVER] = _CODES[type(optimizer)]
        counts[_codes.N_STEPS] = self.shared["step"].item()
        numbers[_codes.EPSILON] = group.get("epsilon", group["eps"])
        if isinstance(optimizer, RMSprop):
            numbers[_codes.BETA_2] = group["alpha"]
            return
        numbers[_codes.BETA_1], numbers[_codes.BETA_2] = group["betas"]
        numbers[_codes.DECAY] = group.get("decay", 0.0)
        if isinstance(optimizer, NAdam):
            numbers[_codes.MOMENTUM_DECAY] = group["momentum_decay"]
            counts[_codes.MU_PRODUCT] = self.shared["mu_product"].item()

    def _write_counts(self, n_steps: int) -> None:
        """Let the optimizer know how many steps were done."""
        optimizer = self.flat.optimizer
        if isinstance(optimizer, Adam):
            optimizer.count_steps(n_steps)
        for name, place in (("step", _codes.N_STEPS), ("mu_product", _codes.MU_PRODUCT)):
            if name in self.shared:
                self.shared[name].fill_(float(self.solver.counts[place]))


def _choose_sgd(group: dict) -> int:
    if not group["momentum"]:
        return _codes.SGD
    return _codes.NESTEROV if group["nesterov"] else _codes.MOMENTUM

"""The runner that trains small plain MLPs by compiled steps."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import torch

from sknn._jit import OBSTACLE, explain_not_kept, has_kept_code, is_compiled
from sknn.architectures import MLP, Dropout, draw_into, is_mlp
from sknn.engine._run import TrainingRun
from sknn.engine._start import FLOPS_OF_A_WEIGHT
from sknn.engine.backprop._epochs import is_momentum_set, supports_steps
from sknn.engine.backprop._flat_parameters import STATES, Flat
from sknn.engine.compiled import _codes
from sknn.engine.compiled._codes import (
    FlatNetwork,
    SolverState,
    StepMemory,
    StepRange,
    TrainingArrays,
)
from sknn.engine.data._batches import SampleDataset
from sknn.engine.losses._loss import TableLoss
from sknn.engine.optimizers._optimizers import SGD, Adam, AdamW, NAdam, RMSprop

#: floating-point operations of a step from which torch's products are as fast as all of it
MAX_STEP_FLOPS = 2e7
#: floating-point operations between two looks at whether to pause: some 10 ms
CHUNK_FLOPS = 3e8
#: numbers of the masks of dropout that are drawn at a time
MASK_NUMBERS = 2**19
#: steps in one call, and numbers of the orders of its epochs, at most
MAX_STEPS, ORDER_NUMBERS = 2**12, 2**18
#: what is said before compiled code is made for the first time
COLD = "Steps of small networks are compiled, once on this machine: ten to twenty seconds."
_CODES = {
    Adam: _codes.ADAM,
    AdamW: _codes.ADAMW,
    NAdam: _codes.NADAM,
    RMSprop: _codes.RMSPROP,
}


def load_steps() -> Callable[..., int]:
    """Return `run_epochs`; numba is loaded here, and not by those who do without it."""
    return import_module("sknn.engine.compiled._steps").run_epochs


@cache
def _was_compiled(dtype: np.dtype) -> bool:
    """Return whether code for this precision was there before; numba is loaded if any was."""
    is_any = has_kept_code(Path(__file__).parent, "run_epochs")
    return is_any and is_compiled(load_steps(), *_codes.make_examples(dtype))


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

    @classmethod
    def supports(cls, run: TrainingRun) -> str | None:
        """Return why a run cannot be computed so; None if it can."""
        reason = _explain_module(run) or _explain_data(run) or supports_steps(run)
        if reason is not None:
            return reason
        n_steps = run.n_batches * (1 if run.plan.incremental else run.config.max_iter)
        if n_steps < min(cls.min_steps, cls.min_warm_steps):
            return (
                f"with at most {n_steps:,} steps it is not worth loading compiled code, which "
                f"pays from {cls.min_warm_steps:,} on"
            )
        dtype = next(run.net.module_.parameters()).detach().numpy().dtype
        if n_steps < cls.min_steps and not cls.was_warm(dtype):
            return (
                f"with at most {n_steps:,} steps it is not worth compiling, which pays from "
                f"{cls.min_steps:,} on, once on this machine"
            )
        if run.callbacks.is_interactive:
            return "training waits for somebody between its epochs"
        return explain_not_kept(load_steps(), *_codes.make_examples(dtype))

    @staticmethod
    def was_warm(dtype: np.dtype) -> bool:
        """Return `is_warm` as it was at the first look, so that equal fits are computed alike."""
        return _was_compiled(dtype)

    @staticmethod
    def is_warm(dtype: np.dtype) -> bool:
        """Return whether steps in this precision were compiled before on this machine."""
        return is_compiled(load_steps(), *_codes.make_examples(dtype))

    def __init__(self, run: TrainingRun):
        net, module = run.net, run.net.module_
        self.run, self.run_epochs = run, load_steps()
        sizes = np.array([module.linears[0].in_features, *_get_widths(module)])
        weights = [layer.weight for layer in module.linears]
        self.flat = Flat(list(module.parameters()), net.optimizer_, turned=weights, shares=False)
        self.group = net.optimizer_.param_groups[0]
        values = self.flat.values.numpy()
        activations = [_codes.ACTIVATIONS[name] for name in module.activation_names]
        self.network = FlatNetwork(
            sizes,
            np.array([_codes.LOSSES[net.loss.name], 0, *activations]),
            values,
            self.flat.gradient.numpy(),
            _codes.pack_settings(cast("TableLoss", net.loss).settings),
        )
        self.samples = self._pack(run.samples.in_memory)
        self.space = StepMemory(
            np.empty(_codes.count_work(sizes, net.batch_size), values.dtype),
            np.empty((3, _codes.count_space(sizes, net.batch_size))),
            np.empty(0, values.dtype),
            np.empty(_codes.count_turned(sizes), values.dtype),
            np.zeros(int(sizes.max()), values.dtype),
            np.empty((run.batches.capacity, sizes[-1]), values.dtype),
        )
        first, second = self._share_state(values.dtype)
        self.solver = SolverState(first, second, np.zeros(_codes.N_NUMBERS), np.ones(2))
        self.dropouts = list(module.dropouts)
        if run.config.verbose and not self.is_warm(values.dtype):
            print(COLD)  # noqa: T201
        self._choose_chunks(sizes)

    def _choose_chunks(self, sizes: np.ndarray) -> None:
        """Choose how many steps a call does."""
        size = self.run.net.batch_size
        self.chunk = int(CHUNK_FLOPS / (FLOPS_OF_A_WEIGHT * len(self.flat.values) * size))
        if self.dropouts:
            self.chunk = min(self.chunk, MASK_NUMBERS // (size * int(sizes[1:-1].sum())))
        self.chunk = max(1, self.chunk)
        steps, orders = min(self.chunk, MAX_STEPS), ORDER_NUMBERS // len(self.run.samples)
        self.epochs_at_once = max(1, min(steps // self.run.n_batches, orders))
        if self.dropouts:  # whose generators would be ahead where training ends early
            self.epochs_at_once = 1

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
        vectors = [self.flat.share_state(name).numpy() for name in names]
        empty = np.zeros(0, dtype)
        first, second, *_ = [*vectors, empty, empty]
        return first, second

    def _has_momentum(self) -> bool:
        return bool(self.group["momentum"]) or is_momentum_set(self.run)

    def close(self) -> None:
        """Give the module and the optimizer memory of their own again."""
        self.flat.close()

    def run_epoch(self) -> float:
        """Train on the batches that are left of the epoch at hand; return the mean loss."""
        run = self.run
        with self._borrow_parameters():
            for dataset, order in run.batches.iterate_parts(run.epoch.n_steps):
                samples = self.samples if dataset is run.samples else self._pack(dataset)
                self._run_part(samples, order)
        return float(run.epoch.loss_sum) / len(run.samples)

    def run_many(self, n_epochs: int) -> list[float]:
        """Train for some epochs that nobody sees, from the start of one; return their mean losses.

        They end early where the rule of ``run.stopping`` says so.
        """
        run, progress, config = self.run, self.run.progress, self.run.config
        patience = np.zeros(_codes.N_PATIENCE)
        patience[_codes.BEST_LOSS] = progress.best_loss
        patience[_codes.N_STALLED] = progress.n_stalled
        patience[_codes.TOLERANCE] = config.tol
        patience[_codes.LIMIT] = config.n_iter_no_change
        patience[_codes.LIMIT_SHARE] = config.patience_share
        patience[_codes.N_BEFORE] = progress.n_epochs
        orders = run.batches.begin_many(n_epochs)
        steps = StepRange(0, 0, run.n_batches, run.batches.batch_size, patience, np.empty(n_epochs))
        with self._borrow_parameters():
            n_done = self._call(self.samples._replace(orders=_locate(run.samples, orders)), steps)
        run.batches.keep_begun(orders, n_done)
        run.batches.end()
        progress.best_loss = float(patience[_codes.BEST_LOSS])
        progress.n_stalled = int(patience[_codes.N_STALLED])
        return (steps.losses[:n_done] / len(run.samples)).tolist()

    @contextmanager
    def _borrow_parameters(self) -> Iterator[None]:
        """Take the parameters from the module, and bring them back, however the steps end."""
        self.flat.read_parameters()
        try:
            yield
        finally:
            self.flat.write_parameters()

    def _call(self, samples: TrainingArrays, steps: StepRange) -> int:
        """Let compiled code do some steps; return the number of epochs."""
        self._read_numbers()
        masks = self._draw_masks(steps.first, steps.last, samples.orders.shape[1])
        n_epochs = self.run_epochs(
            samples,
            self.network,
            self.solver,
            self.space._replace(masks=masks),
            steps,
        )
        self._write_counts(n_epochs * (steps.last - steps.first))
        return n_epochs

    def _pack(self, dataset: SampleDataset) -> TrainingArrays:
        """Return samples in the order in which they are, as compiled code takes them."""
        dtype, weight = self.network.values.dtype, dataset.sample_weight
        n_outputs, settings = (
            int(self.network.sizes[-1]),
            cast("TableLoss", self.run.net.loss).settings,
        )
        return TrainingArrays(
            np.ascontiguousarray(dataset.X.numpy()),
            _lay_out(
                dataset,
                _encode_targets(
                    cast("torch.Tensor", dataset.y).numpy(), n_outputs, settings, dtype
                ),
            ),
            np.zeros(0, dtype)
            if weight is None
            else _lay_out(dataset, weight.numpy().astype(dtype)),
            np.arange(len(dataset.X))[None],
        )

    def _run_part(self, samples: TrainingArrays, order: np.ndarray) -> None:
        """Train on some samples of the epoch, the last batch of which may be smaller."""
        run, schedule = self.run, self.run.net.schedule
        n_batches = -(-len(order) // run.batches.batch_size)
        samples = samples._replace(orders=_locate(run.samples, order)[None])
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
        steps = StepRange(0, first, last, size, np.zeros(_codes.N_PATIENCE), np.empty(1))
        self._call(samples, steps)
        start, stop = first * size, min(last * size, len(order))
        run.count_steps(float(steps.losses[0]), last - first, stop - start)
        if run.keeps_outputs:
            output = torch.from_numpy(self.space.outputs[start:stop].copy())
            run.keep_outputs(run.samples.take_targets(order[start:stop]), output)

    def _draw_masks(self, first: int, last: int, n_samples: int) -> np.ndarray:
        """Return the masks of dropout of some steps as `run_epochs` takes them."""
        dtype = self.flat.values.dtype
        size, n_steps = self.run.batches.batch_size, last - first
        parts = []
        for layer, width in zip(self.dropouts, self.network.sizes[1:].tolist(), strict=False):
            masks = torch.ones(n_steps * size, width, dtype=dtype)
            for step in range(n_steps if isinstance(layer, Dropout) else 0):
                start = step * size
                n = min(size, n_samples - (first + step) * size)
                draw_into(masks[start : start + n], layer.state, layer.n_parts)
            parts.append(masks.reshape(-1))
        return (torch.cat(parts) if parts else torch.empty(0, dtype=dtype)).numpy()

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


def _locate(dataset: SampleDataset, order: np.ndarray) -> np.ndarray:
    """Return the places in X of the samples of an order."""
    return order if dataset.numbers is None else dataset.numbers.numpy()[order]


def _lay_out(dataset: SampleDataset, values: np.ndarray) -> np.ndarray:
    """Return values of samples where these are in X, of which some may be another's."""
    if dataset.numbers is None:
        return values
    laid_out = np.zeros((len(dataset.X), *values.shape[1:]), values.dtype)
    laid_out[dataset.numbers.numpy()] = values
    return laid_out


def _choose_sgd(group: dict) -> int:
    if not group["momentum"]:
        return _codes.SGD
    return _codes.NESTEROV if group["nesterov"] else _codes.MOMENTUM


def _get_widths(module: MLP) -> list[int]:
    return [cast("torch.nn.Linear", layer).out_features for layer in module.linears]


def _explain_module(run: TrainingRun) -> str | None:
    """Return why the network, its loss or its precision is not compiled."""
    net = run.net
    module = net.module_
    if OBSTACLE is not None:
        return OBSTACLE
    if not is_mlp(module):
        return f"the network is a {type(module).__name__}, not a plain MLP"
    if not module.is_plain_but_for_dropout:
        return "the network has layers beside weights, biases, activations and dropout"
    unknown = sorted(set(module.activation_names) - set(_codes.ACTIVATIONS))
    if unknown:
        return f"activation={unknown[0]!r} is not compiled"
    loss = net.loss
    if not isinstance(loss, TableLoss) or not loss.is_named or loss.name not in _codes.LOSSES:
        return f"the loss {loss.name!r} is not compiled"
    if net.precision == "bfloat16":
        return "dtype='bfloat16' needs autocast"
    if run.compiled is not None:
        return "compile=True"
    if not all(p.requires_grad for p in module.parameters()):
        return "some parameters are frozen"
    return None


def _explain_data(run: TrainingRun) -> str | None:
    """Return why the data, or the work of a step on them, are not for compiled code."""
    net, samples = run.net, run.samples
    if torch.device(net.device).type != "cpu":
        return f"the network is on {net.device!r}; compiled code is for the CPU"
    if samples.is_sparse:
        return "X is sparse"
    dtypes = {samples.X.dtype, *(p.dtype for p in net.module_.parameters())}
    if len(dtypes) > 1 or samples.X.ndim != 2:
        return "X is not a table in the dtype of the weights"
    n_parameters = sum(p.numel() for p in net.module_.parameters())
    if FLOPS_OF_A_WEIGHT * n_parameters * net.batch_size > MAX_STEP_FLOPS:
        return "the products of a step are so large that torch's are as fast"
    return None


def _encode_targets(
    y: np.ndarray, n_outputs: int, settings: Mapping[str, Any], dtype: np.dtype
) -> np.ndarray:
    """Return targets of shape (n_samples, n_columns), class numbers one-hot, and smoothed."""
    smoothing = settings.get("label_smoothing", 0.0)
    if y.ndim == 1:
        Y = np.zeros((len(y), n_outputs), dtype)
        Y[np.arange(len(y)), y] = 1
        n_classes = n_outputs
    else:
        Y, n_classes = np.ascontiguousarray(y, dtype), 2
    if smoothing:
        Y = Y * dtype.type(1 - smoothing) + dtype.type(smoothing / n_classes)
    return Y

"""The runner that trains small plain MLPs by compiled steps."""

from itertools import pairwise
from typing import ClassVar

import numpy as np
import torch

from sknn._jit import HAS_NUMBA
from sknn.architectures import MLP, Dropout, draw_into
from sknn.engine._run import TrainingRun
from sknn.engine._start import FLOPS_OF_A_WEIGHT
from sknn.engine.backprop._flat_parameters import STATES, Flat, supports_optimizer
from sknn.engine.compiled import _activations, _losses, _updates
from sknn.engine.compiled._blas import OneBLASThread
from sknn.engine.compiled._steps import SOLVER, count_space, count_work, run_steps
from sknn.engine.losses._loss import TableLoss
from sknn.engine.optimizers._optimizers import SGD, Adam, AdamW, NAdam, RMSprop

#: floating-point operations of a step from which torch's products are as fast as all of it
MAX_STEP_FLOPS = 2e7
#: floating-point operations between two looks at whether to pause: some 10 ms
CHUNK_FLOPS = 1e8
#: numbers of the masks of dropout that are drawn at a time
MASK_NUMBERS = 2**19
#: products of so many multiplications are shared among threads by OpenBLAS
THREADED_PRODUCT = 2**18
_CODES = {
    Adam: _updates.ADAM,
    AdamW: _updates.ADAMW,
    NAdam: _updates.NADAM,
    RMSprop: _updates.RMSPROP,
}


class CompiledRunner:
    """Trains a plain MLP by steps compiled with numba, on one flat vector of parameters.

    Parameters
    ----------
    run : TrainingRun
        One that `supports` accepts, begun. The parameters of its net lie in one flat vector until
        `close`.
    """

    name: ClassVar[str] = "compiled"
    #: steps of a fit from which loading compiled code pays: half a second of other ways
    min_steps: ClassVar[int] = 5000

    @classmethod
    def supports(cls, run: TrainingRun) -> str | None:
        """Return why a run cannot be computed so; None if it can."""
        reason = _explain_module(run) or _explain_data(run)
        if reason is None:
            reason = supports_optimizer(run.net.optimizer_, _sets_momentum(run))
        if reason is not None:
            return reason
        schedule, callbacks = run.net.schedule, run.callbacks
        if schedule is not None and not schedule.only_sets_rates:
            return "a schedule of the user's may set more than learning rate and momentum"
        if run.average is not None:
            return "weights are averaged after each step"
        if callbacks.watches_batches:
            return "a callback looks at single batches"
        if callbacks.freezes:
            return "a callback may freeze parameters"
        n_steps = run.n_batches * (1 if run.plan.incremental else run.config.max_iter)
        if n_steps < cls.min_steps:
            return (
                f"with at most {n_steps:,} steps it is not worth loading compiled code, which "
                f"pays from {cls.min_steps:,} on"
            )
        return None

    def __init__(self, run: TrainingRun):
        net = run.net
        module = net.module_
        self.run = run
        self.sizes = np.array([module.linears[0].in_features, *_widths(module)])
        self.flat = Flat(list(module.parameters()), net.optimizer_)
        dtype = self.flat.values.numpy().dtype
        self.group = net.optimizer_.param_groups[0]
        self.X = np.ascontiguousarray(run.samples.X.numpy())
        self.Y = _encode_targets(run, int(self.sizes[-1]), dtype)
        weight = run.samples.sample_weight
        self.weight = np.zeros(0, dtype) if weight is None else weight.numpy().astype(dtype)
        activations = [_activations.CODES[name] for name in module.activation_names]
        self.codes = np.array([_losses.CODES[net.loss.name], 0, *activations])
        self.settings = _losses.pack_settings(net.loss.settings)
        self.outputs = np.empty((len(self.X), self.sizes[-1]), dtype)
        work = np.empty(count_work(self.sizes, net.batch_size), dtype)
        self.spaces = work, np.empty((2, count_space(self.sizes, net.batch_size)))
        self.numbers = np.zeros(_updates.N_NUMBERS)
        self.counts = np.ones(2)
        self.first, self.second = self._share_state()
        largest = max(n * m for n, m in pairwise(self.sizes.tolist())) * net.batch_size
        self.blas = OneBLASThread(largest >= THREADED_PRODUCT)
        flops = FLOPS_OF_A_WEIGHT * len(self.flat.values) * net.batch_size
        self.chunk = max(1, int(CHUNK_FLOPS / flops))
        self.dropouts = list(module.dropouts)
        if self.dropouts:
            n_numbers = net.batch_size * int(self.sizes[1:-1].sum())
            self.chunk = max(1, min(self.chunk, MASK_NUMBERS // n_numbers))

    def _share_state(self) -> tuple[np.ndarray, np.ndarray]:
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
        empty = np.zeros(0, self.outputs.dtype)
        first, second, *_ = [*vectors, empty, empty]
        return first, second

    def _has_momentum(self) -> bool:
        return bool(self.group["momentum"]) or _sets_momentum(self.run)

    def close(self) -> None:
        """Give the module and the optimizer memory of their own again."""
        self.blas.close()
        self.flat.close()

    def run_epoch(self) -> float:
        """Train on the batches that are left of the epoch at hand; return the mean loss."""
        run, schedule = self.run, self.run.net.schedule
        order, n_batches = run.batches.begin(), run.n_batches
        by_step = schedule is not None and schedule.per_step
        chunk = 1 if by_step else self.chunk
        for first in range(run.epoch.n_steps, n_batches, chunk):
            last = min(first + chunk, n_batches)
            if by_step:
                schedule.before_step(self.flat.optimizer)
            self._run_chunk(order, first, last)
            if last < n_batches:
                run.pause_if_asked()
        return float(run.epoch.loss_sum) / len(run.samples)

    def _run_chunk(self, order: np.ndarray, first: int, last: int) -> None:
        """Do the steps from `first` up to `last`, and count them."""
        run, size = self.run, self.run.batches.batch_size
        self._read_numbers()
        masks = self._draw_masks(first, last, len(order))
        loss = run_steps(
            (self.X, self.Y, self.weight, order),
            first,
            last,
            size,
            (self.sizes, self.codes, self.flat.values.numpy()),
            (self.flat.gradient.numpy(), self.first, self.second, self.numbers),
            (self.settings,),
            self.counts,
            self.outputs,
            (*self.spaces, masks),
        )
        self._write_counts(last - first)
        start, stop = first * size, min(last * size, len(order))
        run.count_steps(loss, last - first, stop - start)
        if run.keeps_outputs:
            output = torch.from_numpy(self.outputs[start:stop].copy())
            run.keep_outputs(run.samples.take_targets(order[start:stop]), output)

    def _draw_masks(self, first: int, last: int, n_samples: int) -> np.ndarray:
        """Return the masks of dropout of some steps as `run_steps` takes them."""
        dtype = self.flat.values.dtype
        size, n_steps = self.run.batches.batch_size, last - first
        parts = []
        for layer, width in zip(self.dropouts, self.sizes[1:].tolist(), strict=False):
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
        numbers = self.numbers
        numbers[_updates.RATE] = group["lr"]
        numbers[_updates.ALPHA], numbers[_updates.L1_RATIO] = net.alpha, net.l1_ratio
        numbers[_updates.MAX_NORM] = net.max_grad_norm or 0.0
        if isinstance(optimizer, SGD):
            numbers[_updates.BETA_1] = group["momentum"]
            self.codes[SOLVER] = _choose_sgd(group)
            return
        self.codes[SOLVER] = _CODES[type(optimizer)]
        self.counts[_updates.N_STEPS] = self.shared["step"].item()
        numbers[_updates.EPSILON] = group.get("epsilon", group["eps"])
        if isinstance(optimizer, RMSprop):
            numbers[_updates.BETA_2] = group["alpha"]
            return
        numbers[_updates.BETA_1], numbers[_updates.BETA_2] = group["betas"]
        numbers[_updates.DECAY] = group.get("decay", 0.0)
        if isinstance(optimizer, NAdam):
            numbers[_updates.MOMENTUM_DECAY] = group["momentum_decay"]
            self.counts[_updates.MU_PRODUCT] = self.shared["mu_product"].item()

    def _write_counts(self, n_steps: int) -> None:
        """Let the optimizer know how many steps were done."""
        optimizer = self.flat.optimizer
        for _ in range(n_steps if isinstance(optimizer, Adam) else 0):
            optimizer.count_step()
        for name, place in (("step", _updates.N_STEPS), ("mu_product", _updates.MU_PRODUCT)):
            if name in self.shared:
                self.shared[name].fill_(float(self.counts[place]))


def _choose_sgd(group: dict) -> int:
    if not group["momentum"]:
        return _updates.SGD
    return _updates.NESTEROV if group["nesterov"] else _updates.MOMENTUM


def _widths(module: MLP) -> list[int]:
    return [layer.out_features for layer in module.linears]


def _sets_momentum(run: TrainingRun) -> bool:
    schedule = run.net.schedule
    return run.callbacks.sets_rates or (schedule is not None and schedule.sets_momentum)


def _explain_module(run: TrainingRun) -> str | None:
    """Return why the network, its loss or its precision is not compiled."""
    net = run.net
    module = net.module_
    if not HAS_NUMBA:
        return "numba is not installed (pip install 'sknn[fast]')"
    if type(module) is not MLP:
        return f"the network is a {type(module).__name__}, not a plain MLP"
    if not module.is_plain_but_for_dropout:
        return "the network has layers beside weights, biases, activations and dropout"
    unknown = sorted(set(module.activation_names) - set(_activations.CODES))
    if unknown:
        return f"activation={unknown[0]!r} is not compiled"
    loss = net.loss
    if not isinstance(loss, TableLoss) or not loss.is_named or loss.name not in _losses.CODES:
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


def _encode_targets(run: TrainingRun, n_outputs: int, dtype: np.dtype) -> np.ndarray:
    """Return targets of shape (n_samples, n_columns), class numbers one-hot, and smoothed."""
    y, loss = run.samples.y.numpy(), run.net.loss
    smoothing = loss.settings.get("label_smoothing", 0.0)
    if y.ndim == 1:
        Y = np.zeros((len(y), n_outputs), dtype)
        Y[np.arange(len(y)), y] = 1
        n_classes = n_outputs
    else:
        Y, n_classes = np.ascontiguousarray(y, dtype), 2
    if smoothing:
        Y = Y * dtype.type(1 - smoothing) + dtype.type(smoothing / n_classes)
    return Y

"""One network among many in training: what happens to it before, between and after epochs."""

from collections.abc import Hashable
from dataclasses import MISSING, fields
from typing import Any

import numpy as np
import torch
from scipy import sparse

from sknn._specs import TrainConfig, TrainPlan, TrainResult
from sknn.architectures import MLP
from sknn.engine._train import (
    _batch_size,
    _check_finite,
    _conclude,
    _forget_data,
    _set_callbacks,
    _start_net,
    _start_progress,
)
from sknn.engine.backprop._epochs import covers as covers_net
from sknn.engine.callbacks._epoch_end import StopTraining
from sknn.engine.data._batches import Rows, to_tensor
from sknn.engine.data._device import fits_on
from sknn.engine.losses._table import has_formulas
from sknn.engine.optimizers._optimizers import SGD, Adam
from sknn.engine.optimizers._schedules import start_schedule
from sknn.engine.stacked._batches import Order, Sample
from sknn.exceptions import warn_user

#: fields with a default that need not have it: the first three are followed, and weight_decay is
#: for AdamW
EXEMPT = frozenset({"rows", "validation", "stop_on_loss", "weight_decay"})
#: learning rates that change after epochs at most; `TrainConfig.warmup_epochs` is not exempt
STEADY = ("constant", "invscaling", "adaptive", "plateau")


def covers(plan: TrainPlan) -> bool:
    """Tell whether a plan can be trained together with others.

    Parameters
    ----------
    plan : TrainPlan
        Not yet begun.

    Returns
    -------
    bool
        True for a new plain MLP of dense rows with activations and a loss whose derivatives are
        written out, Adam or SGD, a learning rate of `STEADY`, and nothing that looks at epochs or
        prints.
    """
    config, target = plan.config, plan.target
    return (
        _options_are_default(plan)
        and _options_are_default(config)
        and not config.verbose
        and isinstance(config.solver, str)
        and config.solver in ("adam", "sgd")
        and isinstance(config.learning_rate, str)
        and config.learning_rate in STEADY
        and has_formulas(target)
        and not sparse.issparse(plan.X)
        and type(plan.module) is MLP
    )


def _options_are_default(spec: TrainPlan | TrainConfig) -> bool:
    """Tell whether the fields that need not be given are as they are by default.

    What comes to a specification later has a default, and is left to `train` until it is written
    out here too.
    """
    for item in fields(spec):
        has_factory = item.default_factory is not MISSING
        if item.name in EXEMPT or (item.default is MISSING and not has_factory):
            continue
        value = getattr(spec, item.name)
        usual = item.default_factory() if has_factory else item.default
        if value is not usual and (usual is None or value != usual):
            return False
    return True


class Shared:
    """Tensors that several networks use, each made once.

    Plans whose X is one and the same array share its tensor; so do their validation rows.
    """

    def __init__(self):
        self._entries: dict[Hashable, Any] = {}

    def tensor(self, array: np.ndarray, device: str) -> torch.Tensor:
        """Return the tensor of an array."""
        key = id(array), device
        if key not in self._entries:  # the array is kept, so that no other gets its id
            self._entries[key] = array, to_tensor(array, device)
        return self._entries[key][1]

    def sample(self, X: torch.Tensor, rows: np.ndarray, y: np.ndarray, weight: Any) -> Sample:
        """Return the sample of these rows, the same for equal arguments."""
        key = id(X), rows.tobytes(), y.tobytes(), None if weight is None else weight.tobytes()
        if key not in self._entries:
            device = str(X.device)
            tensor = None if weight is None else to_tensor(weight, device)
            self._entries[key] = Sample(X, rows, to_tensor(y, device), tensor)
        return self._entries[key]


class Member:
    """A network in training, its data, and how far it is.

    Parameters
    ----------
    plan : TrainPlan
        One that `covers` accepts.

    Attributes
    ----------
    net : Net
        Initialised.
    sample : Sample or None
        The training rows, once they are laid out.
    order_key : tuple or None
        Equal for networks that see the same rows in the same order, once they are laid out.
    order : Order or None
        That order, given when training begins.
    is_done : bool
        Whether no epoch is to follow.
    """

    def __init__(self, plan: TrainPlan):
        self.plan, config = plan, plan.config
        self.sample: Sample | None = None
        self.order_key: tuple | None = None
        self.order: Order | None = None
        self.is_done = False
        self.progress = _start_progress(plan, None)
        self.net, _ = _start_net(plan, None)
        self.net.batch_size = _batch_size(config, len(plan.y))
        self.net.schedule = start_schedule(config, self.n_batches, self.net.optimizer_)
        self.net.iterator_train__shuffle = config.shuffle

    @property
    def is_covered(self) -> bool:
        """Whether the net too is one that can be trained together with others."""
        net, plan = self.net, self.plan
        parts = [plan.X] if plan.validation is None else [plan.X, plan.validation.X]
        return (
            covers_net(net)
            and type(net.optimizer_) in (Adam, SGD)
            and not net.schedule.per_step
            and not any(map(sparse.issparse, parts))
            and fits_on(net.device, sum(X.nbytes for X in parts))
        )

    def lay_out(self, shared: Shared) -> None:
        """Bring the rows to the device, and get ready to look at epochs."""
        plan, device = self.plan, self.net.device
        rows = np.arange(len(plan.X)) if plan.rows is None else plan.rows
        X = shared.tensor(plan.X, device)
        self.sample = shared.sample(X, rows, plan.y, plan.sample_weight)
        self.order_key = id(self.sample), _fingerprint(self.state_of_order)
        held = plan.validation
        if held is not None:
            X = shared.tensor(held.X, device)
            self.net.validation_rows = Rows(X, held.y, held.sample_weight, device=device)
        _set_callbacks(self.net, plan, self.progress)
        self.epoch_end = self.net.callbacks_[-1][1]

    @property
    def state_of_order(self) -> np.random.RandomState | None:
        """What draws the order of the rows; None leaves them as they are."""
        return self.plan.random_state if self.plan.config.shuffle else None

    @property
    def n_outputs_kept(self) -> int:
        """Outputs that are kept after an epoch to score them, of training and validation rows."""
        plan = self.plan
        if plan.validation is None:
            return 0
        n_rows = len(plan.validation.y) + (0 if plan.config.stop_on_loss else len(plan.y))
        return n_rows * self.net.module_.layer_sizes[-1]

    @property
    def n_batches(self) -> int:
        """Batches in an epoch."""
        return -(-len(self.plan.y) // self.net.batch_size)

    def shape(self) -> tuple:
        """Return what members of one stack have in common."""
        net, size = self.net, self.net.batch_size
        if self.n_batches == 1:  # up to 15 rows more or less can be filled up
            size = -16 * (-size // 16)
        return (
            net.module_.layer_sizes,
            net.module_.activation_names,
            net.loss.key,
            type(net.optimizer_),
            net.dtype_,
            net.device,
            size,
            self.n_batches,
            self.plan.sample_weight is None,
        )

    def begin(self, order: Order) -> None:
        """Take an order of the rows and get ready for the first epoch."""
        self.order = order
        self.net.notify("on_train_begin", X=None, y=None)

    def begin_epoch(self) -> None:
        """Open an entry of the history."""
        self.net.notify("on_epoch_begin", dataset_train=None, dataset_valid=None)

    def end_epoch(self, loss: float) -> None:
        """Record an epoch, and find out whether it was the last."""
        self.net.history.record("train_loss", loss)
        self.net.history.record("train_batch_count", self.n_batches)
        try:
            self.net.notify("on_epoch_end", dataset_train=None, dataset_valid=None)
        except StopTraining:
            self.is_done = True
        self.is_done = self.is_done or self.progress.n_epochs >= self.plan.config.max_iter

    def interrupt(self) -> None:
        """Leave out the epoch that was cut short."""
        warn_user("Training interrupted by user.")
        self.progress.stopped_because = "interrupted"
        self.is_done = True
        del self.net.history[self.progress.n_epochs :]

    def conclude(self) -> TrainResult:
        """Give the network memory of its own, go back to the best weights, and check them.

        Returns
        -------
        TrainResult

        Raises
        ------
        NonFiniteLossError
            As `sknn.engine.train` does.
        """
        _own_memory(self.net)
        if self.plan.config.shuffle:
            self.plan.random_state.set_state(self.order.random_state.get_state())
        self.net.iterator_train__random_state = self.net.iterator_train__order = None
        self.net.notify("on_train_end", X=None, y=None)
        try:
            _conclude(self.net, self.plan, self.progress, self.epoch_end)
            _check_finite(self.net, self.plan, self.progress)
        finally:
            _forget_data(self.net)
        return TrainResult(self.net, self.progress)


def _fingerprint(random_state: np.random.RandomState | None) -> tuple | None:
    if random_state is None:
        return None
    name, keys, *rest = random_state.get_state()
    return name, keys.tobytes(), *rest


def _own_memory(net: Any) -> None:
    """Copy parameters and the optimizer's state out of the stack."""
    for p in net.module_.parameters():
        p.data = p.data.clone(memory_format=torch.contiguous_format)
        state = net.optimizer_.state.get(p, {})
        for name, value in state.items():
            if isinstance(value, torch.Tensor):
                state[name] = value.clone(memory_format=torch.contiguous_format)

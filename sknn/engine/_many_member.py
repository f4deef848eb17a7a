"""One network among many in training: what happens to it before, between and after epochs."""

import warnings
from collections.abc import Hashable
from dataclasses import MISSING, fields
from typing import Any

import numpy as np
import torch
from scipy import sparse

from sknn._specs import TrainConfig, TrainPlan, TrainResult
from sknn.architectures import MLP
from sknn.engine._callbacks import EpochEnd, StopTraining, ValidationScore
from sknn.engine._closed_form import covers as covers_net
from sknn.engine._data import Rows, split_rows, to_tensor
from sknn.engine._many_orders import Order, Sample
from sknn.engine._many_pass import LINKS
from sknn.engine._mlp_pass import IN_PLACE
from sknn.engine._optimizers import SGD, Adam
from sknn.engine._train import (
    _batch_size,
    _check_finite,
    _conclude,
    _start_net,
    _start_progress,
)

#: fields with a default that need not have it: the rows are followed, and weight_decay is for AdamW
EXEMPT = frozenset({"rows", "weight_decay"})
MODULE_PARTS, MODULE_ATTRIBUTES = {"linears", "hidden_activation"}, {"layer_sizes", "activation"}


def covers(plan: TrainPlan) -> bool:
    """Tell whether a plan can be trained together with others.

    Parameters
    ----------
    plan : TrainPlan
        Not yet begun.

    Returns
    -------
    bool
        True for a new plain MLP of dense rows with an activation and a loss whose derivatives
        are written out, Adam or SGD, and nothing that looks at single batches or prints.
    """
    config = plan.config
    return (
        _options_are_default(plan)
        and _options_are_default(config)
        and not config.verbose
        and isinstance(config.solver, str)
        and config.solver in ("adam", "sgd")
        and isinstance(config.learning_rate, str)
        and isinstance(plan.target.loss, str)
        and plan.target.loss in LINKS
        and not sparse.issparse(plan.X)
        and _is_plain(plan.module)
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


def _is_plain(module: Any) -> bool:
    """Tell whether a module is an MLP of linear layers and one activation, and nothing else."""
    if type(module) is not MLP or module.activation not in IN_PLACE:
        return False
    children = {name for name, child in module.named_children() if child is not None}
    extra = {n: v for n, v in vars(module).items() if not n.startswith("_") and n != "training"}
    return children <= MODULE_PARTS and not any(
        value for name, value in extra.items() if name not in MODULE_ATTRIBUTES
    )


class Shared:
    """Tensors that several networks use, each made once.

    Plans whose X is one and the same array share its tensor, and equal validation rows of it.
    """

    def __init__(self):
        self._entries: dict[Hashable, Any] = {}

    def tensor(self, array: np.ndarray, device: str) -> torch.Tensor:
        """Return the tensor of an array."""
        key = id(array), device
        if key not in self._entries:  # the array is kept, so that no other gets its id
            self._entries[key] = array, to_tensor(array, device)
        return self._entries[key][1]

    def rows(self, X: torch.Tensor, rows: np.ndarray) -> torch.Tensor:
        """Return some rows of a tensor."""
        key = id(X), rows.tobytes()
        if key not in self._entries:
            self._entries[key] = X, X[torch.from_numpy(rows).to(X.device)]
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
        One that `covers` accepts; its random state is advanced by the validation split.
    shared : Shared
        Common to all plans.

    Attributes
    ----------
    net : Net
        Initialised.
    sample : Sample
        The training rows.
    order : Order or None
        Their order, given when training begins.
    is_done : bool
        Whether no epoch is to follow.
    """

    def __init__(self, plan: TrainPlan, shared: Shared):
        self.plan, config = plan, plan.config
        self.order: Order | None = None
        self.is_done = False
        self.progress = _start_progress(plan)
        self.net, _ = _start_net(plan)
        X = shared.tensor(plan.X, self.net.device)
        rows = np.arange(len(plan.X)) if plan.rows is None else plan.rows
        training, callbacks = slice(None), []
        if config.early_stopping:
            training, validation = split_rows(plan)
            callbacks.append(self._validation_score(shared.rows(X, rows[validation]), validation))
        weight = None if plan.sample_weight is None else plan.sample_weight[training]
        self.sample = shared.sample(X, rows[training], plan.y[training], weight)
        self.epoch_end = EpochEnd(config, self.progress, len(self.sample.rows))
        vars(self.net).update(
            batch_size=_batch_size(config.batch_size, len(self.sample.rows)),
            iterator_train__shuffle=config.shuffle,
            iterator_train__random_state=plan.random_state,
            callbacks=[*callbacks, self.epoch_end],
        )
        self.net.initialize_callbacks()

    def _validation_score(self, X: torch.Tensor, validation: np.ndarray) -> ValidationScore:
        plan = self.plan
        weight = None if plan.sample_weight is None else plan.sample_weight[validation]
        y = plan.y[validation]
        return ValidationScore(Rows(X, y, device=self.net.device), y, weight, score=plan.score)

    @property
    def is_covered(self) -> bool:
        """Whether the net too is one that can be trained together with others."""
        return covers_net(self.net) and type(self.net.optimizer_) in (Adam, SGD)

    @property
    def n_batches(self) -> int:
        """Batches in an epoch."""
        return -(-len(self.sample.rows) // self.net.batch_size)

    def shape(self) -> tuple:
        """Return what members of one stack have in common."""
        net, size = self.net, self.net.batch_size
        if self.n_batches == 1:  # up to 15 rows more or less can be filled up
            size = -16 * (-size // 16)
        return (
            net.module_.layer_sizes,
            net.module_.activation,
            net.loss,
            type(net.optimizer_),
            net.dtype_,
            net.device,
            size,
            self.n_batches,
            self.sample.weight is None,
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
        warnings.warn("Training interrupted by user.", stacklevel=2)
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
        self.net.notify("on_train_end", X=None, y=None)
        self.net.callbacks = None
        self.net.initialize_callbacks()
        _conclude(self.net, self.plan, self.progress, self.epoch_end)
        _check_finite(self.net, self.plan, self.progress)
        return TrainResult(self.net, self.progress)


def _own_memory(net: Any) -> None:
    """Copy parameters and the optimizer's state out of the stack."""
    for p in net.module_.parameters():
        p.data = p.data.clone(memory_format=torch.contiguous_format)
        state = net.optimizer_.state.get(p, {})
        for name, value in state.items():
            if isinstance(value, torch.Tensor):
                state[name] = value.clone(memory_format=torch.contiguous_format)

"""The skorch net that every deep estimator holds."""

import copy
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from os import PathLike
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochTimer

from sknn._files import replace_file
from sknn._saved import saved
from sknn.engine.backprop._epochs import ClosedForm
from sknn.engine.callbacks._epoch_end import StopTraining
from sknn.engine.callbacks._weight_average import WeightAverage
from sknn.engine.data._batches import Batches, Rows, target_and_weight
from sknn.engine.data._device import precision_of, threads_for
from sknn.engine.losses._loss import Loss
from sknn.engine.losses._table import MeanLoss, as_loss
from sknn.engine.net._state import net_state, set_net_state
from sknn.engine.optimizers._optimizers import split_decay
from sknn.engine.optimizers._schedules import Schedule

BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_grad_computed")


@saved
class Net(NeuralNet):
    """A skorch net that takes sample weights and skips bookkeeping that nobody reads.

    It replaces skorch's ``DataLoader`` by `sknn.engine.data._batches.Batches`, records an epoch
    instead of every batch unless a callback looks at batches, and adds penalties, the clipping of
    gradients, and learning rates that change from step to step.

    Parameters
    ----------
    module : torch.nn.Module
        With its weights; moved to `device`.
    loss : str, Loss or callable
        See `sknn.engine.losses._table.as_loss`.
    alpha : float, default=0.0
        Penalty: ``alpha * ((1 - l1_ratio) / 2 * sum of squared weights + l1_ratio * sum of
        absolute weights) / sum of sample weights of the batch``.
    l1_ratio : float, default=0.0
        Share of the L1 penalty, in [0, 1].
    max_grad_norm : float, default=None
        Longest gradient, over all parameters together, that a step may follow; a longer one is
        shortened to it [1]_.
    **kwargs
        See ``skorch.NeuralNet``.

    References
    ----------
    .. [1] R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural
       networks", ICML 2013, arXiv:1211.5063.
    """

    #: trains the epochs in place of autograd while `train` runs, where it can
    closed_form: ClosedForm | None = None
    #: trains the epochs by replays of captured steps while `train` runs, where it can
    replayed: Any = None
    #: targets and raw outputs of an epoch, batch by batch, while somebody wants them
    outputs_of_epoch: list | None = None
    #: raw output and loss of the validation rows after an epoch, where they are known already
    validated: tuple[np.ndarray, float] | None = None
    #: set by a callback that wants no further epoch
    stop_asked: bool = False
    #: of `time.perf_counter`, when an epoch that runs step by step ends after the step at hand
    deadline: float | None = None
    #: beside the training rows, for callbacks
    validation_rows: Rows | None = None
    #: of the epoch that runs, or ran last
    batches: Batches | None = None

    #: sets the learning rate of each step, where it is not constant
    schedule: Schedule | None = None
    #: see `precision_of`
    precision: str = "full"
    #: follows the weights while `train` runs, where it is to
    average: WeightAverage | None = None
    #: what `torch.compile` made of the module, while `train` runs
    compiled: Any = None

    def __init__(
        self,
        module: Any,
        *,
        loss: str | Loss | Callable,
        alpha: float = 0.0,
        l1_ratio: float = 0.0,
        max_grad_norm: float | None = None,
        **kwargs: Any,
    ):
        loss = as_loss(loss)
        defaults = {
            "criterion": MeanLoss,
            "criterion__loss": loss,
            "dataset": Rows,
            "iterator_train": Batches,
            "iterator_valid": Batches,
            "train_split": None,
            "predict_nonlinearity": loss.link,
            "verbose": 0,
        }
        super().__init__(module, **{**defaults, **kwargs})
        self.loss = loss
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.max_grad_norm = max_grad_norm

    @property
    def _default_callbacks(self):
        return [("epoch_timer", EpochTimer())]

    def get_dataset(self, X, y=None):
        """Return `Rows` on the device, in the dtype of the module."""
        if isinstance(X, torch.utils.data.Dataset):
            return X
        return Rows(X, y, device=self.device, dtype=self.dtype_)

    def initialize_module(self):
        """Initialise the module, and note its dtype and how wide and how large it is."""
        super().initialize_module()
        parameters = _computing_parameters(self.module_)
        self.dtype_ = parameters[0].dtype
        widest = max(max(p.shape, default=1) for p in parameters)
        self.n_parameters_ = sum(p.numel() for p in parameters)
        matrices = [p for p in parameters if p.ndim > 1]
        n_units = sum(p.shape[0] for p in matrices) + sum(p.shape[1] for p in matrices[:1])
        # Where weights are used at many places, as in convolutions, only the module can tell.
        self.widest_ = getattr(self.module_, "row_numbers", widest)
        self.row_products_ = getattr(self.module_, "row_products", self.n_parameters_)
        self.weights_per_unit_ = self.n_parameters_ / max(n_units, 1)
        return self

    def threads_for(self, flops_of_a_weight: int, n_rows: int) -> AbstractContextManager:
        """Return a context that computes with as many threads as pay for this module.

        Parameters
        ----------
        flops_of_a_weight : int
            Floating-point operations that a row costs each weight.
        n_rows : int
            Rows that go through the module in one step.

        Returns
        -------
        context manager
        """
        flops = flops_of_a_weight * self.row_products_ * n_rows
        return threads_for(flops, self.weights_per_unit_)

    def chunk_rows(self, numbers: int) -> int:
        """Return how many rows may go through the module at once.

        Parameters
        ----------
        numbers : int
            That the widest layer may then hold.

        Returns
        -------
        int
        """
        return max(1, numbers // self.widest_)

    def penalized_parameters(self) -> list[torch.nn.Parameter]:
        """Return what the penalty acts on: the module's choice, else all but vectors."""
        if hasattr(self.module_, "penalized"):
            return self.module_.penalized()
        return [p for p in self.module_.parameters() if p.ndim > 1]

    def fixed_penalty(self) -> torch.Tensor | float:
        """Return the penalty that the module itself asks for, whatever `alpha` is."""
        fixed = getattr(self.module_, "fixed_penalty", None)
        return 0.0 if fixed is None else fixed()

    def penalty(self, total_weight: torch.Tensor | float) -> torch.Tensor | float:
        """Return the penalty of a batch whose sample weights sum to `total_weight`."""
        penalty = self.fixed_penalty()
        if not self.alpha:
            return penalty
        parameters, l2 = self.penalized_parameters(), self.alpha * (1 - self.l1_ratio)
        penalty = penalty + 0.5 * l2 / total_weight * sum(p.square().sum() for p in parameters)
        if not self.l1_ratio:
            return penalty
        l1 = self.alpha * self.l1_ratio
        return penalty + l1 / total_weight * sum(p.abs().sum() for p in parameters)

    def get_params_for_optimizer(self, prefix, named_parameters):
        """Return skorch's arguments, with the parameters that decay in a group of their own."""
        args, kwargs = super().get_params_for_optimizer(prefix, named_parameters)
        if "decay" in kwargs:
            decay = kwargs.pop("decay")
            args = (split_decay(args[0], decay, self.penalized_parameters()),)
        return args, kwargs

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Return the weighted mean loss, and in training the penalty."""
        target, weight = target_and_weight(y_true)
        loss = self.criterion_(y_pred, target, weight)
        if training:
            loss = loss + self.penalty(len(target) if weight is None else weight.sum())
        return loss

    def infer(self, x, **fit_params):
        """Return the raw output, in the dtype of the weights."""
        module = self.module_ if self.compiled is None else self.compiled
        if self.precision != "bfloat16":
            return module(x, **fit_params)
        with precision_of(self):  # the loss is to be computed outside
            output = module(x, **fit_params)
        return output.to(self.dtype_)

    @torch.no_grad()
    def loss_of(self, output: np.ndarray, rows: Rows) -> float:
        """Return the weighted mean loss of raw outputs, without the penalty."""
        tensor = torch.from_numpy(output).to(rows.y.device)
        return float(self.criterion_(tensor, rows.y, rows.sample_weight))

    def notify(self, method_name, **cb_kwargs):
        """Tell all callbacks; one that stops training by KeyboardInterrupt, as skorch's do, may.

        That is no interruption: the callbacks after it still see the epoch.
        """
        if method_name != "on_epoch_end":
            super().notify(method_name, **cb_kwargs)
            return
        for _, callback in self.callbacks_:
            try:
                callback.on_epoch_end(self, **cb_kwargs)
            except KeyboardInterrupt:
                if type(callback).__module__.partition(".")[0] == "sknn":
                    raise  # somebody pressed Ctrl-C
                self.stop_asked = True

    def get_split_datasets(self, X, y=None, **fit_params):
        """Return training rows, and the validation rows that callbacks may see."""
        if self.validation_rows is None:
            return super().get_split_datasets(X, y, **fit_params)
        return self.get_dataset(X, y), self.validation_rows

    def train_step(self, batch, **fit_params):
        """Do one step of the optimizer, without skorch's closure for line searches."""
        if self.schedule is not None and self.schedule.per_step:
            self.schedule.before_step(self.optimizer_)
        parameters = [p for group in self.optimizer_.param_groups for p in group["params"]]
        for p in parameters:  # as zero_grad, which would load torch's compiler
            p.grad = None
        step = self.train_step_single(batch, **fit_params)
        if self._watches("on_grad_computed"):
            named = list(self.get_all_learnable_params())
            self.notify("on_grad_computed", named_parameters=named, batch=batch, training=True)
        if self.max_grad_norm is not None:
            torch.nn.utils.clip_grad_norm_(parameters, self.max_grad_norm)
        self.optimizer_.step()
        if self.average is not None:
            self.average.after_step()
        return step

    def is_late(self) -> bool:
        """Tell whether the time for training is over."""
        return self.deadline is not None and time.perf_counter() > self.deadline

    def watches_batches(self) -> bool:
        """Tell whether a callback wants to see single batches."""
        return self._watches(*BATCH_HOOKS)

    def _watches(self, *hooks: str) -> bool:
        return any(
            getattr(type(callback), hook) is not getattr(Callback, hook)
            for _, callback in self.callbacks_
            for hook in hooks
        )

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Go once over the batches and record the mean loss of a row.

        The loss stays on the device until the end of the epoch.
        """
        if iterator is None or iterator.dataset is self.validation_rows:  # see `Validation`
            return
        self.batches = iterator if training else self.batches
        whole = self.replayed or self.closed_form
        if training and whole is not None:
            loss = whole.run_epoch(iterator, self.outputs_of_epoch)
            self.history.record(f"{prefix}_loss", loss)
            self.history.record(f"{prefix}_batch_count", len(iterator))
            return
        watched = self.watches_batches()
        total, n_rows, n_batches = 0.0, 0, 0
        for batch in iterator:
            if watched:
                self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch, **fit_params)
            size = len(batch[0])
            if self.outputs_of_epoch is not None:
                self.outputs_of_epoch.append((batch[1], step["y_pred"]))
            total = total + step["loss"].detach() * size
            n_rows, n_batches = n_rows + size, n_batches + 1
            if watched:
                self.history.record_batch(f"{prefix}_loss", step["loss"].item())
                self.history.record_batch(f"{prefix}_batch_size", size)
                self.notify("on_batch_end", batch=batch, training=training, **step)
            if self.is_late():
                break
        self.history.record(f"{prefix}_loss", float(total) / n_rows)
        self.history.record(f"{prefix}_batch_count", n_batches)

    def fit_loop(self, X, y=None, epochs=None, **kwargs):
        """Run epochs until there have been `epochs`, or a callback raises `StopTraining`."""
        try:
            return super().fit_loop(X, y, epochs, **kwargs)
        except StopTraining:
            return self

    def save_params(self, f_params=None, f_optimizer=None, f_criterion=None, **targets):
        """Save weights, optimizer or history as skorch does; files are complete or not replaced."""
        targets |= {"f_params": f_params, "f_optimizer": f_optimizer, "f_criterion": f_criterion}
        with ExitStack() as files:
            for name, target in targets.items():
                if isinstance(target, str | PathLike):
                    targets[name] = str(files.enter_context(replace_file(target)))
            super().save_params(**targets)

    def __getstate__(self) -> dict[str, Any]:
        """Return what pickles, copies and skops keep: arrays, numbers, text and classes."""
        return net_state(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Become the net of a file, on the CPU where its device is not here."""
        set_net_state(self, state)


def snapshot(net: Net) -> Net:
    """Return a net that predicts as the given one does now, whatever becomes of that one.

    Parameters
    ----------
    net : Net
        In training, perhaps.

    Returns
    -------
    Net
        With a module of its own; its optimizer is that of `net`.
    """
    new = Net.__new__(Net)  # a copy by copy.copy would copy the optimizer's state
    vars(new).update(vars(net))
    new.module = new.module_ = copy.deepcopy(net.module_)
    new.history = copy.copy(net.history)
    new.callbacks, new.callbacks_, new.closed_form, new.compiled = None, [], None, None
    new.validation_rows = new.outputs_of_epoch = new.validated = None
    new.batches = new.replayed = new.average = None
    return new


def _computing_parameters(module: torch.nn.Module) -> list[torch.nn.Parameter]:
    """Return the parameters that every row is multiplied with.

    Of an embedding's table a row takes a line: its length says nothing about work or memory.
    """
    parameters = list(module.parameters())
    tables = {id(m.weight) for m in module.modules() if isinstance(m, torch.nn.Embedding)}
    return [p for p in parameters if id(p) not in tables] or parameters

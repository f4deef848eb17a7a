"""The skorch net that every deep estimator holds."""

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from itertools import repeat
from operator import methodcaller
from os import PathLike
from typing import Any, Protocol, cast

import numpy as np
import torch
from sklearn.utils import ClassifierTags
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochTimer
from skorch.utils import to_numpy

from sknn._files import replace_file
from sknn._saved import saved
from sknn._specs import TargetCodec
from sknn.architectures import list_modules, list_parameters
from sknn.engine.data._batches import Batches, SampleDataset, split_target
from sknn.engine.data._device import limit_threads, use_precision
from sknn.engine.losses._loss import Loss
from sknn.engine.losses._table import MeanLoss, make_loss
from sknn.engine.net._state import get_net_state, set_net_state
from sknn.engine.optimizers._optimizers import Muon, split_groups
from sknn.engine.optimizers._schedules import Schedule

#: layers of torch whose weights are matrices, or filters; embeddings are tables
WITH_MATRICES = (
    torch.nn.Linear,
    torch.nn.Conv1d,
    torch.nn.Conv2d,
    torch.nn.Conv3d,
)

#: what skorch registers when it becomes an attribute of a net
REGISTERED = (torch.nn.Module, torch.optim.Optimizer)
#: returns whether the name of an argument is for a callback
is_of_callbacks = methodcaller("startswith", "callbacks__")
#: returns whether skorch need not look for slips in the name of an argument
needs_no_check = methodcaller("startswith", ("criterion__", "optimizer__"))


class HasClasses(Protocol):
    """A codec of class labels."""

    classes_: np.ndarray


@saved
class Net(NeuralNet):
    """A skorch net that takes sample weights and penalties.

    It replaces skorch's ``DataLoader`` by `sknn.engine.data._batches.Batches`, and adds sample
    weights, penalties and the clipping of gradients. What lives only while a network trains is in
    `sknn.engine._run.TrainingRun`.

    Parameters
    ----------
    module : torch.nn.Module
        Module with its weights, which is moved to `device`.
    loss : str, Loss or callable
        Loss, see `sknn.engine.losses._table.make_loss`.
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

    #: gives predictions in the user's words while a network trains, for callbacks that score
    codec: TargetCodec | None = None

    #: sets the learning rate of each step, where it is not constant
    schedule: Schedule | None = None
    #: see `use_precision`
    precision: str = "full"

    def __init__(
        self,
        module: torch.nn.Module | type[torch.nn.Module],
        *,
        loss: str | Loss | Callable,
        alpha: float = 0.0,
        l1_ratio: float = 0.0,
        max_grad_norm: float | None = None,
        **kwargs: Any,
    ):
        loss = make_loss(loss)
        defaults = {
            "criterion": MeanLoss,
            "criterion__loss": loss,
            "dataset": SampleDataset,
            "iterator_train": Batches,
            "iterator_valid": Batches,
            "train_split": None,
            "predict_nonlinearity": loss.inverse_link,
            "verbose": 0,
        }
        super().__init__(module, **{**defaults, **kwargs})
        self.loss = loss
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.max_grad_norm = max_grad_norm

    def __setattr__(self, name, attr):
        """Set an attribute; skorch registers modules and optimizers, and looks at nothing else."""
        if isinstance(attr, REGISTERED):
            super().__setattr__(name, attr)
        else:
            object.__setattr__(self, name, attr)

    # Of hundreds of short epochs nobody may ever look at the entries, each a dictionary and a list.

    @property
    def history_(self):
        """History of skorch; epochs of `note_epochs` are written when it is looked at."""
        while self.unwritten_:
            losses, n_batches, seconds = self.unwritten_[0]
            same = {"train_batch_count": n_batches, "dur": seconds}
            first = len(self.rows_) + 1
            rows = [
                {"batches": [], "epoch": number, "train_loss": loss, **same}
                for number, loss in enumerate(losses, first)
            ]
            # All at once: Ctrl-C while they are made leaves them unwritten.
            self.rows_.extend(rows)
            del self.unwritten_[0]
        return self.rows_

    @history_.setter
    def history_(self, rows):
        self.rows_, self.unwritten_ = rows, []

    def note_epochs(self, losses: list[float], n_batches: int, seconds: float) -> None:
        """Note epochs of so many batches, which took `seconds` each, for the history."""
        self.unwritten_.append((losses, n_batches, seconds))

    @property
    def _default_callbacks(self):
        return [("epoch_timer", EpochTimer())]

    def initialize_callbacks(self):
        """Initialise the user's callbacks, if there are any, and skorch's own."""
        if self.callbacks or any(map(is_of_callbacks, self._params_to_validate)):
            return super().initialize_callbacks()
        self.callbacks_ = self._default_callbacks  # which have nothing to initialise
        return self

    def initialize(self):
        """Initialise all parts; those of a new net on the CPU need not be moved nor compared."""
        is_new = not self.initialized_ and isinstance(self.module, torch.nn.Module)
        if not is_new or self.compile or str(self.device) != "cpu" or not _is_on_cpu(self.module):
            return super().initialize()
        self.check_training_readiness()
        self.initialize_virtual_params()
        self._initialize_callbacks()
        try:
            self.init_context_ = "module"
            self.initialize_module()
            self.init_context_ = "criterion"
            self.initialize_criterion()
            self._initialize_optimizer()
        finally:
            self.init_context_ = None
        self.initialize_history()
        if not all(map(needs_no_check, self._params_to_validate)):
            self._validate_params()
        self.initialized_ = True
        return self

    def get_dataset(self, X, y=None):
        """Return `SampleDataset` on the device, in the dtype of the module."""
        if isinstance(X, torch.utils.data.Dataset):
            return X
        return SampleDataset(X, y, device=self.device, dtype=self.dtype_)

    def initialize_module(self):
        """Initialise the module, and note its dtype and how wide and how large it is."""
        super().initialize_module()
        parameters = _find_computing_parameters(self.module_)
        self.dtype_ = parameters[0].dtype
        self.n_parameters_ = n_units = 0
        widest = 1
        for parameter in parameters:
            shape = parameter.shape
            self.n_parameters_ += parameter.numel()
            widest = max((widest, *shape))
            if len(shape) > 1:  # the inputs of the first matrix are units, too
                n_units += shape[0] + (0 if n_units else shape[1])
        # Where weights are used at many places, as in convolutions, only the module can tell.
        self.widest_ = getattr(self.module_, "values_per_sample", widest)
        self.row_products_ = getattr(self.module_, "products_per_sample", self.n_parameters_)
        self.weights_per_unit_ = self.n_parameters_ / max(n_units, 1)
        return self

    def limit_threads(self, flops_of_a_weight: int, n_samples: int) -> AbstractContextManager:
        """Return a context that computes with as many threads as pay for this module."""
        flops = flops_of_a_weight * self.row_products_ * n_samples
        return limit_threads(flops, self.weights_per_unit_)

    def count_chunk_samples(self, numbers: int) -> int:
        """Return how many samples at once let the widest layer hold so many numbers."""
        return max(1, numbers // self.widest_)

    def get_penalized_parameters(self) -> list[torch.nn.Parameter]:
        """Return what the penalty acts on: the module's choice, else all but vectors."""
        if hasattr(self.module_, "get_penalized"):
            return self.module_.get_penalized()
        return [p for p in list_parameters(self.module_) if p.ndim > 1]

    def get_hidden_matrices(self) -> list[torch.nn.Parameter]:
        """Return the weights of hidden layers: the module's choice, else all before the last."""
        if hasattr(self.module_, "get_hidden_matrices"):
            return self.module_.get_hidden_matrices()
        layers = [m for m in self.module_.modules() if isinstance(m, WITH_MATRICES)]
        return [m.weight for m in layers[:-1] if isinstance(m.weight, torch.nn.Parameter)]

    def compute_fixed_penalty(self) -> torch.Tensor | float:
        """Return the penalty that the module itself asks for, whatever `alpha` is."""
        fixed = getattr(self.module_, "compute_fixed_penalty", None)
        return 0.0 if fixed is None else fixed()

    def compute_penalty(self, total_weight: torch.Tensor | float) -> torch.Tensor | float:
        """Return the penalty of a batch whose sample weights sum to `total_weight`."""
        penalty = self.compute_fixed_penalty()
        if not self.alpha:
            return penalty
        parameters, l2 = self.get_penalized_parameters(), self.alpha * (1 - self.l1_ratio)
        penalty = penalty + 0.5 * l2 / total_weight * sum(p.square().sum() for p in parameters)
        if not self.l1_ratio:
            return penalty
        l1 = self.alpha * self.l1_ratio
        return penalty + l1 / total_weight * sum(p.abs().sum() for p in parameters)

    def initialize_optimizer(self, triggered_directly=None):
        """Initialise the optimizer; parameters are named only where groups go by their names."""
        if "optimizer__param_groups" in vars(self) or type(self.criterion_) is not MeanLoss:
            return super().initialize_optimizer(triggered_directly)
        unnamed = zip(repeat(""), list_parameters(self.module_), strict=False)
        groups, arguments = self.get_params_for_optimizer("optimizer", unnamed)
        self.optimizer_ = self.optimizer(*groups, **arguments)
        return self

    def get_params_for_optimizer(self, prefix, named_parameters):
        """Return skorch's arguments, with groups for what decays and what is orthogonalized."""
        args, kwargs = super().get_params_for_optimizer(prefix, named_parameters)
        groups = args[0]
        if "decay" in kwargs:
            settings = {"decay": kwargs.pop("decay")}
            groups = split_groups(groups, self.get_penalized_parameters(), settings)
        if self.optimizer is Muon:
            settings = {"n_leading": getattr(self.module_, "n_stacked_axes", 0)}
            groups = split_groups(groups, self.get_hidden_matrices(), settings)
        return (groups,), kwargs

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Return the weighted mean loss, and in training the penalty."""
        target, weight = split_target(y_true)
        loss = self.criterion_(y_pred, target, weight)
        if training:
            loss = loss + self.compute_penalty(len(target) if weight is None else weight.sum())
        return loss

    def infer(self, x, compiled=None, **fit_params):
        """Return raw predictions in the dtype of the weights, by a compiled module if given."""
        module = self.module_ if compiled is None else compiled
        if self.precision != "bfloat16":
            return module(x, **fit_params)
        with use_precision(self):  # the loss is to be computed outside
            output = module(x, **fit_params)
        return output.to(self.dtype_)

    @torch.no_grad()
    def measure_loss(self, output: np.ndarray, samples: SampleDataset) -> float:
        """Return the weighted mean loss of raw predictions, without the penalty."""
        y = cast("torch.Tensor", samples.y)
        tensor = torch.from_numpy(output).to(y.device)
        return float(self.criterion_(tensor, y, samples.sample_weight))

    def measure_losses(self, output: np.ndarray, samples: SampleDataset) -> np.ndarray:
        """Return the loss of each sample, (n_samples,), without weights and penalty."""
        y = cast("torch.Tensor", samples.y)
        losses = self.criterion_.loss.per_sample(torch.from_numpy(output).to(y.device), y)
        return losses.detach().cpu().numpy()

    def predict(self, X):
        """Return the user's labels or numbers while a network trains, else raw predictions."""
        if self.codec is None:
            return super().predict(X)
        return self.codec.decode(to_numpy(self.forward(X)))

    def predict_proba(self, X):
        """Return probabilities; while a network trains, of both classes of two."""
        proba = super().predict_proba(X)
        is_binary = self.codec is not None and self.codec.spec_.kind == "binary"
        return np.hstack([1 - proba, proba]) if is_binary else proba

    @property
    def classes_(self) -> np.ndarray:
        """Labels of the classes, while a classifier trains, for scikit-learn's scorers."""
        return cast("HasClasses", self.codec).classes_  # AttributeError where there are none

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if hasattr(self, "classes_"):
            tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()
        return tags

    def train_step(self, batch, **fit_params):
        """Do one step of the optimizer, without skorch's closure for line searches."""
        for p in self._list_trained():  # as zero_grad, which would load torch's compiler
            p.grad = None
        step = self.train_step_single(batch, **fit_params)
        self.follow_gradient(batch)
        return step

    def _list_trained(self) -> list[torch.nn.Parameter]:
        return [p for group in self.optimizer_.param_groups for p in group["params"]]

    def follow_gradient(self, batch):
        """Do one step of the optimizer with the gradient that the parameters have."""
        if any(
            type(callback).on_grad_computed is not Callback.on_grad_computed
            for _, callback in self.callbacks_
        ):
            named = list(self.get_all_learnable_params())
            self.notify("on_grad_computed", named_parameters=named, batch=batch, training=True)
        if self.max_grad_norm is not None:
            torch.nn.utils.clip_grad_norm_(self._list_trained(), self.max_grad_norm)
        self.optimizer_.step()

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Go once over the batches, and record the mean loss of a sample beside skorch's entries.

        This is for those who train the net by itself; estimators train it by a `TrainingRun`.
        """
        if iterator is None:
            return
        super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)
        names = [f"{prefix}_loss", f"{prefix}_batch_size"]
        # The last batch may be shorter: skorch's mean over batches would count its samples more.
        losses, sizes = zip(*self.history[-1, "batches", :, names], strict=True)
        self.history.record(names[0], float(np.average(losses, weights=sizes)))

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
        return get_net_state(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Become the net of a file, on the CPU where its device is not here."""
        set_net_state(self, state)


def snapshot(net: Net) -> Net:
    """Return a net that predicts as the given one does now, whatever becomes of that one.

    It has a module of its own; its optimizer is that of `net`.
    """
    new = Net.__new__(Net)  # a copy by copy.copy would copy the optimizer's state
    new.__dict__.update(vars(net))
    new.module = new.module_ = copy.deepcopy(net.module_)
    new.history = copy.copy(net.history)
    new.callbacks, new.callbacks_, new.codec = None, [], None
    return new


def _is_on_cpu(module: torch.nn.Module) -> bool:
    """Return whether all parameters and buffers are on the CPU."""
    for part in list_modules(module):
        for tensor in (*part._parameters.values(), *part._buffers.values()):
            if tensor is not None and tensor.device.type != "cpu":
                return False
    return True


def _find_computing_parameters(module: torch.nn.Module) -> list[torch.nn.Parameter]:
    """Return the parameters that every sample is multiplied with; of a table it takes a line."""
    parameters, tables = list_parameters(module), set()
    for part in list_modules(module):
        if isinstance(part, torch.nn.Embedding):
            tables.add(id(part.weight))
    return [p for p in parameters if id(p) not in tables] or parameters

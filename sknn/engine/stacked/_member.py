"""One network among many in training: the work before, between and after its epochs."""

from collections.abc import Hashable
from typing import Any, cast

import numpy as np
import torch
from scipy import sparse

from sknn._specs import TrainPlan, TrainResult
from sknn.architectures import MLP
from sknn.engine._run import TrainingRun
from sknn.engine._start import find_changed_option
from sknn.engine.backprop._mlp import supports_module
from sknn.engine.checkpoints._recorder import Recorder
from sknn.engine.data._batches import SampleDataset, make_tensor
from sknn.engine.data._device import has_room_for
from sknn.engine.losses._loss import TableLoss
from sknn.engine.losses._table import has_formulas
from sknn.engine.net._finite import check_finite
from sknn.engine.net._net import Net
from sknn.engine.optimizers._flat_parameters import supports_optimizer
from sknn.engine.optimizers._optimizers import SGD, Adam
from sknn.engine.optimizers._schedules import Schedule
from sknn.engine.stacked._batches import Order, SampleSubset

#: fields with a default that need not have it: the first five are followed, weight_decay is for
#: AdamW, and the codec for callbacks
EXEMPT = frozenset({"numbers", "validation", "stop_on_loss", "score_name", "checkpoint"})
EXEMPT |= {"weight_decay", "codec"}
#: schedules that change the rate after epochs at most; `TrainConfig.warmup_epochs` is not exempt
BETWEEN_EPOCHS = ("constant", "invscaling", "adaptive", "plateau")


def supports_plan(plan: TrainPlan) -> str | None:
    """Return why a plan cannot be trained together with others; None if it can.

    It can if it is a new plain MLP on dense samples, with activations and a loss whose derivatives
    are written out, Adam or SGD, a schedule of `BETWEEN_EPOCHS`, and nothing that looks at epochs
    or prints.
    """
    config, target = plan.config, plan.target
    changed = find_changed_option(plan, EXEMPT) or find_changed_option(config, EXEMPT)
    if changed is not None:
        return f"{changed} is not as it is by default"
    if config.verbose:
        return "verbose is set"
    if not isinstance(config.solver, str) or config.solver not in ("adam", "sgd"):
        return "the solver is not 'adam' or 'sgd'"
    if not isinstance(config.learning_rate, str) or config.learning_rate not in BETWEEN_EPOCHS:
        return "the learning rate changes from step to step"
    if not has_formulas(target):
        return "no gradient is written out for the loss"
    if sparse.issparse(plan.X):
        return "X is sparse"
    if type(plan.module) is not MLP:
        return "the network is not a plain MLP"
    return None


class Shared:
    """Tensors that several networks use, each made once.

    Plans whose X is one and the same array share its tensor; so do their validation samples.
    """

    def __init__(self) -> None:
        self._entries: dict[Hashable, Any] = {}

    def get_tensor(self, array: np.ndarray, device: str) -> torch.Tensor:
        """Return the tensor of an array."""
        key = id(array), device
        if key not in self._entries:  # the array is kept, so that no other gets its id
            self._entries[key] = array, make_tensor(array, device)
        return self._entries[key][1]

    def get_sample(
        self, X: torch.Tensor, numbers: np.ndarray, y: np.ndarray, weight: np.ndarray | None
    ) -> SampleSubset:
        """Return these samples, the same for equal arguments."""
        key = id(X), numbers.tobytes(), y.tobytes(), None if weight is None else weight.tobytes()
        if key not in self._entries:
            device = str(X.device)
            tensor = None if weight is None else make_tensor(weight, device)
            self._entries[key] = SampleSubset(X, numbers, make_tensor(y, device), tensor)
        return self._entries[key]


class SharedSamples(SampleDataset):
    """The training samples of one network, out of an X that several networks share."""

    def __len__(self) -> int:
        return len(cast("torch.Tensor", self.y))


class Member:
    """A run among many, its data, and how far it is.

    Parameters
    ----------
    plan : TrainPlan
        Plan that `supports_plan` accepts.

    Attributes
    ----------
    run : TrainingRun
        Run that has not begun.
    sample : SampleSubset
        The training samples, once they are laid out.
    order_key : tuple
        Equal for networks that begin with the same samples in the same order, once they are laid
        out.
    order : Order
        Order of the samples, set when training begins.
    is_done : bool
        Whether no epoch is to follow.
    """

    sample: SampleSubset
    order_key: tuple
    order: Order

    def __init__(self, plan: TrainPlan):
        self.plan, self.run = plan, TrainingRun(plan)
        self.net = self.run.net
        self.held_out: SampleDataset | None = None
        self.is_done = False
        self.run.prepare_steps()

    def supports(self) -> str | None:
        """Return why the net cannot be trained together with others; None if it can."""
        net, plan = self.net, self.plan
        parts = [plan.X] if plan.validation is None else [plan.X, plan.validation.X]
        reason = supports_module(net) or supports_optimizer(net.optimizer_, momentum_changes=False)
        if reason is not None:
            return reason
        if type(net.optimizer_) not in (Adam, SGD) or cast("Schedule", net.schedule).per_step:
            return "the learning rate changes from step to step"
        if any(map(sparse.issparse, parts)):
            return "X_val is sparse"
        if not has_room_for(net.device, sum(X.nbytes for X in parts)):
            return "the samples do not fit on the device"
        return None

    def lay_out(self, shared: Shared) -> None:
        """Bring the samples to the device."""
        plan, device = self.plan, self.net.device
        numbers = np.arange(len(plan.X)) if plan.numbers is None else plan.numbers
        X = shared.get_tensor(plan.X, device)
        self.sample = shared.get_sample(X, numbers, plan.y, plan.sample_weight)
        self.order_key = id(self.sample), _hash_state(self.state_of_order)
        held = plan.validation
        if held is not None:
            X = shared.get_tensor(held.X, device)
            self.held_out = SampleDataset(X, held.y, held.sample_weight, device=device)

    @property
    def state_of_order(self) -> np.random.RandomState | None:
        """Source of the order of the samples; None leaves them as they are."""
        return self.plan.random_state if self.plan.config.shuffle else None

    @property
    def n_outputs_kept(self) -> int:
        """Outputs that are kept after an epoch to score them, of training and held-out samples."""
        plan = self.plan
        if plan.validation is None:
            return 0
        n_samples = len(plan.validation.y) + (0 if plan.config.stop_on_loss else len(plan.y))
        return n_samples * self.net.module_.layer_sizes[-1]

    def describe_shape(self) -> tuple:
        """Return what members of one stack have in common."""
        net, size = self.net, self.net.batch_size
        if self.run.n_batches == 1:  # up to 15 samples more or less can be filled up
            size = -16 * (-size // 16)
        return (
            net.module_.layer_sizes,
            net.module_.activation_names,
            cast("TableLoss", net.loss).key,
            type(net.optimizer_),
            net.dtype_,
            net.device,
            size,
            self.run.n_batches,
            self.plan.sample_weight is None,
        )

    def begin(self, orders: dict[tuple, Order], content: dict[str, Any] | None = None) -> None:
        """Get ready for the first epoch, or the one after a checkpoint, of this content.

        The order of the samples is one of `orders`, or becomes one.
        """
        run, sample = self.run, self.sample
        own = SharedSamples(sample.X, sample.y, sample.weight, device=self.net.device)
        run.begin(own, self.held_out, Recorder(run, content=content))
        run.runner_name = "stacked"
        run.recorder.check_runner()
        key = id(sample), _hash_state(self.state_of_order)
        if key not in orders:
            orders[key] = Order(sample, self.state_of_order, run.batches.order)
        self.order = orders[key]
        if self.order.random_state is not None:
            run.random_state = self.order.random_state
        self._note_whether_done()

    def _note_whether_done(self) -> None:
        progress = self.run.progress
        self.is_done = bool(progress.stopped_because) or (
            progress.n_epochs >= self.plan.config.max_iter
        )

    def end_epoch(self, loss: float) -> None:
        """Record an epoch, and find out whether it was the last."""
        run = self.run
        run.count_steps(0.0, run.n_batches, len(self.plan.y))
        run.batches.order = self.order.positions
        run.close_epoch(loss)
        self._note_whether_done()

    def interrupt(self, is_between_epochs: bool) -> None:
        """Leave out the epoch that was cut short; between epochs, keep what is needed to go on."""
        run = self.run
        _copy_out_of_stack(self.net)
        run.batches.order = self.order.positions
        run.stop_as_interrupted(is_exact=is_between_epochs)
        self.is_done = True

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
        run = self.run
        _copy_out_of_stack(self.net)
        if self.plan.config.shuffle:
            drawn = cast("np.random.RandomState", self.order.random_state)
            self.plan.random_state.set_state(drawn.get_state())
        try:
            run.end()
            check_finite(run)
        finally:
            run.close()
        return run.make_result()


def _hash_state(random_state: np.random.RandomState | None) -> tuple | None:
    if random_state is None:
        return None
    name, keys, *rest = cast("tuple[Any, ...]", random_state.get_state())
    return name, keys.tobytes(), *rest


def _copy_out_of_stack(net: Net) -> None:
    """Copy parameters and the optimizer's state out of the stack."""
    for p in net.module_.parameters():
        p.data = p.data.clone(memory_format=torch.contiguous_format)
        state = net.optimizer_.state.get(p, {})
        for name, value in state.items():
            if isinstance(value, torch.Tensor):
                state[name] = value.clone(memory_format=torch.contiguous_format)

"""Callbacks that users bring: skorch's, or plain functions of an epoch."""

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
import torch
from skorch.callbacks import (
    Callback,
    EpochTimer,
    Freezer,
    GradientNormClipping,
    InputShapeSetter,
    LRScheduler,
    ParamMapper,
    Unfreezer,
)
from skorch.callbacks.scoring import ScoringBase
from skorch.utils import to_numpy

from sknn._specs import TargetCodec, TrainPlan
from sknn.engine._interrupt import StopSign
from sknn.engine.callbacks._of_net import NetCallback
from sknn.engine.callbacks._stopping import make_row
from sknn.engine.data._batches import Batches, SampleDataset, split_target
from sknn.engine.net._format import is_packable
from sknn.engine.net._net import Net
from sknn.engine.net._serialization import make_plain, restore_plain

#: they change the steps of an optimizer, which L-BFGS does not have
OF_OPTIMIZERS = (GradientNormClipping, LRScheduler, ParamMapper)
#: what users may put into a list of callbacks
CallbackLike: TypeAlias = (
    Callback | type[Callback] | Callable[[Mapping[str, float]], bool | None] | tuple[str, Callback]
)
BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_grad_computed")
#: what skorch's checkpoints ask for, beside scores that other callbacks record
SCORES = {"train_loss": min, "valid_loss": min, "train_score": max, "valid_score": max}


class FunctionCallback(Callback):
    """Holds a function that is called with each epoch's entry of ``history_``.

    Parameters
    ----------
    function : callable
        ``function(entry: dict) -> bool or None``; True stops training.
    """

    def __init__(self, function: Callable[[Mapping[str, float]], bool | None]):
        self.function = function

    def should_stop(self, row: Mapping[str, float]) -> bool:
        """Call the function; return whether it said True, and not just something."""
        # ``list.append`` and ``print`` are fine callbacks; so is one that returns a score, which is
        # true and does not ask to stop.
        stop = self.function(row)
        return isinstance(stop, bool | np.bool_) and bool(stop)


def make_freezing_callbacks(patterns: Sequence[str], n_epochs: int) -> list[Callback]:
    """Return callbacks that keep parameters, named by patterns with *, for the first epochs."""
    return [Freezer(list(patterns)), Unfreezer(list(patterns), at=n_epochs + 1)]


class UserCallbacks:
    """The user's callbacks while a network trains, which are attached to the net and called.

    They see the net and its history as skorch would show them: validation samples and scores
    under skorch's names, a ``<score>_best`` for each score, batches where one of them looks at
    batches (else one entry that stands for the epoch). Callbacks that score are given labels and
    numbers as the user gave them, and so is what ``net.predict`` returns meanwhile.

    Parameters
    ----------
    net : Net
        Net in training.
    plan : TrainPlan
        Its config has the callbacks.
    samples, held_out : SampleDataset or None
        Training and validation samples.

    Attributes
    ----------
    has_skorchs : bool
        Whether some are more than functions.
    watches_batches : bool
        Whether a callback wants to see single batches.
    freezes : bool
        Whether a callback, such as ``Freezer``, may decide which parameters are trained.
    is_interactive : bool
        Whether a user watches the network between epochs and should not wait for a compiler.
    sets_rates : bool
        Whether a callback sets the learning rate, and perhaps the momentum.
    """

    has_skorchs = watches_batches = freezes = is_interactive = sets_rates = False

    def __init__(
        self, net: Net, plan: TrainPlan, samples: SampleDataset, held_out: SampleDataset | None
    ):
        self.net, self.samples, self.held_out = net, samples, held_out
        self.codec: TargetCodec | None = plan.codec
        net.codec = plan.codec
        self.attach(net, make_callbacks(plan.config.callbacks))
        self.all = [callback for _, callback in net.callbacks_]
        self.of_user = [c for c in self.all if type(c) is not EpochTimer]
        if self.of_user:
            self._note_kinds()
        if self.has_skorchs:
            self.look_back()
            self._check_kinds(plan)
            # Whoever counts steps for torch's schedulers would not see those of other runners.
            net.optimizer_._opt_called = True

    @staticmethod
    def attach(net: Net, callbacks: Sequence[Callback]) -> None:
        """Give a net callbacks in the place of those that it has."""
        if callbacks or net.callbacks:
            net.callbacks = list(callbacks) or None
            net.initialize_callbacks()

    @staticmethod
    def detach(net: Net) -> None:
        """Let a net forget callbacks, which may hold data and weights."""
        net.codec = None
        UserCallbacks.attach(net, ())

    def _note_kinds(self) -> None:
        """Note what the callbacks do, which runners ask for."""
        self.has_skorchs = not all(isinstance(c, FunctionCallback) for c in self.of_user)
        self.watches_batches = self.has_hook(*BATCH_HOOKS)
        self.freezes = self._have_kind(ParamMapper)
        self.is_interactive = self._have_kind(NetCallback)
        self.sets_rates = self._have_kind(LRScheduler)

    def _have_kind(self, kind: type[Callback]) -> bool:
        """Return whether a callback is of a class."""
        return any(isinstance(callback, kind) for callback in self.of_user)

    def _check_kinds(self, plan: TrainPlan) -> None:
        """Raise ValueError if a callback could have no effect, or undo what a parameter does."""
        config = plan.config
        for callback in self.of_user:
            name = type(callback).__name__
            if isinstance(callback, InputShapeSetter):
                raise ValueError(
                    f"The callback {name} sets the number of inputs of a network that is not made "
                    "yet; here the estimator makes it for the columns of X. Leave it out."
                )
            if config.solver == "lbfgs" and isinstance(callback, OF_OPTIMIZERS):
                raise ValueError(
                    f"The callback {name} changes the steps of an optimizer, but solver='lbfgs' "
                    "has steps of its own. Take another solver, or leave out the callback."
                )
        if self.sets_rates and (config.learning_rate != "constant" or config.warmup_epochs):
            raise ValueError(
                "The callback LRScheduler sets the learning rate, and so do "
                f"learning_rate={config.learning_rate!r} and "
                f"warmup_epochs={config.warmup_epochs!r}. Leave these at 'constant' and 0, or "
                "leave out the callback."
            )

    # --- what runners ask ------------------------------------------------------------------

    def has_hook(self, *hooks: str) -> bool:
        """Return whether a callback has one of these methods."""
        return any(
            getattr(type(callback), hook) is not getattr(Callback, hook)
            for callback in self.of_user
            # A scheduler has a hook for batches, too, and leaves it alone if it counts epochs.
            if not (isinstance(callback, LRScheduler) and callback.step_every == "epoch")
            for hook in hooks
        )

    @property
    def are_skorchs_own(self) -> bool:
        """Whether all are skorch's classes or functions, which do not reach into the network."""
        return all(type(c).__module__.startswith(("sknn.", "skorch.")) for c in self.of_user)

    # --- what happens ----------------------------------------------------------------------

    def notify(self, method: str, **arguments: Any) -> None:
        """Call a method of the net and of all callbacks, as skorch does."""
        getattr(self.net, method)(self.net, **arguments)
        for callback in self.all:
            getattr(callback, method)(self.net, **self._decode_arguments(callback, arguments))

    def look_back(self) -> None:
        """Find the best scores so far in the history of the net."""
        self.best = {name: _get_best(self.net, name) for name in SCORES}

    def get_state(self) -> dict[str, dict[str, Any]]:
        """Return the attributes of each callback that are plain, in plain form."""
        return {key: _get_plain_attributes(holder) for key, holder in self._find_holders().items()}

    def set_state(self, state: dict[str, dict[str, Any]]) -> None:
        """Give callbacks the attributes that those of their names and classes had."""
        for key, holder in self._find_holders().items():
            _set_plain_attributes(holder, state.get(key, {}), self.net.device)

    def _find_holders(self) -> dict[str, Any]:
        """Return name and class -> what has the attributes that a user's callback changes."""
        holders = {
            name: c.function if isinstance(c, FunctionCallback) else c
            for name, c in self.net.callbacks_
        }
        return {f"{name}: {type(holder).__qualname__}": holder for name, holder in holders.items()}

    def begin_epoch(self) -> None:
        """Open an entry of the history, and let all callbacks know."""
        self.notify("on_epoch_begin", **self._data)

    def end_epoch(self, rate: float | None, interrupt: StopSign) -> bool:
        """Let all callbacks see an epoch; return whether one of them asks to stop."""
        # skorch's do so by a KeyboardInterrupt, which is none: those after it see the epoch, too.
        net, stop = self.net, False
        if self.has_skorchs:
            self._record_best()
            self._record_epoch_as_batch()
        net.on_epoch_end(net, **self._data)
        for callback in self.all:
            try:
                if isinstance(callback, FunctionCallback):
                    stop |= callback.should_stop(make_row(net.history[-1], rate))
                else:
                    callback.on_epoch_end(net, **self._decode_arguments(callback, self._data))
            # skorch's EarlyStopping raises it; a flag tells it from the user's Ctrl-C.
            except KeyboardInterrupt:
                if interrupt.is_set or isinstance(callback, FunctionCallback):
                    raise  # the user pressed Ctrl-C
                stop = True
            except KeyError as error:
                if "was not found in history" not in str(error):
                    raise
                raise ValueError(self._explain_missing_key(callback, error)) from error
        return stop

    def _explain_missing_key(self, callback: Callback, error: KeyError) -> str:
        """Return what to do where a callback of skorch reads what was not recorded."""
        advice = "Give the callback that records it a place before this one."
        if self.held_out is None and "'valid_" in error.args[0]:
            advice = "There are no validation samples: set early_stopping=True, or give X_val and "
            advice += "y_val to fit."
        return (
            f"The callback {type(callback).__name__} reads a key that the history does not have "
            f"({error.args[0].rstrip('.')}); it has {sorted(self.net.history[-1])}. {advice}"
        )

    def begin_batch(self, batch: tuple, training: bool) -> None:
        """Open an entry of the history for a batch."""
        self.notify("on_batch_begin", batch=batch, training=training)

    def end_batch(self, batch: tuple, step: Mapping[str, Any], *, training: bool) -> None:
        """Record the loss of a batch."""
        prefix, history = "train" if training else "valid", self.net.history
        history.record_batch(f"{prefix}_loss", step["loss"].item())
        history.record_batch(f"{prefix}_batch_size", len(batch[0]))
        self.notify("on_batch_end", batch=batch, training=training, **step)

    def show_batches(self, training: bool) -> None:
        """Go through training or validation samples for callbacks that look at batches."""
        samples = self.samples.in_memory if training else self.held_out
        if samples is None or not self.watches_batches:
            return
        for batch in Batches(samples, self.net.batch_size):
            self.begin_batch(batch, training)
            self.end_batch(batch, self.net.validation_step(batch), training=training)

    @property
    def _data(self) -> dict[str, SampleDataset | None]:
        return {"dataset_train": self.samples, "dataset_valid": self.held_out}

    def _record_best(self) -> None:
        last = self.net.history[-1]
        for name, better in SCORES.items():
            if name in last:
                before, value = self.best[name], last[name]
                # As in skorch: better than all before, so that NaN and the same score are not.
                is_best = before is None or (value != before and better(value, before) == value)
                self.best[name] = value if is_best else before
                self.net.history.record(f"{name}_best", bool(is_best))

    def _record_epoch_as_batch(self) -> None:
        # Callbacks of skorch that average over batches, weighted by their sizes, find the epoch's
        # loss where there is one batch as large as the epoch.
        history, last = self.net.history, self.net.history[-1]
        if last["batches"]:
            return
        history.new_batch()
        for prefix, samples in (("train", self.samples), ("valid", self.held_out)):
            if samples is not None and f"{prefix}_loss" in last:
                history.record_batch(f"{prefix}_loss", last[f"{prefix}_loss"])
                history.record_batch(f"{prefix}_batch_size", len(samples))

    def _decode_arguments(self, callback: Callback, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of a hook, with y in the user's words for those that score."""
        if self.codec is None or not isinstance(callback, ScoringBase):
            return arguments
        shown = dict(arguments)
        if "batch" in shown:
            X, target = shown["batch"]
            shown["batch"] = X, self._decode_target(split_target(target)[0])
        for name in ("dataset_train", "dataset_valid"):
            if shown.get(name) is not None:
                shown[name] = self._decode_dataset(shown[name])
        return shown

    def _decode_dataset(self, samples: SampleDataset) -> SampleDataset:
        decoded = copy.copy(samples)
        decoded.y, decoded.sample_weight = self._decode_target(samples.y), None
        return decoded

    def _decode_target(self, y: torch.Tensor | None) -> Any:
        """Return y in the user's words, as an array in the place of a tensor."""
        return cast("TargetCodec", self.codec).decode_target(to_numpy(y))


def _get_best(net: Net, name: str) -> float | None:
    values = [row[name] for row in net.history if name in row]
    return SCORES[name](values) if values else None


def _get_plain_attributes(holder: Any) -> dict[str, Any]:
    """Return numbers, text, arrays, tensors and containers of these; else states of torch's."""
    found = {}
    for name, value in getattr(holder, "__dict__", {}).items():
        keeps_state = isinstance(value, torch.nn.Module | torch.optim.lr_scheduler.LRScheduler)
        plain = make_plain(value.state_dict() if keeps_state else value)
        if is_packable(plain):
            found[name] = [keeps_state, plain]
    return found


def _set_plain_attributes(holder: Any, attributes: dict[str, Any], device: str) -> None:
    for name, (keeps_state, plain) in attributes.items():
        value = restore_plain(plain, device)
        if keeps_state and hasattr(holder, name):
            getattr(holder, name).load_state_dict(value)
        elif not keeps_state:
            setattr(holder, name, value)


def make_callbacks(callbacks: Sequence[CallbackLike] | None) -> tuple[Callback, ...]:
    """Return the user's callbacks as skorch's, a pair of a name and one where a name was given."""
    if callbacks is None:
        return ()
    if not isinstance(callbacks, list | tuple):
        raise TypeError(
            "callbacks must be a list of skorch callbacks or of functions of an epoch's entry; got "
            f"{callbacks!r}. Put it into a list."
        )
    return tuple(map(_make_callback, callbacks))


def _make_callback(item: CallbackLike) -> Any:
    if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str):
        return item[0], _make_callback(item[1])
    if isinstance(item, Callback):
        return item
    if isinstance(item, type) and issubclass(item, Callback):
        return item()
    if callable(item) and not isinstance(item, type):
        _check_takes_entry(item)
        return FunctionCallback(item)
    raise TypeError(
        "An item of callbacks must be a callback of skorch, a pair of a name and one, or a "
        f"function of an epoch's entry of the history that may return True to stop; got {item!r}. "
        "Callbacks of scikit-learn go into set_callbacks()."
    )


def _check_takes_entry(function: Callable) -> None:
    """Raise TypeError for a function that cannot be called with an epoch's entry alone."""
    try:
        signature = inspect.signature(function)
    except ValueError:  # some functions written in C have none
        return
    try:
        signature.bind({})
    except TypeError as error:
        raise TypeError(
            "A function in callbacks is called with one argument, the epoch's entry of history_ "
            f"as a dict; {function!r} does not take that ({error}). Change its arguments, or "
            "derive a class from skorch.callbacks.Callback."
        ) from None

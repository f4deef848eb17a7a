"""Classes of ``torch.optim.lr_scheduler`` with the arguments that follow from a fit filled in."""

import inspect
from typing import Any

import torch
from torch.optim import lr_scheduler

from sknn._saved import saved
from sknn._specs import TrainConfig
from sknn.engine.optimizers._optimizers import Closure, plain_add_param_group

#: those that torch says to call after every batch
BY_STEP = (lr_scheduler.OneCycleLR, lr_scheduler.CyclicLR)

#: those that are made of schedulers, which an estimator's parameter cannot hold
COMPOSED = (lr_scheduler.SequentialLR, lr_scheduler.ChainedScheduler)


def is_scheduler(kind: str | type) -> bool:
    """Return whether something is a class of schedulers of torch."""
    return isinstance(kind, type) and issubclass(kind, lr_scheduler.LRScheduler)


@saved
class DetachedOptimizer(torch.optim.Optimizer):
    """Stand-in for an optimizer in a scheduler of torch: the settings without parameters.

    A scheduler replaces its optimizer's methods and adds to its groups; the true one stays as
    it is. Schedulers look whether there was a step before; here they believe it.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Optimizer whose first group is copied.
    """

    _opt_called = True
    add_param_group = plain_add_param_group

    def __init__(self, optimizer: torch.optim.Optimizer):
        group = {k: v for k, v in optimizer.param_groups[0].items() if k != "params"}
        nothing = torch.nn.Parameter(torch.zeros(0))
        super().__init__([{**group, "params": [nothing]}], dict(optimizer.defaults))

    def get_settings(self) -> dict[str, Any]:
        """Return a copy of the settings of the group, without parameters."""
        return {k: v for k, v in self.param_groups[0].items() if k != "params"}

    def step(self, closure: Closure | None = None) -> Any:
        """Do nothing: there are no parameters."""

    step._wrapped_by_lr_sched = True  # type: ignore[attr-defined]


def make_scheduler(
    config: TrainConfig, n_batches: int, detached: DetachedOptimizer
) -> lr_scheduler.LRScheduler:
    """Return the scheduler of a fit of `n_batches` steps an epoch, which will change `detached`.

    ``learning_rate`` is its class, ``learning_rate_params`` are arguments. Raise ValueError if it
    cannot be used, or does not take its arguments.
    """
    kind, given = config.learning_rate, dict(config.learning_rate_params)
    name = kind.__name__
    if issubclass(kind, COMPOSED):
        raise ValueError(
            f"learning_rate={name} is made of schedulers that already have an optimizer, and "
            "there is none yet. Use torch.optim.lr_scheduler.LambdaLR, with "
            "learning_rate__lr_lambda."
        )
    _check_names(kind, given)
    arguments = {**_fill_in(config, n_batches), **given}
    missing = sorted(_get_required(kind) - set(arguments))
    if missing:
        raise ValueError(
            f"learning_rate={name} needs {missing}. Give them as learning_rate__<name>; "
            f"there are {sorted(given)}."
        )
    try:
        return kind(detached, **arguments)
    except (TypeError, ValueError, KeyError) as error:
        raise ValueError(
            f"{name} does not take learning_rate__<name>={given!r}: {error}"
        ) from error


def _get_required(kind: type) -> set[str]:
    parameters = inspect.signature(kind).parameters.values()
    return {
        p.name
        for p in parameters
        if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    } - {"optimizer"}


def _check_names(kind: type, given: dict[str, Any]) -> None:
    parameters = inspect.signature(kind).parameters
    names = sorted(set(parameters) - {"optimizer", "last_epoch"})
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    unknown = sorted(set(given) & {"optimizer", "last_epoch"})
    if not takes_any:
        unknown = sorted(set(given) - set(names))
    if unknown:
        raise ValueError(
            f"learning_rate__<name> gives {unknown}, but {kind.__name__} takes {names}. "
            "Correct the names, or leave them out."
        )


def _fill_in(config: TrainConfig, n_batches: int) -> dict[str, Any]:
    """Return arguments that follow from the fit, for those the user does not give."""
    kind, given = config.learning_rate, config.learning_rate_params
    rate = config.learning_rate_init
    known = {"T_max": config.max_iter, "max_lr": rate, "base_lr": rate}
    filled: dict[str, Any] = {
        name: value for name, value in known.items() if name in _get_required(kind)
    }
    if issubclass(kind, lr_scheduler.CyclicLR):
        del filled["max_lr"]  # a cycle from a rate to itself is none
    if issubclass(kind, lr_scheduler.OneCycleLR):
        if "epochs" in given:
            filled["steps_per_epoch"] = n_batches
        elif "total_steps" not in given and "steps_per_epoch" in given:
            filled["epochs"] = config.max_iter
        else:
            filled["total_steps"] = config.max_iter * n_batches
    if issubclass(kind, lr_scheduler.ReduceLROnPlateau):
        by_score = config.early_stopping and not config.stop_on_loss
        filled["mode"] = "max" if by_score else "min"
    return filled

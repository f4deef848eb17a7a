"""Checks of a solver and its arguments, before training starts."""

import inspect
from typing import Any

import torch

from sknn._specs import TrainConfig

#: schedules of scikit-learn, which ignores them unless the solver is 'sgd'
CLASSIC_SCHEDULES = ("constant", "invscaling", "adaptive")


def check_solver(config: TrainConfig, names: tuple[str, ...]) -> None:
    """Check a solver and its settings.

    Parameters
    ----------
    config : TrainConfig
        Its ``solver`` and ``solver_params``, and what 'lbfgs' cannot follow.
    names : tuple of str
        The solvers that have a name.

    Raises
    ------
    ValueError
        If the solver is unknown, cannot be used here, or does not take its settings.
    """
    solver, given = config.solver, dict(config.solver_params)
    if isinstance(solver, str) and solver in names:
        if given:
            raise ValueError(
                f"solver__<name> is for a class given as solver; {solver!r} takes its settings "
                f"from the estimator's own parameters. Got {given!r}."
            )
        if solver == "lbfgs":
            _check_lbfgs(config)
        return
    if not (isinstance(solver, type) and issubclass(solver, torch.optim.Optimizer)):
        raise ValueError(
            f"solver must be one of {sorted(names)} or a subclass of torch.optim.Optimizer; "
            f"got {solver!r}."
        )
    _check_class(solver)
    _check_arguments(solver, config.learning_rate_init, given)


def _check_lbfgs(config: TrainConfig) -> None:
    reasons = {
        "l1_ratio": (config.l1_ratio > 0, "the L1 penalty has no gradient at 0"),
        "max_grad_norm": (config.max_grad_norm is not None, "its line search needs the gradient"),
        "warmup_epochs": (config.warmup_epochs > 0, "it has no learning rate"),
        "learning_rate": (
            config.learning_rate not in CLASSIC_SCHEDULES,
            "it has no learning rate",
        ),
    }
    for name, (is_set, reason) in reasons.items():
        if is_set:
            raise ValueError(
                f"{name}={getattr(config, name)!r} cannot be used with solver='lbfgs': {reason}. "
                "Leave it at its default, or take a stochastic solver such as 'adam'."
            )


def _check_class(solver: type[torch.optim.Optimizer]) -> None:
    closure = inspect.signature(solver.step).parameters.get("closure")
    if closure is not None and closure.default is inspect.Parameter.empty:
        raise ValueError(
            f"solver={solver.__name__} calls the loss several times a step, which mini-batches "
            "cannot serve. Use solver='lbfgs', which trains on all samples at once."
        )
    if issubclass(solver, torch.optim.SparseAdam):
        raise ValueError(
            f"solver={solver.__name__} takes sparse gradients only, and gradients are dense here, "
            "also where X is sparse. Use solver='adam'."
        )


def _check_arguments(solver: type, learning_rate: float, given: dict[str, Any]) -> None:
    parameters = inspect.signature(solver).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    if "lr" in given or "params" in given:
        raise ValueError(
            "solver__lr and solver__params cannot be given: the learning rate is "
            f"learning_rate_init, the parameters are the network's. Got {given!r}."
        )
    if "lr" not in parameters and not takes_any:
        raise ValueError(
            f"solver={solver.__name__} takes no argument 'lr' for learning_rate_init. Give a "
            "subclass that does."
        )
    unknown = sorted(set(given) - set(parameters))
    if unknown and not takes_any:
        names = sorted(set(parameters) - {"params", "lr"})
        raise ValueError(
            f"solver__<name> gives {unknown}, but {solver.__name__} takes {names}. "
            "Correct the names, or leave them out."
        )
    trial = torch.nn.Parameter(torch.zeros(1, 1))
    try:
        solver([trial], lr=learning_rate, **given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"{solver.__name__} does not take learning_rate_init={learning_rate!r} and "
            f"solver__<name>={given!r}: {error}"
        ) from error

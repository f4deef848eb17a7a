"""Nested arguments of constructors, ``<parameter>__<argument>``, for type checkers.

At run time a constructor takes any name with these beginnings, such as those of a module of one's
own; a type checker takes other names from ``set_params`` or ``**{"module__width": 32}``.
"""

from collections.abc import Callable, Sequence
from typing import TypedDict


class NestedArguments(TypedDict, total=False):
    """Settings of losses, and arguments of PyTorch's optimizers and schedules by their names."""

    learning_rate__T_0: int
    learning_rate__T_max: int
    learning_rate__T_mult: int
    learning_rate__anneal_strategy: str
    learning_rate__base_lr: float
    learning_rate__base_momentum: float
    learning_rate__cooldown: int
    learning_rate__cycle_momentum: bool
    learning_rate__div_factor: float
    learning_rate__end_factor: float
    learning_rate__eps: float
    learning_rate__eta_min: float
    learning_rate__factor: float
    learning_rate__final_div_factor: float
    learning_rate__gamma: float
    learning_rate__lr_lambda: Callable[[int], float]
    learning_rate__max_lr: float
    learning_rate__max_momentum: float
    learning_rate__milestones: Sequence[int]
    learning_rate__min_lr: float
    learning_rate__mode: str
    learning_rate__patience: int
    learning_rate__pct_start: float
    learning_rate__power: float
    learning_rate__scale_fn: Callable[[float], float]
    learning_rate__scale_mode: str
    learning_rate__start_factor: float
    learning_rate__step_size: int
    learning_rate__step_size_down: int
    learning_rate__step_size_up: int
    learning_rate__three_phase: bool
    learning_rate__threshold: float
    learning_rate__threshold_mode: str
    learning_rate__total_iters: int
    loss__delta: float
    loss__gamma: float
    loss__label_smoothing: float
    loss__min_std: float
    loss__n_bins: int
    loss__quantiles: Sequence[float]
    loss__y_range: Sequence[float] | None
    solver__adjust_lr_fn: str
    solver__alpha: float
    solver__amsgrad: bool
    solver__beta2_decay: float
    solver__betas: tuple[float, float]
    solver__centered: bool
    solver__d: float
    solver__dampening: float
    solver__decoupled_weight_decay: bool
    solver__eps: float | tuple[float, float]
    solver__etas: tuple[float, float]
    solver__history_size: int
    solver__initial_accumulator_value: float
    solver__lambd: float
    solver__line_search_fn: str
    solver__lr_decay: float
    solver__max_eval: int
    solver__max_iter: int
    solver__momentum: float
    solver__momentum_decay: float
    solver__nesterov: bool
    solver__ns_coefficients: tuple[float, ...]
    solver__ns_steps: int
    solver__rho: float
    solver__step_sizes: tuple[float, float]
    solver__t0: float
    solver__tolerance_change: float
    solver__tolerance_grad: float
    solver__weight_decay: float

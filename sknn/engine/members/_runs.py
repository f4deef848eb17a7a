"""Conditions under which compiled passes train an ensemble for tables."""

from sknn._jit import explain_not_kept
from sknn.engine._run import TrainingRun
from sknn.engine._start import FLOPS_OF_A_WEIGHT
from sknn.engine.members._support import explain_module, load_steps, make_examples, was_warm


def explain_run(run: TrainingRun, min_flops: float, min_warm_flops: float) -> str | None:
    """Return why the steps of a run are not compiled; None if they are.

    `min_flops` and `min_warm_flops` are floating-point operations of all epochs from which it pays
    to compile the code, and to load code that was compiled before.
    """
    net = run.net
    module = net.module_
    reason = explain_module(module)
    if reason is not None:
        return reason
    if net.precision == "bfloat16":
        return "dtype='bfloat16' needs autocast"
    if net.alpha:
        return "a penalty has gradients of its own"
    if run.compiled is not None:
        return "compile=True"
    if run.callbacks.freezes or not all(p.requires_grad for p in module.parameters()):
        return "some parameters are frozen, or a callback may freeze them"
    n_epochs = 1 if run.plan.incremental else run.config.max_iter
    flops = FLOPS_OF_A_WEIGHT * module.products_per_sample * len(run.samples) * n_epochs
    dtype = module.temperature.numpy().dtype
    if flops < min_warm_flops:
        return "the fit is too short for compiled code to be loaded"
    if flops < min_flops and not was_warm(dtype):
        return "the fit is too short for compiled code to be made, once on this machine"
    return explain_not_kept(load_steps().encode_samples, *make_examples(dtype))

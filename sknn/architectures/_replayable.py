"""Networks that do the same work each time, so that it may be recorded and replayed."""

from torch import nn

from sknn.architectures.layers._activations import FunctionActivation
from sknn.architectures.layers._embeddings import CategoryEmbeddings
from sknn.architectures.layers._noise import SeededNoise

#: where layers come from whose forward pass depends on nothing but tensors and seeds
KNOWN = ("torch.nn.modules.", "sknn.architectures.")
#: those that hold a user's function, which may count its calls, look at the values of codes, or
#: draw by a seed that depends on the batch
OTHERS = (FunctionActivation, CategoryEmbeddings, SeededNoise)


def is_replayable(module: nn.Module) -> bool:
    """Return whether a recording of the passes of a network can stand for them.

    >>> is_replayable(nn.Linear(3, 1))
    True
    """
    # A layer that the user wrote may do other things from call to call, which a recording would
    # miss without a sound; so may a hook.
    parts = list(module.modules())
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return (
        all(type(part).__module__.startswith(KNOWN) for part in parts)
        and not any(isinstance(part, OTHERS) for part in parts)
        and not any(getattr(part, hook) for part in parts for hook in hooks)
        and all(p.requires_grad and p.is_contiguous() for p in module.parameters())
    )

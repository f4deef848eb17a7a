"""Choice of the device that torch computes on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import torch

from sknn.exceptions import warn_user

#: floating-point operations of a step from which a GPU pays: a core of the CPU then needs over
#: 100 µs for the step. A GPU needs 30 to 60 µs for a captured one, some fifteen kernels that follow
#: each other within a microsecond, and 200 µs for one that is started kernel by kernel.
STEP_WORTH_A_GPU = 1e7
#: of a whole fit: some ten seconds of a CPU's core, against a few in which a process wakes the GPU
FIT_WORTH_A_GPU = 5e11
#: share of the GPU's free memory that data may take; the rest is for the network
DATA_SHARE = 0.5


class ComputingNet(Protocol):
    """The part of a net that says how it computes."""

    device: str
    precision: str


def resolve_device(
    device: str, dtype: str, step_flops: float = float("inf"), fit_flops: float = float("inf")
) -> str:
    """Return the device to compute on.

    Parameters
    ----------
    device : str
        ``'auto'`` takes CUDA where torch sees it and the work pays, else Apple's MPS for float32,
        else the CPU. Any other is torch's own name, such as ``'cpu'``, ``'cuda'``, ``'cuda:1'`` or
        ``'mps'``. On CUDA steps are replayed as graphs where
        `sknn.engine.graphs._runner.CudaGraphRunner` supports them.
    dtype : {'float32', 'float64'}
        Dtype in which the network computes; MPS has no float64.
    step_flops, fit_flops : float, default=inf
        Floating-point operations of a step and of the whole fit. Below `STEP_WORTH_A_GPU` or
        `FIT_WORTH_A_GPU` ``'auto'`` stays on the CPU.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If torch does not know the name, or does not see such a device here.
    """
    if device == "auto":
        if step_flops < STEP_WORTH_A_GPU or fit_flops < FIT_WORTH_A_GPU:
            return "cpu"
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() and dtype == "float32" else "cpu"
    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise ValueError(
            "device must be 'auto' or one that torch knows, such as 'cpu', 'cuda', 'cuda:1' or "
            f"'mps'; got {device!r}."
        ) from error
    if kind == "mps" and dtype == "float64":
        raise ValueError(f"device={device!r} has no float64. Set dtype='float32'.")
    if kind == "meta":
        raise ValueError("device='meta' computes nothing. Use 'auto', 'cpu' or 'cuda'.")
    try:
        torch.empty(1, device=device)
    except Exception as error:  # each backend of torch has an error of its own
        raise ValueError(
            f"device={device!r} was asked for, but torch {torch.__version__} cannot use it here "
            f"({str(error).splitlines()[0]}). Use device='cpu' or 'auto', or install a build of "
            "torch for it."
        ) from error
    return device


def has_room_for(device: str, n_bytes: int) -> bool:
    """Return whether data can lie on a device as a whole, beside a network that trains on them."""
    # They cannot only on a GPU of whose free memory they would take more than DATA_SHARE; then they
    # are handed over some batches at a time.
    if torch.device(device).type != "cuda":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    return n_bytes <= DATA_SHARE * free


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that the memory is not enough, of a device or of the machine."""
    # torch's allocator on the CPU raises a RuntimeError and has no class of its own for it
    kinds = MemoryError, torch.OutOfMemoryError
    return isinstance(error, kinds) or "allocate memory" in str(error)


@contextmanager
def explain_memory(advice: str) -> Iterator[None]:
    """Raise a MemoryError that says what to do where the memory is not enough."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise MemoryError(advice) from error


def find_device(device: str) -> str:
    """Return the device that a saved network goes to: its own, or the CPU with a warning."""
    kind = torch.device(device).type
    if kind == "cpu":
        return device
    try:
        if kind != "cuda" or torch.cuda.is_available():
            torch.empty(1, device=device)
            return device
    except Exception:  # each backend of torch has an error of its own
        pass
    warn_user(
        f"The network was saved on device {device!r}, which torch {torch.__version__} cannot use "
        "here. It is loaded on 'cpu'; predictions may differ by rounding.",
    )
    return "cpu"


@contextmanager
def use_precision(net: ComputingNet) -> Iterator[None]:
    """Compute as precisely inside the block as a net asks for.

    Parameters
    ----------
    net : Net
        With ``precision='full'`` no GPU rounds float32 to TF32, also not in convolutions, where
        torch would; with ``'tf32'`` it may; with ``'bfloat16'`` products of all devices are
        computed in bfloat16 and what is sensitive in float32 (autocast). What torch was set to
        before comes back after the block.
    """
    kind = torch.device(net.device).type
    if kind == "cuda":
        before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
        _allow_tf32(net.precision == "tf32", net.precision == "tf32")
    try:
        if net.precision == "bfloat16":
            with torch.autocast(kind, dtype=torch.bfloat16):
                yield
        else:
            yield
    finally:
        if kind == "cuda":
            _allow_tf32(*before)


def _allow_tf32(products: bool, convolutions: bool) -> None:
    torch.backends.cuda.matmul.allow_tf32 = products
    torch.backends.cudnn.allow_tf32 = convolutions


#: floating-point operations of a step from which several threads pay. Below, handing work to
#: another thread costs more than it saves, and beside a busy neighbour many times more: every
#: operation waits for the thread that has no core.
FLOPS_WORTH_THREADS = 3e7
#: weights for each unit of a network from which several threads pay. In a narrow network the time
#: goes into reading and writing the values of units, which one thread does as fast as two.
WEIGHTS_WORTH_THREADS = 80


def use_one_thread() -> None:
    """Compute with one thread from now on."""
    torch.set_num_threads(1)


# A forked child has the parent's pool of threads on paper only: whoever waits for them hangs.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=use_one_thread)


@contextmanager
def limit_threads(flops: float, weights_per_unit: float) -> Iterator[None]:
    """Compute with one thread inside the block where the work is small.

    `flops` are those of one step, between which threads wait for each other, and
    `weights_per_unit` the parameters of the network over its units, inputs and outputs included.
    """
    # With large work the present number stays, which is the user's (``OMP_NUM_THREADS``,
    # ``torch.set_num_threads``) or what joblib leaves to each of its workers. The choice depends on
    # the work alone, as the number of threads can change the last bit of a sum.
    before = torch.get_num_threads()
    pays = flops >= FLOPS_WORTH_THREADS and weights_per_unit >= WEIGHTS_WORTH_THREADS
    if before == 1 or pays:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)

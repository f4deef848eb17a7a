"""From the word a user writes to the device torch computes on."""

import torch


def _mps_is_available() -> bool:
    return torch.backends.mps.is_available()


def resolve_device(device: str, dtype: str) -> str:
    """Return the device to compute on.

    Parameters
    ----------
    device : str
        ``'auto'`` takes CUDA where torch sees it, else Apple's MPS for float32, else the CPU.
        Any other is torch's own name, as ``'cpu'``, ``'cuda'``, ``'cuda:1'`` or ``'mps'``.
    dtype : {'float32', 'float64'}
        In which the network computes; MPS has no float64.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If torch does not know the name, or does not see such a device here.
    """
    if device == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if _mps_is_available() and dtype == "float32" else "cpu"
    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise ValueError(
            f"device must be 'auto' or one that torch knows, as 'cpu', 'cuda', 'cuda:1' or 'mps'; "
            f"got {device!r}."
        ) from error
    if kind == "cuda":
        _check_cuda(device)
    if kind == "mps" and not _mps_is_available():
        raise ValueError(f"device={device!r} was asked for, but torch sees no MPS device here.")
    if kind == "mps" and dtype == "float64":
        raise ValueError(f"device={device!r} has no float64. Set dtype='float32'.")
    return device


def _check_cuda(device: str) -> None:
    if not torch.cuda.is_available():
        raise ValueError(
            f"device={device!r} was asked for, but torch {torch.__version__} sees no CUDA device "
            "here. Use device='cpu' or 'auto', or install a CUDA build of torch."
        )
    index, count = torch.device(device).index or 0, torch.cuda.device_count()
    if index >= count:
        raise ValueError(f"device={device!r} was asked for, but torch sees only {count} of them.")

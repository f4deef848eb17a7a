"""From the word a user writes to the device torch computes on."""

import warnings

import torch


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
        return "mps" if torch.backends.mps.is_available() and dtype == "float32" else "cpu"
    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise ValueError(
            f"device must be 'auto' or one that torch knows, as 'cpu', 'cuda', 'cuda:1' or 'mps'; "
            f"got {device!r}."
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


def device_here(device: str) -> str:
    """Return the device that a saved network goes to.

    Parameters
    ----------
    device : str
        Where it was.

    Returns
    -------
    str
        The same if torch can use it here, else ``'cpu'``.

    Warns
    -----
    UserWarning
        If it is not here.
    """
    kind = torch.device(device).type
    if kind == "cpu":
        return device
    try:
        if kind != "cuda" or torch.cuda.is_available():
            torch.empty(1, device=device)
            return device
    except Exception:  # each backend of torch has an error of its own
        pass
    warnings.warn(
        f"The network was saved on device {device!r}, which torch {torch.__version__} cannot use "
        "here. It is loaded on 'cpu'; predictions may differ by rounding.",
        stacklevel=2,
    )
    return "cpu"

"""Description of the hardware that computes."""

import os

import torch


def list_devices() -> dict[str, str]:
    """Return device, as `device` of an estimator takes it -> description."""
    n_threads = torch.get_num_threads()
    devices = {"cpu": f"{os.cpu_count()} cores; torch uses {n_threads} of them"}
    for number in range(torch.cuda.device_count()):
        card = torch.cuda.get_device_properties(number)
        devices[f"cuda:{number}"] = f"{card.name}, {card.total_memory / 2**30:.0f} GiB"
    if torch.backends.mps.is_available():
        devices["mps"] = "Apple's GPU"
    return devices

"""Versions, devices and ways of training: what a report of a problem should come with."""

import platform
import sys
from importlib import metadata

from sknn._jit import OBSTACLE
from sknn._optional import EXTRAS
from sknn._version import __version__
from sknn.engine import RUNNERS, CompiledRunner, CudaGraphRunner, MembersRunner, list_devices

#: what pip installs with the package
_REQUIRED = ("scikit-learn", "numpy", "scipy", "torch", "skorch", "pandas", "narwhals", "joblib")
#: optional package -> the name of its distribution, where they differ
_DISTRIBUTIONS = {"Bio": "biopython"}
#: optional package that is not imported through `sknn._optional` -> extra that installs it, if any
_BESIDE = {
    "numba": "fast",
    "onnxruntime": "onnx",
    "distributed": "dask",
    "polars": None,
    "safetensors": "skops",
    "skops": "skops",
}


def show_versions() -> None:
    """Print versions of packages, the devices, and which ways of training are there.

    ``python -m sknn`` prints the same. Paste it into a report of a problem.

    Examples
    --------
    >>> import sknn
    >>> sknn.show_versions()  # doctest: +ELLIPSIS
    sknn ...
    """
    sys.stdout.write(describe_versions())


def describe_versions() -> str:
    """Return what `show_versions` prints."""
    optional = {_DISTRIBUTIONS.get(name, name): extra for name, extra in EXTRAS.items()} | _BESIDE
    sections = {
        "System": {"python": sys.version.split()[0], "platform": platform.platform()},
        "Required packages": {name: find_version(name) for name in _REQUIRED},
        "Optional packages": {
            name: find_version(name, optional[name]) for name in sorted(optional)
        },
        "Devices": list_devices(),
        "Ways of training, fastest first": list_ways(),
    }
    lines = [f"sknn {__version__}"]
    for title, items in sections.items():
        lines += ["", title, *(f"  {name:<22}{value}" for name, value in items.items())]
    return "\n".join(lines) + "\n"


def find_version(distribution: str, extra: str | None = None) -> str:
    """Return the version of an installed distribution, or which extra installs it."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed" + (f"; the extra '{extra}' installs it" if extra else "")


def list_ways(obstacle_to_compiling: str | None = OBSTACLE) -> dict[str, str]:
    """Return way of computing an epoch, fastest first -> whether this machine has what it needs."""
    ways = {runner.name: "yes" for runner in RUNNERS}
    if obstacle_to_compiling is not None:
        for name in (CompiledRunner.name, MembersRunner.name):
            ways[name] = f"no: {obstacle_to_compiling}"
    if not any(name.startswith("cuda") for name in list_devices()):
        ways[CudaGraphRunner.name] = "no: torch finds no CUDA device"
    return ways

"""Import optional packages when they are used, with an error that names the extra."""

from importlib import import_module
from types import ModuleType

from sknn.exceptions import OptionalDependencyError

#: package to import -> extra of sknn that installs it
EXTRAS = {
    "matplotlib": "plot",
    "rich": "plot",
    "memelite": "motifs",
    "pyjaspar": "motifs",
    "Bio": "motifs",
    "pybigtools": "genome",
    "pyfaidx": "genome",
    "onnx": "onnx",
    "pyarrow": "data",
    "skl2onnx": "onnx",
    "starlette": "playground",
    "uvicorn": "playground",
    "websockets": "playground",
}


def require(module: str, purpose: str) -> ModuleType:
    """Import and return an optional module, such as ``"matplotlib.pyplot"``.

    `purpose`, such as ``"LossCurveDisplay.plot"``, begins the OptionalDependencyError.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise OptionalDependencyError(
            f"{purpose} needs the package {package!r}, which could not be imported ({error}). "
            f"Install it with: pip install 'sknn[{EXTRAS[package]}]'"
        ) from error

"""Parameters that the guide writes as ``name=`` are parameters of something public."""

import inspect
import re
import runpy
from importlib import import_module
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.glob("guide/*.md"))
SECTIONS = runpy.run_path(str(DOCS / "api_reference.py"))["API_REFERENCE"]
#: of scikit-learn; of Ray and Spark
FOREIGN = {"transform_input"} | {
    "local_mode", "num_processes", "num_workers", "scaling_config", "use_gpu"
}  # fmt: skip


def _parameters(item):
    if inspect.isclass(item):
        methods = [m for name, m in inspect.getmembers(item) if name[0] != "_" and callable(m)]
        return _parameters_of([item, *methods])
    return _parameters_of([item])


def _parameters_of(functions):
    return {name for f in functions for name in inspect.signature(f).parameters}


@pytest.fixture(scope="module")
def known():
    public = (getattr(import_module(m), name) for m, s in SECTIONS.items() for name in s["names"])
    described = (item for item in public if not _is_error(item))
    return FOREIGN.union(*(_parameters(item) for item in described))


def _is_error(item):
    """Tell whether something is an exception, whose methods have no signatures."""
    return inspect.isclass(item) and issubclass(item, Exception)


def _ours(page):
    """Return the text of a page without its code, and without other libraries' columns."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    if page.stem in ("coming_from", "skorch"):
        text = re.sub(r"^\| [^|]* \| ([^|]*) \|$", r"\1", text, flags=re.M)
    return text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_parameters_on_the_page_exist(page, known):
    code = re.findall(r"`([^`]+)`", _ours(page))
    named = {name.partition("__")[0] for words in code for name in re.findall(r"\b(\w+)=", words)}
    assert named <= known


def test_known_parameters_are_those_of_the_package(known):
    assert "hidden_layer_size" not in known
    assert {"hidden_layer_sizes", "X_val", "return_std", "n_members"} <= known

"""The figures of the package's structure are counted as they say, on a package made by hand."""

import tomllib
from pathlib import Path

import pytest

from benchmarks.structure import (
    Source,
    count_bare_any,
    count_cycles,
    count_long_docstrings,
    count_own_classes,
    count_room_cycles,
    measure,
    measure_comments,
    measure_verbs,
)

ROOT = Path(__file__).parents[1]

FILES = {
    "__init__": '"""Top."""\n_HOMES = {\n    "Model": "sknn.deep",\n}\n',
    "deep/__init__": '"""Deep."""\nfrom sknn.deep._model import Model\n__all__ = ["Model"]\n',
    "deep/_base": "try:\n    from x import Hook\nexcept ImportError:\n    class Hook: ...\n\n\n"
    "class Base(Hook):\n    def _wanted(self, x: Any, y: int):\n        return x\n",
    "deep/_model": (
        "from sknn.deep._base import Base\n\n\nclass Model(Base):\n    # why\n"
        "    def fit(self, X: Any):\n        return self\n\n"
        '    def _make(self):\n        """Do.\n\n        Long.\n        """\n        return 1\n'
    ),
}


@pytest.fixture
def root(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / "sknn" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (tmp_path / "tests").mkdir()
    return tmp_path


def test_figures_are_those_of_the_files(root):
    table = measure(root)
    assert table["modules of a folder, most"] == "2 (sknn.deep)"
    assert table["levels of imports in a folder, most"] == "2 (sknn.deep)"
    assert table["arrows inside folders"] == "1"
    assert table["import cycles"] == "0"
    assert table["own classes in MROs"] == "Model 2"
    assert table["private functions that begin with a verb"] == "50% of 2"
    assert table["arguments annotated by a bare Any"] == "2"
    assert table["private docstrings longer than their function"] == "1"


@pytest.mark.parametrize(
    "line", ["from sknn.deep._model import Model", 'import_module("sknn.deep._model")']
)
def test_a_cycle_is_found(root, line):
    assert count_cycles(Source(root)) == 0
    path = root / "sknn" / "deep" / "_base.py"
    path.write_text(f"{line}\n", encoding="utf-8")
    assert count_cycles(Source(root)) == 1


def test_a_cycle_of_rooms_is_found_where_no_module_is_in_one(root):
    assert count_room_cycles(Source(root)) == 0
    other = root / "sknn" / "tools"
    other.mkdir()
    (other / "_first.py").write_text("from sknn.deep._base import Base\n", encoding="utf-8")
    (other / "_last.py").write_text("", encoding="utf-8")
    model = root / "sknn" / "deep" / "_model.py"
    model.write_text("from sknn.tools._last import x\n", encoding="utf-8")
    source = Source(root)
    assert (count_cycles(source), count_room_cycles(source)) == (0, 1)


def test_the_package_keeps_its_figures():
    source = Source(ROOT)
    (verbs, n_functions), (comments, code) = measure_verbs(source), measure_comments(source)
    assert count_cycles(source) == count_room_cycles(source) == 0
    assert max(count_own_classes(source).values()) <= 4
    assert verbs >= 0.75 * n_functions
    assert count_bare_any(source) <= 55
    assert count_long_docstrings(source) == 0
    assert comments >= 0.06 * code


def test_types_are_checked_in_every_module():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    assert "sknn" in config["files"]
    ignoring = [part for part in config.get("overrides", ()) if part.get("ignore_errors")]
    assert not ignoring

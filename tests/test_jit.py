"""The door to numba: the same function with it and without, and what is kept on disk."""

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from sknn import _jit

numba = pytest.importorskip("numba", reason="numba is not installed")


class Values(NamedTuple):
    first: np.ndarray
    second: np.ndarray


def add_squares(values):
    total = 0.0
    for value in values:
        total += value * value
    return total


def subtract(values: Values):
    return values.first[0] - values.second[0]


def make_kept(function, *places):
    """Return a compiled function whose code is kept in these folders."""
    compiled = numba.njit(function)
    compiled._cache = _jit.KeptCode(function, list(places))
    return compiled


def count_hits(function):
    return sum(function.stats.cache_hits.values())


def test_a_function_does_the_same_compiled_or_not(tmp_path):
    values = np.linspace(0, 1, 11)
    compiled = make_kept(add_squares, tmp_path)
    assert not _jit.is_compiled(compiled, values)
    assert compiled(values) == _jit.jit(add_squares)(values) == add_squares(values)
    assert _jit.is_compiled(compiled, values)
    assert not _jit.is_compiled(compiled, values.astype("float32"))
    assert _jit.explain_not_kept(compiled) is None


def test_kept_code_is_read_again(tmp_path):
    values = np.linspace(0, 1, 11)
    make_kept(add_squares, tmp_path)(values)
    (path,) = tmp_path.glob("*/*.code")
    assert path.parent.name.startswith("sknn-")
    again = make_kept(add_squares, tmp_path)
    assert again(values) == add_squares(values)
    assert count_hits(again) == 1
    again._cache.flush()
    assert not path.exists()


def _cut(content):
    return content[: len(content) // 2]


def _flip(content):
    return content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]


def _make_unreadable(content):
    code = b"cno.such.module\nName\n."  # a pickle of a class that is no more
    return _jit._digest(code) + code


@pytest.mark.parametrize("damage", [_cut, _flip, _make_unreadable, lambda content: b""])
def test_damaged_code_is_compiled_anew_without_a_word(damage, tmp_path, recwarn):
    values = np.linspace(0, 1, 11)
    make_kept(add_squares, tmp_path)(values)
    (path,) = tmp_path.glob("*/*.code")
    path.write_bytes(damage(path.read_bytes()))
    again = make_kept(add_squares, tmp_path)
    assert again(values) == add_squares(values)
    assert count_hits(again) == 0
    later = make_kept(add_squares, tmp_path)
    assert later(values) == add_squares(values)
    assert count_hits(later) == 1
    assert not recwarn.list


def _define(text, **names):
    space = {"__name__": "somewhere", **names}
    exec(textwrap.dedent(text), space)
    return space["work"]


CALLER = "def work(x):\n    return FACTOR * part(x)\n"
PART = "def work(x):\n    return x + 1\n"
STALE = {
    "a constant": (PART, {"FACTOR": 3}),
    "what it calls": ("def work(x):\n    return x + 2\n", {"FACTOR": 2}),
}


@pytest.mark.parametrize("change", STALE)
def test_code_of_other_sources_is_not_taken(change, tmp_path):
    part = numba.njit(_define(PART))
    before = make_kept(_define(CALLER, part=part, FACTOR=2), tmp_path)
    assert before(1) == 4
    text, names = STALE[change]
    function = _define(CALLER, part=numba.njit(_define(text)), **names)
    after = make_kept(function, tmp_path)
    assert after(1) == function(1) != 4
    assert len(list(tmp_path.glob("*"))) == 2


def test_the_digest_follows_classes_of_this_package_that_write_instructions():
    text = (
        "class Writer:\n    def fill(self):\n        return {}\ndef work(x):\n    Writer().fill()\n"
    )
    digests = {
        (module, number): _jit.digest_function(_define(text.format(number), __name__=module))
        for module in ("sknn.somewhere", "elsewhere")
        for number in (1, 2)
    }
    assert digests["sknn.somewhere", 1] != digests["sknn.somewhere", 2]
    assert digests["elsewhere", 1] == digests["elsewhere", 2]


def test_code_knows_of_functions_that_are_defined_later(tmp_path):
    results = []
    for amount in (1, 2):
        space = {"__name__": "somewhere", "FACTOR": 2}
        exec(CALLER, space)
        function = make_kept(space["work"], tmp_path)
        space["part"] = numba.njit(_define(f"def work(x):\n    return x + {amount}\n"))
        results.append(function(1))
    assert results == [4, 6]


def test_code_for_tuples_with_other_fields_is_not_taken(tmp_path):
    class Values(NamedTuple):
        second: np.ndarray
        first: np.ndarray

    one, two = np.ones(1), np.full(1, 2.0)
    assert make_kept(subtract, tmp_path)(globals()["Values"](one, two)) == -1
    renamed = _define(
        "def work(values: Values):\n    return values.first[0] - values.second[0]\n", Values=Values
    )
    renamed.__name__ = renamed.__qualname__ = "subtract"
    renamed.__module__ = __name__
    assert _jit.digest_function(renamed) != _jit.digest_function(subtract)
    assert make_kept(renamed, tmp_path)(Values(one, two)) == 1


def test_a_folder_that_only_can_be_read_is_read(tmp_path):
    """A file stands for a folder that cannot be written: even root cannot write into it."""
    values, full, blocked = np.linspace(0, 1, 11), tmp_path / "full", tmp_path / "blocked"
    blocked.write_text("")
    make_kept(add_squares, full)(values)
    again = make_kept(add_squares, blocked, full)
    again(values)
    assert count_hits(again) == 1
    nowhere = make_kept(add_squares, blocked)
    assert nowhere(values) == add_squares(values)
    assert nowhere.stats.cache_path is None
    reason = _jit.explain_not_kept(nowhere, values)
    assert "there is no folder to keep compiled code in" in reason
    other = make_kept(add_squares, full)
    other._cache._path = None
    assert _jit.explain_not_kept(other, values) is None


def test_processes_that_compile_at_once_all_keep_their_code(tmp_path):
    """Each asks for two dtypes; all codes are whole and for their own dtype afterwards."""
    program = f"""
        import numpy as np, sys
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parents[1])!r})
        from tests.test_jit import add_squares, make_kept
        function = make_kept(add_squares, Path({str(tmp_path)!r}))
        for dtype in sys.argv[1:]:
            assert function(np.ones(3, dtype)) == 3
        print(sum(function.stats.cache_hits.values()))
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    together = [
        subprocess.Popen([*command, *dtypes], stdout=subprocess.PIPE)
        for dtypes in (("float32", "float64"), ("float64", "float32"))
    ]
    for process in together:
        process.communicate()
        assert process.returncode == 0
    assert len(list(tmp_path.glob("*/*.code"))) == 2
    later = subprocess.run([*command, "float32", "float64"], capture_output=True, check=True)
    assert later.stdout.split() == [b"2"]


def test_places_are_those_that_variables_name(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert _jit.list_places(tmp_path / "own") == [tmp_path]
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    places = _jit.list_places(tmp_path / "own")
    assert places[0] == tmp_path / "own" / "__pycache__"
    assert places[1].name == "sknn"


def test_without_a_numba_that_can_be_loaded_functions_are_plain():
    program = """
        import sys
        from sknn import _jit
        sys.modules["numba"] = None
        assert _jit.jit(abs) is abs and _jit.jit_kept(abs) is abs
        print(_jit.explain_not_kept(abs))
        _jit.HAS_NUMBA = False
        assert _jit.jit(abs) is abs
        print(_jit.explain_not_kept(abs))
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    broken, missing = subprocess.run(
        command, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert "numba cannot be loaded" in broken
    assert "numba is not installed" in missing

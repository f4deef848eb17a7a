"""The API reference has every public name once, and nothing else."""

import inspect
import runpy
from importlib import import_module

import pytest

from tests.helpers import PUBLIC_MODULES, ROOT

REFERENCE = runpy.run_path(str(ROOT / "docs" / "api_reference.py"))
PAGES, ELSEWHERE = REFERENCE["API_REFERENCE"], REFERENCE["ELSEWHERE"]
BETWEEN_PARTS = REFERENCE["BETWEEN_PARTS"]


def _public_names(module):
    names = getattr(module, "__all__", None)
    if names is not None:
        return set(names)
    return {
        name
        for name, item in vars(module).items()
        if (inspect.isclass(item) or inspect.isfunction(item))
        and item.__module__ == module.__name__
        and name[0] != "_"
    }


def test_every_public_module_has_a_section():
    assert {"sknn"} | {f"sknn.{name}" for name in PUBLIC_MODULES} == set(PAGES)


@pytest.mark.parametrize("module", PAGES)
def test_sections_have_the_public_names(module):
    listed = PAGES[module]["names"]
    assert len(listed) == len(set(listed))
    others = ELSEWHERE.get(module, set()) | BETWEEN_PARTS.get(module, set())
    assert set(listed) | others == _public_names(import_module(module))
    assert not set(listed) & others


def test_no_name_is_listed_twice():
    homes = {}
    for module, section in PAGES.items():
        for name in section["names"]:
            item = getattr(import_module(module), name)
            assert homes.setdefault(id(item), (module, name)) == (module, name)


def test_what_is_listed_elsewhere_is_listed():
    everywhere = {name for section in PAGES.values() for name in section["names"]}
    assert set().union(*ELSEWHERE.values()) - {"__version__"} <= everywhere


def test_page_names_them_all():
    text = REFERENCE["index_page"]()
    for module, section in PAGES.items():
        assert f".. currentmodule:: {module}\n" in text
        for name in section["names"]:
            assert f"\n   {name}\n" in text

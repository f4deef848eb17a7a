"""Estimators hold what they differ in: few own classes, nothing overridden, nothing patched."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import sknn
from tests.instances import INSTANCES

PACKAGE = Path(sknn.__file__).parent
OWN_CLASSES = 4
#: methods that hand on what the next class says, as scikit-learn's and Python's do
CHAINED = {"__init__", "__init_subclass__", "__sklearn_tags__"}
ESTIMATORS = [cls for cls in INSTANCES if cls.__module__.startswith(("sknn.deep", "sknn.model"))]


def own_classes(cls):
    """Return the classes of the package, without stand-ins for what older scikit-learns lack."""
    own = [c for c in cls.__mro__ if c.__module__.partition(".")[0] == "sknn"]
    return [c for c in own if c.__module__ != "sknn._sklearn"]


@pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)
def test_an_estimator_has_few_classes_of_ours(cls):
    assert len(own_classes(cls)) <= OWN_CLASSES


@pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)
def test_no_concrete_method_of_ours_is_overridden(cls):
    seen = {}
    for own in own_classes(cls):
        for name, value in vars(own).items():
            if name in CHAINED or re.fullmatch("set_.*_request", name):  # made by scikit-learn
                continue
            if not (inspect.isroutine(value) or isinstance(value, property)):
                continue
            is_abstract = getattr(value, "__isabstractmethod__", False)
            assert is_abstract or name not in seen, f"{seen[name]} overrides {own}.{name}"
            seen[name] = own


@pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)
def test_no_parameter_is_an_attribute_of_the_class(cls):
    shown = {
        name
        for own in own_classes(cls)
        for name, value in vars(own).items()
        if not name.startswith("_") and not callable(value) and not hasattr(value, "__get__")
    }
    assert not shown


def method_names(room):
    return {
        node.name
        for path in (PACKAGE / room).rglob("*.py")
        for cls in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(cls, ast.ClassDef)
        for node in cls.body
        if isinstance(node, ast.FunctionDef) and not node.decorator_list
    }


def assigned_attributes(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        targets = node.targets if isinstance(node, ast.Assign | ast.Delete) else []
        for target in targets:
            if isinstance(target, ast.Attribute):
                yield node.lineno, ast.unparse(target.value), target.attr


@pytest.mark.parametrize("room", ["deep", "model_selection"])
def test_no_method_is_assigned_to_an_instance(room):
    methods = method_names(room) | {"fit", "predict", "transform", "score"}
    assigned = [
        f"{path.name}:{line}: {owner}.{name}"
        for path in sorted((PACKAGE / room).rglob("*.py"))
        for line, owner, name in assigned_attributes(path)
        if name in methods and owner != "self"
    ]
    assert not assigned

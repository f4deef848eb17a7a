"""The structure of the package: levels, cycles, doors, sizes; see docs/architecture.md.

A file imports from its own level's part or from below. Imports inside functions count too.
"""

import ast
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "sknn").rglob("*.py"))

#: first name below ``sknn`` -> level; equal levels are islands without bridges
LEVELS = {
    "_version": 0,
    "_specs": 0,
    "_sklearn": 0,
    "_optional": 0,
    "_jit": 0,
    "_files": 0,
    "exceptions": 0,
    "activations": 1,
    "losses": 1,
    "_validation": 1,
    "threshold": 2,
    "preprocessing": 2,
    "architectures": 2,
    "datasets": 2,
    "motifs": 2,
    "engine": 3,
    "deep": 4,
    "inspection": 5,
    "model_selection": 5,
    "genomics": 5,
    "discovery": 5,
    "persistence": 6,
    "export": 6,
    "playground": 7,
}
#: islands of level 0 and 1 that may use each other, downwards in this order
FOUNDATION = ("exceptions", "_optional", "_version", "_specs", "_sklearn")

#: package -> the only places that may import it
DOORS = {
    "skorch": ("engine",),
    "torch": ("engine", "architectures", "export"),
    "narwhals": ("preprocessing/tables/_columns.py",),
    "matplotlib": ("inspection",),
    "rich": ("engine",),
    "numba": ("_jit.py",),
}
PRIVATE_SKLEARN_DOOR = "_sklearn.py"
LINES_OF_FILE, LINES_OF_FUNCTION = 420, 60


@cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path):
    """Yield dotted names of everything a file imports, and names imported from a module."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            yield from ((node.module, alias.name) for alias in node.names)


def part(dotted):
    return dotted.split(".")[1] if "." in dotted else ""


def known_modules():
    return {module_name(path) for path in FILES}


def imported_modules(path):
    modules = known_modules()
    for module, name in imports(path):
        if module.partition(".")[0] == "sknn":
            full = f"{module}.{name}"
            yield full if full in modules else module


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_imports_lead_downwards(path):
    own = part(module_name(path))
    if not own:
        pytest.skip("the top names its parts as strings and loads them on use")
    for target in imported_modules(path):
        other = part(target)
        if other == own:
            continue
        if own in FOUNDATION and other in FOUNDATION:
            assert FOUNDATION.index(other) < FOUNDATION.index(own), f"{own} imports {target}"
        else:
            assert LEVELS[other] < LEVELS[own], f"{path} imports {target}"


def test_every_part_has_a_level():
    parts = {part(module_name(path)) for path in FILES} - {""}
    assert parts <= set(LEVELS), f"give a level to {parts - set(LEVELS)}"


def test_there_are_no_import_cycles():
    graph = {module_name(path): set(imported_modules(path)) for path in FILES}
    done, path = set(), []

    def visit(name):
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name in done:
            return
        path.append(name)
        for target in sorted(graph[name] - {name}):
            visit(target)
        path.pop()
        done.add(name)

    for name in graph:
        visit(name)
    assert done == set(graph)


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_packages_come_in_through_their_doors(path):
    inside = path.relative_to(ROOT / "sknn").as_posix()
    for module, _ in imports(path):
        doors = DOORS.get(module.partition(".")[0])
        assert doors is None or inside.startswith(doors), f"{inside} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_private_scikit_learn_comes_in_through_one_door(path):
    if path.name == PRIVATE_SKLEARN_DOOR:
        pytest.skip("this is the door")
    for module, name in imports(path):
        if module.partition(".")[0] == "sklearn":
            dotted = f"{module}.{name or ''}"
            assert not any(p.startswith("_") for p in dotted.split(".")), f"{path}: {dotted}"


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_files_and_functions_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES_OF_FILE
    for node in ast.walk(tree(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[1] if ast.get_docstring(node) and node.body[1:] else node.body[0]
            length = node.end_lineno - first.lineno + 1
            assert length <= LINES_OF_FUNCTION, f"{path}:{node.lineno} {node.name}: {length} lines"


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_functions_have_at_most_five_positional_parameters(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            names = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
            own = [
                name for name in names if name not in ("self", "cls", "ctx")
            ]  # torch hands over ctx
            assert len(own) <= 5, f"{path}:{node.lineno} {node.name}{own}"


@pytest.mark.parametrize("path", [p for p in FILES if p.name == "__init__.py"], ids=module_name)
def test_init_files_are_lists(path):
    if path.parent == ROOT / "sknn":
        pytest.skip("the top loads names on use")
    kinds = {type(node) for node in tree(path).body}
    assert kinds <= {ast.Expr, ast.ImportFrom, ast.Assign}


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_subclasses_are_of_abstract_classes(path):
    """Classes are abstract or final: nothing derives from a class that users name."""
    public = {"DeepMLPClassifier", "DeepMLPRegressor", "PerceptronClassifier"}
    public |= {"SequenceCNNClassifier", "SequenceCNNRegressor"}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ClassDef):
            bases = {ast.unparse(base).split(".")[-1] for base in node.bases}
            assert not bases & (public | {"ThresholdLogicClassifier"}), f"{path}: {node.name}"


def _loaded_after(statement, *packages):
    code = f"{statement}; import sys; print([p for p in {packages!r} if p in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return ast.literal_eval(run.stdout)


@pytest.mark.parametrize(
    "statement",
    [
        "import sknn",
        "import sknn.threshold",
        "from sknn import PerceptronClassifier, ThresholdLogicClassifier",
        "import sknn.activations, sknn.preprocessing, sknn.datasets",
    ],
)
def test_torch_and_matplotlib_are_not_loaded(statement):
    assert _loaded_after(statement, "torch", "skorch", "matplotlib") == []


def test_torch_is_loaded_with_a_deep_estimator():
    assert _loaded_after("from sknn import DeepMLPClassifier", "torch", "skorch") == [
        "torch",
        "skorch",
    ]


def test_levels_are_told_from_top_to_bottom():
    order = list(LEVELS.values())
    assert all(a <= b for a, b in pairwise(order))


def test_first_fit_does_not_load_torchs_compiler():
    """It would cost over a second in every process, also in each worker of a grid search."""
    fit = (
        "import warnings; warnings.simplefilter('ignore');"
        "from sknn import DeepMLPClassifier;"
        "m = DeepMLPClassifier(max_iter=1).fit([[0.], [1.]], [0, 1]).partial_fit([[0.]], [0])"
    )
    assert _loaded_after(fit, "torch", "torch._dynamo", "sympy") == ["torch"]

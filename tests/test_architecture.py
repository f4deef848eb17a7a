"""The structure of the package: levels, cycles, doors, rooms and sizes.

Levels and doors are the tables of docs/architecture.md. Each test is one rule; it goes over all
files and names every place that breaks the rule.
"""

import ast
import re
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sknn"
FILES = sorted(PACKAGE.rglob("*.py"))
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
LINES_OF_FILE, LINES_OF_FUNCTION, POSITIONAL_PARAMETERS, MODULES_OF_FOLDER = 420, 60, 5, 12
#: a file may repeat its folder's name where a term of the field needs the word
TERMS = {"graphs/_cuda_graph.py"}
#: test folders beside those that mirror the package
OTHER_TESTS = {"docs", "examples", "typing"}


def _read_levels():
    """Return the rows of the table of levels, from the top: level and parts."""
    rows = re.findall(r"^\| (\d) \| (.*?) \|", TEXT, re.MULTILINE)
    return [(int(level), re.findall(r"`(\w+)`", parts)) for level, parts in rows]


def _read_doors():
    """Return package -> the only places that may import it."""
    table = TEXT.split("| package | imported only in |\n")[1].split("\n\n")[0]
    doors = {}
    for row in table.splitlines()[1:]:
        packages, places = row.strip("| ").split(" | ")
        found = tuple(re.findall(r"`([\w./]+)`", places))
        doors.update(dict.fromkeys(re.findall(r"`(\w+)`", packages) or [packages], found))
    return doors


#: first name below ``sknn`` -> level; equal levels are islands without bridges
LEVELS = {part: level for level, parts in _read_levels() for part in parts}
#: parts of level 0, each of which may use those before it
FOUNDATION = _read_levels()[-1][1]
DOORS = _read_doors()


@cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def functions(path):
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree(path)) if isinstance(node, kinds)]


@cache
def imports(path):
    """Return line, dotted name and imported name of everything a file imports."""
    found = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            found += [(node.lineno, module, alias.name) for alias in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "import_module":
            given = node.args[0]  # of compiled code, which is imported by its name in a function
            if isinstance(given, ast.Constant) and given.value != "sknn":
                found.append((node.lineno, given.value, None))
    return found


def part(dotted):
    return dotted.split(".")[1] if "." in dotted else ""


MODULES = {module_name(path) for path in FILES}
TOP = PACKAGE / "__init__.py"  # it names its parts as strings and loads them on use


def own_imports(path):
    """Return line and module of everything of this package that a file imports."""
    own = [i for i in imports(path) if i[1].partition(".")[0] == "sknn"]
    return [
        (line, full if (full := f"{module}.{name}") in MODULES else module)
        for line, module, name in own
    ]


def leads_down(importer, imported):
    own, other = part(importer), part(imported)
    if own == other:
        return True
    if own in FOUNDATION and other in FOUNDATION:
        return FOUNDATION.index(other) < FOUNDATION.index(own)
    return LEVELS[other] < LEVELS[own]


def test_every_part_has_a_level():
    parts = {part(name) for name in MODULES} - {""}
    assert parts <= set(LEVELS), f"give a level to {parts - set(LEVELS)} in docs/architecture.md"
    assert all(above[0] == below[0] + 1 for above, below in pairwise(_read_levels()))


def test_imports_are_absolute_and_lead_downwards():
    relative = [f"{p}:{line}" for p in FILES for line, name, _ in imports(p) if name[0] == "."]
    assert not relative
    upwards = [
        f"{path}:{line} imports {target}"
        for path in FILES
        if path != TOP
        for line, target in own_imports(path)
        if not leads_down(module_name(path), target)
    ]
    assert not upwards, "\n".join(upwards)


def test_there_are_no_import_cycles():
    graph = {
        module_name(path): {target for _, target in own_imports(path)}
        for path in FILES
        if path != TOP
    }
    done, path = {"sknn"}, []

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
    assert done == {*graph, "sknn"}


def names_offered_by(part_name):
    """Return the names that the ``__init__`` of a part imports or makes."""
    body = tree(PACKAGE / part_name / "__init__.py").body
    imported = {a.asname or a.name for n in body if isinstance(n, ast.ImportFrom) for a in n.names}
    return imported | {ast.unparse(n.targets[0]) for n in body if isinstance(n, ast.Assign)}


def test_parts_are_entered_by_their_doors():
    """What a part does not offer in its ``__init__`` is its own; `export` translates all of it."""
    wrong = [
        f"{path}:{line} imports {name} of {module}"
        for path in FILES
        if path != TOP and part(own := module_name(path)) != "export"
        for line, module, name in imports(path)
        if module.startswith("sknn.")
        and part(module) != part(own)
        and (PACKAGE / part(module) / "__init__.py").exists()
        and (module.count(".") > 1 or name not in names_offered_by(part(module)))
    ]
    assert not wrong, "\n".join(wrong)


def test_packages_come_in_through_their_doors():
    wrong = [
        f"{path}:{line} imports {module}"
        for path in FILES
        for line, module, _ in imports(path)
        if (doors := DOORS.get(module.partition(".")[0])) is not None
        and not path.relative_to(PACKAGE).as_posix().startswith(doors)
    ]
    assert not wrong, "\n".join(wrong)


def test_private_scikit_learn_comes_in_through_one_door():
    (door,) = DOORS["scikit-learn's private modules"]
    wrong = [
        f"{path}:{line} imports {module}.{name}"
        for path in FILES
        if path != PACKAGE / door
        for line, module, name in imports(path)
        if module.partition(".")[0] == "sklearn"
        and any(word.startswith("_") for word in f"{module}.{name or ''}".split("."))
    ]
    assert not wrong, "\n".join(wrong)


def test_files_and_functions_are_short():
    long = []
    for path in FILES:
        n_lines = len(path.read_text(encoding="utf-8").splitlines())
        long += [f"{path}: {n_lines} lines"] if n_lines > LINES_OF_FILE else []
        for node in functions(path):
            first = node.body[1] if ast.get_docstring(node) and node.body[1:] else node.body[0]
            length = node.end_lineno - first.lineno + 1
            if length > LINES_OF_FUNCTION:
                long.append(f"{path}:{node.lineno} {node.name}: {length} lines")
    assert not long, "\n".join(long)


def test_functions_have_at_most_five_positional_parameters():
    wide = []
    for path in FILES:
        for node in functions(path):
            names = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
            own = set(names) - {"self", "cls", "ctx"}  # torch hands over ctx
            if len(own) > POSITIONAL_PARAMETERS:
                wide.append(f"{path}:{node.lineno} {node.name}{sorted(own)}")
    assert not wide, "\n".join(wide)


def test_init_files_are_lists():
    lists = (ast.Expr, ast.ImportFrom, ast.Assign)
    wrong = [
        f"{path}:{node.lineno}"
        for path in FILES
        if path.name == "__init__.py" and path != TOP
        for node in tree(path).body
        if not isinstance(node, lists)
    ]
    assert not wrong, "\n".join(wrong)


def test_subclasses_are_of_abstract_classes():
    """Classes are abstract or final: nothing derives from a class that users name."""
    import sknn

    public = {name for name in sknn.__all__ if name[0].isupper()}
    wrong = [
        f"{path}:{node.lineno} {node.name}"
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef)
        and public & {ast.unparse(base).split(".")[-1] for base in node.bases}
    ]
    assert len(public) > 5
    assert not wrong, "\n".join(wrong)


def folders_of_modules():
    """Return folder -> its modules."""
    found = {}
    for path in FILES:
        if path.name != "__init__.py":
            found.setdefault(path.parent, []).append(path)
    return found


def test_folders_hold_few_modules():
    """The top of the package is the list of its parts, and no room."""
    full = {
        str(folder.relative_to(ROOT)): len(modules)
        for folder, modules in folders_of_modules().items()
        if folder != PACKAGE and len(modules) > MODULES_OF_FOLDER
    }
    assert not full, f"cut these folders in two: {full}"


def repeats_its_folder(path):
    """Return whether a file's name has its folder's among other words; a main file bears it."""
    words = path.stem.strip("_").split("_")
    folder = {path.parent.name, path.parent.name.removesuffix("s")}
    return len(words) > 1 and bool(folder & {*words, *(word.removesuffix("s") for word in words)})


def test_files_do_not_repeat_the_name_of_their_folder():
    repeated = {
        path.relative_to(path.parents[1]).as_posix()
        for folder, modules in folders_of_modules().items()
        if folder != PACKAGE
        for path in modules
        if repeats_its_folder(path)
    }
    assert repeated == TERMS


def test_tests_mirror_the_package():
    tests = {p.parent.relative_to(ROOT / "tests") for p in (ROOT / "tests").rglob("test_*.py")}
    rooms = {path.parent.relative_to(PACKAGE) for path in FILES}
    tested = {path for path in tests if path.parts[:1] and path.parts[0] not in OTHER_TESTS}
    assert tested <= rooms, f"no such folder in sknn/: {tested - rooms}"
    missing = {room for room in rooms if not any(t.is_relative_to(room) for t in tests)}
    assert not missing, f"these folders of sknn/ have no tests: {missing}"


def _loaded_after(statement, *packages):
    code = f"{statement}; import sys; print([p for p in {packages!r} if p in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return ast.literal_eval(run.stdout)


def _replaced(node):
    """Return the expressions whose attributes or items a statement of a test replaces."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        is_patch = node.func.attr in {"setattr", "setitem", "delattr", "delitem", "patch"}
        return node.args[:1] if is_patch else []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.args[:1] if node.func.id in {"setattr", "patch"} else []
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [target.value for target in targets if isinstance(target, ast.Attribute | ast.Subscript)]


def test_tests_patch_no_names_of_the_package():
    """A test hands its limits and doubles in as arguments, so that inner names may change."""
    wrong = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        ours = {"sknn"}
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sknn":
                ours |= {alias.asname or alias.name for alias in node.names}
        for node in ast.walk(tree(path)):
            for place in _replaced(node):
                name = place.value if isinstance(place, ast.Constant) else ast.unparse(place)
                if re.split(r"\W", str(name))[0] in ours:
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} {ast.unparse(node)}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "statement",
    [
        "import sknn",
        "import sknn; sknn.threshold, sknn.activations, sknn.preprocessing, sknn.datasets",
        "from sknn import PerceptronClassifier, ThresholdLogicClassifier",
    ],
)
def test_torch_and_matplotlib_are_not_loaded(statement):
    assert _loaded_after(statement, "torch", "skorch", "matplotlib") == []


def test_torch_is_loaded_with_a_deep_estimator():
    loaded = _loaded_after("from sknn import DeepMLPClassifier", "torch", "skorch")
    assert loaded == ["torch", "skorch"]


def test_first_fit_does_not_load_torchs_compiler():
    """It would cost over a second in every process, also in each worker of a grid search."""
    fit = (
        "import warnings; warnings.simplefilter('ignore');"
        "from sknn import DeepMLPClassifier;"
        "m = DeepMLPClassifier(max_iter=1).fit([[0.], [1.]], [0, 1]).partial_fit([[0.]], [0])"
    )
    assert _loaded_after(fit, "torch", "torch._dynamo", "sympy") == ["torch"]

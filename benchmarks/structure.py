"""Measure the structure of the package: ``python -m benchmarks.structure [commit]``.

The figures are counted in the source, without importing it, so that any commit can be measured. Own
classes in an MRO are those of `sknn`, followed by name through the source.
"""

import ast
import re
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: verbs in the infinitive, with which the names of functions begin
VERBS = set((Path(__file__).parent / "verbs.txt").read_text(encoding="utf-8").split())
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
PREDICATES = {"is", "has", "can", "supports", "needs", "covers", "should", "was", "are"}
#: private names that scikit-learn, skorch and torch fix
FIXED = {"_repr_html_", "_repr_mimebundle_", "_validate_params", "forward", "fit", "predict"}
FIXED |= {"predict_proba", "transform", "fit_transform", "score", "get_params", "set_params"}
FIXED |= {"backward", "extra_repr"}
FIXED |= {"on_epoch_end", "on_epoch_begin", "on_train_begin", "on_train_end", "on_batch_end"}
#: parts that users do not import
INTERNAL = ("architectures", "deep", "engine")


@dataclass
class Source:
    """The source of a package and of its tests."""

    root: Path
    package: str = "sknn"
    trees: dict[str, ast.Module] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in sorted((self.root / self.package).rglob("*.py")):
            parts = path.relative_to(self.root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            self.texts[name] = path.read_text(encoding="utf-8")
            self.trees[name] = ast.parse(self.texts[name])

    def is_package(self, name: str) -> bool:
        """Return whether a module is the ``__init__`` of a folder."""
        return (self.root / Path(*name.split(".")) / "__init__.py").exists()

    def get_folder(self, name: str) -> str:
        """Return the dotted name of the folder in which a module lies."""
        return name if self.is_package(name) else name.rpartition(".")[0]

    @cached_property
    def imports(self) -> dict[str, set[str]]:
        """Module -> modules of the package that it imports, by name too; the lazy top has none."""
        found: dict[str, set[str]] = {name: set() for name in self.trees}
        for name, tree in self.trees.items():
            for node in ast.walk(tree) if name != self.package else ():
                if isinstance(node, ast.ImportFrom) and node.module:
                    full = (f"{node.module}.{alias.name}" for alias in node.names)
                    found[name] |= {f if f in found else node.module for f in full} & set(found)
                elif isinstance(node, ast.Import):
                    found[name] |= {alias.name for alias in node.names} & set(found)
                elif isinstance(node, ast.Call) and ast.unparse(node.func) == "import_module":
                    found[name] |= {ast.unparse(node.args[0]).strip("'")} & set(found)
            found[name].discard(name)
        return found

    @cached_property
    def public_names(self) -> set[str]:
        """Names in an ``__all__`` of a part that users import, and those of the estimators.

        Of a public module without one, such as `sknn.persistence`, it is each function.
        """
        found = set(re.findall(r'^    "(\w+)": "sknn', self.texts[self.package], re.MULTILINE))
        for name, tree in self.trees.items():
            if name.count(".") == 1 and not any(part in name for part in INTERNAL):
                is_public = "._" not in name and not self.is_package(name)
                for node in tree.body:
                    if is_public and isinstance(node, FUNCTIONS) and node.name[0] != "_":
                        found.add(node.name)
                    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                        found |= set(re.findall(r"'(\w+)'", ast.unparse(node.value)))
        return found

    @cached_property
    def public_classes(self) -> set[str]:
        """Public names, and the classes from which they have methods that users call."""
        found, left = set(), set(self.public_names)
        while left:
            found |= left
            left = {base for name in left for base in self.classes.get(name, ())} - found
        return found

    @cached_property
    def private_functions(self) -> list[ast.FunctionDef]:
        """Functions and methods that users do not call; those inside functions are left out.

        Properties, dunders, and names that scikit-learn, skorch and torch fix are left out, too.
        """
        found = []
        for tree in self.trees.values():
            classes = [n for n in ast.walk(tree) if isinstance(n, ast.ClassDef)]
            for scope in (tree, *classes):
                public = isinstance(scope, ast.ClassDef) and scope.name in self.public_classes
                for node in (n for n in scope.body if isinstance(n, FUNCTIONS)):
                    known = node.name in self.public_names or (public and node.name[0] != "_")
                    decorators = " ".join(ast.unparse(d) for d in node.decorator_list)
                    fixed = node.name.startswith("__") or node.name in FIXED
                    if not (known or fixed or re.search("property|setter", decorators)):
                        found.append(node)
        return found

    @cached_property
    def classes(self) -> dict[str, list[str]]:
        """Class -> names of its bases, without stand-ins for what an older library lacks."""
        found = {}
        for tree in self.trees.values():
            handlers = [n for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler)]
            stand_ins = {id(node) for handler in handlers for node in ast.walk(handler)}
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef) and id(node) not in stand_ins:
                    bases = [ast.unparse(base) for base in node.bases]
                    found[node.name] = [base.split("[")[0].split(".")[-1] for base in bases]
        return found


def count_modules(source: Source) -> Counter[str]:
    """Return folder -> number of its modules, without the top of the package."""
    modules = (name for name in source.trees if not source.is_package(name))
    counts = Counter(source.get_folder(name) for name in modules)
    del counts[source.package]
    return counts


def measure_imports(source: Source) -> dict[str, tuple[int, int]]:
    """Return folder -> levels of imports inside it, and arrows between its modules."""
    inside: dict[str, dict[str, set[str]]] = defaultdict(dict)
    for name, targets in source.imports.items():
        if not source.is_package(name):
            folder = source.get_folder(name)
            own = {t for t in targets if not source.is_package(t)}
            inside[folder][name] = {t for t in own if source.get_folder(t) == folder}
    return {
        folder: (_count_levels(graph), sum(map(len, graph.values())))
        for folder, graph in inside.items()
    }


def _count_levels(graph: dict[str, set[str]]) -> int:
    """Return the number of modules on the longest path of imports."""
    longest: dict[str, int] = {}

    def measure(name: str, path: tuple[str, ...]) -> int:
        if name in path:
            return 0
        if name not in longest:
            below = (measure(target, (*path, name)) for target in graph[name])
            longest[name] = 1 + max(below, default=0)
        return longest[name]

    return max((measure(name, ()) for name in graph), default=0)


def count_cycles(source: Source) -> int:
    """Return the number of groups of modules that import each other.

    A module's ``__init__`` counts as one that imports what stands in it.
    """
    return _count_groups(source.imports)


def count_room_cycles(source: Source) -> int:
    """Return the number of groups of neighbours in a folder, modules and folders, that do."""
    rooms: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name, targets in source.imports.items():
        for target in targets:
            own, other = name.split("."), target.split(".")
            shared = next(
                (i for i, (a, b) in enumerate(zip(own, other, strict=False)) if a != b), None
            )
            if shared is not None:  # else one is the ``__init__`` above the other
                graph = rooms[".".join(own[:shared])]
                graph[own[shared]].add(other[shared])
                graph[other[shared]] |= set()
    return sum(_count_groups(graph) for graph in rooms.values())


def _count_groups(graph: dict[str, set[str]]) -> int:
    """Return the number of groups of several that lead to each other, by Tarjan's algorithm."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups = []

    def visit(name: str) -> None:
        order[name] = low[name] = len(order)
        stack.append(name)
        for target in graph[name]:
            if target not in order:
                visit(target)
                low[name] = min(low[name], low[target])
            elif target in stack:
                low[name] = min(low[name], order[target])
        if low[name] == order[name]:
            place = stack.index(name)
            groups.append(stack[place:])
            del stack[place:]

    for name in list(graph):
        if name not in order:
            visit(name)
    return sum(len(group) > 1 for group in groups)


def count_own_classes(source: Source) -> dict[str, int]:
    """Return public estimator -> number of classes of the package in its MRO, itself included."""

    def collect(name: str) -> set[str]:
        bases = source.classes.get(name)
        return set() if bases is None else {name}.union(*(collect(base) for base in bases))

    estimators = re.findall(r'^    "(\w+)": "sknn', source.texts[source.package], re.MULTILINE)
    return {name: len(collect(name)) for name in estimators if name[0].isupper()}


def measure_verbs(source: Source) -> tuple[int, int]:
    """Return how many private functions begin with a verb, and how many there are."""
    first = [node.name.strip("_").split("_")[0] for node in source.private_functions]
    return sum(word in VERBS or word in PREDICATES for word in first), len(first)


def count_bare_any(source: Source) -> int:
    """Return the number of arguments that are annotated by `Any` and nothing else."""
    arguments = [
        argument
        for tree in source.trees.values()
        for node in ast.walk(tree)
        if isinstance(node, FUNCTIONS)
        for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    ]
    return sum(ast.unparse(a.annotation) == "Any" for a in arguments if a.annotation)


def count_long_docstrings(source: Source) -> int:
    """Return the number of private functions whose docstring is longer than their code."""
    return sum(
        node.body[0].end_lineno - node.body[0].lineno + 1
        > node.end_lineno - node.body[0].end_lineno
        for node in source.private_functions
        if ast.get_docstring(node) and len(node.body) > 1
    )


def measure_comments(source: Source) -> tuple[int, int]:
    """Return lines of comments and lines of code, without docstrings."""
    comments = code = 0
    for name, tree in source.trees.items():
        inside = set()
        for node in ast.walk(tree):
            if isinstance(node, (ast.Module, ast.ClassDef, *FUNCTIONS)) and ast.get_docstring(node):
                inside |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
        for number, line in enumerate(source.texts[name].splitlines(), 1):
            if number not in inside and line.strip():
                is_comment = line.lstrip().startswith("#")
                comments += is_comment or "  # " in line
                code += not is_comment
    return comments, code


def count_lines(folder: Path) -> int:
    """Return the number of lines of all Python files below a folder."""
    return sum(len(p.read_text(encoding="utf-8").splitlines()) for p in folder.rglob("*.py"))


def count_cases(root: Path) -> str:
    """Return what pytest collects, by itself and with FULL=1 set."""
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    return done.stdout.strip().splitlines()[-1]


def measure(root: Path, collect: bool = False) -> dict[str, str]:
    """Return the table: what is measured -> the figure in words."""
    source = Source(root)
    folders, imports = count_modules(source), measure_imports(source)
    deepest = max(imports, key=lambda folder: imports[folder])
    verbs, n_private = measure_verbs(source)
    comments, code = measure_comments(source)
    (folder, most), own = folders.most_common(1)[0], count_own_classes(source)
    inside = sum(arrows for _, arrows in imports.values())
    table = {
        "modules": str(len(source.trees)),
        "modules of a folder, most": f"{most} ({folder})",
        "levels of imports in a folder, most": f"{imports[deepest][0]} ({deepest})",
        "arrows inside folders": str(inside),
        "arrows between folders": str(sum(map(len, source.imports.values())) - inside),
        "import cycles": str(count_cycles(source)),
        "cycles of rooms": str(count_room_cycles(source)),
        "own classes in MROs": ", ".join(f"{n} {k}" for n, k in sorted(own.items())),
        "private functions that begin with a verb": f"{verbs / n_private:.0%} of {n_private}",
        "arguments annotated by a bare Any": str(count_bare_any(source)),
        "private docstrings longer than their function": str(count_long_docstrings(source)),
        "comment lines per code line": f"{comments / code:.3f}",
        "lines of the package": f"{count_lines(root / 'sknn'):,}",
        "lines of the tests": f"{count_lines(root / 'tests'):,}",
    }
    return table | ({"test cases": count_cases(root)} if collect else {})


def unpack(commit: str, folder: Path) -> Path:
    """Return a folder with the files of a commit."""
    command = ["git", "archive", "--format=tar", commit, "sknn", "tests", "pyproject.toml", "docs"]
    archive = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    return folder


def main(arguments: list[str]) -> None:
    """Print the table of the working tree, or of a commit."""
    collect = "--collect" in arguments
    commits = [argument for argument in arguments if not argument.startswith("--")]
    with tempfile.TemporaryDirectory() as folder:
        root = unpack(commits[0], Path(folder)) if commits else ROOT
        for title, figure in measure(root, collect).items():
            sys.stdout.write(f"| {title} | {figure} |\n")


if __name__ == "__main__":
    main(sys.argv[1:])

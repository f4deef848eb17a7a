"""The door to numba: functions are compiled where it is installed, and plain where it is not.

What is compiled of a function is kept on disk, by files of our own: numba's have an index that
names classes, so that renaming one makes old files unreadable; they notice changes of the
function's own file alone; and two processes that write at once may exchange their codes.
"""

import hashlib
import os
import pickle
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sknn._files import replace_file
from sknn._version import __version__

if TYPE_CHECKING:  # for annotations of compiled code: numba comes in here alone
    from numba.core.cgutils import _StructProxy as Struct  # noqa: F401
    from numba.core.codegen import CPUCodegen
    from numba.core.compiler import CompileResult
    from numba.core.cpu import CPUContext as CPUContext
    from numba.core.types import Array as ArrayType  # noqa: F401
    from numba.core.types import Float as Float
    from numba.core.types import NamedTuple as TupleType  # noqa: F401
    from numba.core.types import Type as NumbaType
    from numba.core.typing import Context as TypingContext  # noqa: F401
    from numba.core.typing import Signature as CallSignature


F = TypeVar("F", bound=Callable[..., Any])

#: whether numba is installed; it is loaded with the first function that is compiled
HAS_NUMBA = find_spec("numba") is not None
#: whether SKNN_DISABLE_JIT=1 leaves functions Python, slowly, so that debuggers and coverage see
#: their lines
IS_PLAIN = os.environ.get("SKNN_DISABLE_JIT", "") not in ("", "0")
#: why nothing is compiled, in words for users; None where numba is there
OBSTACLE = None if HAS_NUMBA else "numba is not installed (pip install 'sknn[fast]')"
#: constants whose value becomes part of compiled code
_CONSTANTS = (bool, int, float, complex, str, bytes, tuple, type(None))
#: bytes before the code in a file
_DIGEST_SIZE = 16
#: the latest numba known to run kept code without loading all that it compiles with (0.25 s)
_LATEST_THAT_LOADS_ALONE = (0, 68)


def jit(function: F) -> F:
    """Return a function to be compiled by numba as a part of others; the same without numba."""
    # Without fastmath it keeps to IEEE 754: numbers that are not finite stay so, and sums are in
    # the order that is written.
    return _compile(function, fastmath=False)


def jit_sums(function: F) -> F:
    """Return a function as `jit` does, whose sums may be added up in any order, several at once."""
    return _compile(function, {"reassoc", "contract"})


def jit_inlined(function: F) -> F:
    """Return a function as `jit` does, to be written into its only caller."""
    # Without that, LLVM works on it, and on all that it calls, once for itself and again as part of
    # each caller up to the outermost.
    return _compile(function, fastmath=False, inline="always")


def _compile(function: F, fastmath: bool | set[str], **options: Any) -> F:
    if not HAS_NUMBA or IS_PLAIN:
        return function
    try:
        from numba import njit
    except ImportError:  # numba refuses releases of NumPy that it does not know
        return function
    options |= {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
    return cast("F", njit(fastmath=fastmath, **options)(function))


def jit_kept(function: F) -> F:
    """Return a function as `jit` does, whose compiled code is kept on disk, its parts included."""
    compiled = jit(function)
    if compiled is not function:
        compiled._cache = KeptCode(cast("FunctionType", function))  # type: ignore[attr-defined]
    return compiled


def make_intrinsic(define: Callable[..., Any], plain: F) -> F:
    """Return a function for compiled ones, whose instructions `define` writes; else `plain`.

    `define` takes and returns what ``numba.extending.intrinsic`` says; `plain` says in Python what
    the instructions do.
    """
    if jit(plain) is plain:
        return plain
    from numba.extending import intrinsic

    return cast("F", intrinsic(define))


def make_signature(result: "str | NumbaType", *arguments: "str | NumbaType") -> "CallSignature":
    """Return numba's signature of a function, from its types or their names."""
    from numba import types

    kinds = [getattr(types, k) if isinstance(k, str) else k for k in (result, *arguments)]
    return kinds[0](*kinds[1:])


def import_llvm() -> tuple[Any, Any]:
    """Return what writes instructions: the modules ``llvmlite.ir`` and ``numba.core.cgutils``."""
    from llvmlite import ir
    from numba.core import cgutils

    return ir, cgutils


def explain_not_kept(function: Callable[..., Any], *arguments: object) -> str | None:
    """Return why code for arguments of these types is neither kept nor can be; None if it can."""
    if not HAS_NUMBA:
        return "numba is not installed (pip install 'sknn[fast]')"
    if IS_PLAIN:
        return None
    kept = getattr(function, "_cache", None)
    if kept is None:
        return "numba cannot be loaded, or NUMBA_DISABLE_JIT is set; `import numba` says why"
    if kept.cache_path is None and not is_compiled(function, *arguments):
        return "there is no folder to keep compiled code in (NUMBA_CACHE_DIR names one)"
    return None


def is_compiled(function: Callable[..., Any], *arguments: object) -> bool:
    """Return whether code of a function of `jit_kept` is there for arguments of these types."""
    kept = getattr(function, "_cache", None)
    if kept is None:
        return IS_PLAIN
    dispatcher = cast("Any", function)  # numba's own
    types = tuple(dispatcher.typeof_pyval(argument) for argument in arguments)
    return kept.find(types, dispatcher.targetctx.codegen()) is not None


def has_kept_code(folder: Path, name: str) -> bool:
    """Return whether code of any sources is kept of a function; numba is not loaded."""
    pattern = f"sknn-{__version__}-{name}-*/*.code"
    return not IS_PLAIN and any(any(place.glob(pattern)) for place in list_places(folder))


class KeptCode:
    """Compiled code of a function, a file for each processor and types of arguments.

    It has the methods of numba's caches. Files lie in a folder named after the version of the
    package and a digest of the sources, `digest_function`. The first that can be read counts; one
    that is damaged is written anew. Each is written whole or not at all, so that processes need
    not know of each other; a folder that cannot be written may still be read.

    Parameters
    ----------
    function : function
        The one that is compiled.
    places : list of Path, default=None
        Places in which the folder is looked for, in this order, and made. None is `list_places`.
    """

    def __init__(self, function: FunctionType, places: list[Path] | None = None):
        self.function, self.places = function, places
        self._path: str | None = None

    @cached_property
    def folders(self) -> list[Path]:
        """Folders in which files may lie; known once all functions that are called are defined."""
        function = self.function
        name = f"sknn-{__version__}-{function.__name__}-{digest_function(function)[:16]}"
        own = Path(function.__code__.co_filename).parent
        return [place / name for place in self.places or list_places(own)]

    @property
    def cache_path(self) -> str | None:
        """The folder that new code goes to; None if there is none that can be written."""
        if self._path is None:
            self._path = next((str(f) for f in self.folders if can_write_into(f)), None)
        return self._path

    def list_files(self) -> Iterator[Path]:
        """Yield the files that are there."""
        for folder in self.folders:
            yield from folder.glob("*.code")

    def find(self, signature: object, codegen: "CPUCodegen") -> bytes | None:
        """Return the code for a signature on this processor; None if there is none undamaged."""
        for folder in self.folders:
            try:
                content = (folder / _name_file(signature, codegen)).read_bytes()
            except OSError:
                continue
            digest, code = content[:_DIGEST_SIZE], content[_DIGEST_SIZE:]
            if digest == _digest(code):
                return code
        return None

    def load_overload(self, signature: object, target: "CPUContext") -> "CompileResult | None":
        """Return numba's result of compiling for a signature; None if it is not kept."""
        import numba
        from numba.core.compiler import CompileResult
        from numba.core.runtime import rtsys

        code = self.find(signature, target.codegen())
        if code is None:
            target.refresh()
            return None
        if numba.version_info[:2] <= _LATEST_THAT_LOADS_ALONE:
            rtsys.initialize(target)
        else:
            target.refresh()
        try:
            return CompileResult._rebuild(target, *pickle.loads(code))
        except Exception:
            target.refresh()
            return None

    def save_overload(self, signature: object, result: "CompileResult") -> None:
        """Keep what numba has compiled for a signature, if there is a place for it."""
        from numba.core.serialize import dumps

        library = cast("Any", result).library  # a named tuple, whose fields no type checker sees
        if self.cache_path is None or library.has_dynamic_globals:
            return
        code = dumps(result._reduce())
        try:
            with replace_file(Path(self.cache_path, _name_file(signature, result.codegen))) as path:
                path.write_bytes(_digest(code) + code)
        except OSError:  # a full disk is no reason to end a fit
            return

    def enable(self) -> None:
        """Do nothing: code is always kept."""

    def disable(self) -> None:
        """Do nothing: code is always kept."""

    def flush(self) -> None:
        """Delete what is kept."""
        for path in self.list_files():
            path.unlink(missing_ok=True)


def list_places(own: Path) -> list[Path]:
    """Return the folders in which compiled code may lie; `own` is that of the module.

    That of ``NUMBA_CACHE_DIR``, if it is set; else the module's, and the user's.
    """
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return [Path(chosen)]
    variables = {"win32": "LOCALAPPDATA", "darwin": ""}
    of_user = os.environ.get(variables.get(sys.platform, "XDG_CACHE_HOME"), "")
    if not of_user:
        parts = ("Library", "Caches") if sys.platform == "darwin" else (".cache",)
        of_user = os.path.expanduser(os.path.join("~", *parts))
    return [own / "__pycache__", Path(of_user, "sknn")]


def can_write_into(folder: Path) -> bool:
    """Return whether files can be written into a folder, which is made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def digest_function(function: Callable[..., Any]) -> str:
    """Return a digest of bytecode, constants and named tuples of a function and those it calls."""
    return hashlib.sha256("\n".join(list_parts(function)).encode()).hexdigest()


def list_parts(function: Callable[..., Any]) -> list[str]:
    """Return what the digest of a function is made of: names, bytecode and constants."""
    parts: list[str] = []
    _describe(function, parts, set())
    return parts


def _describe(function: Callable[..., Any], parts: list[str], seen: set[int]) -> None:
    """Append what a function and those that it calls are made of."""
    # Functions made by one `def`, such as those of `make_instructions`, share their code, and
    # differ in what they enclose: a function is known by itself.
    plain = _get_plain(function)
    if plain is None or id(plain) in seen:
        return
    seen.add(id(plain))

    parts.append(f"{plain.__module__}.{plain.__qualname__}")
    parts.append(str(sorted(getattr(function, "targetoptions", {}).get("fastmath") or ())))
    for kind in plain.__annotations__.values():
        parts.append(f"{kind} {getattr(kind, '_fields', '')}")
    cells = [cell.cell_contents for cell in plain.__closure__ or ()]
    used = dict(zip(plain.__code__.co_freevars, cells, strict=True))
    for name in _describe_code(plain.__code__, parts, plain.__doc__):
        value = used[name] if name in used else plain.__globals__.get(name)
        parts.append(f"{name} {_describe_constant(value)}")
        for part in _list_functions(value):
            _describe(part, parts, seen)


def _list_functions(value: Any) -> list[Any]:
    """Return the functions of a class of this package that writes instructions, or the value."""
    if not isinstance(value, type):
        return [value]
    is_own = value.__module__.startswith("sknn.")
    return [part for part in vars(value).values() if is_own and isinstance(part, FunctionType)]


def _get_plain(value: Any) -> FunctionType | None:
    """Return the Python function behind one of `jit` or `make_intrinsic`, or a plain one."""
    plain = getattr(value, "py_func", getattr(value, "_defn", value))
    return plain if isinstance(plain, FunctionType) else None


def _describe_code(code: CodeType, parts: list[str], docstring: str | None = None) -> list[str]:
    """Append bytecode and constants, those of inner functions too; return the names it uses.

    The docstring is a constant that changes nothing.
    """
    parts.append(code.co_code.hex())
    names = [*code.co_freevars, *code.co_names]
    for value in code.co_consts:
        if isinstance(value, CodeType):
            names += _describe_code(value, parts)
        elif docstring is None or value != docstring:
            parts.append(_describe_constant(value))
    return names


def _describe_constant(value: object) -> str:
    if hasattr(value, "_fields"):
        return f"{type(value).__name__} {value._fields}"
    if isinstance(value, frozenset):  # whose order differs from process to process
        return str(sorted(map(repr, value)))
    return repr(value) if isinstance(value, _CONSTANTS) else type(value).__name__


def _name_file(signature: object, codegen: "CPUCodegen") -> str:
    """Return the name of the file for a signature on this processor."""
    import numba

    python = sys.implementation.cache_tag
    key = f"{signature} {codegen.magic_tuple()} {python} {numba.__version__}"
    return f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.code"


def _digest(code: bytes) -> bytes:
    return hashlib.blake2b(code, digest_size=_DIGEST_SIZE).digest()

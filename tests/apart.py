"""Code that tests run in processes of their own, without paying for the libraries each time.

To load torch, SciPy, pandas and this package takes over two seconds of processor time. A server
does it once for all tests of a worker of pytest, and the processes are forked from it: it has one
thread, and has computed nothing. Where there are no forks, a process starts anew.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
_CONTEXT = multiprocessing.get_context(_METHOD)
if _METHOD == "forkserver":
    _CONTEXT.set_forkserver_preload(["torch", "skorch", "scipy.stats", "pandas", "tests.instances"])
#: seconds after which a test that hangs ends; on a busy machine a first fit compiles for minutes
LIMIT = 600


def _execute(code: str, arguments: list[str], folder: str, environment: dict[str, str]) -> None:
    """Run code as ``python -c`` would; what it prints goes into files of a folder."""
    os.environ.clear()
    os.environ.update(environment)
    for name, number in (("out", 1), ("err", 2)):
        file = os.open(Path(folder, name), os.O_WRONLY | os.O_CREAT)
        os.dup2(file, number)
        os.close(file)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(ROOT)
    sys.argv[:] = ["-c", *arguments]
    exec(compile(code, "<code>", "exec"), {"__name__": "__main__"})


def start(code: str, *arguments: object, folder: Path, **environment: str) -> BaseProcess:
    """Start code with arguments in a process, whose output goes into files of a folder."""
    everything = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    process = _CONTEXT.Process(
        target=_execute, args=(code, [str(a) for a in arguments], str(folder), everything)
    )
    process.start()
    return process


def run(code: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code with arguments in a process; return what ``subprocess.run`` does."""
    with TemporaryDirectory() as folder:
        process = start(code, *arguments, folder=Path(folder), **environment)
        try:
            process.join(LIMIT)
            output = [Path(folder, name).read_text(encoding="utf-8") for name in ("out", "err")]
            assert process.exitcode is not None, f"still running after {LIMIT} s: {output}"
        finally:
            process.kill()
            process.join()
    return subprocess.CompletedProcess(["python", "-c", code], process.exitcode, *output)

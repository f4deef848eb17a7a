"""Files of fits in a folder: one writer each, replaced as a whole, cleaned up."""

import sys

import numpy as np
import pytest

from sknn.engine.checkpoints._folder import CheckpointFile, make_spec
from sknn.engine.checkpoints._identity import Identity
from sknn.engine.checkpoints._lock import FileLock
from tests import apart


def make(folder, seed=0, has_seed=True, **params):
    identity = Identity.of(int, params, [1])
    return make_spec(folder, None, identity, np.random.RandomState(seed), has_seed)


def open_and_write(spec, content, is_finished=False):
    file = CheckpointFile(spec)
    file.write(content, 1, is_finished)
    file.close(is_finished)
    return file.path


def test_a_file_has_one_writer(tmp_path):
    first, second = CheckpointFile(make(tmp_path)), CheckpointFile(make(tmp_path))
    assert first.path != second.path
    first.write({"a": 1}, 1, False)
    first.close(False)
    third = CheckpointFile(make(tmp_path))
    assert third.path == first.path
    assert third.content["a"] == 1
    assert second.content is None


def test_another_seed_is_another_fit(tmp_path):
    path = open_and_write(make(tmp_path, seed=0), {})
    file = CheckpointFile(make(tmp_path, seed=1))
    assert file.path != path
    assert file.content is None


def test_a_fit_without_a_seed_takes_that_of_its_file(tmp_path):
    first = make(tmp_path, seed=0, has_seed=False)
    path = open_and_write(first, {})
    second = make(tmp_path, seed=1, has_seed=False)
    assert np.array_equal(second.seed["state"]["key"], first.seed["state"]["key"])
    assert open_and_write(second, {}, is_finished=True) == path
    third = make(tmp_path, seed=2, has_seed=False)  # each of them once in a process
    assert third.find_file(third.number) != path
    assert not np.array_equal(third.seed["state"]["key"], first.seed["state"]["key"])


def test_what_a_killed_process_has_left_is_removed(tmp_path):
    path = open_and_write(make(tmp_path), {})
    part = tmp_path / f".sknn-{path.stem}-99-abc.part"
    for kept in (part, tmp_path / f".{path.name}.lock", tmp_path / "mine.part"):
        kept.write_text("")
    with pytest.warns(UserWarning, match="a was not set and is 1 now"):
        open_and_write(make(tmp_path, a=1), {})
    assert not part.exists()
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".checkpoint", ".checkpoint", ".part"]


FULL = """
import resource, signal, sys
from sknn.exceptions import warn_user
from tests.engine.checkpoints.test_folder import CheckpointFile, make
from pathlib import Path
import numpy as np
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, limits[1]))  # beyond it a write fails
file = CheckpointFile(make(Path(sys.argv[1])))
file.write({"n": 1}, 1, False)
try:
    file.write({"n": np.zeros(10000)}, 2, False)
except OSError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, limits)  # coverage writes a larger file
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs RLIMIT_FSIZE")
def test_a_full_disk_keeps_the_file_from_before(tmp_path):
    done = apart.run(FULL, tmp_path)
    told = f"checkpoint='{tmp_path}' cannot be used: File too large. Give a folder"
    assert told in done.stdout, done.stderr
    file = CheckpointFile(make(tmp_path))
    assert file.content["n"] == 1
    assert len(list(tmp_path.glob("*.part"))) == 0


def test_a_lock_is_had_once_and_given_back(tmp_path):
    one, other = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert one.take()
    assert not other.take()
    one.give_back()
    one.give_back()
    assert other.take()
    del other
    assert one.take()
    assert not FileLock(tmp_path / "lock").take()


def test_a_lock_ends_with_its_process(tmp_path):
    code = (
        "import os, sys, pathlib; from sknn.engine.checkpoints._lock import FileLock\n"
        "lock = FileLock(pathlib.Path(sys.argv[1])); print(lock.take(), flush=True)\n"
        "os.kill(os.getpid(), 9)"
    )
    path = tmp_path / "lock"
    done = apart.run(code, path)
    assert (done.stdout, done.returncode) == ("True\n", -9), done.stderr
    assert path.exists()
    assert FileLock(path).take()

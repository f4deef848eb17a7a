"""Memory that is freed after a step serves the next one."""

import platform
import subprocess
import sys

import pytest

CODE = """
import resource
import torch
from sknn.engine.data._allocator import keep_freed_memory

def count_new_pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        tensors = [torch.zeros(2**18) for _ in range(6)]
        del tensors
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

keep_freed_memory()
count_new_pages()
print(count_new_pages())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have other rules")
def test_a_step_touches_no_new_pages():
    run = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    # 20 times 6 MiB are 30,720 pages, which are new each time where memory is given back.
    assert int(run.stdout) < 200

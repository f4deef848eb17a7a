"""Nested plain values survive a file; what is damaged is refused."""

from collections import OrderedDict

import numpy as np
import pytest
import torch

from sknn.engine.net._format import is_packable, pack, read_head, unpack
from sknn.engine.net._serialization import make_plain, restore_plain

VALUE = {
    "numbers": [None, True, 3, 10**30, 0.1, float("inf"), np.float32(0.1), np.int64(7)],
    "text": "λ\n",
    "tuple": (1, (2, "x")),
    "set": {1, 2},
    3: OrderedDict(b=1, a=np.arange(6).reshape(2, 3)),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "views": np.arange(12.0)[::2],
    "empty": np.zeros((0, 4), dtype="float32"),
    "scalar": np.array(2.5),
    "time": np.datetime64("2020-01-01"),
}


def assert_equal(one, other):
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert list(one) == list(other)
        for key in one:
            assert_equal(one[key], other[key])
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for mine, theirs in zip(one, other, strict=True):
            assert_equal(mine, theirs)
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    else:
        assert one == other


def test_plain_values_come_back():
    head, value = unpack(pack({"name": "x"}, VALUE))
    assert head == {"name": "x"}
    assert_equal(value, VALUE)
    assert value["fortran"].flags.f_contiguous
    value["views"] += 1  # its own memory, to be written to


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.int8])
def test_tensors_come_back(dtype):
    known = torch.nn.Parameter(torch.zeros(2))
    tensor = torch.arange(6).reshape(2, 3).to(dtype).t()
    _, plain = unpack(pack({}, make_plain({"t": tensor, "p": known, "d": dtype}, [known])))
    back = restore_plain(plain, known=[known])
    assert back["p"] is known
    assert back["d"] is dtype
    assert back["t"].dtype is dtype
    assert torch.equal(back["t"], tensor)


@pytest.mark.parametrize(
    "value", [print, object(), np.array([None]), b"bytes", {"x": torch.nn.ReLU}]
)
def test_what_is_not_plain_is_refused_by_its_place(value):
    with pytest.raises(TypeError, match=r"state\['a'\]\[1\].* is of <class .*a checkpoint holds"):
        pack({}, {"a": [1, value]})
    assert not is_packable(value)


def test_each_cut_and_each_changed_byte_is_noticed():
    content = pack({}, {"a": np.arange(3.0), "b": "text"})
    for i in range(len(content)):
        with pytest.raises(ValueError, match="it is n"):
            unpack(content[:i])
        with pytest.raises(ValueError, match="it is n"):
            unpack(content[:i] + bytes([content[i] ^ 1]) + content[i + 1 :])


@pytest.mark.parametrize("word", ["class", "function"])
def test_a_file_that_asks_for_more_is_refused(word):
    content = pack({}, {"tuple": 0}).replace(b'"dict"', f'"{word[:4]}"'.encode())
    body = content[len(b"sknn checkpoint 1\n") + 32 :]
    import hashlib

    hashed = hashlib.blake2b(body, digest_size=32).digest()
    with pytest.raises(ValueError, match="it holds something unknown"):
        unpack(b"sknn checkpoint 1\n" + hashed + body)


def test_the_head_is_read_alone(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(pack({"n": 3}, {"a": np.zeros(1000)})[:-500])
    assert read_head(path) == {"n": 3}
    path.write_bytes(b"sknn checkpoint 1\n" + bytes(34))
    assert read_head(path) is None
    assert read_head(tmp_path / "none") is None

"""The service of the page about serving is started on loopback, and asked."""

import json
import re
import socket
import threading
import time
import urllib.request
import warnings
from pathlib import Path

import numpy as np
import pytest

from tests.apart import LIMIT

pytest.importorskip("fastapi", reason="fastapi is not installed")
uvicorn = pytest.importorskip("uvicorn", reason="uvicorn is not installed")

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "serving.md"


@pytest.fixture
def service():
    """Yield what the page's code defines, and the address at which its app answers."""
    space = {"__name__": "service"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for block in re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S):
            exec(compile(block, PAGE.name, "exec"), space)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(space["app"], log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    yield space, f"http://127.0.0.1:{listener.getsockname()[1]}/predict"
    server.should_exit = True
    thread.join()
    listener.close()


def test_the_service_of_the_page_answers_as_the_model_does(service):
    space, address = service
    samples = space["X"][:20]
    request = urllib.request.Request(
        address, json.dumps(samples.tolist()).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=LIMIT) as response:
        answer = json.load(response)
    proba = space["model"].predict_proba(samples)
    assert answer["labels"] == space["model"].predict(samples).tolist()
    np.testing.assert_allclose(answer["probabilities"], proba.max(axis=1))

"""The server: what it serves, whom it refuses, and that it ends with its pages."""

import json
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from importlib import resources

import pytest

pytest.importorskip("starlette", reason="starlette is not installed")
pytest.importorskip("uvicorn", reason="uvicorn is not installed")
client = pytest.importorskip("websockets.sync.client", reason="websockets is not installed")

from websockets.exceptions import InvalidStatus  # noqa: E402

from sknn.playground.__main__ import main  # noqa: E402
from sknn.playground._server import Playground, serve  # noqa: E402
from tests.apart import LIMIT  # noqa: E402


@pytest.fixture(scope="module")
def server():
    """Serve a playground in a thread of this process; yield it and its port."""
    playground, ports, ready = Playground(), [], threading.Event()

    def note(port):
        ports.append(port)
        ready.set()

    arguments = (playground, "127.0.0.1", 0, note)
    threading.Thread(target=serve, args=arguments, daemon=True).start()
    assert ready.wait(LIMIT)
    return playground, ports[0]


def get(port, path="/", **headers):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=LIMIT) as answer:
            return answer.status, dict(answer.headers), answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read().decode()


def connect(port, **options):
    origin = options.pop("origin", f"http://127.0.0.1:{port}")
    return client.connect(f"ws://127.0.0.1:{port}/ws", origin=origin, **options)


def test_every_file_of_the_page_is_served_and_names_no_foreign_host(server):
    _, port = server
    status, headers, page = get(port)
    assert status == 200
    assert headers["content-security-policy"].startswith("default-src 'self'")
    names = [each.name for each in resources.files("sknn.playground").joinpath("static").iterdir()]
    assert {"index.html", "main.js", "style.css"} <= set(names)
    for name in names:
        status, headers, text = get(port, f"/static/{name}")
        assert status == 200, name
        foreign = [x for x in re.findall(r"https?://[^\s\"'`)]+", text) if "www.w3.org" not in x]
        assert foreign == []
        for module in re.findall(r'from "\./([\w.]+)"', text):
            assert module in names
    assert set(re.findall(r'"/static/([\w.]+)"', page)) <= set(names)


@pytest.mark.parametrize("path", ["/static/..%2f_server.py", "/static/none.js", "/etc/passwd"])
def test_no_other_file_is_served(server, path):
    assert get(server[1], path)[0] == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", ""])
def test_other_names_for_this_machine_are_refused(server, host):
    assert get(server[1], Host=host)[0] in (400, 403)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", None])
def test_sockets_of_other_pages_are_refused(server, origin):
    with pytest.raises(InvalidStatus), connect(server[1], origin=origin):
        pass


def test_a_page_trains_and_its_thread_ends_with_it(server):
    playground, port = server
    with connect(port) as socket:
        socket.send(json.dumps({"type": "settings", "settings": {"n_samples": 40}, "play": True}))
        frames = 0
        while frames < 3:
            message = socket.recv(LIMIT)
            frames += isinstance(message, bytes)
            socket.send(json.dumps({"type": "ack"}))
        (session,) = playground.sessions
        run = session.run
        assert run.is_alive
        socket.send("no JSON")
        while not (isinstance(message, str) and "A message must be" in message):
            message = socket.recv(LIMIT)
    end = time.monotonic() + LIMIT
    while playground.sessions and time.monotonic() < end:
        time.sleep(0.01)
    assert not playground.sessions
    assert not run.is_alive


def test_two_pages_have_runs_of_their_own(server):
    playground, port = server
    with connect(port) as one, connect(port) as two:
        for socket, data in ((one, "circle"), (two, "sine")):
            socket.send(json.dumps({"type": "settings", "settings": {"data": data}}))
        kinds = {json.loads(socket.recv(LIMIT))["kind"] for socket in (one, two)}
        assert kinds == {"classification", "regression"}
        assert len(playground.sessions) == 2


def test_only_so_many_pages_are_open(server):
    playground, port = server
    playground.max_sessions = 0
    with pytest.raises(InvalidStatus), connect(port):
        pass


def test_other_hosts_need_the_token():
    playground, ready = Playground(None, "secret"), threading.Event()
    ports = []
    arguments = (playground, "127.0.0.1", 0, lambda port: (ports.append(port), ready.set()))
    threading.Thread(target=serve, args=arguments, daemon=True).start()
    assert ready.wait(LIMIT)
    assert get(ports[0])[0] == 403
    assert get(ports[0], "/?token=wrong")[0] == 403
    assert get(ports[0], "/?token=secret", Host="lab.example")[0] == 200


def test_the_program_prints_its_address_and_warns_of_other_hosts():
    command = [sys.executable, "-m", "sknn.playground", "--no-browser", "--port", "0"]
    for host, wanted in (("127.0.0.1", r"at http://127.0.0.1:\d+/ "), ("0.0.0.0", "Warning: 0.0")):
        with subprocess.Popen([*command, "--host", host], stdout=subprocess.PIPE, text=True) as run:
            try:
                assert re.search(wanted, run.stdout.readline())
                if host == "0.0.0.0":
                    assert re.search(r"/\?token=[\w-]{16,}", run.stdout.readline())
            finally:
                run.terminate()


@pytest.mark.parametrize("is_a_port", [True, False])
def test_a_port_that_cannot_be_had_is_named(capsys, is_a_port):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1] if is_a_port else 99999)
        assert main(["--no-browser", "--port", port]) == 1
    assert f"cannot listen on port {port} of 127.0.0.1. Choose" in capsys.readouterr().out


def test_a_missing_package_is_named(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["--no-browser", "--port", "0"]) == 1
    assert "pip install 'sknn[playground]'" in capsys.readouterr().out

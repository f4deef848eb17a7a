"""Runs in threads: the same training as `fit`, frames that say what is there, and their end."""

import itertools
import json
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sknn import DeepMLPClassifier
from sknn.playground._estimators import make_estimator, make_problem_of
from sknn.playground._frames import (
    NetworkCopy,
    compute_gradient_norms,
    layer_sizes,
    pack_message,
    unpack_weights,
)
from sknn.playground._network_run import NetworkRun
from sknn.playground._session import Session
from sknn.playground._settings import read_settings
from sknn.playground._threshold_runs import PerceptronRun, UnitsRun
from tests.apart import LIMIT

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def unpack(message):
    """Return header and arrays, read as the page reads them."""
    length = int.from_bytes(message[:4], "little")
    header, start, arrays = json.loads(message[4 : 4 + length]), 4 + length + -length % 4, {}
    for each in header["arrays"]:
        dtype, size = np.dtype(each["dtype"]), int(np.prod(each["shape"]))
        part = np.frombuffer(message, dtype, size, start)
        arrays[each["name"]] = part.reshape(each["shape"])
        start += part.nbytes + -part.nbytes % 4
    assert start == len(message)
    return header, arrays


class Page:
    """Takes the messages of a run, and acknowledges frames as a browser does."""

    def __init__(self):
        self.messages, self.frames, self.run = [], [], None

    def publish(self, message):
        if isinstance(message, dict):
            self.messages.append(message)
        else:
            self.frames.append(unpack(message))

    def until(self, condition):
        end = time.monotonic() + LIMIT
        while not condition():
            assert time.monotonic() < end, self.messages
            self.run.acknowledge()
            time.sleep(0.002)

    def step_to(self, n_steps):
        for step in range(self.run.n_steps, n_steps):
            self.run.step()
            self.until(lambda step=step: self.frames and self.frames[-1][0]["step"] > step)


def make_run(**given):
    settings = read_settings({"n_samples": 80, **given})
    page = Page()
    if settings.model in ("gate", "xor"):
        page.run = UnitsRun(settings, page.publish)
    else:
        kind = PerceptronRun if settings.model == "perceptron" else NetworkRun
        page.run = kind(settings, make_problem_of(settings, None), page.publish)
    page.run.start()
    page.until(lambda: page.frames)
    return page, page.run


OPTIONS = [
    {"data": "circle"},
    {"data": "four-blobs", "solver": "momentum", "learning_rate": 0.01},
    {"data": "lecture", "layers": [{"units": 5, "activation": "relu", "dropout": 0.1}]},
    {"data": "plane", "solver": "lbfgs", "penalty": "L2", "penalty_rate": 0.1},
    {"data": "spiral", "layers": []},
]


@pytest.mark.parametrize("given", OPTIONS, ids=str)
def test_steps_are_the_epochs_of_fit(given):
    page, run = make_run(**given)
    try:
        page.step_to(4)
        header, arrays = page.frames[-1]
        wanted = make_estimator(run.settings, run.problem.kind, len(run.problem.y_train), 4)
        problem = run.problem
        wanted.fit(problem.X_train, problem.y_train, X_val=problem.X_test, y_val=problem.y_test)
        curve = [x for head, _ in page.frames for x in head["curves"].get("loss", [])]
        # Four epochs are too few to compile, an open end is not: L-BFGS may differ by rounding.
        np.testing.assert_allclose(curve, wanted.loss_curve_, rtol=1e-12)
        parts = unpack_weights(arrays["weights"], header["sizes"])
        for mine, theirs in zip(parts[::2], wanted.coefs_, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-6)
        points = problem.to_features(problem.make_grid(64 if len(problem.bounds) == 2 else 160))
        if problem.kind == "regression":
            expected = wanted.predict(points)
        else:
            chances = wanted.predict_proba(points)
            expected = chances[:, 1] if len(problem.classes) == 2 else chances.max(axis=1)
            if len(problem.classes) > 2:
                np.testing.assert_array_equal(arrays["winners"], chances.argmax(axis=1))
        np.testing.assert_allclose(arrays["surface"], expected, rtol=1e-4, atol=1e-5)
        fitted = run.fitted()
        np.testing.assert_allclose(fitted.predict(points), wanted.predict(points), rtol=1e-10)
    finally:
        run.stop()
    assert not run.is_alive


def test_pause_stands_still_and_play_goes_on():
    page, run = make_run()
    run.play()
    page.until(lambda: run.n_steps > 5)
    run.pause()
    before = run.n_steps
    page.until(lambda: page.frames[-1][0]["step"] >= before)
    time.sleep(0.1)
    assert run.n_steps <= before + 1  # with the step that was being done
    run.play()
    page.until(lambda: run.n_steps > before + 1)
    run.stop()
    assert not run.is_alive


def test_frames_wait_for_the_page():
    page, run = make_run()
    page.until(lambda: len(page.frames) >= 1)
    time.sleep(0.05)
    run.acknowledge()
    run.play()
    end = time.monotonic() + LIMIT
    while run.n_steps < 30 and time.monotonic() < end:
        time.sleep(0.01)
    run.stop()
    assert run.n_steps >= 30
    assert len(page.frames) <= 3  # without a word from the page there is no further frame


def test_an_edited_weight_is_trained_on_from():
    page, run = make_run()
    page.step_to(2)
    run.set_weight(0, 1, 2, 0.5)
    run.set_weight(1, -1, 0, -2.0)
    page.until(lambda: page.frames[-1][0]["is_edited"])
    network = run.network()
    assert network.coefs[0][1, 2] == 0.5
    assert network.intercepts[1][0] == -2.0
    page.step_to(3)
    assert run.network().coefs[0][1, 2] != 0.5
    for place in [(3, 0, 0), (0, 2, 0), (0, 0, 4), (-1, 0, 0)]:
        with pytest.raises(ValueError, match="There is no weight"):
            run.set_weight(*place, 1.0)
    with pytest.raises(ValueError, match="A weight must be a number from"):
        run.set_weight(0, 0, 0, float("nan"))
    run.stop()


def test_training_that_ends_says_so_and_can_be_looked_at():
    page, run = make_run(data="gauss", solver="lbfgs")
    run.play()
    page.until(lambda: page.messages)
    assert page.messages == [{"type": "finished", "steps": run.n_steps}]
    page.until(lambda: page.frames[-1][0]["is_finished"])
    run.stop()
    assert not run.is_alive


def test_training_that_fails_says_why():
    page, run = make_run(data="plane", solver="sgd", learning_rate=100, layers=[])
    run.play()
    page.until(lambda: page.messages)
    assert page.messages[0]["type"] == "error"
    assert (
        "not finite" in page.messages[0]["message"] or "non-finite" in page.messages[0]["message"]
    )
    run.stop()


def test_the_perceptron_moves_at_errors_alone():
    page, run = make_run(model="perceptron", data="gauss")
    X, y = run.problem.X_train, run.problem.y_train
    w, b = np.zeros(2), 0.0
    for i in range(25):
        wrong = (X[i] @ w + b > 0) != (y[i] == 1)
        sign = 2 * y[i] - 1
        touches = sign * (X[i] @ w + b) <= 0
        page.step_to(i + 1)
        header = page.frames[-1][0]
        assert header["was_wrong"] == touches or wrong == header["was_wrong"]
        if header["was_wrong"]:
            w, b = w + run.estimator.eta0 * sign * X[i], b + run.estimator.eta0 * sign
        np.testing.assert_allclose(run.network().coefs[0][:, 0], w, atol=1e-12)
        assert header["sample"] == pytest.approx(run.problem.points_train[i])
    with pytest.raises(ValueError, match="weights come from its samples"):
        run.set_weight(0, 0, 0, 1.0)
    run.stop()


def test_the_perceptron_refuses_a_regression():
    settings = read_settings({"model": "perceptron", "data": "plane"})
    with pytest.raises(ValueError, match="The perceptron learns classes"):
        PerceptronRun(settings, make_problem_of(settings, None), print)


def test_a_gate_follows_its_threshold():
    page, run = make_run(model="gate", gate="or")
    assert [line[-1] for line in page.frames[-1][0]["truth_table"]] == [0, 0, 0, 1]
    run.set_weight(0, -1, 0, -1.0)
    page.until(lambda: page.frames[-1][0]["is_edited"])
    header = page.frames[-1][0]
    assert [line[-1] for line in header["truth_table"]] == header["wanted"] == [0, 1, 1, 1]
    run.stop()


def test_three_units_compute_exclusive_or():
    page, run = make_run(model="xor")
    header = page.frames[-1][0]
    lecture = [[0, 0, 0, 0, 0], [0, 1, 0, 1, 1], [1, 0, 0, 1, 1], [1, 1, 1, 1, 0]]
    assert header["truth_table"] == lecture
    assert header["wanted"] == [0, 1, 1, 0]
    run.stop()


@pytest.mark.parametrize("last", ["softmax", "logistic", "identity"])
def test_gradient_norms_are_those_of_autograd(last):
    generator = np.random.RandomState(0)
    sizes = [3, 4, 2, {"softmax": 3}.get(last, 1)]
    coefs = [generator.normal(size=s) for s in itertools.pairwise(sizes)]
    intercepts = [generator.normal(size=n) for n in sizes[1:]]
    X = generator.normal(size=(7, 3))
    codes = generator.randint(0, sizes[-1] if last == "softmax" else 2, 7)
    target = np.eye(3)[codes] if last == "softmax" else codes[:, None].astype(float)
    got = compute_gradient_norms(NetworkCopy(coefs, intercepts, ["tanh", "relu", last]), X, target)
    W = [torch.tensor(c, requires_grad=True) for c in coefs]
    value = torch.tensor(X)
    for i, function in enumerate([torch.tanh, torch.relu, lambda z: z]):
        value = function(value @ W[i] + torch.tensor(intercepts[i]))
    functional, wanted = torch.nn.functional, torch.tensor(target)
    if last == "softmax":
        loss = functional.cross_entropy(value, wanted)
    elif last == "logistic":
        loss = functional.binary_cross_entropy_with_logits(value, wanted)
    else:
        loss = 0.5 * functional.mse_loss(value, wanted)
    loss.backward()
    np.testing.assert_allclose(got, [float(w.grad.norm()) for w in W], rtol=1e-10)


def test_messages_hold_what_is_packed():
    header = {"a": float("inf"), "b": [1, np.float64(2.5), {"c": np.int64(3)}]}
    arrays = {"x": np.arange(5, dtype=np.float32), "y": np.arange(3, dtype=np.uint8), "z": b"ab"}
    head, parts = unpack(pack_message(header, arrays))
    assert head["a"] is None
    assert head["b"] == [1, 2.5, {"c": 3}]
    np.testing.assert_array_equal(parts["x"], arrays["x"])
    assert parts["y"].tolist() == [0, 1, 2]
    assert parts["z"].tobytes() == b"ab"
    network = NetworkCopy(
        [np.ones((2, 3)), np.ones((3, 1))], [np.ones(3), np.ones(1)], ["relu"] * 2
    )
    assert layer_sizes(network) == [2, 3, 1]


def open_session():
    messages = []
    return Session(messages.append), messages


def get_answers(messages):
    """Return type -> last message of it; frames of the run's own thread come between the others."""
    so_far = list(messages)
    headers = [m if isinstance(m, dict) else unpack(m)[0] for m in so_far]
    return {header["type"]: m for header, m in zip(headers, so_far, strict=True)}


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        (None, "A message must be an object with a type"),
        ({"type": "rm"}, "A message must have a type of"),
        ({"type": "play"}, "Send the settings first"),
        ({"type": "settings", "settings": {"noise": 7}}, "noise must be a number"),
        ({"type": "settings", "settings": {"data": "table"}}, "Choose a CSV file first"),
        ({"type": "csv", "text": ""}, "The file is empty"),
        ({"type": "csv", "text": "a" * 2_000_001}, "has 2,000,001 characters"),
        ({"type": "csv", "text": 'a,b\n"1,2\n3,4,5,6\n'}, "could not be read as CSV"),
        ({"type": "csv", "text": ",".join(map(str, range(201)))}, "has 201 columns"),
    ],
)
def test_what_a_page_cannot_have_is_answered(message, wanted):
    session, messages = open_session()
    session.handle(message)
    assert wanted in get_answers(messages)["error"]["message"]
    session.close()


def test_a_session_reads_a_table_trains_on_it_and_writes_code_and_onnx():
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    import onnxruntime

    session, messages = open_session()
    lines = "\n".join(f"{i},{i % 7},{'yes' if i % 2 else 'no'}" for i in range(60))
    session.handle({"type": "csv", "text": f"a,b,y\n{lines}\n"})
    columns = get_answers(messages)["columns"]
    assert columns["columns"] == ["a", "b", "y"]
    assert columns["numeric"] == ["a", "b"]
    session.handle({"type": "settings", "settings": {"data": "table", "target": "y"}})
    assert get_answers(messages)["problem"]["classes"] == ["no", "yes"]
    session.handle({"type": "weight", "layer": 0, "row": 0, "column": "x", "value": 1})
    session.handle({"type": "code"})
    session.handle({"type": "onnx"})
    answers = get_answers(messages)
    assert "A weight needs" in answers["error"]["message"]
    assert "table.csv" in answers["code"]["text"]
    _, arrays = unpack(answers["onnx"])
    model = onnxruntime.InferenceSession(arrays["file"].tobytes())
    X = session.run.problem.X_test
    name = model.get_inputs()[0]
    got = model.run(None, {name.name: X.astype(np.float64 if "double" in name.type else "f")})[0]
    np.testing.assert_array_equal(got, session.run.fitted().predict(X))
    session.close()


def test_settings_of_one_session_do_not_touch_another():
    one, two = open_session(), open_session()
    for (session, _), data in zip((one, two), ("circle", "xor"), strict=True):
        session.handle({"type": "settings", "settings": {"data": data, "n_samples": 40}})
    threads = [session.run._thread for session, _ in (one, two)]
    one[0].close()
    assert not threads[0].is_alive()
    assert threads[1].is_alive()
    two[0].close()
    assert not threads[1].is_alive()


def test_callbacks_of_nets_see_the_beginning_and_every_epoch():
    from sknn.engine import NetCallback

    seen = []
    note = NetCallback(lambda net, row: seen.append(SimpleNamespace(net=net, row=row)))
    model = DeepMLPClassifier((2,), max_iter=3, random_state=0, callbacks=[note])
    model.fit([[0.0], [1.0]] * 5, [0, 1] * 5)
    assert [x.row and x.row["loss"] for x in seen] == [None, *model.loss_curve_]
    assert seen[0].net is model.net_

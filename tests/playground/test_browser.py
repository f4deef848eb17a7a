"""The page in a real browser, used as a person uses it."""

import io
import json
import re
import shutil
import subprocess
import sys
import threading
import time
from contextlib import redirect_stdout

import numpy as np
import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("starlette", reason="starlette is not installed")
CHROMIUM = shutil.which("chromium")
if CHROMIUM is None:
    pytest.skip("chromium is not installed", allow_module_level=True)

from sknn.playground._server import Playground, serve  # noqa: E402
from tests.apart import LIMIT  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def site():
    """Serve a playground in a process of its own, as users do; yield its address."""
    command = [sys.executable, "-m", "sknn.playground", "--no-browser", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        try:
            yield re.search(r"http://127\.0\.0\.1:\d+/", run.stdout.readline())[0]
        finally:
            run.terminate()


@pytest.fixture(scope="module")
def browser():
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@pytest.fixture
def visit(site, browser):
    """Open a page at an address; errors in it, and requests elsewhere, fail the test."""
    contexts, problems = [], []

    def guard(route):
        if route.request.url.startswith((site, "data:", "blob:")):
            route.continue_()
        else:
            problems.append(route.request.url)
            route.abort()

    def open_page(state="", **options):
        context = browser.new_context(viewport={"width": 1300, "height": 900}, **options)
        context.set_default_timeout(1000 * LIMIT)
        contexts.append(context)
        page = context.new_page()
        page.route("**/*", guard)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda line: line.type == "error" and problems.append(line.text))
        page.goto(f"{site}#{state}")
        until(page, "!!(globalThis.playground && playground.frame)")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


def until(page, condition):
    """Wait until an expression is true in the page, which evaluates no text by itself."""
    end = time.monotonic() + LIMIT
    while not page.evaluate(condition):
        assert time.monotonic() < end, (condition, page.inner_text("#message"))
        time.sleep(0.05)


def until_text(page, selector, text):
    """Wait until an element shows a text; what a frame brings is drawn a moment later."""
    end = time.monotonic() + LIMIT
    while text not in page.inner_text(selector):
        assert time.monotonic() < end, (selector, page.inner_text(selector))
        time.sleep(0.05)


def surface(page):
    return np.array(page.evaluate("[...playground.frame.arrays.surface]"))


def steps(page):
    return page.evaluate("playground.frame.header.step")


def play_to(page, n_epochs):
    page.click("#play")
    until(page, f"playground.frame.header.step >= {n_epochs}")
    page.click("#play")
    until(page, f"+document.querySelector('#epoch').innerText.replaceAll(',', '') >= {n_epochs}")


def test_circles_are_learned_before_ones_eyes(visit):
    page = visit()
    before = surface(page)
    play_to(page, 50)
    accuracy = float(page.inner_text('[data-figure="Accuracy, test"]'))
    assert accuracy >= 0.95
    assert np.abs(surface(page) - before).max() > 0.3
    assert int(page.inner_text("#epoch").replace(",", "")) >= 50


def test_step_reset_an_edited_weight_and_a_new_layer(visit):
    page = visit()
    page.click("#step")
    until(page, "playground.frame.header.step === 1")
    page.click("#step")
    until(page, "playground.frame.header.step === 2")
    page.click("#unit-1-2")
    until_text(page, "#unit .formula", "h1.3 = tanh(")
    page.fill("#weight-0", "1.25")
    page.press("#weight-0", "Enter")
    until(page, "playground.frame?.header.is_edited")
    until_text(page, "#unit .formula", "1.25·x₁")
    page.click("#more-layers")
    until(page, "playground.frame && playground.frame.header.sizes.length === 5")
    assert steps(page) == 0
    page.click("#fewer-1")
    until(page, "playground.frame && playground.frame.header.sizes[1] === 3")
    page.click("#step")
    until(page, "playground.frame.header.step === 1")
    page.click("#reset")
    until(page, "playground.frame && playground.frame.header.step === 0")


def test_a_line_leads_to_its_weight(visit):
    page = visit()
    page.wait_for_selector("path.hit", state="attached")
    page.evaluate("document.querySelector('path.hit').dispatchEvent(new MouseEvent('click'))")
    assert page.evaluate("document.activeElement.id") == "weight-0"
    lines = page.evaluate(
        "[...document.querySelectorAll('path.hit title')].map((x) => x.textContent)"
    )
    assert sum(line.startswith("bias ") for line in lines) == 4 + 2 + 1
    assert sum(line.startswith("weight ") for line in lines) == 2 * 4 + 4 * 2 + 2
    stub = (
        "[...document.querySelectorAll('path.hit')].find((x) => x.textContent.startsWith('bias'))"
    )
    page.evaluate(f"{stub}.dispatchEvent(new MouseEvent('click'))")
    assert page.evaluate("document.activeElement.id") == "weight--1"
    page.evaluate("document.activeElement.blur()")


def test_the_address_holds_the_state(visit):
    page = visit()
    page.select_option("#control-data", "moons")
    page.check("#control-show_test")
    page.check("#feature-sin_x2")
    page.select_option("#activation-1", "relu")
    page.select_option("#control-solver", "momentum")
    state = page.evaluate("JSON.stringify(playground.state)")
    address = page.url
    assert json.loads(state)["layers"][0]["activation"] == "relu"
    other = visit(address.partition("#")[2])
    assert other.evaluate("JSON.stringify(playground.state)") == state
    play_to(page, 3)
    hidden = visit("hide=solver,noise,code")
    assert hidden.query_selector("#control-solver") is None
    assert hidden.query_selector("#control-noise") is None
    assert not hidden.is_visible("#code-panel")


@pytest.mark.parametrize("state", ["", "data=lecture&features=x1&layers=5.relu.10"])
def test_the_code_shown_gives_the_curve_on_the_page(visit, state):
    page = visit(state)
    for n_epochs in range(1, 6):  # after a pause further epochs may still be on their way
        page.click("#step")
        until(page, f"playground.frame.header.step === {n_epochs}")
    page.click("#show-code")
    page.wait_for_selector("#code:not([hidden])")
    shown = page.evaluate("playground.curves.loss")
    out = io.StringIO()
    with redirect_stdout(out):
        exec(page.inner_text("#code"), {})
    # Which way computes an epoch, and with it the last bit, follows what is compiled by then.
    assert json.loads(out.getvalue().splitlines()[0]) == pytest.approx(shown, rel=1e-12)


def test_a_table_of_ones_own(visit, tmp_path):
    path = tmp_path / "table.csv"
    lines = [f"{i % 17},{i % 5},{['low', 'high'][i % 17 > 8]}" for i in range(100)]
    path.write_text("\n".join(["size,count,kind", *lines]), encoding="utf-8")
    page = visit()
    page.set_input_files("#control-file", str(path))
    until(page, "playground.state.data === 'table' && playground.frame")
    until(page, "playground.frame && playground.frame.header.sizes[0] === 2")
    until_text(page, "#looking-at", "size and count")
    play_to(page, 60)
    assert float(page.inner_text('[data-figure="Accuracy, training"]')) > 0.9
    until_text(page, "#scale-low", "class high")


def test_two_pages_do_not_disturb_each_other(visit):
    one, two = visit(), visit("data=sine&features=x1")
    play_to(one, 10)
    assert steps(two) == 0
    assert two.evaluate("playground.frame.header.sizes[0]") == 1


def test_a_lesson_by_keyboard_alone(visit):
    page = visit()
    page.focus("#lesson-neuron")
    page.keyboard.press("Enter")
    until(page, "playground.state.model === 'gate' && playground.frame?.header.truth_table")
    page.focus("#tour-next")
    page.keyboard.press("Enter")
    until(page, "playground.state.gate === 'or'")
    until(page, "playground.frame && playground.frame.header.wanted.join('') === '0111'")
    until(page, "document.querySelector('caption')?.textContent.startsWith('2 of 4')")
    page.focus("#weight--1")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    until(page, "document.querySelector('caption').textContent.startsWith('4 of 4')")
    assert page.evaluate("playground.state.gate") == "or"


def test_what_a_unit_computes_is_shown_large(visit):
    page = visit()
    page.hover("#unit-1-0")
    until_text(page, "#looking-at", "Unit h1.1, from")
    page.hover("h1")
    until_text(page, "#looking-at", "The output over x₁ and x₂")
    assert "h1.1" not in page.inner_text("#looking-at")


def test_pictures_and_models_are_saved(visit):
    page = visit()
    for button, start in (("#save-svg", b"<svg"), ("#save-png", b"\x89PNG"), ("#save-onnx", b"")):
        with page.expect_download() as waiting:
            page.click(button)
        content = waiting.value.path().read_bytes()
        assert content.startswith(start)
        assert len(content) > 500


@pytest.mark.parametrize("width", [1300, 420, 325])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_screen(visit, width, scheme):
    """325 px are 1300 at 400 %."""
    page = visit("layers=16.relu.0,16.relu.0,8.tanh.0", color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_control_has_a_name_and_a_sentence(visit):
    page = visit()
    nameless = page.evaluate(
        """[...document.querySelectorAll("button, select, input")].filter((each) =>
        !each.labels?.length && !each.getAttribute("aria-label") && !each.textContent.trim()
        ).map((each) => each.id)"""
    )
    assert nameless == []
    sentences = page.evaluate("[...document.querySelectorAll('.help')].map((x) => x.textContent)")
    assert len(sentences) > 10
    assert all(text.endswith(".") for text in sentences)


def test_closing_a_page_ends_its_work(browser):
    playground, ready, ports = Playground(), threading.Event(), []
    arguments = (playground, "127.0.0.1", 0, lambda port: (ports.append(port), ready.set()))
    threading.Thread(target=serve, args=arguments, daemon=True).start()
    assert ready.wait(LIMIT)
    page = browser.new_page()
    page.set_default_timeout(1000 * LIMIT)
    page.goto(f"http://127.0.0.1:{ports[0]}/")
    until(page, "!!(globalThis.playground && playground.frame)")
    page.click("#play")
    until(page, "playground.frame.header.step > 3")
    (session,) = playground.sessions
    run = session.run
    page.close()
    end = time.monotonic() + LIMIT
    while playground.sessions and time.monotonic() < end:
        time.sleep(0.01)
    assert not playground.sessions
    assert not run.is_alive

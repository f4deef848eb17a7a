"""The check of the built pages finds each kind of fault, and none where there is none."""

import runpy

import pytest

from tests.helpers import ROOT

CHECK = runpy.run_path(str(ROOT / "docs" / "check_pages.py"))

GOOD = '<h1 id="top-of-it">T</h1><a href="b.html#here">b</a><img src="x.png" alt="a picture">'
GOOD += "<pre>``x``</pre>"


def find(folder, text):
    (folder / "x.png").touch()
    (folder / "index.html").write_text(text, encoding="utf-8")
    (folder / "b.html").write_text('<p id="here"><a href="index.html">i</a></p>', encoding="utf-8")
    return list(CHECK["find_faults"](folder))


def test_good_pages_have_no_faults(tmp_path):
    assert find(tmp_path, GOOD) == []
    assert CHECK["main"]([str(tmp_path / "none")]) == 1


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('<a href="c.html">', "index.html: c.html is a dead link"),
        ('<a href="b.html#there">', "index.html: b.html#there is a dead anchor"),
        ('<a href="#there">', "index.html: #there is a dead anchor"),
        ('<img src="x.png">', "index.html: x.png has no alt text"),
        ('<img src="y.png" alt="y">', "index.html: y.png does not exist"),
        ('<script src="https://a.b/c.js"></script>', "index.html: loads https://a.b/c.js"),
        ('<link rel="stylesheet" href="//a.b/c.css">', "index.html: loads //a.b/c.css"),
        ("<p>Codes [R319c094fce04-2].</p>", "index.html: '[R319c094fce04-2]' is shown raw"),
        ("<p>A :class:`X`</p>", "index.html: ':class:`' is shown raw"),
    ],
)
def test_each_kind_of_fault_is_found(tmp_path, text, fault):
    assert find(tmp_path, GOOD + text) == [fault]

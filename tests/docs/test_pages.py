"""The code of the documentation's pages runs, and prints what the pages say."""

import re
import warnings
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.glob("*.md")) + sorted(DOCS.glob("guide/*.md"))
BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def _with_code():
    return [page for page in PAGES if "```python\n" in page.read_text(encoding="utf-8")]


@pytest.mark.parametrize("page", _with_code(), ids=lambda page: page.stem)
def test_code_runs_and_prints_what_follows_it(page, capsys):
    pytest.importorskip("matplotlib", reason="some pages draw")
    if "sklearn.callback" in page.read_text(encoding="utf-8"):
        pytest.importorskip("sklearn.callback", reason="scikit-learn >= 1.9")
    for package in ("skops", "onnxruntime", "fastapi", "optuna"):
        if f"import {package}" in page.read_text(encoding="utf-8"):
            pytest.importorskip(package, reason=f"{package} is not installed")
    if ".to_parquet(" in page.read_text(encoding="utf-8"):
        pytest.importorskip("pyarrow", reason="sknn[data] is not installed")
    space, printed = {}, None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for kind, block in BLOCK.findall(page.read_text(encoding="utf-8")):
            if kind == "python":
                assert not printed, f"what a block of {page.name} prints is not on the page"
                exec(compile(block, page.name, "exec"), space)
                printed = capsys.readouterr().out
            elif printed is not None:
                assert block == printed
                printed = None
    assert not printed, f"what the last block of {page.name} prints is not on the page"


def test_there_are_pages_with_code():
    pages = {
        *(
            "index",
            "threshold",
            "perceptron",
            "deep",
            "data_frames",
            "tables",
            "unlabelled",
            "large_data",
            "serving",
            "validation",
            "options",
        ),
        *("searches", "sequences", "saving", "plots", "playground", "coming_from"),
        *("large_data", "serving", "optuna"),
    }
    assert pages <= {page.stem for page in _with_code()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_page_is_in_a_table_of_contents(page):
    contents = [DOCS / "index.md", DOCS / "guide" / "index.md"]
    if page == contents[0]:
        pytest.skip("the first page")
    listed = "\n".join(
        block
        for index in contents
        for block in re.findall(r"```\{toctree\}\n(.*?)```", index.read_text("utf-8"), re.DOTALL)
    )
    name = page.relative_to(DOCS).with_suffix("").as_posix()
    inside = name.removeprefix("guide/")
    assert re.search(rf"^({inside}|.*<{name}>)$", listed, re.MULTILINE)

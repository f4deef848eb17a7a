"""Check the built pages: dead links and anchors, alt texts, other hosts, and markup shown raw.

``python docs/check_pages.py [folder]`` prints what is wrong and exits with 1 if there is anything.
With Playwright and Chromium installed it also looks for pages that are wider than the screen.
"""

import importlib.util
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: pages to open in a browser, and widths of screens in pixels
SHOWN = ("index.html", "guide/deep.html", "guide/which.html", "api/sknn.DeepMLPClassifier.html")
SHOWN += ("auto_examples/01_threshold/plot_2_xor.html", "auto_examples/index.html")
WIDTHS, THEMES = (1300, 420), ("light", "dark")
#: numpydoc's keys of citations, and backticks of reStructuredText
RAW = re.compile(r"\[R[0-9a-f]{8,}-\w+\]|``|:(?:class|func|meth|mod):`")
#: tags whose text is code, or is not shown
UNREAD = ("pre", "code", "script", "style")
#: tags that load what their attribute names
LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}


@dataclass
class Page:
    """What a page has: anchors, links, and tags that load something."""

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class Reader(HTMLParser):
    """Read a page into a `Page`."""

    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self.n_unread = 0  # such tags that are open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take down what a tag says of anchors, links and pictures."""
        named = {name: value or "" for name, value in attrs}
        self.n_unread += tag in UNREAD
        self.page.anchors |= {named[name] for name in ("id", "name") if name in named}
        if tag == "a" and named.get("href"):
            self.page.links.append(named["href"])
        if tag == "img" and not named.get("alt", "").strip():
            self.page.faults.append(f"{named.get('src')} has no alt text")
        hidden = tag == "link" and named.get("rel") in ("canonical", "next", "prev", "index")
        if tag in LOADED and named.get(LOADED[tag]) and not hidden:
            self.page.loaded.append(named[LOADED[tag]])

    def handle_endtag(self, tag: str) -> None:
        """Leave code behind."""
        self.n_unread -= tag in UNREAD

    def handle_data(self, data: str) -> None:
        """Take down markup that is shown as it was written."""
        if self.n_unread == 0:
            self.page.faults += [f"{raw!r} is shown raw" for raw in RAW.findall(data)]


def read_page(path: Path) -> Page:
    """Return what a page has."""
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader.page


def find_faults(folder: Path) -> Iterator[str]:
    """Yield what is wrong with the pages below a folder, page by page."""
    paths = [p for p in sorted(folder.rglob("*.html")) if "_static" not in p.parts]
    pages = {path.resolve(): read_page(path) for path in paths}
    for path, page in pages.items():
        name = path.relative_to(folder.resolve())
        yield from (f"{name}: {fault}" for fault in page.faults)
        for address in page.loaded:
            parts = urlsplit(address)
            if parts.netloc:
                yield f"{name}: loads {address}"
            elif parts.scheme != "data" and not (path.parent / unquote(parts.path)).exists():
                yield f"{name}: {address} does not exist"
        for address in page.links:
            yield from (f"{name}: {fault}" for fault in _find_dead(address, path, pages))


def _find_dead(address: str, path: Path, pages: dict[Path, Page]) -> Iterator[str]:
    """Yield why a link of the page at `path` leads nowhere; links to other hosts are left out."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.exists():
        yield f"{address} is a dead link"
    elif parts.fragment and unquote(parts.fragment) not in _get_anchors(target, pages):
        yield f"{address} is a dead anchor"


def _get_anchors(target: Path, pages: dict[Path, Page]) -> set[str]:
    """Return the anchors of a page, and the top, which every page has."""
    return {"top"} | (pages[target].anchors if target in pages else set())


def find_wide(folder: Path) -> Iterator[str]:
    """Yield pages that are wider than the screen, with what sticks out."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for width in WIDTHS:
            for theme in THEMES:
                view = browser.new_page(
                    viewport={"width": width, "height": 900}, color_scheme=theme
                )
                for name in (name for name in SHOWN if (folder / name).exists()):
                    view.goto((folder / name).resolve().as_uri())
                    wide = view.evaluate("document.documentElement.scrollWidth")
                    if wide > width:
                        yield f"{name}: {wide} pixels wide on a {theme} screen of {width}"
        browser.close()


def main(arguments: list[str]) -> int:
    """Print the faults of the pages and return the exit status."""
    folder = Path(arguments[0] if arguments else Path(__file__).parent / "_build" / "html")
    if not (folder / "index.html").exists():
        sys.stdout.write(f"{folder} holds no pages; build them first\n")
        return 1
    faults = list(find_faults(folder))
    if shutil.which("chromium") and importlib.util.find_spec("playwright"):
        faults += find_wide(folder)
    else:
        sys.stdout.write("Chromium or Playwright is not installed: widths were not looked at\n")
    sys.stdout.write("".join(f"{fault}\n" for fault in faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Settings of the documentation.

``python -m sphinx -W --keep-going -b html docs docs/_build/html`` builds it with the gallery;
``-D plot_gallery=0`` leaves the examples unexecuted. Nothing is fetched from the internet, unless
``-t online`` asks for links to the documentation of other projects.
"""

import os
import re
import sys
import warnings
from html import escape, unescape
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.ext.autosummary import autosummary_table

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent))
os.environ["MPLBACKEND"] = "Agg"
os.environ.setdefault("OMP_NUM_THREADS", "1")

from api_reference import GUIDES, index_page  # noqa: E402
from pictures import draw_pictures  # noqa: E402
from which_picture import draw_questions  # noqa: E402

import sknn  # noqa: E402

project = "sknn"
author = "The sknn developers"
copyright = "The sknn developers"  # noqa: A001 (Sphinx's name)
version = release = sknn.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_templates", "auto_examples/**/*.ipynb", "auto_examples/**/*.py"]
templates_path = ["_templates"]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
default_role = "obj"  # `name` is a link where there is something of that name
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
suppress_warnings = ["ref.term"]  # of scikit-learn's glossary, in docstrings that searches inherit

if tags.has("online"):  # noqa: F821 (Sphinx puts it here)
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "sklearn": ("https://scikit-learn.org/stable", None),
        "matplotlib": ("https://matplotlib.org/stable", None),
        "skorch": ("https://skorch.readthedocs.io/en/stable", None),
    }

autosummary_generate = True
autosummary_context = {"guides": GUIDES}
python_maximum_signature_line_length = 80
toc_object_entries_show_parents = "hide"
autodoc_typehints = "none"  # docstrings have the types
numpydoc_show_class_members = False  # the template lists them
numpydoc_xref_param_type = False

html_theme = "pydata_sphinx_theme"
html_title = "sknn"
html_static_path = ["_static"]
html_css_files = ["sknn.css"]
html_show_sourcelink = False
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    # none in the gallery and on the first page: room for code and pictures
    "secondary_sidebar_items": {
        page: ["page-toc"] for page in ("guide/**", "api/**", "speed", "architecture")
    },
    "navbar_end": ["theme-switcher"],
    "show_prev_next": True,
    "footer_start": ["version.html"],
    "footer_end": [],
    "navigation_with_keys": False,
}
html_sidebars = {"index": [], "speed": [], "architecture": [], "contributing": [], "changelog": []}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"compare_with_mlpclassifier",  # a program, which takes minutes
    "within_subsection_order": "FileNameSortKey",
    "image_scrapers": ("matplotlib",),
    "doc_module": ("sknn",),
    "backreferences_dir": "api/examples",  # for the list of examples on each page of the API
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "write_computation_times": False,  # these pages would load scripts from other hosts
    "remove_config_comments": True,
    "plot_gallery": "True",
}
# sphinx-gallery shows figures itself; Agg would warn at plt.show() that it cannot.
warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")


def _write_pages(app, config):
    """Write what is made from code: the list of the API and the diagrams."""
    from sknn.inspection import NetworkDiagramDisplay
    from sknn.threshold import ThresholdNetwork

    xor = ThresholdNetwork.from_expression("(a or b) and not (a and b)")
    display = NetworkDiagramDisplay(
        xor.coefs_,
        xor.intercepts_,
        activations=["heaviside", "heaviside"],
        node_names=[["a", "b"], *xor.unit_names],
        values=[[0, 1], [0, 1], [1]],
    )
    pages = {
        "api/index.rst": index_page(),
        "api/which.svg": draw_questions(),
        "api/xor.svg": display.to_svg(size=(420, 175)),
    }
    (HERE / "api").mkdir(exist_ok=True)
    draw_pictures(HERE / "api" / "pictures")
    for name, text in pages.items():
        path = HERE / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _describe_thumbnails(app, doctree):
    """Give thumbnails, which sphinx-gallery leaves without a text, the titles of their pages."""
    for image in doctree.findall(nodes.image):
        after = image.next_node(nodes.raw, siblings=True, ascend=True)
        title = re.search(r'thumbnail-title">([^<]*)<', after.astext()) if after else None
        if title and not image.get("alt"):
            image["alt"] = unescape(title[1])


def _remove_citations(app, doctree):
    """Take citations out of summaries: the references are on other pages, and their keys long."""
    for table in doctree.findall(autosummary_table):
        for node in [n for n in table.findall(pending_xref) if n.get("refdomain") == "citation"]:
            parent, place = node.parent, node.parent.index(node)
            if place and isinstance(parent[place - 1], nodes.Text):
                parent[place - 1] = nodes.Text(parent[place - 1].rstrip())
            parent.remove(node)


def _describe_page(app, pagename, templatename, context, doctree):
    """Give a page that has none a description for search engines: its first paragraph."""
    if doctree is None or 'name="description"' in context.get("metatags", ""):
        return
    texts = (" ".join(p.astext().split()) for p in doctree.findall(nodes.paragraph))
    text = next((text for text in texts if not text.startswith("Guide: ")), None)
    if text is not None:
        text = text if len(text) <= 160 else text[:157].rpartition(" ")[0] + " ..."
        context["metatags"] += f'<meta name="description" content="{escape(text)}" />\n'


def _skip_inherited(app, what, name, obj, skip, options):
    """Leave out what scikit-learn writes for each estimator: it links to its own pages."""
    home = getattr(obj, "__module__", None) or ""
    written = name.startswith(("set_", "get_")) or home.startswith("sklearn.")
    return True if skip or (what == "class" and written) else None


def _quote_fitted_names(app, what, name, obj, options, lines):
    """Make code of names like ``coef_``, which reStructuredText takes for links."""
    ends = r"(?![\w`])" if what == "attribute" else r"(?=,| \*)"
    pattern = r"(?<![\w`])([a-z]\w*_)" + ends
    lines[:] = [re.sub(pattern, r"`\1`", line) for line in lines]


def setup(app):
    """Connect what happens before pages are read."""
    app.connect("config-inited", _write_pages)  # before Sphinx looks which pages there are
    app.connect("doctree-read", _describe_thumbnails)
    app.connect("doctree-read", _remove_citations)
    app.connect("html-page-context", _describe_page)
    app.connect("autodoc-skip-member", _skip_inherited)
    app.connect("autodoc-process-docstring", _quote_fitted_names, priority=100)

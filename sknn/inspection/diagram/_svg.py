"""Write the diagram of a network as SVG, which a browser shows in the colours of its page."""

from xml.sax.saxutils import escape, quoteattr

from sknn.inspection.diagram._diagram import Circle, Line, Sheet, Text
from sknn.inspection.diagram._style import NEGATIVE, POSITIVE

_ANCHORS = {"left": "start", "center": "middle", "right": "end"}
_COLORS = {1: POSITIVE, -1: NEGATIVE, 0: "currentColor"}


def write_svg(sheet: Sheet, title: str) -> str:
    """Return a drawing as an SVG document; screen readers say its title.

    Texts and outlines have the colour of the surrounding text (``currentColor``) and there is no
    background, so that it fits a light page and a dark one. Pointing at a line or a node shows
    its numbers.
    """
    body = [
        *(_write_line(line, sheet.height) for lines in [*sheet.lines, sheet.key] for line in lines),
        *(_write_circle(circle, sheet.height) for circle in sheet.circles),
        *(_write_text(text, sheet.height) for text in sheet.texts),
    ]
    size = f'width="{sheet.width:g}" height="{sheet.height:g}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size} '
            f'viewBox="0 0 {sheet.width:g} {sheet.height:g}" aria-label={quoteattr(title)} '
            'font-family="sans-serif">',
            *body,
            "</svg>",
            "",
        ]
    )


def _write_line(line: Line, height: float) -> str:
    (x1, y1), (x2, y2) = line.start, line.end
    return (
        f'<line x1="{x1:.2f}" y1="{height - y1:.2f}" x2="{x2:.2f}" y2="{height - y2:.2f}" '
        f'stroke="{_COLORS[line.sign]}" stroke-width="{line.width:.2f}" '
        f'stroke-opacity="{line.opacity:.2f}"><title>{escape(line.title)}</title></line>'
    )


def _write_circle(circle: Circle, height: float) -> str:
    x, y = circle.center
    return (
        f'<circle cx="{x:.2f}" cy="{height - y:.2f}" r="{circle.radius:.2f}" '
        f'fill="{_COLORS[circle.sign]}" fill-opacity="{circle.opacity:.2f}" stroke="currentColor">'
        f"<title>{escape(circle.title)}</title></circle>"
    )


def _write_text(text: Text, height: float) -> str:
    x, y = text.position
    return (
        f'<text x="{x:.2f}" y="{height - y:.2f}" font-size="{text.size:.2f}" '
        f'text-anchor="{_ANCHORS[text.align]}" dominant-baseline="central" '
        f'fill="currentColor">{escape(text.text)}</text>'
    )

"""Colours and number formats that all pictures share.

Backgrounds, texts and axes are left to matplotlib's ``rcParams``, so that a dark style stays dark.
The colours here are of Okabe and Ito's palette, told apart by colour-blind readers too, those of
them that have a contrast of 3 or nearly so to both white and near-black.
"""

from typing import Any

#: of lines, in their order; beyond these, lines differ by their dashes
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8C8C8C")
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (5, 1.5, 1, 1.5)))
#: of points, in their order
MARKERS = "o^sDvP*X"
POSITIVE, NEGATIVE = COLORS[:2]
#: red below 0, blue above it, as the two colours of signs
DIVERGING = "RdBu"


def make_line_styles(n: int) -> list[dict[str, Any]]:
    """Return n different styles of lines, for ``ax.plot``."""
    return [
        {"color": COLORS[i % len(COLORS)], "linestyle": DASHES[(i // len(COLORS)) % len(DASHES)]}
        for i in range(n)
    ]


def shorten(number: float) -> str:
    """Return a number as text of few characters, with a real minus sign."""
    text = f"{number:.3g}" if abs(number) >= 1 else f"{number:.2f}".rstrip("0").rstrip(".")
    if "e" in text:
        text = f"{number:.0e}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    elif number and text in ("0", "-0"):
        text = f"{number:.0e}".replace("e-0", "e-")
    return ("0" if text == "-0" else text).replace("-", "\N{MINUS SIGN}")

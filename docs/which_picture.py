"""The picture of "Which estimator?": a list of questions, from which the first yes leads aside."""

from html import escape

#: question -> estimator to take where the answer is yes
QUESTIONS = {
    "Are the samples DNA or RNA?": "SequenceCNN*",
    "Are anomalies to be found?": "AutoencoderOutlierDetector",
    "Are codes needed, without y?": "AutoencoderTransformer",
    "A table, without tuning?": "TabularMLP*",
    "Are units and rules to be seen?": "ThresholdNetwork, ThresholdLogicClassifier",
    "Is a linear rule enough?": "PerceptronClassifier",
    "Is uncertainty needed?": "DeepEnsemble*",
}
OTHERWISE = "DeepMLP*"
STEP, HEIGHT, LEFT, RIGHT = 62, 38, 250, 330


def draw_questions() -> str:
    """Return the picture as SVG, in the colour of the text and without a background."""
    parts = []
    for row, (question, estimator) in enumerate(QUESTIONS.items()):
        y = row * STEP + 4
        middle = y + HEIGHT / 2
        parts += [_draw_box(4, y, LEFT, question, rounded=True)]
        parts += [_draw_arrow(4 + LEFT, middle, 4 + LEFT + 56, middle, "yes")]
        parts += [_draw_box(4 + LEFT + 60, y, RIGHT, estimator)]
        parts += [_draw_arrow(4 + LEFT / 2, y + HEIGHT, 4 + LEFT / 2, y + STEP - 4, "no")]
    parts += [_draw_box(4, len(QUESTIONS) * STEP + 4, LEFT, OTHERWISE)]
    width, height = LEFT + RIGHT + 68, len(QUESTIONS) * STEP + HEIGHT + 8
    words = " ".join(f"{question} Then {name}." for question, name in QUESTIONS.items())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(words)} Otherwise {OTHERWISE}." font-family="sans-serif" '
        f'font-size="15" fill="currentColor" stroke="none">{"".join(parts)}</svg>\n'
    )


def _draw_box(x: float, y: float, width: float, text: str, rounded: bool = False) -> str:
    radius = HEIGHT / 2 if rounded else 3
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{HEIGHT}" rx="{radius}" fill="none" '
        f'stroke="currentColor"/><text x="{x + width / 2}" y="{y + HEIGHT / 2 + 5}" '
        f'text-anchor="middle">{escape(text)}</text>'
    )


def _draw_arrow(x1: float, y1: float, x2: float, y2: float, word: str) -> str:
    """Draw a horizontal or vertical arrow with its word beside the line."""
    dx, dy = (-7, 4) if y1 == y2 else (4, -7)
    head = f"{x2},{y2} {x2 + dx},{y2 + dy} " + (
        f"{x2 + dx},{y2 - dy}" if y1 == y2 else f"{x2 - dx},{y2 + dy}"
    )
    x, y = ((x1 + x2) / 2 - 14, y1 - 5) if y1 == y2 else (x1 + 8, (y1 + y2) / 2 + 4)
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="currentColor"/>'
        f'<polygon points="{head}"/><text x="{x}" y="{y}" font-size="13">{word}</text>'
    )

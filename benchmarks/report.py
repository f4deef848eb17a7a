"""From raw times to a table, JSON, and which targets were met."""

import math
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.contenders import CONTENDERS
from benchmarks.data import has_fashion
from benchmarks.rows import (
    LECTURE,
    LECTURE_FIRST_WEIGHTS,
    LECTURE_PARAMETERS,
    TARGETS,
    Target,
)
from benchmarks.runner import Outcome
from benchmarks.worker import MATMUL_FLOPS

PACKAGES = ("sknn", "scikit-learn", "torch", "skorch", "numpy", "scipy")
#: two for the forward pass, two for each of the gradients by weights and by inputs; the latter is
#: not needed for the first layer, so that a step can be faster than this limit
FLOPS_PER_PARAMETER = 6
SCORE_GAP = 0.1


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def load_average() -> tuple[float, ...] | None:
    """Return the processes that wanted to run, over the last 1, 5 and 15 minutes."""
    return os.getloadavg() if hasattr(os, "getloadavg") else None


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def medians(outcome: Outcome) -> dict[str, float]:
    """Return contender -> median of its rounds, of those that took part and did not fail."""
    return {
        name: median(answer["value"] for answer in answers)
        for name, answers in outcome.answers.items()
        if answers
    }


def figures(outcome: Outcome) -> dict[str, float]:
    """Return what targets are about, by peer.

    The peer's time over ours; our peak memory, under 'ours'; for the import, ms more than the
    peer's.
    """
    middle = medians(outcome)
    if "ours" not in middle:
        return {}
    ours = middle["ours"]
    if outcome.row.measure == "memory":
        return {"ours": ours}
    peers = {name: middle[name] for name in CONTENDERS if name in middle and name != "ours"}
    if outcome.row.measure == "import":
        return {name: (ours - value) * 1e3 for name, value in peers.items()}
    return {name: value / ours for name, value in peers.items()}


def judge(outcomes: list[Outcome]) -> list[dict[str, Any]]:
    """Return for each target of a measured row what came out and whether it is met."""
    verdicts = []
    for outcome in outcomes:
        values = figures(outcome)
        for target in TARGETS:
            if target.row != outcome.row.name or target.threads not in (None, outcome.threads):
                continue
            value = values.get(target.peer)
            verdicts.append(
                {
                    "row": target.row,
                    "peer": target.peer,
                    "threads": outcome.threads,
                    "wanted": target.wanted,
                    "at_most": target.at_most,
                    "value": value,
                    "met": value is not None and _meets(target, value),
                }
            )
    return verdicts


def _meets(target: Target, value: float) -> bool:
    return value <= target.wanted if target.at_most else value >= target.wanted


def limits(outcomes: list[Outcome]) -> list[dict[str, float]]:
    """Return how close our step of row d comes to the time that its arithmetic takes."""
    found = []
    for outcome in outcomes:
        middle = medians(outcome)
        if "matmul" not in middle or "ours" not in middle:
            continue
        flops_per_second = MATMUL_FLOPS / middle["matmul"]
        limit = LECTURE_PARAMETERS * FLOPS_PER_PARAMETER * LECTURE.batch_size / flops_per_second
        share_needed = 1 - 2 * LECTURE_FIRST_WEIGHTS / (LECTURE_PARAMETERS * FLOPS_PER_PARAMETER)
        step = middle["ours"] / outcome.answers["ours"][0]["steps"]
        found.append(
            {
                "threads": outcome.threads,
                "gflop_per_second": flops_per_second / 1e9,
                "limit_us": limit * 1e6,
                "step_us": step * 1e6,
                "share": limit / step,
                "share_without_image_gradient": limit * share_needed / step,
            }
        )
    return found


def as_dict(outcomes: list[Outcome]) -> list[dict[str, Any]]:
    """Return every raw figure."""
    return [
        {
            "row": outcome.row.name,
            "title": outcome.row.title,
            "measure": outcome.row.measure,
            "dtype": outcome.row.dtype,
            "threads": outcome.threads,
            "epochs": outcome.row.setting.epochs,
            "contenders": {
                name: {key: [answer[key] for answer in answers] for key in answers[0]}
                for name, answers in outcome.answers.items()
                if answers
            },
            "medians": medians(outcome),
            "figures": figures(outcome),
        }
        for outcome in outcomes
    ]


def table(outcomes: list[Outcome], *, judged: bool) -> str:
    """Return the table in Markdown.

    Parameters
    ----------
    outcomes : list of Outcome
    judged : bool
        Fill the column of targets.
    """
    head = ["row", "threads", *CONTENDERS.values(), "times ours: " + ", ".join(_peers()), "targets"]
    lines = [head, ["---"] * len(head)]
    for outcome in outcomes:
        cells = [_cell(outcome, name) for name in CONTENDERS]
        threads = "" if outcome.row.once else str(outcome.threads)
        verdict = "; ".join(_verdict(v) for v in judge([outcome])) if judged else ""
        lines.append([_title(outcome), threads, *cells, _ratios(outcome), verdict])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _peers() -> list[str]:
    return [heading for name, heading in CONTENDERS.items() if name != "ours"]


def _title(outcome: Outcome) -> str:
    row = outcome.row
    title = f"({row.name}) {row.title}"
    if row.measure != "import":
        title += f", {row.dtype}"
    if row.data == "fashion" and not has_fashion():
        title = title.replace("Fashion-MNIST", "noise of Fashion-MNIST's shape")
    return title


def _cell(outcome: Outcome, name: str) -> str:
    """Return median and range of the rounds, and the µs a step."""
    if name not in outcome.row.contenders:
        return "n/a"
    answers = outcome.answers[name]
    if not answers:
        return "failed"
    values = [answer["value"] for answer in answers]
    if outcome.row.measure == "memory":
        return f"{median(values):.2f}"
    text = f"{_ms(median(values))} [{_ms(min(values))}–{_ms(max(values))}] ms"
    if outcome.row.measure == "import":
        return text
    return text + f", {_three_digits(median(values) / answers[0]['steps'] * 1e6)} µs"


def _ms(seconds: float) -> str:
    return _three_digits(seconds * 1e3)


def _three_digits(value: float) -> str:
    """Return a number with about three digits, and none of them behind the point from 100 on."""
    decimals = max(0, 2 - math.floor(math.log10(value))) if value > 0 else 0
    return f"{value:,.{decimals}f}"


def _ratios(outcome: Outcome) -> str:
    if outcome.row.once:
        return ""
    values = figures(outcome)
    return ", ".join(
        f"{values[name]:.2f}" if name in values else "–" for name in CONTENDERS if name != "ours"
    )


def _verdict(verdict: dict[str, Any]) -> str:
    sign = "≤" if verdict["at_most"] else "≥"
    wanted = f"{CONTENDERS[verdict['peer']]} {sign} {verdict['wanted']:g}"
    if verdict["value"] is None:
        return f"{wanted}: not measured"
    return f"{wanted}: {'met' if verdict['met'] else 'missed'} ({verdict['value']:.2f})"


def notes(outcomes: list[Outcome]) -> list[str]:
    """Return what the table does not say."""
    lines = [
        f"Arithmetic limit of (d), {x['threads']} thread(s): a large matrix product runs at "
        f"{x['gflop_per_second']:.0f} GFLOP/s, at which a step takes {x['limit_us']:.0f} µs; ours "
        f"takes {x['step_us']:.0f} µs, {x['share']:.0%} of that speed. Without the gradient by the "
        f"images, which nobody needs, it is {x['share_without_image_gradient']:.0%}."
        for x in limits(outcomes)
    ]
    return lines + _score_gaps(outcomes)


def _score_gaps(outcomes: list[Outcome]) -> list[str]:
    """Return a warning for each contender that learned less or more than ours."""
    lines = []
    for outcome in outcomes:
        scores = {n: a[-1]["score"] for n, a in outcome.answers.items() if a and "score" in a[-1]}
        for name, score in scores.items():
            if abs(score - scores.get("ours", score)) > SCORE_GAP:
                lines.append(
                    f"Not the same work in ({outcome.row.name})? The training score of "
                    f"{CONTENDERS[name]} is {score:.3f}, ours {scores['ours']:.3f}."
                )
    return lines

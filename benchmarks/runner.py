"""The parent: starts the workers of a row and lets them work in turn, A B C D A B C D."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks import data
from benchmarks.rows import ROWS, Row

ROOT = Path(__file__).parents[1]
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
#: seconds between two rounds, so that threads which still spin for work fall asleep
PAUSE = 0.05
#: memory hardly varies, and every round of it takes a fresh process
MEMORY_ROUNDS = 3
IMPORTS = {"ours": "sknn", "sklearn": "sklearn"}
TIME_IMPORT = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


@dataclass(frozen=True)
class Plan:
    """What is run."""

    rows: list[str]
    threads: list[int]
    rounds: int
    device: str
    quick: bool
    folder: Path
    say: Callable[[str], None]

    def row(self, name: str) -> Row:
        """Return the row, made small if the run is a quick one."""
        return ROWS[name].quick() if self.quick else ROWS[name]


@dataclass
class Outcome:
    """What was measured of one row with one number of threads.

    Attributes
    ----------
    row : Row
    threads : int
    answers : dict
        Contender -> its answers, one a round; empty if it failed.
    """

    row: Row
    threads: int
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


class WorkerError(Exception):
    """A worker ended; its traceback is on the standard error stream."""


class Worker:
    """A contender's process.

    Parameters
    ----------
    plan : Plan
    contender : str
        Key of `CONTENDERS`, or 'matmul'.
    threads : int
        To which the process is pinned.
    """

    def __init__(self, plan: Plan, contender: str, threads: int):
        command = [sys.executable, "-m", "benchmarks.worker", contender, str(plan.folder)]
        command += [f"--threads={threads}", f"--device={plan.device}"]
        self.process = subprocess.Popen(
            command + ["--quick"] * plan.quick,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads))},
        )

    def order(self, text: str) -> dict[str, Any]:
        """Send a line and wait for the answer.

        Raises
        ------
        WorkerError
            If the process has ended.
        """
        try:
            self.process.stdin.write(text + "\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise WorkerError from error
        line = self.process.stdout.readline()
        if not line:
            raise WorkerError
        return json.loads(line)

    def close(self) -> None:
        """Let the process end."""
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Team:
    """The contenders' processes with one number of threads, started when first needed."""

    def __init__(self, plan: Plan, threads: int):
        self.plan, self.threads = plan, threads
        self.workers: dict[str, Worker] = {}

    def start(self, names: Iterable[str]) -> None:
        """Start those that do not run, side by side: importing takes seconds."""
        for name in names:
            if name not in self.workers:
                self.workers[name] = Worker(self.plan, name, self.threads)

    def order(self, name: str, text: str) -> dict[str, Any] | None:
        """Give an order; if the worker fails say so, dismiss it and return None."""
        try:
            return self.workers[name].order(text)
        except WorkerError:
            self.plan.say(f"{name} failed: {text}")
            self.dismiss(name)
            return None

    def dismiss(self, name: str) -> None:
        """End a worker."""
        self.workers.pop(name).close()

    def __enter__(self) -> "Team":
        return self

    def __exit__(self, *error: object) -> None:
        for name in list(self.workers):
            self.dismiss(name)


def run(plan: Plan) -> list[Outcome]:
    """Run all rows with all numbers of threads; return the outcomes row by row."""
    outcomes = {}
    for threads in plan.threads:
        with Team(plan, threads) as team:
            for name in plan.rows:
                if not (plan.row(name).once and threads != plan.threads[0]):
                    outcomes[name, threads] = _run_row(name, team)
    in_order = product(plan.rows, plan.threads)
    return [outcomes[key] for key in in_order if key in outcomes]


def _run_row(name: str, team: Team) -> Outcome:
    plan, row = team.plan, team.plan.row(name)
    start = time.perf_counter()
    if row.data:
        n_rows = data.N_MADE_QUICKLY if plan.quick else None
        data.save(row.data, row.dtype, plan.folder, n_rows)
    outcome = Outcome(row, team.threads)
    RUNNERS[row.measure](team, outcome)
    plan.say(f"row {name}, {team.threads} thread(s): {time.perf_counter() - start:.1f} s")
    return outcome


def _run_in_turn(team: Team, outcome: Outcome) -> None:
    row = outcome.row
    names = [*row.contenders, *(["matmul"] if row.name == "d" else [])]
    outcome.answers = {name: [] for name in names}
    team.start(names)
    ready = [name for name in names if team.order(name, f"prepare {row.name}")]
    for _ in range(team.plan.rounds):
        for name in list(ready):
            time.sleep(PAUSE)
            answer = team.order(name, "work")
            outcome.answers[name].append(answer)
            if answer is None:
                outcome.answers[name] = []
                ready.remove(name)


def _run_memory(team: Team, outcome: Outcome) -> None:
    outcome.answers = {name: [] for name in outcome.row.contenders}
    with Team(team.plan, team.threads) as fresh:
        for _ in range(min(team.plan.rounds, MEMORY_ROUNDS)):
            fresh.start(outcome.answers)
            for name, answers in outcome.answers.items():
                if fresh.order(name, f"prepare {outcome.row.name}") is None:
                    continue
                answer = fresh.order(name, "work")
                if answer is not None:
                    answers.append(answer)
                    fresh.dismiss(name)


def _run_imports(team: Team, outcome: Outcome) -> None:
    outcome.answers = {name: [] for name in outcome.row.contenders}
    for counts in [False] + [True] * team.plan.rounds:  # the first fills the file cache
        for name in outcome.row.contenders:
            command = [sys.executable, "-c", TIME_IMPORT.format(IMPORTS[name])]
            result = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
            if counts:
                outcome.answers[name].append({"value": float(result.stdout), "steps": 1})


RUNNERS = {
    "fit": _run_in_turn,
    "predict": _run_in_turn,
    "memory": _run_memory,
    "import": _run_imports,
}

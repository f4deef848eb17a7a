"""``python -m benchmarks``: run the benchmark and print its table."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks import report
from benchmarks.rows import ROWS
from benchmarks.runner import Plan, run
from benchmarks.worker import N_WARM_UP
from sknn._compile_ahead import compile_ahead

ABOUT = """\
Median [smallest–largest] of {rounds} rounds, the contenders working in turn, and the time of one
step: of the solver, of an iteration of L-BFGS, or of a call of predict. Ratios are of medians, the
peer's over ours. Memory: (peak resident memory in fit − the same just before + size of X) / size of
X, in a fresh process, after a fit on {warm_up:,} rows. The import's target is in ms more than the
peer's."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", default=",".join(ROWS), help=f"some of {','.join(ROWS)}")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--out", type=Path, help="file for the raw figures, JSON")
    parser.add_argument("--quick", action="store_true", help="tiny data: does everything work?")
    args = parser.parse_args()
    args.rows = args.rows.split(",")
    args.threads = [int(number) for number in args.threads.split(",")]
    unknown = set(args.rows) - set(ROWS)
    if unknown:
        parser.error(f"--rows: unknown {sorted(unknown)}; choose from {','.join(ROWS)}")
    return args


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


def main() -> int:
    """Run; return 1 if a contender failed."""
    args = _arguments()
    if not args.quick:  # code is compiled once on a machine, and not what is measured
        compile_ahead(_say)
    before = report.load_average()
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(
            args.rows, args.threads, args.rounds, args.device, args.quick, Path(folder), _say
        )
        outcomes = run(plan)
    machine = {**report.machine(), "load_before": before, "load_after": report.load_average()}
    about = [ABOUT.format(rounds=args.rounds, warm_up=N_WARM_UP), f"Machine: {json.dumps(machine)}"]
    if args.quick:
        about.insert(0, "A quick run on tiny data: the figures mean nothing.")
    else:
        about = report.notes(outcomes) + about
    text = report.table(outcomes, judged=not args.quick)
    sys.stdout.write("\n\n".join([text, *about]) + "\n")
    if args.out:
        results = {
            "machine": machine,
            "arguments": {**vars(args), "out": str(args.out)},
            "rows": report.as_dict(outcomes),
            "limits": report.limits(outcomes),
            "targets": [] if args.quick else report.judge(outcomes),
        }
        args.out.write_text(json.dumps(results, indent=1) + "\n")
    return int(any(not answers for o in outcomes for answers in o.answers.values()))


if __name__ == "__main__":
    sys.exit(main())

"""``python -m sknn`` prints versions and devices; ``python -m sknn compile`` compiles ahead."""

import argparse

from sknn._compile_ahead import compile_ahead
from sknn._versions import show_versions

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m sknn", description="Print versions, devices and fast ways of training."
    )
    parser.add_argument(
        "command",
        nargs="?",
        choices=["compile"],
        help="compile what first fits would, so that fits and benchmarks begin with compiled code",
    )
    if parser.parse_args().command == "compile":
        compile_ahead()
    else:
        show_versions()

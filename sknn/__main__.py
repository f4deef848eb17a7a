"""``python -m sknn`` prints versions and devices; ``python -m sknn compile`` compiles ahead."""

import argparse

from sknn._compile_ahead import compile_ahead
from sknn._versions import show_versions

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m sknn",
        description="Print versions, devices and ways of training. `python -m sknn.playground` "
        "starts the playground.",
    )
    parser.add_argument(
        "command",
        nargs="?",
        choices=["compile"],
        help="compile the code of the extra 'fast' once for this machine, which takes about a "
        "minute; without it the first long fit does so",
    )
    if parser.parse_args().command == "compile":
        compile_ahead()
    else:
        show_versions()

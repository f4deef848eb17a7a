"""``python -m sknn.playground``: serve the playground and open it in a browser."""

import argparse
import secrets
import sys
import webbrowser

from sknn.exceptions import OptionalDependencyError
from sknn.playground._server import LOOPBACK, Playground, serve


def main(arguments: list[str] | None = None) -> int:
    """Run the program.

    Parameters
    ----------
    arguments : list of str or None, default=None
        Arguments of the command line; None means those of this process.

    Returns
    -------
    int
        Exit status.
    """
    parser = argparse.ArgumentParser(
        prog="python -m sknn.playground",
        description="Watch neural networks learn, in a browser on this machine.",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=8765,
        help="port of the server (default: 8765); 0 takes a free one",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address of the server (default: 127.0.0.1, this machine alone); another one lets "
        "other machines in, which need the token that is printed",
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="only print the address, and open no browser"
    )
    options = parser.parse_args(arguments)
    is_local = options.host in ("127.0.0.1", "localhost", "::1")
    token = None if is_local else secrets.token_urlsafe(16)
    hosts = LOOPBACK if is_local else None
    if not is_local:
        _write(
            f"Warning: {options.host} lets other machines reach this playground. Whoever has the "
            "token can use this machine's processor. Stop it with Ctrl-C when you are done."
        )

    def announce(port: int) -> None:
        name = "127.0.0.1" if is_local else options.host
        address = f"http://{name}:{port}/" + (f"?token={token}" if token else "")
        _write(f"The playground is at {address} (Ctrl-C ends it)")
        if not options.no_browser:
            webbrowser.open(address)

    try:
        serve(Playground(hosts, token), options.host, options.port, announce)
    except OptionalDependencyError as error:
        _write(str(error))
        return 1
    except (OverflowError, SystemExit):  # for a port that is taken uvicorn prints the reason
        _write(
            f"The playground cannot listen on port {options.port} of {options.host}. Choose "
            "another one with --port; --port 0 takes a free one."
        )
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

"""Session of one open page: its messages, and the run that answers them."""

import io
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

import numpy as np
import pandas as pd

from sknn.export import export_onnx
from sknn.playground._estimators import make_problem_of, write_code
from sknn.playground._frames import pack_message
from sknn.playground._network_run import NetworkRun
from sknn.playground._problems import Problem
from sknn.playground._runs import Run
from sknn.playground._settings import Json, Settings, read_settings
from sknn.playground._threshold_runs import PerceptronRun, UnitsRun

#: largest CSV file, in characters
MAX_CSV = 2_000_000
_MAX_COLUMNS = 200

Publish = Callable[[bytes | dict[str, Any]], None]


class Session:
    """One page: its settings, its table, and the run that it looks at.

    Parameters
    ----------
    publish : callable
        ``publish(message)`` is given frames as bytes and other messages as dicts, from any
        thread.
    """

    def __init__(self, publish: Publish):
        self._publish = publish
        self.settings = Settings()
        self.table: pd.DataFrame | None = None
        self.run: Run | None = None
        self._lock = threading.Lock()

    def handle(self, message: Json) -> None:
        """Do what a message of the page asks for.

        Parameters
        ----------
        message : dict
            With a ``'type'``: 'settings', 'play', 'pause', 'step', 'weight', 'speed', 'ack', 'csv',
            'code' or 'onnx'. What cannot be done is answered by a message of type 'error'.
        """
        try:
            if not isinstance(message, Mapping):
                raise ValueError("A message must be an object with a type.")
            action = self._actions().get(str(message.get("type")))
            if action is None:
                raise ValueError(
                    f"A message must have a type of {sorted(self._actions())}; got "
                    f"{message.get('type')!r:.80}."
                )
            with self._lock:
                action(message)
        except (ValueError, TypeError, KeyError, ImportError) as error:
            self._publish({"type": "error", "message": str(error)})

    def close(self) -> None:
        """End the run and its thread."""
        with self._lock:
            if self.run is not None:
                self.run.stop()
                self.run = None

    def _actions(self) -> dict[str, Callable[[Mapping[str, Json]], None]]:
        return {
            "settings": self._change,
            "play": lambda message: self._get_run().play(),
            "pause": lambda message: self._get_run().pause(),
            "step": lambda message: self._get_run().step(),
            "weight": self._set_weight,
            "speed": self._set_speed,
            "ack": lambda message: self._get_run().acknowledge(),
            "csv": self._read_table,
            "code": self._send_code,
            "onnx": self._send_onnx,
        }

    def _get_run(self) -> Run:
        if self.run is None:
            raise ValueError("There is no model yet. Send the settings first.")
        return self.run

    def _change(self, message: Mapping[str, Json]) -> None:
        """Begin anew by the settings of a message."""
        settings = read_settings(message.get("settings", {}))
        if settings.model in ("gate", "xor"):
            run: Run = UnitsRun(settings, self._publish)
        else:
            problem = make_problem_of(settings, self.table)
            kind = PerceptronRun if settings.model == "perceptron" else NetworkRun
            run = kind(settings, problem, self._publish)
        if self.run is not None:
            self.run.stop()
        self.settings, self.run = settings, run
        self._publish({"type": "problem", **_describe(run.problem)})
        run.start()
        if message.get("play") is True:
            run.play()

    def _set_speed(self, message: Mapping[str, Json]) -> None:
        self._get_run().speed = read_settings({"speed": message.get("value")}).speed

    def _set_weight(self, message: Mapping[str, Json]) -> None:
        given = [message.get(name) for name in ("layer", "row", "column")]
        places = [place for place in given if isinstance(place, int)]
        value = message.get("value")
        if len(places) < len(given) or not _is_number(value):
            raise ValueError("A weight needs the whole numbers layer, row, column, and a value.")
        layer, row, column = places
        self._get_run().set_weight(layer, row, column, value)

    def _read_table(self, message: Mapping[str, Json]) -> None:
        text = message.get("text")
        if not isinstance(text, str) or not text.strip():
            raise ValueError("The file is empty, or no text.")
        if len(text) > MAX_CSV:
            raise ValueError(
                f"The file has {len(text):,} characters; the playground takes {MAX_CSV:,}. Take a "
                "sample of its lines."
            )
        try:
            table = pd.read_csv(io.StringIO(text))
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise ValueError(f"The file could not be read as CSV: {error}") from error
        if table.shape[1] > _MAX_COLUMNS:
            raise ValueError(f"The table has {table.shape[1]} columns; {_MAX_COLUMNS} is the most.")
        table.columns = table.columns.astype(str)
        self.table = table
        numbers = table.select_dtypes("number").columns
        self._publish(
            {
                "type": "columns",
                "columns": list(table.columns),
                "numeric": list(numbers),
                "n_lines": len(table),
            }
        )

    def _send_code(self, message: Mapping[str, Json]) -> None:
        run = self._get_run()
        problem: Problem | None = None if isinstance(run, UnitsRun) else run.problem
        code = write_code(self.settings, problem, run.n_steps)
        self._publish({"type": "code", "text": code, "is_edited": run.has_edits})

    def _send_onnx(self, message: Mapping[str, Json]) -> None:
        run = self._get_run()
        if not isinstance(run, NetworkRun):
            raise ValueError("Only a network can be written as ONNX.")
        model = export_onnx(run.fitted())
        self._publish(pack_message({"type": "onnx"}, {"file": model.SerializeToString()}))


def _describe(problem: Problem) -> dict[str, Any]:
    """Return what the page has to know of a problem, ready for JSON."""
    return {
        "kind": problem.kind,
        "features": list(problem.feature_names),
        "classes": list(problem.classes),
        "axes": list(problem.axis_names),
        "bounds": problem.bounds.tolist(),
        "train": {
            "points": np.round(problem.points_train, 4).tolist(),
            "y": problem.y_train.tolist(),
        },
        "test": {
            "points": np.round(problem.points_test, 4).tolist(),
            "y": problem.y_test.tolist(),
        },
    }


def _is_number(value: Json) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)

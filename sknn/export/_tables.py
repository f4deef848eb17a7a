"""`TabularEncoder` as ONNX nodes."""

from collections.abc import Iterable

import numpy as np

from sknn.export._graph import ML, OnnxGraph
from sknn.preprocessing import TabularEncoder
from sknn.preprocessing.tables._categories import CategoryColumn
from sknn.preprocessing.tables._numeric import NumericColumns
from sknn.preprocessing.tables._roles import Expansion, order_categories
from sknn.preprocessing.tables._scaling import Affine, NormalScores


def add_table(
    graph: OnnxGraph,
    encoder: TabularEncoder,
    names: list[str] | None = None,
    value: str | None = None,
) -> str:
    """Append the nodes that encode a table, and return the encoded X.

    With `names` of columns, or text, each column becomes an input; without `value`, inputs are
    added for the table.
    """
    for expansion in encoder._expansions.values():
        _refuse_expansion(expansion)
    dtype, n_columns = graph.dtype, len(encoder.is_categorical_)
    if not encoder.is_categorical_.any():
        if value is None:  # what is scaled in float64 must not lose digits before
            wide = encoder._numeric.scale is not None
            value = graph.add_input("X", np.float64 if wide else dtype, n_columns)
        return _add_numeric(graph, encoder._numeric, value, dtype)
    for category in encoder._categories:
        _check_levels(category)
    is_text = any(category.kind == "text" for category in encoder._categories)
    if value is None and (names is not None or is_text):
        return _encode(graph, encoder, *_add_inputs_by_name(graph, encoder, names))
    value = graph.add_input("X", np.float64, n_columns) if value is None else value
    return _encode(graph, encoder, *_split(graph, encoder, value))


def _refuse_expansion(expansion: Expansion) -> None:
    raise ValueError(
        f"Column {expansion.label!r} cannot be exported: it holds {expansion.kind}, which the "
        "graph cannot encode. Transform the table by sknn.preprocessing.TabularEncoder where the "
        "model runs, and fit and export a model of what that returns."
    )


def _check_levels(category: CategoryColumn) -> None:
    if category.kind not in ("text", "numeric", ""):
        raise ValueError(
            f"Column {category.label!r} cannot be exported: its levels are of type "
            f"{category.kind!r}, but ONNX has categories of text and of whole numbers. Convert the "
            "column to text, and fit again."
        )
    fraction = next((level for level in category.levels if isinstance(level, float)), None)
    if fraction is not None:
        raise ValueError(
            f"Column {category.label!r} cannot be exported: its level {fraction!r} is no whole "
            "number, but ONNX has categories of text and of whole numbers. Convert the column to "
            "text, and fit again."
        )


def _add_inputs_by_name(
    graph: OnnxGraph, encoder: TabularEncoder, names: list[str] | None
) -> tuple[str | None, list[tuple[str, bool]]]:
    """Return the numeric columns side by side, in float64, and each column of levels.

    With the latter stands whether they are whole numbers, in int64, or bool.
    """
    numbers, levels = [], []
    categories = iter(encoder._categories)
    for i, is_categorical in enumerate(encoder.is_categorical_):
        name = f"x{i}" if names is None else str(names[i])
        if not is_categorical:
            numbers.append(graph.add_input(name, np.float64, 1))
            continue
        category = next(categories)
        is_whole = category.kind == "numeric" and not category.missing
        is_bool = all(isinstance(level, bool) for level in category.levels)
        numeric = (bool if is_bool else np.int64) if is_whole else np.float64
        dtype = numeric if category.kind == "numeric" else str
        levels.append((graph.add_input(name, dtype, 1), is_whole))
    return graph.concatenate(numbers) if numbers else None, levels


def _split(
    graph: OnnxGraph, encoder: TabularEncoder, value: str
) -> tuple[str | None, list[tuple[str, bool]]]:
    """Return the same for a table of numbers alone."""
    wide = graph.cast(value, np.float64)
    places = np.flatnonzero(encoder.is_categorical_)
    levels = [(graph.take_columns(wide, [place]), False) for place in places]
    numeric = np.flatnonzero(~encoder.is_categorical_)
    return graph.take_columns(value, numeric) if len(numeric) else None, levels


def _encode(graph: OnnxGraph, encoder: TabularEncoder, numbers: str | None, levels: list) -> str:
    dtype, categories = graph.dtype, encoder._categories
    codes = [_add_codes(graph, c, *level) for c, level in zip(categories, levels, strict=True)]
    wide = [] if numbers is None else [numbers]
    if encoder._statistics:
        means = [_gather(graph, s.means, codes[s.place]) for s in encoder._statistics]
        wide = [graph.concatenate([*(graph.cast(value, np.float64) for value in wide), *means])]
    parts = [_add_numeric(graph, encoder._numeric, value, dtype) for value in wide]
    for i in order_categories(categories):
        category = categories[i]
        if category.one_hot:
            # The numbers for every code, 0 for unknown levels, as a table in which the graph looks
            # them up.
            rows = np.zeros((category.n_levels + 1, category.n_outputs), dtype)
            category.write(np.arange(len(rows)), rows)
            parts.append(_gather(graph, rows, codes[i]))
        else:
            parts.append(graph.cast(codes[i], dtype))
    return graph.concatenate(parts)


def _gather(graph: OnnxGraph, table: np.ndarray, codes: str) -> str:
    """Return the rows (n_rows, width) of a table for codes of shape (n_rows, 1)."""
    flat = graph.add("Squeeze", codes, graph.add_constant([1]))
    return graph.add("Gather", graph.add_constant(table), flat, axis=0)


def _add_codes(graph: OnnxGraph, category: CategoryColumn, column: str, is_whole: bool) -> str:
    """Return the codes of a column of levels, of shape (n_samples, 1)."""
    n_levels = len(category.levels)
    missing = n_levels + 1 if category.missing else 0
    if category.kind == "numeric" and is_whole:
        _check_sizes(category, range(-(2**63), 2**63))
        column = graph.cast(column, np.int64)  # of bool
        return _look_up(graph, column, "int64s", category.levels, range(1, n_levels + 1))
    if category.kind == "numeric":
        return _add_codes_of_floats(graph, category, column, missing)
    levels = {level: i for i, level in enumerate(category.levels, start=1)}
    levels.setdefault("", missing)  # ONNX has no missing text
    return _look_up(graph, column, "strings", levels, levels.values())


def _add_codes_of_floats(
    graph: OnnxGraph, category: CategoryColumn, column: str, missing: int
) -> str:
    _check_sizes(category, range(-(2**53), 2**53 + 1))
    whole = graph.cast(graph.replace_missing(column, graph.add_constant(0.0)), np.int64)
    codes = range(1, len(category.levels) + 1)
    found = _look_up(graph, whole, "int64s", category.levels, codes)
    same = graph.add("Equal", graph.cast(whole, np.float64), column)  # 1.5 is no level
    found = graph.add("Where", same, found, graph.add_constant([0]))
    return graph.add("Where", graph.add("IsNaN", column), graph.add_constant([missing]), found)


def _check_sizes(category: CategoryColumn, numbers: range) -> None:
    """Raise ValueError for a level that is none of the numbers that an input tells apart."""
    level = next((level for level in category.levels if int(level) not in numbers), None)
    if level is not None:
        raise ValueError(
            f"Column {category.label!r} cannot be exported: its level {level} is larger than the "
            "graph's input can hold exactly (int64, or float64 where values are missing or X is an "
            "array). Convert the column to text, and fit again."
        )


def _look_up(
    graph: OnnxGraph, column: str, kind: str, keys: Iterable, values: Iterable[int]
) -> str:
    keys = list(map(int, keys)) if kind == "int64s" else list(keys)  # True and False are 1 and 0
    table = {f"keys_{kind}": keys, "values_int64s": list(values), "default_int64": 0}
    return graph.add("LabelEncoder", column, domain=ML, **table)


def _add_numeric(graph: OnnxGraph, columns: NumericColumns, value: str, dtype: str) -> str:
    """Return numeric columns filled and scaled, and behind them the marks of missing numbers."""
    missing = graph.add("IsNaN", value)
    wide = graph.cast(value, np.float64)
    if columns.scale is not None or columns.empty.any():
        fill = graph.add_constant(columns.fill, np.float64)
        filled = graph.add("Where", missing, fill, wide)
        filled = graph.add(
            "Where", graph.add_constant(columns.empty), graph.add_constant(0.0), filled
        )
        result = graph.cast(_scale_columns(graph, columns, filled), dtype)
    else:
        fill = graph.add_constant(columns.fill, dtype)
        result = graph.add("Where", missing, fill, graph.cast(value, dtype))
    if not len(columns.marked):
        return result
    marks = graph.cast(graph.take_columns(missing, columns.marked), dtype)
    return graph.concatenate([result, marks])


def _scale_columns(graph: OnnxGraph, columns: NumericColumns, value: str) -> str:
    if columns.scale is None or not len(columns.scaled):
        return value
    n_columns = len(columns.labels)
    if len(columns.scaled) == n_columns:
        return _scale(graph, columns.scale, value)
    left = np.setdiff1d(np.arange(n_columns), columns.scaled)
    scaled = _scale(graph, columns.scale, graph.take_columns(value, columns.scaled))
    joined = graph.concatenate([scaled, graph.take_columns(value, left)])
    return graph.take_columns(joined, np.argsort([*columns.scaled, *left]))


def _scale(graph: OnnxGraph, scale: Affine | NormalScores, value: str) -> str:
    if isinstance(scale, NormalScores):
        return _add_normal_scores(graph, scale, value)
    value = graph.add("Sub", value, graph.add_constant(scale.center))
    value = graph.add("Mul", value, graph.add_constant(scale.factor))
    if not scale.clip:
        return value
    square = graph.add("Mul", value, value)  # x / sqrt(1 + (x / 3)**2), and 3 beyond any square
    root = graph.add("Sqrt", graph.add("Add", square, graph.add_constant(9.0)))
    return graph.add("Mul", graph.add("Div", value, root), graph.add_constant(3.0))


def _add_normal_scores(graph: OnnxGraph, scale: NormalScores, value: str) -> str:
    """Return linear interpolation: the sum of all slopes times how far a value is along each."""
    parts = []
    for i, (knots, scores) in enumerate(scale.knots):
        column = graph.take_columns(value, [i])
        widths, rises = np.diff(knots), np.diff(scores)
        along = graph.add("Sub", column, graph.add_constant(knots[:-1]))
        along = graph.add("Max", along, graph.add_constant(0.0))
        along = graph.add("Min", along, graph.add_constant(widths))
        gained = graph.add("MatMul", along, graph.add_constant((rises / widths)[:, None]))
        parts.append(graph.add("Add", gained, graph.add_constant(scores[:1])))
    return graph.concatenate(parts)

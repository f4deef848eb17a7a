"""The rows of the benchmark and the targets of issue 3."""

from dataclasses import dataclass, field, replace

from benchmarks.contenders import CONTENDERS, Setting

ALL = tuple(CONTENDERS)
WITH_SCIKIT_LEARN = ("ours", "sklearn")
LECTURE = Setting(
    hidden=(300, 100), solver="sgd", batch_size=32, learning_rate=0.01, alpha=0.0, epochs=1
)
#: of the lecture; one is enough to time a step
LECTURE_EPOCHS = 30
#: weights and biases of 784-300-100-10
LECTURE_PARAMETERS = 266_610
#: weights of its first layer
LECTURE_FIRST_WEIGHTS = 784 * 300


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes
    ----------
    name, title : str
        Letter in the issue, and what is done.
    data : str
        Key of `benchmarks.data.MAKERS`.
    setting : Setting
        What is trained, and how.
    measure : {'fit', 'predict', 'memory', 'import'}
        What one round does.
    dtype : {'float32', 'float64'}
        Of X.
    n_rows : int or None
        Rows of one prediction.
    calls : int
        Predictions in one round.
    contenders : tuple of str
        Who takes part.
    """

    name: str
    title: str
    data: str = ""
    setting: Setting = field(default_factory=Setting)
    measure: str = "fit"
    dtype: str = "float32"
    n_rows: int | None = None
    calls: int = 1
    contenders: tuple[str, ...] = ALL

    @property
    def once(self) -> bool:
        """Whether the number of threads does not matter."""
        return self.measure in ("memory", "import")

    def quick(self) -> "Row":
        """Return a row that only shows that everything works."""
        return replace(
            self,
            n_rows=min(self.n_rows or 400, 400),
            calls=min(self.calls, 3),
            setting=replace(self.setting, epochs=min(self.setting.epochs, 2)),
        )


@dataclass(frozen=True)
class Target:
    """What issue 3 wants.

    Attributes
    ----------
    row : str
        Name of a row.
    peer : str
        The contender whose time is divided by ours; 'ours' for the figure of our own.
    wanted : float
        Smallest ratio; or largest figure, if `at_most`.
    threads : int or None
        None is every number of threads that was measured.
    at_most : bool
        For memory, in sizes of X, and for the import, in ms more than the peer's.
    """

    row: str
    peer: str
    wanted: float
    threads: int | None = None
    at_most: bool = False


def _rows() -> list[Row]:
    small = Setting(batch_size=32, epochs=50)
    small_200 = Setting(batch_size=200, epochs=100)
    medium = Setting(epochs=20)
    a = Row("a", "1,000×20, 100, Adam, batch 32", "small", small)
    b = Row("b", "1,000×20, 100, Adam, batch 200", "small", small_200)
    c = Row("c", "10,000×50, 100, Adam, batch 200", "medium", medium)
    d = Row("d", "Fashion-MNIST, 300-100, SGD, batch 32", "fashion", LECTURE)
    adam = replace(LECTURE, solver="adam", learning_rate=0.001, batch_size=200)
    calls = {1: 500, 10_000: 20, 1_000_000: 1}
    return [
        a,
        _in_float64(a),
        b,
        _in_float64(b),
        c,
        _in_float64(c),
        d,
        replace(d, name="e", title="Fashion-MNIST, 300-100, Adam, batch 200", setting=adam),
        _in_float64(
            Row("f", "digits, 100, L-BFGS", "digits", Setting(solver="lbfgs", epochs=50)), name="f"
        ),
        *(
            Row(f"g{n}", f"predict {n:,}×20, 100", "million", small, "predict", n_rows=n, calls=k)
            for n, k in calls.items()
        ),
        Row(
            "h",
            "regression, 20,640×8, 100, Adam, batch 200",
            "california_sized",
            Setting("regressor", epochs=50),
        ),
        _in_float64(
            Row("i", "sparse 20,000×10,000 at 0.1 %, 100, Adam", "sparse_words", Setting(epochs=2)),
            name="i",
        ),
        replace(d, name="j", title="peak memory of d, in sizes of X", measure="memory"),
        Row("import", "import", measure="import", contenders=WITH_SCIKIT_LEARN),
    ]


def _in_float64(row: Row, name: str | None = None) -> Row:
    """Return the row as scikit-learn's users often have their data."""
    return replace(row, name=name or f"{row.name}64", dtype="float64", contenders=WITH_SCIKIT_LEARN)


#: name -> row, in the order of the table
ROWS = {row.name: row for row in _rows()}

TARGETS = [
    Target("a", "sklearn", 10.0),
    Target("a", "skorch", 8.0),
    Target("a64", "sklearn", 6.0),
    Target("b", "sklearn", 6.0),
    Target("b64", "sklearn", 3.6),
    Target("c", "sklearn", 5.0),
    Target("c64", "sklearn", 3.0),
    Target("d", "sklearn", 1.3, threads=1),
    Target("d", "torch", 1.2, threads=1),
    Target("d", "skorch", 1.6, threads=1),
    Target("d", "sklearn", 1.75, threads=2),
    Target("d", "torch", 1.65, threads=2),
    Target("d", "skorch", 2.4, threads=2),
    Target("e", "sklearn", 1.3, threads=1),
    Target("e", "sklearn", 2.0, threads=2),
    Target("f", "sklearn", 2.0),
    Target("g1", "sklearn", 1.0),
    Target("g10000", "sklearn", 1.0),
    Target("g1000000", "sklearn", 1.0),
    Target("h", "sklearn", 7.0),
    Target("i", "sklearn", 1.0),
    Target("j", "ours", 1.3, at_most=True),
    Target("import", "sklearn", 20.0, at_most=True),
]

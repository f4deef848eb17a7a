"""Display of loss and score by epoch."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, is_classifier, is_regressor

from sknn._optional import require
from sknn.inspection._reading import Model, unwrap
from sknn.inspection.diagram._panels import make_panels, show_text_as_it_is
from sknn.inspection.diagram._style import make_line_styles
from sknn.losses import find_value_loss

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

#: what is drawn -> keys of a history, training first
QUANTITIES = {"loss": ("loss", "validation_loss"), "score": ("score", "validation_score")}


class LossCurveDisplay:
    """Loss and score of one or several networks, epoch by epoch.

    Training is a solid line, validation a broken one of the same colour. Where `early_stopping`
    chose an epoch by the validation set, a dot marks the one whose weights the network has.

    Make it with `from_estimator`, or `from_estimators` for several networks in one picture.

    Parameters
    ----------
    histories : mapping of str to mapping of str to sequence of float
        Curves of each network by their names: ``'loss'``, ``'score'``,
        ``'validation_loss'`` and ``'validation_score'``, as far as there are any, with an entry an
        epoch.
    best_iters : mapping of str to int or None, default=None
        Numbers of the epochs to be marked, from 1.
    loss_name, score_name : str, default='loss', 'score'
        Labels of the vertical axes.

    Attributes
    ----------
    histories, best_iters, loss_name, score_name
        The parameters, as arrays.
    ax_ : matplotlib Axes or None
        Axes with the curves; with ``quantity='both'`` the Axes that the panels divide up.
    axes_ : ndarray of Axes of shape (n_panels,)
        The panels: loss, score, or both.
    figure_ : matplotlib Figure
        Figure that contains the Axes.
    lines_ : list of Line2D
        Lines in the order of drawing: networks one after the other, training before validation.
    best_points_ : list of Line2D
        A dot for each epoch marked.

    Raises
    ------
    ValueError
        If there are no curves, curves of a network are not equally long, or the epoch to be
        marked is not one of them.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Scores against the number of samples.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from sknn import DeepMLPClassifier
    >>> from sknn.inspection import LossCurveDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> mlp = DeepMLPClassifier((20,), early_stopping=True, max_iter=100, random_state=0)
    >>> display = LossCurveDisplay.from_estimator(mlp.fit(X / 16, y), quantity="both")
    >>> len(display.lines_[0].get_xdata()) == mlp.n_iter_
    True
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        histories: Mapping[str, Mapping[str, Sequence[float]]],
        *,
        best_iters: Mapping[str, int] | None = None,
        loss_name: str = "loss",
        score_name: str = "score",
    ):
        self.histories = {
            str(name): {key: np.asarray(curve, dtype=float) for key, curve in history.items()}
            for name, history in histories.items()
        }
        self.best_iters = dict(best_iters or {})
        self.loss_name, self.score_name = loss_name, score_name
        self._check()

    def _check(self) -> None:
        keys = [key for pair in QUANTITIES.values() for key in pair]
        for name, history in self.histories.items():
            lengths = {key: len(history[key]) for key in keys if key in history}
            if not lengths:
                raise ValueError(f"The history of {name!r} has none of the curves {keys}.")
            if len(set(lengths.values())) > 1:
                raise ValueError(
                    f"Curves of {name!r} must have one entry an epoch each, got lengths {lengths}."
                )
            best = self.best_iters.get(name, 1)
            if not 1 <= best <= max(lengths.values()):
                raise ValueError(
                    f"The epoch to be marked for {name!r} must be from 1 to "
                    f"{max(lengths.values())}, got {best!r}."
                )
        if not self.histories:
            raise ValueError("There are no histories to draw. Give one network at least.")

    @classmethod
    def from_estimator(
        cls,
        estimator: Model,
        *,
        name: str | None = None,
        quantity: str = "loss",
        ax: "Axes | Sequence[Axes] | None" = None,
        line_kw: Mapping[str, Any] | None = None,
    ) -> "LossCurveDisplay":
        """Draw the curves of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted estimator with ``history_``; or with ``loss_curve_``, and perhaps
            ``validation_scores_``, such as scikit-learn's MLPs; or with ``errors_curve_``, such as
            `PerceptronClassifier`; or a pipeline or search that holds one.
        name : str or None, default=None
            Name in the legend; None leaves it out.
        quantity : {'loss', 'score', 'both'}, default='loss'
            Curves to draw; ``'both'`` makes two panels.
        ax : matplotlib Axes, sequence of two Axes, or None, default=None
            Axes to draw on; None makes a new figure. Drawing on the Axes of another display adds
            the curves to its.
        line_kw : mapping or None, default=None
            Further arguments for ``ax.plot``.

        Returns
        -------
        LossCurveDisplay

        Raises
        ------
        ValueError
            If the estimator keeps no such curves, or there is no curve of that quantity.
        sklearn.exceptions.NotFittedError
            If it is not fitted.
        """
        named = {"" if name is None else name: estimator}
        return cls.from_estimators(named, quantity=quantity, ax=ax, line_kw=line_kw)

    @classmethod
    def from_estimators(
        cls,
        estimators: Mapping[str, Model],
        *,
        quantity: str = "loss",
        ax: "Axes | Sequence[Axes] | None" = None,
        line_kw: Mapping[str, Any] | None = None,
    ) -> "LossCurveDisplay":
        """Draw the curves of several fitted estimators in one picture.

        Parameters
        ----------
        estimators : mapping of str to estimator
            Fitted estimators, by their names in the legend, see `from_estimator`.
        quantity : {'loss', 'score', 'both'}, default='loss'
            Curves to draw; ``'both'`` makes two panels.
        ax : matplotlib Axes, sequence of two Axes, or None, default=None
            Axes to draw on; None makes a new figure.
        line_kw : mapping or None, default=None
            Further arguments for ``ax.plot``.

        Returns
        -------
        LossCurveDisplay

        Raises
        ------
        ValueError
            If an estimator keeps no such curves, or there is no curve of that quantity.
        sklearn.exceptions.NotFittedError
            If one is not fitted.
        """
        networks = {name: unwrap(est)[1] for name, est in estimators.items()}
        histories = {name: _read_history(network) for name, network in networks.items()}
        best = {n: _get_best_iter(network, histories[n]) for n, network in networks.items()}
        display = cls(
            histories,
            best_iters={name: epoch for name, epoch in best.items() if epoch},
            loss_name=_get_common_name(networks.values(), _get_loss_name, "loss"),
            score_name=_get_common_name(networks.values(), _score_name, "score"),
        )
        return display.plot(ax, quantity=quantity, line_kw=line_kw)

    def plot(
        self,
        ax: "Axes | Sequence[Axes] | None" = None,
        *,
        quantity: str = "loss",
        line_kw: Mapping[str, Any] | None = None,
    ) -> "LossCurveDisplay":
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, sequence of two Axes, or None, default=None
            Axes to draw on; None makes a new figure.
        quantity : {'loss', 'score', 'both'}, default='loss'
            Curves to draw; ``'both'`` makes two panels.
        line_kw : mapping or None, default=None
            Further arguments for ``ax.plot``.

        Returns
        -------
        LossCurveDisplay
            The display itself.

        Raises
        ------
        ValueError
            If there is no such quantity or no curve of it.
        """
        if quantity not in (*QUANTITIES, "both"):
            raise ValueError(f"quantity must be one of {[*QUANTITIES, 'both']}, got {quantity!r}.")
        quantities = list(QUANTITIES) if quantity == "both" else [quantity]
        for key in quantities:
            if not any(
                k in history for history in self.histories.values() for k in QUANTITIES[key]
            ):
                raise ValueError(
                    f"There is no curve of the {key}; scores are kept where there is a "
                    "validation set, as with early_stopping=True."
                )
        purpose = f"{type(self).__name__}.plot"
        # Beside its panel a long legend hides no curve.
        n_labels = max(map(self._count_labels, quantities))
        place = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)} if n_labels > 6 else {}
        size = (6.8 if place else 4.2, 3.4)
        self.ax_, self.axes_ = make_panels(
            ax, len(quantities), 2, size=size, purpose=purpose, gap=0.06
        )
        self.figure_ = self.axes_[0].figure
        self.lines_: list[Line2D] = []
        self.best_points_: list[Line2D] = []
        for axis, key in zip(self.axes_, quantities, strict=True):
            self._draw(axis, key, dict(line_kw or {}))
            axis.legend(fontsize="small", **place)
        show_text_as_it_is(self.axes_)
        return self

    def _count_labels(self, quantity: str) -> int:
        """Return how many lines and points a panel has."""
        names = QUANTITIES[quantity]
        n_lines = sum(key in history for history in self.histories.values() for key in names)
        return n_lines + len(self.best_iters)

    def _draw(self, ax: "Axes", quantity: str, line_kw: dict[str, Any]) -> None:
        ticker = require("matplotlib.ticker", "LossCurveDisplay.plot")
        n_before = sum(line.get_gid() == "network" for line in ax.lines)
        styles = make_line_styles(n_before + len(self.histories))[n_before:]
        for (name, history), style in zip(self.histories.items(), styles, strict=True):
            drawn = [key for key in QUANTITIES[quantity] if key in history]
            for key in drawn:
                # The first line of each network says how many of them there are already.
                gid = "network" if key == drawn[0] else None
                look = {**style, **_choose_look(key, name), "gid": gid, **line_kw}
                curve = history[key]
                self.lines_ += ax.plot(np.arange(1, len(curve) + 1), curve, **look)
            if drawn and name in self.best_iters:
                self._mark(ax, name, history[drawn[-1]])
        ax.set(xlabel="epoch", ylabel=self.loss_name if quantity == "loss" else self.score_name)
        ax.xaxis.set_major_locator(ticker.MaxNLocator(6, steps=[1, 2, 5, 10], integer=True))

    def _mark(self, ax: "Axes", name: str, curve: np.ndarray) -> None:
        best = self.best_iters[name]
        label = f"best epoch ({best})" if not name else f"{name}, best epoch ({best})"
        look: dict[str, Any] = {"color": self.lines_[-1].get_color(), "marker": "o"}
        look["linestyle"] = "none"
        self.best_points_ += ax.plot([best], [curve[best - 1]], **look, label=label)


def _choose_look(key: str, name: str) -> dict[str, Any]:
    validation = key.startswith("validation")
    role = "validation" if validation else "training"
    label = role if not name else f"{name}, {role}" if validation else name
    return {"label": label} | ({"linestyle": (0, (2, 1.2))} if validation else {})


def _read_history(network: Model) -> dict[str, list[float]]:
    """Return curves by their names, from whatever an estimator keeps."""
    history = getattr(network, "history_", None)
    if isinstance(history, Mapping) and "loss" in history:
        return {
            key: curve
            for keys in QUANTITIES.values()
            for key in keys
            if (curve := history.get(key)) is not None
        }
    sources = {
        "loss": getattr(network, "loss_curve_", None) or getattr(network, "errors_curve_", None),
        "validation_loss": getattr(network, "validation_loss_curve_", None),
        "validation_score": getattr(network, "validation_scores_", None),
    }
    if not sources["loss"]:
        raise ValueError(
            "LossCurveDisplay needs an estimator with history_, loss_curve_ or errors_curve_; got "
            f"{type(network).__name__}, which keeps no curve."
        )
    return {key: list(curve) for key, curve in sources.items() if curve is not None}


def _get_best_iter(network: BaseEstimator, history: Mapping[str, Sequence[float]]) -> int:
    """Return the epoch whose weights the network has, from 1 over all calls; 0 for no mark."""
    validation = [key for key in ("validation_score", "validation_loss") if key in history]
    if not validation or not getattr(network, "early_stopping", True):
        return 0
    if hasattr(network, "best_iter_"):
        # It counts within the last call, and curves go on through warm starts.
        before = len(history["loss"]) - network.n_iter_
        return before + network.best_iter_ if network.best_iter_ else 0
    return int(np.argmax(history["validation_score"])) + 1 if "validation_score" in history else 0


def _get_loss_name(network: Model) -> str:
    if hasattr(network, "errors_curve_"):
        return "misclassified training samples (weight)"
    return "loss"


def _score_name(network: Model) -> str:
    # Autoencoders have no such parameter: their epochs are chosen by the loss, and so are those of
    # ensembles for tables where it is None.
    fixed = "loss" if hasattr(network, "history_") else None
    scoring, loss = getattr(network, "scoring", fixed), getattr(network, "loss", None)
    if scoring is None and hasattr(network, "n_members"):
        scoring = "loss"
    if isinstance(scoring, str) and scoring != "loss":
        return scoring.replace("_", " ")
    if callable(scoring) or not isinstance(network, BaseEstimator):
        return getattr(scoring, "__name__", "score")
    if is_classifier(network) and scoring is None:
        return "accuracy"
    entry = find_value_loss(loss) if is_regressor(network) and loss is not None else None
    if scoring == "loss" or callable(loss) or (entry is not None and entry.scores_loss):
        return "minus the loss"
    return "score" if entry is None else entry.score.name


def _get_common_name(
    networks: Iterable[Model], name_of: Callable[[Model], str], otherwise: str
) -> str:
    names = {name_of(network) for network in networks}
    return names.pop() if len(names) == 1 else otherwise

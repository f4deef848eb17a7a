"""Motifs as logos of letters."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from sknn._validation import MatrixLike
from sknn.inspection._reading import Model, find_sequence_network
from sknn.inspection.diagram._letters import draw_letters
from sknn.inspection.diagram._panels import make_panels, show_text_as_it_is
from sknn.motifs import Motif

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class MotifLogoDisplay:
    """Motifs as sequence logos [1]_: stacks of letters, as high as the position has information.

    Make it with `from_estimator`, or of motifs of any origin.

    Parameters
    ----------
    motifs : Motif or sequence of Motif
        Motifs, one for each panel.

    Attributes
    ----------
    motifs : list of Motif
        Motifs that were given.
    ax_ : matplotlib Axes or None
        Axes that the panels divide up.
    axes_ : ndarray of Axes of shape (n_motifs,)
        The panels.
    figure_ : matplotlib Figure
        Figure that contains the Axes.
    letters_ : list of list of PathCollection
        Letters of each motif.

    Raises
    ------
    ValueError
        If there is no motif.

    References
    ----------
    .. [1] T. D. Schneider and R. M. Stephens, "Sequence logos: a new way to display consensus
       sequences", Nucleic Acids Research 18, 1990, doi:10.1093/nar/18.20.6097.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from sknn.inspection import MotifLogoDisplay
    >>> from sknn.motifs import Motif
    >>> motif = Motif("tata", np.array([[0, 0, 0, 20], [19, 0, 0, 1], [1, 0, 0, 19]]), 20)
    >>> display = MotifLogoDisplay(motif).plot()
    >>> display.ax_.get_ylabel()
    'bits'
    >>> plt.close(display.figure_)
    """

    def __init__(self, motifs: Motif | Sequence[Motif]):
        self.motifs = [motifs] if isinstance(motifs, Motif) else list(motifs)
        if not self.motifs:
            raise ValueError(
                "There is no motif to draw. Lower min_sites or threshold, or give more sequences."
            )

    @classmethod
    def from_estimator(
        cls,
        estimator: Model,
        X: MatrixLike,
        y: ArrayLike | None = None,
        *,
        n_motifs: int = 4,
        n_columns: int = 2,
        ax: "Axes | Sequence[Axes] | None" = None,
    ) -> "MotifLogoDisplay":
        """Draw the motifs of the most important filters of a network for sequences.

        Parameters
        ----------
        estimator : estimator
            Fitted estimator, or a pipeline or search that holds one.
        X : array-like of str of shape (n_samples,), or array as in ``fit``
            Sequences to read the motifs from.
        y : array-like of shape (n_samples,), default=None
            Targets, see ``SequenceCNNClassifier.motifs``.
        n_motifs : int, default=4
            Maximum number that is drawn.
        n_columns : int, default=2
            Number of logos side by side.
        ax : matplotlib Axes, sequence of Axes, or None, default=None
            Axes to divide up, or one for each motif; None makes a new figure.

        Returns
        -------
        MotifLogoDisplay

        Raises
        ------
        ValueError
            If the estimator is no network for sequences, or has no motif.
        sklearn.exceptions.NotFittedError
            If it is not fitted.
        """
        network, X = find_sequence_network(estimator, X, cls.__name__)
        return cls(network.motifs(X, y)[:n_motifs]).plot(ax, n_columns=n_columns)

    def plot(
        self, ax: "Axes | Sequence[Axes] | None" = None, *, n_columns: int = 2
    ) -> "MotifLogoDisplay":
        """Draw the logos.

        Parameters
        ----------
        ax : matplotlib Axes, sequence of Axes, or None, default=None
            Axes to divide up, or one for each motif; None makes a new figure.
        n_columns : int, default=2
            Number of logos side by side.

        Returns
        -------
        MotifLogoDisplay
            The display itself.
        """
        purpose = f"{type(self).__name__}.plot"
        self.ax_, self.axes_ = make_panels(
            ax, len(self.motifs), n_columns, size=(4.2, 1.8), purpose=purpose
        )
        self.figure_ = self.axes_[0].figure
        self.letters_ = []
        for axis, motif in zip(self.axes_, self.motifs, strict=True):
            heights = motif.ppm * motif.information[:, None]
            self.letters_.append(draw_letters(axis, heights, motif.alphabet))
            n_letters = len(motif.alphabet)
            axis.set(ylim=(0, 2.0 if n_letters == 4 else heights.sum(axis=1).max() or 1.0))
            axis.set(xlabel="position", ylabel="bits")
            step = max(1, len(heights) // 12)
            places = range(0, len(heights), step)
            axis.set_xticks(places, [str(i + 1) for i in places])
            axis.spines[["top", "right"]].set_visible(False)
            title = f"{motif.name}: {motif.n_sites} sites, {motif.information_content:.1f} bits"
            axis.set_title(title, fontsize="small")
        show_text_as_it_is(self.axes_)
        return self

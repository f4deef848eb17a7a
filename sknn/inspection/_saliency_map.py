"""Display of the contributions of bases to an output."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from sknn._validation import MatrixLike
from sknn.inspection._reading import Model, find_sequence_network, read_names
from sknn.inspection.diagram._letters import draw_letters
from sknn.inspection.diagram._panels import make_panels, show_text_as_it_is

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class SaliencyMapDisplay:
    """Sequences whose letters are as high as what they contribute to an output.

    Letters above the line raise the output; letters below it, upside down, lower it.

    Make it with `from_estimator`.

    Parameters
    ----------
    scores : array-like of float of shape (n_sequences, length, n_letters)
        Contributions; 0 for letters that a sequence does not have.
    alphabet : str, default='ACGT'
        The letters.
    names : sequence of str or None, default=None
        Titles of the sequences; None means sequence 0, sequence 1 and so on.

    Attributes
    ----------
    scores, alphabet, names
        The parameters, as an array, a str and a list.
    ax_ : matplotlib Axes or None
        Axes that the panels divide up.
    axes_ : ndarray of Axes of shape (n_sequences,)
        The panels, with the same vertical scale.
    figure_ : matplotlib Figure
        Figure that contains the Axes.
    letters_ : list of list of PathCollection
        Letters of each sequence.

    Raises
    ------
    ValueError
        If scores have not this shape, or there is not a name for each sequence.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sknn import SequenceCNNClassifier
    >>> from sknn.datasets import make_motif_sequences
    >>> from sknn.inspection import SaliencyMapDisplay
    >>> X, y, _ = make_motif_sequences(100, random_state=0)
    >>> cnn = SequenceCNNClassifier(max_iter=5, random_state=0).fit(X, y)
    >>> display = SaliencyMapDisplay.from_estimator(cnn, X[:3])
    >>> display.scores.shape
    (3, 50, 4)
    >>> plt.close(display.figure_)
    """

    def __init__(
        self, scores: ArrayLike, *, alphabet: str = "ACGT", names: Sequence[str] | None = None
    ):
        self.scores = np.asarray(scores, dtype=float)
        self.alphabet = alphabet
        shape = self.scores.shape
        if len(shape) != 3 or 0 in shape or shape[2] != len(alphabet):
            raise ValueError(
                f"scores must be an array of shape (n_sequences, length, {len(alphabet)}), with a "
                f"number for each letter of {alphabet!r}; got shape {shape}."
            )
        names = [f"sequence {i}" for i in range(shape[0])] if names is None else names
        self.names = read_names(names, shape[0], "names of sequences")

    @classmethod
    def from_estimator(
        cls,
        estimator: Model,
        X: MatrixLike,
        *,
        target: ArrayLike | None = None,
        names: Sequence[str] | None = None,
        n_columns: int = 1,
        ax: "Axes | Sequence[Axes] | None" = None,
    ) -> "SaliencyMapDisplay":
        """Draw gradient times input of a network for sequences.

        Parameters
        ----------
        estimator : estimator
            Fitted estimator, or a pipeline or search that holds one.
        X : array-like of str of shape (n_samples,), or array as in ``fit``
            Sequences to draw.
        target : object or array-like of shape (n_samples,), default=None
            The class or output, see ``SequenceCNNClassifier.saliency``.
        names : sequence of str or None, default=None
            Titles of the sequences.
        n_columns : int, default=1
            Number of sequences side by side.
        ax : matplotlib Axes, sequence of Axes, or None, default=None
            Axes to divide up, or one for each sequence; None makes a new figure.

        Returns
        -------
        SaliencyMapDisplay

        Raises
        ------
        ValueError
            If the estimator is no network for sequences of letters, or has no such target.
        sklearn.exceptions.NotFittedError
            If it is not fitted.
        """
        network, X = find_sequence_network(estimator, X, cls.__name__)
        display = cls(network.saliency(X, target), alphabet=network.letters_, names=names)
        return display.plot(ax, n_columns=n_columns)

    def plot(
        self, ax: "Axes | Sequence[Axes] | None" = None, *, n_columns: int = 1
    ) -> "SaliencyMapDisplay":
        """Draw the sequences.

        Parameters
        ----------
        ax : matplotlib Axes, sequence of Axes, or None, default=None
            Axes to divide up, or one for each sequence; None makes a new figure.
        n_columns : int, default=1
            Number of sequences side by side.

        Returns
        -------
        SaliencyMapDisplay
            The display itself.
        """
        n_sequences, length, _ = self.scores.shape
        width = float(np.clip(0.14 * length, 4.0, 14.0))
        purpose = f"{type(self).__name__}.plot"
        self.ax_, self.axes_ = make_panels(
            ax, n_sequences, n_columns, size=(width, 1.4), purpose=purpose
        )
        self.figure_ = self.axes_[0].figure
        low = np.minimum(self.scores, 0).sum(axis=2).min()
        high = np.maximum(self.scores, 0).sum(axis=2).max()
        margin = 0.05 * ((high - low) or 1.0)
        self.letters_ = []
        for axis, scores, name in zip(self.axes_, self.scores, self.names, strict=True):
            self.letters_.append(draw_letters(axis, scores, self.alphabet))
            axis.axhline(0, color="0.5", linewidth=0.8, zorder=0)
            axis.set_ylim(low - margin, high + margin)
            axis.set_ylabel("saliency")
            axis.set_title(name, fontsize="small")
            axis.spines[["top", "right"]].set_visible(False)
        self.axes_[-1].set_xlabel("position")
        show_text_as_it_is(self.axes_)
        return self

"""Images with what a classifier takes them for."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from sknn._validation import MatrixLike
from sknn.inspection._reading import make_images, read_names
from sknn.inspection.diagram._panels import make_panels, show_text_as_it_is
from sknn.inspection.diagram._style import NEGATIVE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WHICH = ("all", "right", "wrong")


class PredictionGridDisplay:
    """Images with predicted classes, and the true ones where they differ.

    Wrong predictions have a frame, a cross, and the true class beneath the predicted one. A number
    behind a class is its predicted probability.

    Make it with `from_estimator` or `from_predictions`.

    Parameters
    ----------
    images : array-like of shape (n_images, height, width) or (n_images, height, width, n_channels)
        Grey levels; or colours, of 3 or 4 channels, from 0 to 1 or whole numbers from 0 to 255.
    y_true, y_pred : array-like of shape (n_images,)
        Names of the true and of the predicted classes.
    y_proba : array-like of float of shape (n_images,) or None, default=None
        Predicted probabilities of the predicted classes.

    Attributes
    ----------
    images, y_true, y_pred, y_proba
        The parameters, as arrays.
    wrong : ndarray of bool of shape (n_images,)
        Whether `y_pred` differs from `y_true`.
    ax_ : matplotlib Axes or None
        Axes that the panels divide up.
    axes_ : ndarray of Axes of shape (n_images,)
        The panels.
    figure_ : matplotlib Figure
        Figure that contains the Axes.
    images_ : list of AxesImage
        The pictures.

    Raises
    ------
    ValueError
        If there is no image, or not a class for each.

    See Also
    --------
    sklearn.metrics.ConfusionMatrixDisplay : Number of samples by true and predicted class.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from sknn import PerceptronClassifier
    >>> from sknn.inspection import PredictionGridDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> perceptron = PerceptronClassifier().fit(X[:1000], y[:1000])
    >>> display = PredictionGridDisplay.from_estimator(
    ...     perceptron, X[1000:], y[1000:], which="wrong", n_images=5
    ... )
    >>> display.wrong
    array([ True,  True,  True,  True,  True])
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        images: ArrayLike,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        y_proba: ArrayLike | None = None,
    ):
        self.images = np.asarray(images)
        shape = self.images.shape
        if len(shape[1:]) != 2 + (shape[3:] in ((3,), (4,))) or len(self.images) == 0:
            raise ValueError(
                "images must be an array of shape (n_images, height, width), for colours with a "
                f"last axis of 3 or 4 channels, with an image at least; got shape {shape}."
            )
        self.y_true, self.y_pred = np.asarray(y_true), np.asarray(y_pred)
        self.y_proba = None if y_proba is None else np.asarray(y_proba, dtype=float)
        for name in ("y_true", "y_pred", "y_proba"):
            given = getattr(self, name)
            if given is not None and given.shape != (len(self.images),):
                raise ValueError(
                    f"{name} must have an entry for each of the {len(self.images)} images, got an "
                    f"array of shape {given.shape}."
                )
        self.wrong = self.y_pred != self.y_true

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: MatrixLike,
        y: ArrayLike,
        *,
        class_names: Sequence[str] | None = None,
        image_shape: tuple[int, ...] | None = None,
        which: str = "all",
        n_images: int = 15,
        n_columns: int = 5,
        ax: "Axes | Sequence[Axes] | None" = None,
        image_kw: Mapping[str, Any] | None = None,
    ) -> "PredictionGridDisplay":
        """Draw images with the predictions of a fitted classifier.

        Parameters
        ----------
        estimator : estimator
            Fitted classifier; its probabilities are shown if it has any.
        X : array-like of shape (n_samples, n_pixels) or (n_samples, height, width[, n_channels])
            Images. Pixels in a row lie line by line, with the channels of each pixel together.
        y : array-like of shape (n_samples,)
            True classes.
        class_names : sequence of str or None, default=None
            Names of the classes in the order of ``classes_``; None means the labels.
        image_shape : tuple of int or None, default=None
            Height and width of the images, and 3 or 4 for colours; None means that of X, or, of
            pixels in a row, square grey images.
        which : {'all', 'right', 'wrong'}, default='all'
            Samples to draw: all, or those that are predicted right or wrong.
        n_images : int, default=15
            Maximum number of samples that are drawn, from the first on.
        n_columns : int, default=5
            Number of images side by side.
        ax : matplotlib Axes, sequence of Axes, or None, default=None
            Axes to divide up, or one for each image; None makes a new figure.
        image_kw : mapping or None, default=None
            Further arguments for ``ax.imshow``.

        Returns
        -------
        PredictionGridDisplay

        Raises
        ------
        TypeError
            If the estimator is no classifier.
        ValueError
            If samples are no such images, none is predicted so, they have several labels, or names
            are not one for each class.
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        """
        given, X = X, np.asarray(X)
        flat = X.reshape(len(X), -1) if X.ndim > 2 else given
        y_pred, y_proba = estimator.predict(flat), None
        if not hasattr(estimator, "classes_"):
            raise TypeError(
                "PredictionGridDisplay.from_estimator draws predicted classes, but "
                f"{type(estimator).__name__} has no classes_. Give it a classifier."
            )
        if np.ndim(y_pred) != 1:
            raise ValueError(
                "PredictionGridDisplay draws one class for each sample; the predictions of "
                f"{type(estimator).__name__} have shape {np.shape(y_pred)}. Draw one label at a "
                "time, with PredictionGridDisplay.from_predictions."
            )
        classes = np.asarray(estimator.classes_)
        if hasattr(estimator, "predict_proba"):
            columns = np.searchsorted(classes, y_pred)
            y_proba = np.take_along_axis(estimator.predict_proba(flat), columns[:, None], 1)[:, 0]
        names_of = None
        if class_names is not None:
            names = read_names(class_names, len(classes), "class names")
            names_of = dict(zip(classes.tolist(), names, strict=True))
        return cls.from_predictions(
            X,
            y,
            y_pred,
            y_proba=y_proba,
            class_names=names_of,
            image_shape=image_shape,
            which=which,
            n_images=n_images,
            n_columns=n_columns,
            ax=ax,
            image_kw=image_kw,
        )

    @classmethod
    def from_predictions(
        cls,
        X: MatrixLike,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        y_proba: ArrayLike | None = None,
        class_names: Mapping[Any, str] | None = None,
        image_shape: tuple[int, ...] | None = None,
        which: str = "all",
        n_images: int = 15,
        n_columns: int = 5,
        ax: "Axes | Sequence[Axes] | None" = None,
        image_kw: Mapping[str, Any] | None = None,
    ) -> "PredictionGridDisplay":
        """Draw images with given predictions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_pixels) or (n_samples, height, width[, n_channels])
            Images. Pixels in a row lie line by line, with the channels of each pixel together.
        y_true, y_pred : array-like of shape (n_samples,)
            True and predicted classes.
        y_proba : array-like of float of shape (n_samples,) or None, default=None
            Predicted probabilities of the predicted classes.
        class_names : mapping of label to str or None, default=None
            Names of the classes; None means the labels.
        image_shape : tuple of int or None, default=None
            Height and width of the images, and 3 or 4 for colours; None means that of X, or, of
            pixels in a row, square grey images.
        which : {'all', 'right', 'wrong'}, default='all'
            Samples to draw: all, or those that are predicted right or wrong.
        n_images : int, default=15
            Maximum number of samples that are drawn, from the first on.
        n_columns : int, default=5
            Number of images side by side.
        ax : matplotlib Axes, sequence of Axes, or None, default=None
            Axes to divide up, or one for each image; None makes a new figure.
        image_kw : mapping or None, default=None
            Further arguments for ``ax.imshow``.

        Returns
        -------
        PredictionGridDisplay

        Raises
        ------
        ValueError
            If samples are no such images, there is not a class for each, none is predicted so, or
            a class has no name.
        """
        if which not in WHICH:
            raise ValueError(f"which must be one of {list(WHICH)}, got {which!r}.")
        X, y_true, y_pred = np.asarray(X), np.asarray(y_true), np.asarray(y_pred)
        if y_true.shape != (len(X),) or y_pred.shape != y_true.shape:
            raise ValueError(
                f"There must be one class for each of the {len(X)} samples; got y_true of shape "
                f"{y_true.shape} and y_pred of shape {y_pred.shape}."
            )
        chosen = {
            "all": np.ones(len(X), dtype=bool),
            "right": y_pred == y_true,
            "wrong": y_pred != y_true,
        }
        if n_images < 1:
            raise ValueError(f"n_images must be at least 1, got {n_images!r}.")
        samples = np.flatnonzero(chosen[which])[:n_images]
        if len(samples) == 0:
            raise ValueError(f"No sample is predicted as which={which!r} asks for; none to draw.")
        display = cls(
            make_images(X[samples], image_shape),
            _name_labels(y_true[samples], class_names),
            _name_labels(y_pred[samples], class_names),
            y_proba=None if y_proba is None else np.asarray(y_proba)[samples],
        )
        return display.plot(ax, n_columns=n_columns, image_kw=image_kw)

    def plot(
        self,
        ax: "Axes | Sequence[Axes] | None" = None,
        *,
        n_columns: int = 5,
        image_kw: Mapping[str, Any] | None = None,
    ) -> "PredictionGridDisplay":
        """Draw the images.

        Parameters
        ----------
        ax : matplotlib Axes, sequence of Axes, or None, default=None
            Axes to divide up, or one for each image; None makes a new figure.
        n_columns : int, default=5
            Number of images side by side.
        image_kw : mapping or None, default=None
            Further arguments for ``ax.imshow``.

        Returns
        -------
        PredictionGridDisplay
            The display itself.
        """
        purpose = f"{type(self).__name__}.plot"
        self.ax_, self.axes_ = make_panels(
            ax, len(self.images), n_columns, size=(1.6, 1.85), purpose=purpose
        )
        self.figure_ = self.axes_[0].figure
        look = {"cmap": "gray", **(image_kw or {})}
        self.images_ = []
        titles = [self._make_title(i) for i in range(len(self.images))]
        fontsize = _choose_fontsize(titles)
        for i, axis in enumerate(self.axes_):
            self.images_.append(axis.imshow(self.images[i], **look))
            axis.set(xticks=[], yticks=[])
            axis.set_title(titles[i], fontsize=fontsize)
            if self.wrong[i]:
                for spine in axis.spines.values():
                    spine.set(color=NEGATIVE, linewidth=3)
        show_text_as_it_is(self.axes_)
        return self

    def _make_title(self, i: int) -> str:
        proba = "" if self.y_proba is None else f" ({self.y_proba[i]:.2f})"
        if not self.wrong[i]:
            return f"{self.y_pred[i]}{proba}"
        return f"× {self.y_pred[i]}{proba}\ntrue: {self.y_true[i]}"


def _choose_fontsize(titles: list[str]) -> float | str:
    """Return the size in points at which no title is wider than its image, or 'small'."""
    longest = max(len(line) for title in titles for line in title.splitlines())
    # About 22 letters of a small title, 8.3 points high, are as wide as a panel of 1.6 inches.
    return "small" if longest <= 22 else max(4.5, 8.3 * 22 / longest)


def _name_labels(labels: np.ndarray, class_names: Mapping[Any, str] | None) -> list[str]:
    if class_names is None:
        return [str(label) for label in labels]
    missing = sorted({label for label in labels.tolist() if label not in class_names}, key=str)
    if missing:
        raise ValueError(f"class_names has no name for {missing[:5]}; it has {list(class_names)}.")
    return [str(class_names[label]) for label in labels.tolist()]

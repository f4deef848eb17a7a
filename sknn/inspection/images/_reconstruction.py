"""Images above what autoencoders reconstruct of them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from sknn._validation import MatrixLike, Sliceable
from sknn.inspection._reading import give_samples, make_images, unwrap
from sknn.inspection.diagram._panels import make_panels, show_text_as_it_is

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class ReconstructionDisplay:
    """Images, with their reconstructions by autoencoders below them.

    All images have the scale of the originals, so that a reconstruction with less contrast is drawn
    with less contrast. A pixel beyond the range of the originals has the colour at the end of the
    scale.

    Make it with `from_estimator` or `from_estimators`.

    Parameters
    ----------
    images : array-like of shape (n_images, height, width) or (n_images, height, width, n_channels)
        Originals: grey levels; or colours, of 3 or 4 channels, from 0 to 1 or whole numbers from 0
        to 255.
    reconstructions : mapping of str to array-like of the shape of images
        Further rows of images by their names, from the top.

    Attributes
    ----------
    images, reconstructions
        The parameters, as an array and a dict of arrays.
    ax_ : matplotlib Axes or None
        Axes that the panels divide up.
    axes_ : ndarray of Axes of shape (n_rows * n_images,)
        The panels, the originals first, then those of each reconstruction.
    figure_ : matplotlib Figure
        Figure that contains the Axes.
    images_ : list of AxesImage
        The pictures, in this order.

    Raises
    ------
    ValueError
        If there is no image or no reconstruction, or their shapes differ.

    See Also
    --------
    EmbeddingDisplay : Codes as points of the plane.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from sknn.inspection import ReconstructionDisplay
    >>> X, _ = load_digits(return_X_y=True)
    >>> display = ReconstructionDisplay.from_estimator(PCA(8).fit(X), X, n_images=5)
    >>> display.reconstructions["reconstruction"].shape
    (5, 8, 8)
    >>> plt.close(display.figure_)
    """

    def __init__(self, images: ArrayLike, reconstructions: Mapping[str, ArrayLike]):
        self.images = np.asarray(images)
        shape = self.images.shape
        if len(shape[1:]) != 2 + (shape[3:] in ((3,), (4,))) or len(self.images) == 0:
            raise ValueError(
                "images must be an array of shape (n_images, height, width), for colours with a "
                f"last axis of 3 or 4 channels, with an image at least; got shape {shape}."
            )
        self.reconstructions = {str(k): np.asarray(v) for k, v in reconstructions.items()}
        if not self.reconstructions:
            raise ValueError("reconstructions must have an entry at least, got none.")
        for name, given in self.reconstructions.items():
            if given.shape != shape:
                raise ValueError(
                    f"Reconstructions must have the shape of images, {shape}; those of {name!r} "
                    f"have shape {given.shape}."
                )

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: MatrixLike,
        *,
        X_input: MatrixLike | None = None,
        n_images: int = 10,
        image_shape: tuple[int, ...] | None = None,
        ax: "Axes | Sequence[Axes] | None" = None,
        image_kw: Mapping[str, Any] | None = None,
    ) -> "ReconstructionDisplay":
        """Draw images above their reconstructions by a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted estimator with ``reconstruct``, such as `AutoencoderTransformer`, or with
            ``transform`` and ``inverse_transform``, such as ``PCA``, pipelines and searches.
        X : array-like of shape (n_samples, n_pixels) or (n_samples, height, width[, n_channels])
            Images. Pixels in a row lie line by line, with the channels of each pixel together.
        X_input : array-like of the shape of X, or None, default=None
            Noisy or damaged copies to reconstruct in place of X, which are drawn below it.
        n_images : int, default=10
            Maximum number of samples that are drawn, from the first on.
        image_shape : tuple of int or None, default=None
            Height and width of the images, and 3 or 4 for colours; None means that of X, or that
            of the images that the estimator was fitted on, or square grey images.
        ax : matplotlib Axes, sequence of Axes, or None, default=None
            Axes to divide up, or one for each panel; None makes a new figure.
        image_kw : mapping or None, default=None
            Further arguments for ``ax.imshow``.

        Returns
        -------
        ReconstructionDisplay

        Raises
        ------
        TypeError
            If the estimator reconstructs nothing.
        ValueError
            If samples are no such images.
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        """
        return cls.from_estimators(
            {"reconstruction": estimator},
            X,
            X_input=X_input,
            n_images=n_images,
            image_shape=image_shape,
            ax=ax,
            image_kw=image_kw,
        )

    @classmethod
    def from_estimators(
        cls,
        estimators: Mapping[str, BaseEstimator],
        X: MatrixLike,
        *,
        X_input: MatrixLike | None = None,
        n_images: int = 10,
        image_shape: tuple[int, ...] | None = None,
        ax: "Axes | Sequence[Axes] | None" = None,
        image_kw: Mapping[str, Any] | None = None,
    ) -> "ReconstructionDisplay":
        """Draw images above their reconstructions by several fitted estimators.

        Parameters
        ----------
        estimators : mapping of str to estimator
            Fitted estimators, by their names, see `from_estimator`.
        X : array-like of shape (n_samples, n_pixels) or (n_samples, height, width[, n_channels])
            Images. Pixels in a row lie line by line, with the channels of each pixel together.
        X_input : array-like of the shape of X, or None, default=None
            Noisy or damaged copies to reconstruct in place of X, which are drawn below it.
        n_images : int, default=10
            Maximum number of samples that are drawn, from the first on.
        image_shape : tuple of int or None, default=None
            Height and width of the images, and 3 or 4 for colours; None means that of X, or that
            of the images that the estimators were fitted on, or square grey images.
        ax : matplotlib Axes, sequence of Axes, or None, default=None
            Axes to divide up, or one for each panel; None makes a new figure.
        image_kw : mapping or None, default=None
            Further arguments for ``ax.imshow``.

        Returns
        -------
        ReconstructionDisplay

        Raises
        ------
        TypeError
            If an estimator reconstructs nothing.
        ValueError
            If samples are no such images, or there is no estimator.
        sklearn.exceptions.NotFittedError
            If an estimator is not fitted.
        """
        if n_images < 1:
            raise ValueError(f"n_images must be at least 1, got {n_images!r}.")
        X = _take_first(X, n_images)
        given = X if X_input is None else _take_first(X_input, n_images)
        drawn = {name: _reconstruct(model, given) for name, model in estimators.items()}
        image_shape = _find_shape(X, estimators, image_shape)
        rows = drawn if X_input is None else {"input": given, **drawn}
        display = cls(
            _make_images(X, image_shape),
            {name: _make_images(row, image_shape) for name, row in rows.items()},
        )
        return display.plot(ax, image_kw=image_kw)

    def plot(
        self,
        ax: "Axes | Sequence[Axes] | None" = None,
        *,
        image_kw: Mapping[str, Any] | None = None,
    ) -> "ReconstructionDisplay":
        """Draw the images.

        Parameters
        ----------
        ax : matplotlib Axes, sequence of Axes, or None, default=None
            Axes to divide up, or one for each panel; None makes a new figure.
        image_kw : mapping or None, default=None
            Further arguments for ``ax.imshow``.

        Returns
        -------
        ReconstructionDisplay
            The display itself.
        """
        rows = {"original": self.images, **self.reconstructions}
        n_images, purpose = len(self.images), f"{type(self).__name__}.plot"
        self.ax_, self.axes_ = make_panels(
            ax, len(rows) * n_images, n_images, size=(0.85, 0.9), purpose=purpose
        )
        self.figure_ = self.axes_[0].figure
        look = {"cmap": "gray", **_find_limits(self.images), **(image_kw or {})}
        drawn = [image for row in rows.values() for image in _fit_colors(row, self.images)]
        self.images_ = []
        for axis, image in zip(self.axes_, drawn, strict=True):
            self.images_.append(axis.imshow(image, **look))
            axis.set(xticks=[], yticks=[])
        for axis, name in zip(self.axes_[::n_images], rows, strict=True):
            axis.set_ylabel(name, rotation=0, ha="right", va="center")
        show_text_as_it_is(self.axes_)
        return self


def _take_first(X: MatrixLike, n_samples: int) -> MatrixLike:
    """Return the first samples in the container that they are in."""
    return X[:n_samples] if isinstance(X, Sliceable) else np.asarray(X)[:n_samples]


def _reconstruct(estimator: BaseEstimator, X: MatrixLike) -> ArrayLike:
    """Return what an estimator makes of samples, through the shortest way that it has."""
    _, network = unwrap(estimator)
    given = give_samples(estimator, X)
    if hasattr(estimator, "reconstruct"):
        return estimator.reconstruct(given)
    if hasattr(estimator, "transform") and hasattr(estimator, "inverse_transform"):
        return estimator.inverse_transform(estimator.transform(given))
    raise TypeError(
        "ReconstructionDisplay draws estimators with reconstruct, or with transform and "
        f"inverse_transform; got {type(network).__name__}. Give it an AutoencoderTransformer."
    )


def _find_shape(
    X: MatrixLike, estimators: Mapping[str, BaseEstimator], image_shape: tuple[int, ...] | None
) -> tuple[int, ...] | None:
    """Return the shape of images that was given, or that X has, or else an estimator knows."""
    shape = np.shape(X)
    if image_shape is not None or len(shape) > 2:
        return image_shape or shape[1:]
    known = (getattr(unwrap(model)[1], "image_shape_", None) for model in estimators.values())
    return next((shape for shape in known if shape is not None), None)


def _make_images(X: MatrixLike, image_shape: tuple[int, ...] | None) -> np.ndarray:
    """Return samples of any container as images."""
    return make_images(np.asarray(X.toarray() if hasattr(X, "toarray") else X), image_shape)


def _find_limits(images: np.ndarray) -> dict[str, float]:
    """Return the ends of the scale of grey images; colours have theirs by their kind."""
    if images.ndim == 4:
        return {}
    return {"vmin": np.nanmin(images), "vmax": np.nanmax(images)}


def _fit_colors(row: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Return a row of colours within the range of the originals; grey images as they are."""
    if row.ndim < 4:
        return row
    highest = 255 if np.issubdtype(images.dtype, np.integer) else 1
    return np.clip(row / highest, 0.0, 1.0)

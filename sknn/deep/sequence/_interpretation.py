"""Interpretation of a fitted network for sequences: filters, motifs, and important bases."""

from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sknn._validation import make_local_random_state
from sknn.architectures import ChannelsFirst
from sknn.engine import (
    Net,
    compute_input_gradient,
    compute_mutation_effects,
    find_best_windows,
    gradient_times_input,
    knock_out_effects,
    snapshot,
)
from sknn.motifs import BestWindows, Motif, merge_motifs, motifs_from_windows
from sknn.preprocessing import SequenceInputs, lengths_of

#: most sequences that importances of filters are averaged over in `motifs`
SAMPLES_FOR_IMPORTANCE = 500


class SequenceReading(TransformerMixin):
    """Methods that read a fitted network for sequences."""

    @property
    def filters_(self) -> np.ndarray:
        """Weights of the first layer, of shape (n_filters, kernel_size, n_channels); a copy."""
        return self.module_.bank.weight.detach().cpu().numpy().copy()

    @property
    def letters_(self) -> str | None:
        """Letters of the channels, None where the channels have none."""
        check_is_fitted(self, "net_")
        return self._encoder.letters_

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Return the largest value of each filter of the first layer along each sequence.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), or array as in `fit`
            Sequences.

        Returns
        -------
        ndarray of shape (n_samples, n_filters)
            Largest values, after the activation.
        """
        return find_best_windows(self._checked_net(), self._encode_samples(X))[0]

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Return names of the columns of `transform`.

        Parameters
        ----------
        input_features : object, default=None
            Ignored: the filters have names of their own.

        Returns
        -------
        ndarray of str objects of shape (n_filters,)
            Names ``'filter_0'`` and so on.
        """
        n_filters = len(self.filters_)
        return np.array([f"filter_{i}" for i in range(n_filters)], dtype=object)

    def motifs(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        threshold: float = 0.5,
        min_sites: int = 10,
        pseudocount: float = 1.0,
        trim: float = 0.2,
        merge: bool = True,
    ) -> list[Motif]:
        """Return a motif for each filter of the first layer.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), or array as in `fit`
            Sequences.
        y : array-like of shape (n_samples,), default=None
            Targets. With labels, only sequences whose class the network predicts are read, and
            of two classes only those of ``classes_[1]``; with numbers, those above the mean.
        threshold : float, default=0.5
            Share of a filter's largest value that a window must exceed, in [0, 1).
        min_sites : int, default=10
            Minimum number of such windows; a filter with fewer has no motif.
        pseudocount : float, default=1.0
            Pseudocount that is added to each count in probabilities.
        trim : float, default=0.2
            Information in bits below which positions at both ends are cut off.
        merge : bool, default=True
            Whether motifs that are the same, shifted, or each other's reverse complement become
            one, see `sknn.motifs.merge_motifs`.

        Returns
        -------
        list of sknn.motifs.Motif
            Motifs, the most important first, see `filter_importance`; merged ones have the name of
            their most important filter, and the sum of the importances. See
            `sknn.motifs.motifs_from_windows` for the recipe.

        Raises
        ------
        ValueError
            If X has no letters, or no sequence is left.
        """
        encoded = self._encode_samples(X)
        if y is not None:
            encoded = encoded[self._choose_for_motifs(X, y)]
        # Knocking out takes a pass for each filter, so that some sequences, evenly chosen, stand
        # for all.
        step = -(-len(encoded) // SAMPLES_FOR_IMPORTANCE)
        net = self._checked_net()
        options = {
            "threshold": threshold,
            "min_sites": min_sites,
            "pseudocount": pseudocount,
            "trim": trim,
            "importance": knock_out_effects(net, encoded[::step]),
        }
        motifs = self._motifs_of(net, encoded, options)
        return merge_motifs(motifs) if merge else motifs

    def untrained_motifs(self, X: ArrayLike, **options: Any) -> list[Motif]:
        """Return motifs that are read in the same way from the untrained network, as a control.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), or array as in `fit`
            Sequences that were given to `motifs`.
        **options
            Options of `motifs`, such as `threshold`.

        Returns
        -------
        list of sknn.motifs.Motif
            Motifs in the order of the filters, for ``match_motifs(motifs, control=...)``.
        """
        net = snapshot(self._checked_net())
        net.module_.initialize_weights(make_local_random_state(self.random_state))
        return self._motifs_of(net, self._encode_samples(X), options)

    def filter_importance(self, X: ArrayLike) -> np.ndarray:
        """Return the change of the output without each filter of the first layer.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), or array as in `fit`
            Sequences to average over.

        Returns
        -------
        ndarray of shape (n_filters,)
            Mean absolute change of the logits or the raw prediction.
        """
        return knock_out_effects(self._checked_net(), self._encode_samples(X))

    def saliency(
        self, X: ArrayLike, target: ArrayLike | None = None, *, hypothetical: bool = False
    ) -> np.ndarray:
        """Return the contribution of each base of a sequence to an output: gradient times input.

        Of sequences of letters the gradient's mean over the letters of a position is taken away
        first [1]_.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), or array as in `fit`
            Sequences.
        target : object or array-like of shape (n_samples,), default=None
            Class, or one class for each sequence; for numbers the output, counted from 0. None is
            ``classes_[1]`` of two classes, of several the one that is predicted, and output 0.
        hypothetical : bool, default=False
            Whether to return the corrected gradient of every letter, in place of that of the
            letter at each position alone: what TF-MoDISco calls hypothetical contributions.

        Returns
        -------
        ndarray of shape (n_samples, length, n_channels)
            Contributions, in units of the logits or of the raw prediction.

        Raises
        ------
        ValueError
            If there is no such class or output.

        References
        ----------
        .. [1] A. Majdandzic, C. Rajesh and P. K. Koo, "Correcting gradient-based interpretations
           of deep neural networks for genomics", Genome Biology 24, 2023,
           doi:10.1186/s13059-023-02956-3.
        """
        encoded = self._encode_samples(X)
        outputs, signs = self._choose_outputs(X, target, len(encoded))
        gradient = compute_input_gradient(self.net_, encoded, outputs) * signs[:, None]
        gradient = self._encoder.as_positions(gradient)
        encoded = self._encoder.as_positions(encoded)
        if self._encoder.letters_ is None:
            return gradient * encoded
        return gradient_times_input(gradient, np.ones_like(encoded) if hypothetical else encoded)

    def encode(self, X: ArrayLike) -> np.ndarray:
        """Return sequences of letters as the network reads them.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), or array as in `fit`
            Sequences.

        Returns
        -------
        ndarray of shape (n_samples, length, n_letters)

        Raises
        ------
        ValueError
            If X has no letters.
        """
        return self._encoder_of_letters().as_positions(self._encode_samples(X))

    def channels_first_module(self) -> ChannelsFirst:
        """Return the network as a torch module that takes arrays of (n, n_letters, length).

        Other packages that read networks for sequences, such as tangermeme, have channels before
        positions.

        Returns
        -------
        torch.nn.Module
            Module in evaluation mode, which returns logits or raw predictions (n, n_outputs).
        """
        return ChannelsFirst(self._checked_net().module_).eval()

    def in_silico_mutagenesis(self, X: ArrayLike, target: ArrayLike | None = None) -> np.ndarray:
        """Return the change of an output by each exchange of one letter.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,), or array as in `fit`
            Sequences.
        target : object or array-like of shape (n_samples,), default=None
            Class or output, as in `saliency`.

        Returns
        -------
        ndarray of shape (n_samples, length, n_letters)
            Logits, or raw prediction, with that letter at that position, minus those of the
            sequence as it is: 0 where it is that letter already, and in the padding of shorter
            sequences. An unknown letter such as N is exchanged like any other.

        Raises
        ------
        ValueError
            If X has no letters, or there is no such class or output.
        """
        encoder = self._encoder_of_letters()
        checked = self._check_inputs(X)
        encoded = encoder.as_positions(encoder.encode(checked))
        outputs, signs = self._choose_outputs(X, target, len(encoded))
        positions = None
        if checked.ndim == 1:  # N at the end of a string is a letter, and no padding
            positions = np.arange(encoded.shape[1]) < lengths_of(checked)[:, None]
        return (
            compute_mutation_effects(self.net_, encoded, outputs, positions) * signs[:, None, None]
        )

    def _checked_net(self) -> Net:
        check_is_fitted(self, "net_")
        return self.net_

    def _encode_samples(self, X: ArrayLike) -> np.ndarray:
        return self._encoded_inputs(X)

    def _encoder_of_letters(self) -> SequenceInputs:
        check_is_fitted(self, "net_")
        if self._encoder.letters_ is None:
            raise ValueError(
                "The channels of X have no letters. Fit on strings, or on encoded sequences with "
                "alphabet set to their letters."
            )
        return self._encoder

    def _motifs_of(self, net: Net, encoded: np.ndarray, options: dict[str, Any]) -> list[Motif]:
        encoder = self._encoder_of_letters()
        windows = BestWindows(*find_best_windows(net, encoded), len(self.filters_[0]))
        letters = cast("str", encoder.letters_)
        return motifs_from_windows(
            encoder.as_positions(encoded), windows, alphabet=letters, **options
        )

    def _choose_for_motifs(self, X: ArrayLike, y: ArrayLike) -> np.ndarray:
        y = np.asarray(y)
        if hasattr(self, "classes_"):
            right = self.predict(X) == y
            chosen = right.reshape(len(y), -1).all(axis=1)
            if y.ndim == 1 and len(self.classes_) == 2:
                chosen &= y == self.classes_[1]
        else:
            chosen = (y > y.mean(axis=0)).reshape(len(y), -1).any(axis=1)
        if not chosen.any():
            raise ValueError(
                "No sequence is left to read motifs from: the network predicts y correctly for "
                "none of them. Leave out y, or train the network better."
            )
        return np.flatnonzero(chosen)

    def _choose_outputs(
        self, X: ArrayLike, target: ArrayLike | None, n_samples: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the output of each sample, and the sign with which it speaks for the target."""
        n_outputs = self._codec.spec_.n_outputs
        signs = np.ones(n_samples, self._inputs.dtype)
        known = np.arange(n_outputs)
        if hasattr(self, "classes_"):
            known = self.classes_
            if target is None and self._codec.spec_.kind == "multiclass":
                target = self.predict(X)
        if target is None:
            return np.zeros(n_samples, np.int64), signs
        asked = np.broadcast_to(np.asarray(target), (n_samples,))
        matches = asked[:, None] == np.asarray(known)[None]
        if not matches.any(axis=1).all():
            raise ValueError(
                f"target must be among {np.asarray(known).tolist()!r}; "
                f"got {asked[~matches.any(axis=1)].tolist()[0]!r}."
            )
        place = matches.argmax(axis=1)
        if n_outputs == 1 and len(known) == 2:
            return np.zeros(n_samples, np.int64), np.where(place == 1, signs, -signs)
        return np.minimum(place, n_outputs - 1), signs

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

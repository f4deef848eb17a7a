"""Layers of one network for another."""

import torch

from sknn.architectures._autoencoder import Autoencoder
from sknn.architectures._mlp import MLP


@torch.no_grad()
def copy_first_layers(autoencoder: Autoencoder, network: MLP) -> None:
    """Copy embeddings, and hidden layers of an encoder up to the first of another width.

    Parameters
    ----------
    autoencoder : Autoencoder
        Trained; its code counts as a layer.
    network : MLP
        Gets the weights; both take the same encoded inputs.
    """
    if network.embeddings is not None and autoencoder.embeddings is not None:
        network.embeddings.load_state_dict(autoencoder.embeddings.state_dict())
    encoder = autoencoder.linears[: autoencoder.n_encoder_layers]
    # The output layer has another meaning, even where it is as wide as a layer of the encoder.
    for source, layer in zip(encoder, network.linears[:-1], strict=False):
        if source.weight.shape != layer.weight.shape:
            break
        layer.weight.copy_(source.weight)
        if layer.bias is not None:  # batch normalization shifts by itself
            layer.bias.copy_(source.bias)

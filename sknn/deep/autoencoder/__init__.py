"""Autoencoders: codes and reconstructions of tables, and anomalies."""

from sknn.deep.autoencoder._network import get_network
from sknn.deep.autoencoder._transformer import AutoencoderTransformer

__all__ = ["AutoencoderTransformer", "get_network"]

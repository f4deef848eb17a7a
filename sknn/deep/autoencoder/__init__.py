"""Autoencoders: codes and reconstructions of tables, and anomalies."""

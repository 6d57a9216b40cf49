"""SCAF GUI: label facial landmarks with a model that learns from every correction."""

__version__ = "0.1.0"

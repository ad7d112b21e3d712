"""Linnet: a neural image codec that decodes identically on every machine."""

__version__ = "0.1.0"

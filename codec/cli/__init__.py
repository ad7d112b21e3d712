"""The command line: each verb parses, calls the API, prints and returns an exit code."""

from .app import main

__all__ = ["main"]

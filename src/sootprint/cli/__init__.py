"""The command line: one file a command, thin over the modules that do the work."""

from sootprint.cli.app import app, main

__all__ = ["app", "main"]

"""Packages of the user that an exporter needs, which Sootprint does not bring."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from sootprint.core.errors import MissingExtraError


def needed(name: str) -> None:
    """Nothing where a package is installed; it is not loaded, for that takes seconds.

    Raises:
        MissingExtraError: It is not installed.
    """
    if find_spec(name) is None:
        raise MissingExtraError(
            f"{name} is not installed in the environment of Sootprint: pip install {name}"
        )


def loaded(name: str) -> Any:
    """A package of the user.

    Raises:
        MissingExtraError: It is not installed, or cannot be loaded.
    """
    needed(name)
    try:
        return import_module(name)
    except ImportError as err:
        raise MissingExtraError(f"{name} cannot be loaded: {err}") from err

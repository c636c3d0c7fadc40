"""The framework that a callback is for: loaded when it is used, named in one line where it is not installed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

from sootprint.core.errors import MissingExtraError


def needed(*modules: str, package: str) -> Any:
    """First of the modules that is loaded already, else that can be loaded.

    Args:
        modules: Names of modules that serve alike.
        package: What to install where there is none.

    Raises:
        MissingExtraError: None of them is installed.
    """
    found = _found(modules)
    if found is None:
        raise MissingExtraError(f"{modules[0]} is not installed: pip install {package}")
    return found


def base(name: str, *modules: str) -> type:
    """Class to inherit from; `object` where no module has it, so that its heirs can be imported all the same.

    Args:
        name: Name of the class.
        modules: Names of modules that serve alike.
    """
    found = _found(modules)
    return object if found is None else getattr(found, name)


def _found(modules: Sequence[str]) -> Any:
    for name in sorted(modules, key=lambda one: one.partition(".")[0] not in sys.modules):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as err:
            if err.name is None or err.name.partition(".")[0] != name.partition(".")[0]:
                raise
    return None

"""Keys of providers: from the environment, or from a file that nobody else may read; never from the settings."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from sootprint.core.errors import IntensityError

MOST_LETTERS = 4096


def key(
    source: str,
    environ: Mapping[str, str],
    *,
    variable: str | None,
    file: str | None,
    usual: str,
    what: str = "key",
) -> str:
    """Key of a source.

    Args:
        source: Name of the source, for messages.
        environ: Environment variables.
        variable: Variable that the settings name, or None.
        file: File that the settings name, or None.
        usual: Variable that is read where the settings name neither.
        what: What it is called in the settings, key or password.

    Raises:
        IntensityError: There is none, or others may read it; the line never holds it.
    """
    if file is not None:
        found, where = _of_file(Path(file).expanduser(), source), f"{what}_file {file}"
    else:
        name = variable or usual
        found, where = environ.get(name, "").strip(), f"the variable {name}"
    if not found:
        raise IntensityError(f"{source} needs a {what}: {where} holds none")
    if len(found) > MOST_LETTERS or not (found.isascii() and found.isprintable()) or " " in found:
        raise IntensityError(f"{source}: {where} holds letters that no {what} has")
    return found


def _of_file(path: Path, source: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        with os.fdopen(descriptor, "rb") as opened:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                raise IntensityError(f"{source}: {path} is no file: put the key alone into a file")
            if os.name == "posix" and facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise IntensityError(
                    f"{source}: others may read {path} (mode {stat.S_IMODE(facts.st_mode):o}): chmod 600 {path}"
                )
            return opened.read(MOST_LETTERS + 1).decode("utf-8", "replace").strip()
    except OSError as err:
        raise IntensityError(f"{source}: {path} cannot be read: {err.strerror}") from None

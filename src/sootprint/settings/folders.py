"""Folders of the user's data, configuration and locks."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

_LINUX: bool = sys.platform == "linux"


def home_directory(env: Mapping[str, str]) -> Path:
    """Directory of the user's data: SOOTPRINT_HOME, else the platform's data directory."""
    return _platform_directory(env, "SOOTPRINT_HOME", "XDG_DATA_HOME", Path(".local/share"))


def make_home(home: Path) -> None:
    """Make the directory of a user's data, readable by nobody else; one that is there stays as its owner made it."""
    if not home.is_dir():
        home.mkdir(parents=True, exist_ok=True, mode=0o700)


def config_directory(env: Mapping[str, str]) -> Path:
    """Directory of the user's own file: SOOTPRINT_HOME, else the platform's configuration directory."""
    return _platform_directory(env, "SOOTPRINT_HOME", "XDG_CONFIG_HOME", Path(".config"))


def runtime_directory(env: Mapping[str, str]) -> Path:
    """Directory of locks and sockets: SOOTPRINT_RUNTIME_DIR, else one for each user and machine.

    On Linux it is fixed, for XDG_RUNTIME_DIR and TMPDIR differ between a login and a batch job on one node.
    """
    stated = env.get("SOOTPRINT_RUNTIME_DIR")
    if stated:
        return Path(stated)
    if _LINUX:
        return Path("/tmp") / f"sootprint-{os.getuid()}"
    import platformdirs

    return Path(platformdirs.user_runtime_dir("sootprint", appauthor=False))


def _platform_directory(env: Mapping[str, str], variable: str, xdg: str, below_home: Path) -> Path:
    """Directory by our variable, by the XDG rule on Linux (platformdirs loads in 20 ms), else by platform.

    Where no home is known, as for a container's unnamed user, it is one that nothing can be written to.
    """
    stated = env.get(variable)
    try:
        if stated:
            return Path(stated).expanduser()
        if _LINUX:
            base = env.get(xdg, "")
            return (Path(base) if base.startswith("/") else Path.home() / below_home) / "sootprint"
    except RuntimeError:
        return Path(os.devnull) / "sootprint"
    import platformdirs

    of_platform = platformdirs.user_data_dir if xdg == "XDG_DATA_HOME" else platformdirs.user_config_dir
    return Path(of_platform("sootprint", appauthor=False))

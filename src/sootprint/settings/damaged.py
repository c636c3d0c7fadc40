"""A file of settings that is damaged as a whole, unlike one that states a wrong value: who goes on without it."""

from __future__ import annotations

from sootprint.core.errors import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

_listening: list[Callable[[str], object]] = []  # whoever goes on without such files, the latest last


class DamagedFileError(SettingsError):
    """A file that cannot be read as TOML."""


class LeftOut:
    """Time in which a file that is no TOML is told in one line, once, and left out; else `settings.load` raises.

    A context manager without the module of that name, which the tracker's path does not load.

    Args:
        say: Called with the file, its line and what is wrong with it.
    """

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say, self._told = say, set[str]()

    def __enter__(self) -> None:
        _listening.append(self.tell)

    def __exit__(self, *_: object) -> None:
        _listening.remove(self.tell)

    def tell(self, text: str) -> None:
        """Say a line that was not said before."""
        if text not in self._told:
            self._told.add(text)
            self._say(text)


def leave_out(error: DamagedFileError) -> None:
    """Tell whoever goes on without damaged files of one.

    Raises:
        DamagedFileError: Nobody does.
    """
    if not _listening:
        raise error
    _listening[-1](str(error))


def content(path: Path) -> dict[str, Any]:
    """What a file states.

    Raises:
        DamagedFileError: It cannot be read as TOML; the one line names it and its line.
    """
    import tomllib

    try:
        data = path.read_bytes()
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as err:
        line = data.count(b"\n", 0, err.start) + 1
        raise DamagedFileError(f"{path}: cannot be read as TOML: line {line} is no text in UTF-8") from err
    except (OSError, tomllib.TOMLDecodeError) as err:
        raise DamagedFileError(f"{path}: cannot be read as TOML: {err}") from err

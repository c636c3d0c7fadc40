"""What lies in files and folders, read as the command does."""

from __future__ import annotations

from pathlib import Path

from sootprint import importers
from sootprint.importers import Imported, folders


def of_paths(*paths: Path) -> list[tuple[str, Imported]]:
    """Name of what lies in files and folders, with what it holds."""
    found = folders.sources([str(path) for path in paths], None)
    return [(one.name, one.make() if one.make else _of_file(one)) for one in found]


def _of_file(one: folders.Source) -> Imported:
    return importers.read(Path(one.file).read_text(encoding="utf-8"), name=one.name, form=one.form)

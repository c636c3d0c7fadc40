"""What several files tell together: logs of one run in two files, runs that are folders, folders of runs."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from sootprint.core.errors import InputError
from sootprint.core.records import Footprint
from sootprint.importers import carbontracker, impact_tracker, mlflow
from sootprint.importers.base import Imported, LeftOut, crowded, gathered, warned

MOST_ENTRIES = 200_000  # of a folder and those in it
MOST_BYTES = 200_000_000  # of a file
KNOWN = "MLflow runs with metrics, Carbontracker's logs, impacttracker/data.json, emissions.csv"
_FILES = re.compile(r"emissions?(_\w{1,60})?\.csv")  # as CodeCarbon and Eco2AI name them
_ERRORS = re.compile(r".+_carbontracker_err\.log")
_META = re.compile(r"^(\w{1,40}): ?'?(.*?)'?\s*$", re.MULTILINE)


class Source(NamedTuple):
    """Something to be read.

    Args:
        name: Its name, for messages.
        file: The file, - for standard input.
        form: Format; None to tell it by the text.
        make: What reads it, where it is no file of its own.
        is_found: Whether it was found in a folder, so that it may hold nothing.
    """

    name: str
    file: str = ""
    form: str | None = None
    make: Callable[[], Imported] | None = None
    is_found: bool = False


def sources(files: Sequence[str], form: str | None) -> Iterator[Source]:
    """What is to be read of files and folders: the logs of one run of Carbontracker once, and the runs of a folder.

    Raises:
        InputError: A folder holds nothing that is known, or more files than are looked through.
    """
    logs: list[Path] = []
    for file in files:
        path = Path(file)
        if file != "-" and path.is_dir():
            found = list(_found(path, form))
            if not found:
                raise InputError(f"{file} holds nothing that is known: looked for are {KNOWN}")
            yield from found
        elif file != "-" and form in (None, carbontracker.NAME) and _is_log(path):
            logs.append(path)
        else:
            yield Source(path.name if file != "-" else "standard input", file, form)
    if logs:
        yield Source("logs of Carbontracker", make=partial(_of_logs, logs))


def _is_log(path: Path) -> bool:
    name = path.name
    return carbontracker.STEM.fullmatch(name) is not None or _ERRORS.fullmatch(name) is not None


def _found(folder: Path, form: str | None) -> Iterator[Source]:
    """Runs and files that are known by their names; tables with other names are counted."""
    logs: list[Path] = []
    others = 0
    for path in _walked(folder):
        if path.name == "meta.yaml" and (path.parent / "metrics").is_dir():
            if form in (None, mlflow.NAME):
                yield Source(path.parent.name, make=partial(_of_mlflow, path.parent), is_found=True)
        elif path.name == "data.json" and path.parent.name == "impacttracker":
            if form in (None, impact_tracker.NAME):
                name = path.parent.parent.resolve().name
                yield Source(name, str(path), impact_tracker.NAME, is_found=True)
        elif carbontracker.STEM.fullmatch(path.name) and form in (None, carbontracker.NAME):
            logs.append(path)
        elif _FILES.fullmatch(path.name) and form in (None, "codecarbon", "eco2ai"):
            yield Source(path.name, str(path), form, is_found=True)
        else:
            others += path.suffix.lower() == ".csv"
    if logs:
        yield Source("logs of Carbontracker", make=partial(_of_logs, logs), is_found=True)
    if others:
        yield Source(str(folder), make=partial(_of_other_names, folder, others), is_found=True)


def _walked(folder: Path) -> Iterator[Path]:
    """Files of a folder and those in it, in order; links to folders are not followed."""
    count = 0
    for at, folders, files in os.walk(folder):
        folders.sort()
        if "meta.yaml" in files and "metrics" in folders:
            folders.clear()  # what lies in a run of MLflow is read with it
        for name in sorted(files):
            count += 1
            if count > MOST_ENTRIES:
                raise InputError(f"{folder} has more than {MOST_ENTRIES:,} files: name the runs in it")
            yield Path(at) / name


def _of_other_names(folder: Path, count: int) -> Imported:
    """Nothing of tables that no tool names so: what they are, whoever has them must say."""
    why = f"no tool names its results so: name those to read, e.g. {folder / '*.csv'}"
    left_out = LeftOut(where=f"{count:,} other CSV file{'' if count == 1 else 's'}", why=why)
    return Imported(form="", records=(), left_out=(left_out,))


def _of_mlflow(folder: Path) -> Imported:
    """Record of a run in MLflow's file store.

    Raises:
        InputError: A file cannot be read, or there are no powers.
    """
    told = {key: value.replace("''", "'") for key, value in _META.findall(_text(folder / "meta.yaml"))}
    run = mlflow.Run(mlflow.told_of(told))
    for path in sorted((folder / "metrics").rglob("gpu_*")):
        key = path.relative_to(folder / "metrics").as_posix()
        if (mlflow.POWER.fullmatch(key) or mlflow.BUSY.fullmatch(key)) and path.is_file():
            for at_ms, value in mlflow.values_of(_text(path)):
                run.add(key, at_ms, value)
    return gathered(mlflow.NAME, folder.name, mlflow.records([run], folder.name))


def _of_logs(paths: Sequence[Path]) -> Imported:
    """Records of runs of Carbontracker, each of its one or two logs.

    Raises:
        InputError: None of them tells a consumption.
    """
    runs: dict[Path, list[Path]] = {}
    left_out = []
    for path in dict.fromkeys(paths):
        stem = carbontracker.STEM.fullmatch(path.name)
        if stem:
            runs.setdefault(path.parent / stem[1], []).append(path)
        else:
            why = "the log of what went wrong in a run: nothing of it is read"
            left_out.append(LeftOut(where=path.name, why=why))
    records: list[Footprint] = []
    for several in runs.values():
        several.sort(key=lambda path: path.name.endswith("_output.log"))
        try:
            made = carbontracker.read("\n".join(map(_text, several)), several[0].name)
        except InputError as err:
            left_out.append(LeftOut(where=several[0].name, why=str(err)))
        else:
            records += made.records
    if not records:
        first = left_out[0]
        raise InputError(f"{first.where}: {first.why}")
    counts = crowded(records)
    said = tuple(warned(one, _CROWDED.format(counts[one.id])) if one.id in counts else one for one in records)
    return Imported(form=carbontracker.NAME, records=said, left_out=tuple(left_out))


_CROWDED = (
    "{} other logs ran at the same time on like hardware, each counting the whole machine: on one machine, count "
    "once"
)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{path} has more than {MOST_BYTES:,} bytes: it is no file of one run")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as err:
        raise InputError(f"{path} is no text in UTF-8 (byte {err.start})") from None
    except OSError as err:
        raise InputError(f"{path} cannot be read: {err.strerror}") from None

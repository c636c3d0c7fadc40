"""Dated releases: all published records as CSV, JSON lines and Parquet, with checksums and how to cite them.

A release is one look at the database, so that its files fit each other. It is written beside its place and moved
there whole; a record is published with the newest version that it had then. The audit log keeps the hash of the
checksums.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
import shutil
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from sootprint import __version__
from sootprint.core import utc
from sootprint.core.cells import cell
from sootprint.core.errors import HubError, InputError
from sootprint.hub import chain, columns, formats, truth
from sootprint.hub.database import writing
from sootprint.hub.files import parquet
from sootprint.hub.tables import AuditEntry, FootprintRow, FootprintVersion, ResultRow, table_of

FOLDER = "releases"
TAG = re.compile(r"\d{4}-\d{2}-\d{2}(-[a-z0-9]{1,20})?")
ABOUT, CHECKSUMS, CITATION = "release.json", "SHA256SUMS", "CITATION.cff"
FILES = (
    "footprints.csv", "footprints.jsonl.gz", "footprints.parquet", "results.csv", "results.parquet", CITATION, ABOUT,
    CHECKSUMS,
)  # fmt: skip
RESULTS = (
    "id",
    "task",
    "dataset",
    "split",
    "metric",
    "kind",
    "value",
    "energy_kwh",
    "emissions_kg",
    "evidence",
)
AT_ONCE = 500
_rows, _versions, _results = table_of(FootprintRow), table_of(FootprintVersion), table_of(ResultRow)
_entries = table_of(AuditEntry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release as it is listed.

    Args:
        tag: Its date, with a word where there are several of a day.
        footprints: Records [1].
        results: Results of them [1].
        sizes: Files with their sizes [bytes].
        about: All that its `release.json` says.
    """

    tag: str
    footprints: int
    results: int
    sizes: dict[str, int]
    about: dict[str, Any]


def make(
    engine: Engine,
    folder: Path,
    *,
    tag: str | None = None,
    address: str | None = None,
    licence: str | None = None,
) -> Release:
    """A new release of all published records.

    Args:
        engine: Database of the hub.
        folder: Folder of all releases.
        tag: Its name; today where None.
        address: Where the hub is reached, for the citation.
        licence: Licence of the data as SPDX names it, where the hub has one.

    Raises:
        InputError: The tag is none, or is taken.
        HubError: The folder cannot be written.
    """
    tag = tag or datetime.now(UTC).date().isoformat()
    if TAG.fullmatch(tag) is None:
        raise InputError(f"tag {tag!r:.40} is no date with a word or none, e.g. 2026-11-22 or 2026-11-22-b")
    place = folder / tag
    if place.exists():
        raise InputError(f"there is a release {tag} already, and releases do not change: name another --tag")
    draft = folder / f".{tag}.part"
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        about = _written(engine, draft, {"tag": tag, "address": address, "licence": licence})
        draft.rename(place)
    except OSError as err:
        raise HubError(
            f"{place} cannot be written: {err.strerror or err}; make room or name another --out"
        ) from err
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    with writing(engine) as connection:
        chain.append(
            connection,
            actor="local",
            action="release",
            detail={"tag": tag, "sha256": _sha256(place / CHECKSUMS)},
        )
    return _release(tag, place, about)


def _written(engine: Engine, draft: Path, said: dict[str, Any]) -> dict[str, Any]:
    """Write the files of a release, and what its `release.json` says."""
    with _looking(engine) as connection:
        head = connection.scalar(_newest_link()) or chain.START
        n, m = _records(connection, draft), _listed_results(connection, draft)
    about = {
        **{name: value for name, value in said.items() if value},
        "made": utc.text_of(datetime.now(UTC), "seconds"),
        "program": f"sootprint {__version__}",
        "engine": truth.engine(),
        "audit_head": head,
        "footprints": n,
        "results": m,
    }
    draft.joinpath(CITATION).write_text(citation(about), encoding="utf-8")
    draft.joinpath(ABOUT).write_text(f"{json.dumps(about, indent=1)}\n", encoding="utf-8")
    listed = sorted(one.name for one in draft.iterdir())
    sums = "".join(f"{_sha256(draft / name)}  {name}\n" for name in listed)
    draft.joinpath(CHECKSUMS).write_text(sums, encoding="ascii")
    return about


@contextmanager
def _looking(engine: Engine) -> Iterator[Connection]:
    """Connection that sees the database as it is now, whatever is written meanwhile."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
            yield connection
        else:
            yield connection.execution_options(isolation_level="REPEATABLE READ")


def _newest_link() -> sa.Select[Any]:
    return sa.select(_entries.c.chain).order_by(_entries.c.seq.desc()).limit(1)


def _records(connection: Connection, draft: Path) -> int:
    """Number of records, which are written whole and as flat rows."""
    shown = [_rows.c[name] for name in formats.COLUMNS]
    query = (
        sa.select(*shown, _versions.c.body)
        .join(_versions, sa.and_(_versions.c.id == _rows.c.id, _versions.c.version == _rows.c.version))
        .where(_rows.c.state == columns.PUBLISHED)
        .order_by(_rows.c.seq)
    )
    with ExitStack() as stack:
        flat = stack.enter_context(_table(draft / "footprints.csv", formats.COLUMNS))
        packed = stack.enter_context(draft.joinpath("footprints.jsonl.gz").open("wb"))
        whole = stack.enter_context(gzip.GzipFile("", "wb", compresslevel=6, fileobj=packed, mtime=0))
        made = stack.enter_context(parquet.table(draft / "footprints.parquet", shown))
        n = 0
        for rows in _chunks(connection, query):
            for row in rows:
                whole.write(zlib.decompress(row["body"]) + b"\n")
            flat.writerows([cell(row[name]) for name in formats.COLUMNS] for row in rows)
            made(rows)
            n += len(rows)
    return n


def _listed_results(connection: Connection, draft: Path) -> int:
    """Number of results, which are written as flat rows."""
    shown = [_rows.c.id, *(_results.c[name] for name in RESULTS[1:])]
    query = (
        sa.select(*shown)
        .join(_rows, _rows.c.seq == _results.c.seq)
        .where(_rows.c.state == columns.PUBLISHED)
        .order_by(_results.c.seq, _results.c.position)
    )
    with (
        _table(draft / "results.csv", RESULTS) as flat,
        parquet.table(draft / "results.parquet", shown) as made,
    ):
        n = 0
        for rows in _chunks(connection, query):
            flat.writerows([cell(row[name]) for name in RESULTS] for row in rows)
            made(rows)
            n += len(rows)
    return n


def _chunks(connection: Connection, query: sa.Select[Any]) -> Iterator[Sequence[Any]]:
    found = connection.execution_options(yield_per=AT_ONCE).execute(query)
    yield from found.mappings().partitions()


@contextmanager
def _table(path: Path, names: Sequence[str]) -> Iterator[Any]:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        yield writer


def citation(about: dict[str, Any]) -> str:
    """Text of a citation file (Citation File Format 1.2.0) of a release."""
    fields = {
        "cff-version": "1.2.0",
        "message": "If you use these data, please cite them, and the publications that the records name.",
        "type": "dataset",
        "title": f"Footprints of the Sootprint hub, release {about['tag']}",
        "version": about["tag"],
        "date-released": about["made"][:10],
        "abstract": f"{about['footprints']} carbon footprints of machine-learning trainings, each with the hub's own "
        f"recomputation. Head of the audit log: {about['audit_head']}.",
        **({"url": about["address"]} if about.get("address") else {}),
        **({"license": about["licence"]} if about.get("licence") else {}),
    }
    lines = [f"{name}: {json.dumps(text, ensure_ascii=False)}" for name, text in fields.items()]
    return "\n".join([*lines, "authors:", '  - name: "The contributors to the Sootprint hub"', ""])


def listed(folder: Path | None) -> list[Release]:
    """Releases in a folder, the newest first."""
    if folder is None or not folder.is_dir():
        return []
    places = sorted((one for one in folder.iterdir() if TAG.fullmatch(one.name)), reverse=True)
    return [_release(one.name, one, about) for one in places if (about := _about(one)) is not None]


def file_of(folder: Path | None, tag: str, name: str) -> Path | None:
    """File of a release; None where there is none, and for any name that is none of a release's."""
    if folder is None or TAG.fullmatch(tag) is None or name not in FILES:
        return None
    path = folder / tag / name
    return path if path.is_file() and not path.is_symlink() else None


def _about(place: Path) -> dict[str, Any] | None:
    try:
        data = json.loads(place.joinpath(ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None


def _release(tag: str, place: Path, about: dict[str, Any]) -> Release:
    sizes = {name: (place / name).stat().st_size for name in FILES if (place / name).is_file()}
    return Release(
        tag=tag,
        footprints=int(about.get("footprints", 0)),
        results=int(about.get("results", 0)),
        sizes=sizes,
        about=about,
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

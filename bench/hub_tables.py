"""Tables of a hub's figures in the documents, written by the programs that measure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

DOCS = Path("docs")
GROWS, KEEP = DOCS / "explanation" / "how-the-hub-grows.md", DOCS / "how-to" / "keep-a-hub.md"
SAYS = {"estimate": "estimate, 3.8 kB", "run of an hour": "run of an hour by the minute, 10.8 kB"}
LIMIT_MS = 150.0


def million(backend: str, began: dict[str, Any], rows: Sequence[dict[str, Any]]) -> None:
    """Write what the pages of a hub took."""
    pages = [row for row in rows if "p95_ms" in row]
    table = [
        "| page | median | 95th percentile |",
        "| --- | ---: | ---: |",
        *(f"| {row['kind']} | {row['p50_ms']:.0f} ms | {row['p95_ms']:.0f} ms |" for row in pages),
    ]
    over = [row["kind"] for row in pages if row["p95_ms"] >= LIMIT_MS]
    said = [
        f"{backend} with {pages[0]['records']:,} records, {began['machine']['cores']} processors, load "
        f"{began['load_1_min_before']} before, {_day(began)}{_settings(began)}:",
        "",
        *table,
        "",
        f"At {LIMIT_MS:.0f} ms or above: {'; '.join(over) or 'none'}.",
        *(f"{row['kind'].capitalize()}: {_rest(row)}." for row in rows if "p95_ms" not in row),
    ]
    _between(GROWS, f"pages on {backend}", said)


def taken_in(backend: str, began: dict[str, Any], rows: Sequence[dict[str, Any]]) -> None:
    """Write what a hub took in."""
    table = [
        f"{backend}, {began['machine']['cores']} processors, load {began['load_1_min_before']} before, "
        f"{_day(began)}, {_some(rows[0]['workers'], 'worker')}, {_some(rows[0]['clients'], 'client')}"
        f"{_settings(began)}:",
        "",
        "| record | footprints/s | CPU a footprint | memory of the server |",
        "| --- | ---: | ---: | ---: |",
        *(
            f"| {SAYS[row['record']]} | {row['footprints_per_s']:,} | {row['cpu_ms_per_footprint']:.2f} ms | "
            f"{row['server_memory_mib']} MiB |"
            for row in rows
        ),
    ]
    _between(KEEP, f"batches on {backend}", table)


def _day(began: dict[str, Any]) -> str:
    """Day of the figures; which code it was stands in the file of results."""
    return str(began["at"])[:10]


def _some(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _settings(began: dict[str, Any]) -> str:
    """Settings of PostgreSQL, where it was one."""
    told = began.get("postgresql", {})
    return f", {', '.join(f'{name} {value}' for name, value in told.items())}" if told else ""


def _rest(row: dict[str, Any]) -> str:
    names = {"mib": "MiB now", "most_mib": "MiB at most", "footprints_per_s": "footprints/s"}
    names |= {"read_mib": "MiB", "took_s": "s"}
    names |= {"postgres_mib": "MiB of PostgreSQL with its shared memory"}
    names |= {"pages_per_s": "pages/s", "explore_meanwhile_most_ms": "ms at most for a page meanwhile"}
    return ", ".join(f"{row[name]:,} {said}" for name, said in names.items() if name in row)


def _between(page: Path, name: str, lines: Sequence[str]) -> None:
    """Replace what stands between the marks of a table."""
    begin, end = f"<!-- table: {name} -->", f"<!-- end: {name} -->"
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(begin)
    after = rest.partition(end)[2]
    if not after:
        raise SystemExit(f"{page} has no marks {begin} and {end}")
    made = "\n".join(lines)
    page.write_text(f"{before}{begin}\n\n{made}\n\n{end}{after}", encoding="utf-8")
    print(f"written: {page}")

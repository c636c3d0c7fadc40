"""Records as a data set: from a file, a folder, the ledger and a hub."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

import sootprint
from sootprint import survey
from sootprint.core.errors import HubError, InputError
from sootprint.survey import checks, hub, records


def record(**changes: Any) -> dict[str, Any]:
    """One record as plain data: 8 A100 for 10 hours in France."""
    made = sootprint.estimate(hardware="A100", count=8, hours=10, zone="FR", year=2022)
    data: dict[str, Any] = json.loads(made.to_json())
    data["results"] = [
        {"task": "Image Classification", "dataset": "ImageNet", "metric": "Top-1 accuracy", "value": 80.0},
        {"task": None, "dataset": None, "metric": "gap", "value": 1.0, "kind": "fairness"},
    ]
    data["paper"] = {"citation": "Doe 2022", "published": "2022-05-01"}
    return data | changes


def write(path: Path, data: Any) -> Path:
    """A JSON file."""
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_a_record_is_a_row(tmp_path: Path) -> None:
    """Its quality result, place, hardware, hours, energy and year."""
    data = survey.load(write(tmp_path / "r.json", record()))
    row = data.frame.row(0, named=True)
    assert data.frame.height == 1
    assert (row["task"], row["metric_value"], row["year"]) == ("Image Classification", 80.0, 2022)
    assert (row["country_code"], row["source"], row["devices"]) == ("FR", "Nuclear", 8.0)
    assert (row["device_hours"], row["hardware_family"]) == (80.0, "A100")
    assert row["energy_kwh"] == pytest.approx(record()["energy_kwh"]["value"])
    without = [{"task": "Language Modelling", "dataset": "", "metric": "MMLU (5-shot)", "value": 60.0}]
    unnamed = survey.load(write(tmp_path / "s.json", record(results=without)))
    assert unnamed.frame["panel"].to_list() == ["Language Modelling / MMLU (5-shot)"]


def test_what_is_no_record_is_counted(tmp_path: Path) -> None:
    """A broken one beside a good one."""
    data = survey.load(write(tmp_path / "r.json", [record(), {"schema": "1.0"}]))
    assert data.frame.height == 1
    assert [(one.what, one.reason, one.count) for one in data.excluded] == [("records", "no record", 1)]


def test_a_part_of_another_run_is_left_out(tmp_path: Path) -> None:
    """Its energy is in the other's."""
    whole = record()
    data = survey.load(write(tmp_path / "r.json", [whole, record(parent=whole["id"])]))
    assert data.frame["run"].to_list() == [whole["id"]]
    assert [one.reason for one in data.excluded] == ["part of another run that is in the data"]


def test_the_same_record_twice_is_one(tmp_path: Path) -> None:
    """As when a folder holds a copy."""
    one = record()
    data = survey.load(write(tmp_path / "r.json", [one, one]))
    assert data.frame.height == 1
    assert [one.reason for one in data.excluded] == ["the same record again"]


def test_a_folder_and_lines_are_read(tmp_path: Path) -> None:
    """A page of a hub, and one record a line."""
    write(tmp_path / "page.json", {"items": [record()], "next_cursor": None})
    lines = "".join(json.dumps(record()) + "\n" for _ in range(2))
    (tmp_path / "lines.jsonl").write_text(lines + "{broken\n", encoding="utf-8")
    data = survey.load(tmp_path)
    assert data.frame.height == 3
    assert [one.count for one in data.excluded] == [1]


@pytest.mark.parametrize(("content", "words"), [("{", "is no JSON"), ("[]", "there are no records")])
def test_no_records_cost_one_line(tmp_path: Path, content: str, words: str) -> None:
    """The way out is a record or a table."""
    path = tmp_path / "r.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        survey.load(path)


def test_the_ledger_is_a_data_set() -> None:
    """The runs of this machine; an empty one is said."""
    with pytest.raises(InputError, match="there are no records"):
        survey.load("ledger")


@contextmanager
def serving(pages: list[Any], *, status: int = 200) -> Iterator[str]:
    """Address of a server that gives pages by cursor."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            number = int(asked.get("cursor", ["0"])[0])
            body = pages[number] if isinstance(pages[number], bytes) else json.dumps(pages[number]).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing is logged."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def test_a_hub_is_read_page_by_page() -> None:
    """Until there is no further cursor."""
    pages = [{"items": [record()], "next_cursor": "1"}, {"items": [record()], "next_cursor": None}]
    counted: list[int] = []
    with serving(pages) as address:
        data = hub.load(address, progress=counted.append)
    assert data.frame.height == 2
    assert counted == [1, 2]


@pytest.mark.parametrize(
    ("pages", "status", "words"),
    [
        ([b"<html>"], 200, "no JSON"),
        ([{"runs": []}], 200, "without `items`"),
        ([{}], 500, "answered 500"),
        ([{"items": []}, {"items": [], "next_cursor": "1"}], 200, None),
    ],
)
def test_what_is_no_hub_costs_one_line(pages: list[Any], status: int, words: str | None) -> None:
    """The address is named, and what to check."""
    with serving(pages, status=status) as address, pytest.raises((HubError, InputError)) as caught:
        hub.load(address)
    assert (words or "there are no records") in str(caught.value)


def test_a_hub_that_turns_in_circles_is_left() -> None:
    """The same cursor twice."""
    circle = {"items": [], "next_cursor": "0"}
    with serving([circle]) as address, pytest.raises(HubError, match="the same page again"):
        hub.load(address)


def test_a_closed_door_is_said() -> None:
    """Nobody listens there."""
    with serving([]) as address:
        pass
    with pytest.raises(HubError, match="does not answer"):
        hub.load(address)
    with pytest.raises(InputError, match="no address of a hub"):
        hub.load("hub.example.org")


def test_a_folder_that_is_none_of_records_is_told_in_one_line(tmp_path: Path) -> None:
    """A folder without records, and one of a running system, whose entries come and go while they are listed."""
    (tmp_path / "notes.txt").write_text("none", encoding="utf-8")
    folders = [tmp_path, *(folder for folder in [Path("/proc/self")] if folder.exists())]
    for folder in folders:
        with pytest.raises(InputError, match="has no files that end in"):
            survey.load(folder)


def test_a_folder_of_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The root of a disk is no folder of records."""
    monkeypatch.setattr(records, "MOST_NAMES", 2)
    for name in ("a.json", "b.json", "c.json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="more than 2 files"):
        survey.load(tmp_path)


def test_metric_of_which_less_is_better_makes_no_front() -> None:
    """The survey reads a metric as the better the higher: a perplexity would put the worst model on its front."""
    results = [
        {"task": "LM", "dataset": "Wiki", "metric": name, "value": 12.0}
        for name in ("Perplexity", "accuracy")
    ]
    frame, excluded = records.rows(records.decoded([record(results=results)]))
    assert frame["metric"].to_list() == ["accuracy"]
    assert [(one.what, one.count, one.example) for one in excluded] == [("metric_value", 1, "Perplexity")]


@pytest.mark.parametrize(
    ("share", "basis", "flagged"),
    [
        (1.2, "assumed", {}),
        (1.2, "claimed", {"emissions-off": 1}),
        (1.0, "claimed", {}),
        (0.008, "assumed", {"emissions-implausible": 1}),
    ],
)
def test_emissions_of_a_source_are_held_against_its_own_intensity_alone(
    tmp_path: Path, share: float, basis: str, flagged: dict[str, int]
) -> None:
    """Whose intensity is not known may have had another; a factor of two is told all the same."""
    made = record()
    made["intensity_g_per_kwh"]["basis"] = basis
    energy, intensity = made["energy_kwh"]["value"], made["intensity_g_per_kwh"]["value"]
    made["emissions_kg"] = {"value": share * energy * intensity / 1000.0, "basis": "claimed"}
    found = checks.counts(checks.flags(survey.load(write(tmp_path / "r.json", made))))
    told = {name: n for name, n in found.items() if n and name.startswith("emissions-")}
    assert told == flagged

"""Files that come and go: releases, backups, uploads."""

from __future__ import annotations

import csv
import gzip
import json
import re
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa
import yaml
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from sootprint.core.errors import HubError, InputError
from sootprint.core.records import Footprint
from sootprint.hub import accounts, chain, corrections, database, ingest, reading
from sootprint.hub.app import application
from sootprint.hub.context import Hub
from sootprint.hub.files import backups, dumps, uploads
from sootprint.hub.ingest import Submission
from sootprint.hub.insight import projections
from sootprint.hub.tables import FootprintVersion, table_of
from tests.hub import records
from tests.hub.conftest import HOST, KEY, hub
from tests.importers import test_slurm_sacct, test_statements
from tests.importers.test_boamps import REPORT
from tests.importers.test_importers import CARD, SECOND, THIRD, table

LOCAL = Submission(actor="local", may_correct_all=True, reason="r")
HTML = {"Accept": "text/html"}


def _filled(engine: Engine) -> list[dict[str, Any]]:
    """Records of a hub with versions and a retraction, as they are published."""
    sent = [records.trained(70.0 + n, kg=float(n + 1), name=f"=cmd|{n}") for n in range(4)]
    ingest.take_in(engine, json.dumps(sent).encode(), LOCAL)
    sent[1]["name"] = "second version"
    ingest.take_in(engine, json.dumps(sent[1]).encode(), LOCAL)
    corrections.retract(engine, sent[3]["id"], LOCAL)
    return sent[:3]


def test_release_holds_all_that_is_published_in_every_form(engine: Engine, tmp_path: Path) -> None:
    """CSV, JSON lines and Parquet have the same records, the newest versions, without what was retracted."""
    published = _filled(engine)
    made = dumps.make(engine, tmp_path, tag="2026-11-22", licence="CC-BY-4.0")
    place = tmp_path / "2026-11-22"
    assert (made.footprints, made.results) == (3, 3)
    lines = gzip.decompress(place.joinpath("footprints.jsonl.gz").read_bytes()).splitlines()
    assert [Footprint.from_json(line) for line in lines] == [
        Footprint.from_json(json.dumps(one)) for one in published
    ]
    with place.joinpath("footprints.csv").open() as file:
        flat = list(csv.DictReader(file))
    assert [row["model"] for row in flat] == ["'=cmd|0", "'=cmd|1", "'=cmd|2"]  # no formula for a spreadsheet
    query = f"SELECT id, model, emissions_kg, devices FROM '{place / 'footprints.parquet'}'"
    rows = duckdb.sql(query).fetchall()
    assert rows == [(one["id"], f"=cmd|{n}", n + 1.0, 8) for n, one in enumerate(published)]
    assert duckdb.sql(f"SELECT max(value) FROM '{place / 'results.parquet'}'").fetchall() == [(72.0,)]
    cited = yaml.safe_load(place.joinpath("CITATION.cff").read_text())
    assert (cited["cff-version"], cited["type"], cited["license"]) == ("1.2.0", "dataset", "CC-BY-4.0")
    assert sorted(made.sizes) == sorted(dumps.FILES)


def test_release_does_not_change_and_is_checked(sqlite_engine: Engine, tmp_path: Path) -> None:
    """A tag is taken once, a changed file is told, the audit log has the hash, and nothing half is left."""
    _filled(sqlite_engine)
    dumps.make(sqlite_engine, tmp_path, tag="2026-11-22")
    with pytest.raises(InputError, match="releases do not change"):
        dumps.make(sqlite_engine, tmp_path, tag="2026-11-22")
    for tag in ("../x", "2026", "2026-11-22-" + "x" * 30, "2026-11-22/.."):
        with pytest.raises(InputError, match="no date"):
            dumps.make(sqlite_engine, tmp_path, tag=tag)
    check = ("sha256sum", "--check", "--quiet", "SHA256SUMS")
    subprocess.run(check, cwd=tmp_path / "2026-11-22", check=True)
    tmp_path.joinpath("2026-11-22/results.csv").write_text("x")
    told = subprocess.run(check, cwd=tmp_path / "2026-11-22", capture_output=True, text=True)
    assert told.returncode == 1
    assert told.stdout.startswith("results.csv: ")
    assert chain.verify(sqlite_engine).count == 0
    (tmp_path / "no").write_text("a file where a folder should be")
    with pytest.raises(HubError, match="cannot be written"):
        dumps.make(sqlite_engine, tmp_path / "no")
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_releases_are_listed_and_no_other_file_is_served(sqlite_engine: Engine, tmp_path: Path) -> None:
    """The page and the API list them; names that are none of a release's are not found."""
    _filled(sqlite_engine)
    folder = tmp_path / "releases"
    dumps.make(sqlite_engine, folder, tag="2026-11-22")
    folder.joinpath("2026-11-22/secret.txt").write_text("what is hidden")
    tmp_path.joinpath("hub.key").write_text("what is hidden")
    made = Hub(**{**_parts(hub(sqlite_engine)), "releases": folder})
    with TestClient(application(made), base_url=HOST, raise_server_exceptions=False) as client:
        assert "/releases/2026-11-22/footprints.parquet" in client.get("/downloads", headers=HTML).text
        (listed,) = client.get("/api/v1/releases").json()["items"]
        assert (listed["tag"], listed["footprints"]) == ("2026-11-22", 3)
        assert client.get("/releases/2026-11-22/footprints.csv").text.count("\n") == 4
        for path in (
            "2026-11-22/secret.txt",
            "2026-11-22/..%2f..%2fhub.key",
            "..%2fhub.key/x",
            "%2e%2e/hub.key",
            "2026-11-22/%2e%2e%2f%2e%2e%2fhub.key",
            "2026-11-23/footprints.csv",
            "2026-11-22/footprints.csv%00",
        ):
            answer = client.get(f"/releases/{path}")
            assert (answer.status_code, "what is hidden" in answer.text) == (404, False), path


def _parts(made: Hub) -> dict[str, Any]:
    return {name: getattr(made, name) for name in ("engine", "key", "single_user", "hosts", "address")}


def _everything(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    with engine.connect() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(sa.select(table))), key=str)
            for table in backups._tables()
        }


def test_backup_comes_back_as_it_was_on_either_database(engine: Engine, tmp_path: Path) -> None:
    """Every row of every table; then numbers go on where they were, and words are found."""
    accounts.add_account(engine, "alice", "contributor")
    accounts.make_token(engine, KEY, "alice", scopes=("submit",))
    projections.ensure(engine)  # as the start of a hub does
    published = _filled(engine)
    before = _everything(engine)
    file = tmp_path / "backup.sqlite"
    made = backups.backup(engine, file)
    assert made == chain.verify(engine)
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(InputError, match="name another file"):
        backups.backup(engine, file)
    with pytest.raises(InputError, match="empty database"):
        backups.restore(file, engine)
    other = engine
    if engine.dialect.name == "sqlite":
        other = database.connect(database.url_of(f"sqlite:///{tmp_path / 'other.sqlite'}", tmp_path))
        database.upgrade(other)
    else:
        with database.writing(engine) as connection:
            names = ", ".join(table.name for table in backups._tables())
            connection.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY"))
    assert backups.restore(file, other) == made
    assert _everything(other) == before
    assert accounts.add_account(other, "bob", "viewer") > 1
    ingest.take_in(other, records.batch(1), LOCAL)
    assert len(reading.page(other, reading.Question(words="second version"))[0]) == 1
    assert len(reading.page(other, reading.Question(words="cmd"))[0]) == len(published)
    assert chain.verify(other).count == 0


def test_hub_moves_from_sqlite_to_postgresql(
    sqlite_engine: Engine, _postgres: Engine, tmp_path: Path
) -> None:
    """A backup of the one is restored into the other."""
    _filled(sqlite_engine)
    made = backups.backup(sqlite_engine, tmp_path / "b.sqlite")
    with database.writing(_postgres) as connection:
        names = ", ".join(table.name for table in backups._tables())
        connection.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY"))
    assert backups.restore(tmp_path / "b.sqlite", _postgres) == made
    assert _everything(_postgres) == _everything(sqlite_engine)


def test_backup_is_private_from_its_first_byte(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is also where its folder is open to all, and before it has its name."""
    seen: list[int] = []
    copied = backups._copied_pages

    def looked(engine: Engine, draft: Path) -> None:
        copied(engine, draft)
        seen.append(draft.stat().st_mode & 0o777)

    monkeypatch.setattr(backups, "_copied_pages", looked)
    backups.backup(sqlite_engine, tmp_path / "b.sqlite")
    assert [*seen, (tmp_path / "b.sqlite").stat().st_mode & 0o777] == [0o600, 0o600]


def test_backup_that_does_not_fit_is_neither_made_nor_restored(sqlite_engine: Engine, tmp_path: Path) -> None:
    """A changed content is found at both ends; what is no backup is told; no half file is left."""
    _filled(sqlite_engine)
    file, empty = tmp_path / "b.sqlite", tmp_path / "empty.sqlite"
    backups.backup(sqlite_engine, file)
    with sqlite3.connect(file) as opened:
        opened.execute("UPDATE footprint_version SET reason = 'x', body = x'00' WHERE version = 1")
    opened.close()
    target = database.connect(database.url_of(f"sqlite:///{empty}", tmp_path))
    database.upgrade(target)
    with pytest.raises(HubError, match="do not fit"):
        backups.restore(file, target)
    assert chain.verify(target).entries == 0
    (tmp_path / "text").write_text("x")
    with pytest.raises(InputError, match="no SQLite file"):
        backups.restore(tmp_path / "text", target)
    with pytest.raises(InputError, match="cannot be read"):
        backups.restore(tmp_path / "none", target)
    versions = table_of(FootprintVersion)
    with database.writing(sqlite_engine) as connection:
        connection.execute(sa.update(versions).values(sha256="0" * 64).where(versions.c.version == 2))
    with pytest.raises(HubError, match="do not fit"):
        backups.backup(sqlite_engine, tmp_path / "c.sqlite")
    assert not list(tmp_path.glob("*c.sqlite*"))


def _upload(client: TestClient, name: str, content: bytes | str, **fields: str) -> Any:
    page = client.get("/upload", headers=HTML)
    sealed = re.search(r'name="seal" value="(\w+)"', page.text)
    assert sealed is not None
    given = {"seal": sealed[1], "do": "publish"} | fields
    return client.post("/upload", data=given, files={"file": (name, content)}, headers=HTML)


@pytest.mark.parametrize(
    ("name", "text", "origin"),
    [
        ("emissions.csv", table(THIRD), "tool"),
        ("README.md", CARD.format(emissions="83524", words=""), "third-party"),
        ("runs.csv", "name,hours,hardware,zone\nmine,48,A100,FR\n", "form"),
        ("record.json", json.dumps(records.record(name="ours")), "tool"),
        ("boamps.json", json.dumps(REPORT), "tool"),
        ("jobs.txt", test_slurm_sacct.text({}), "tool"),
        ("aws.csv", test_statements.aws(), "tool"),
        ("gcp.json", json.dumps(test_statements.GCP), "tool"),
    ],
)
def test_uploaded_file_is_looked_at_then_published_once(
    client: TestClient, name: str, text: str, origin: str
) -> None:
    """Each form of file: looking stores nothing, publishing twice stores it once."""
    looked = _upload(client, name, text, do="look")
    assert (looked.status_code, "1 record, 0 rows left out" in looked.text) == (200, True)
    assert client.get("/api/v1/footprints").json()["items"] == []
    for _ in range(2):
        assert _upload(client, name, text).status_code == 200
    (row,) = client.get("/api/v1/footprints", params={"view": "summary"}).json()["items"]
    assert (row["origin"], row["emissions_kg"] > 0.0) == (origin, True)


def test_several_files_are_taken_in_each_by_itself(client: TestClient) -> None:
    """A line of each; what cannot be used holds up no other, and nothing of it is stored."""
    page = client.get("/upload", headers=HTML)
    sealed = re.search(r'name="seal" value="(\w+)"', page.text)
    assert sealed is not None
    named = {
        "a.csv": "name,hours,hardware,zone\nmine,48,A100,FR\nbad,x,A100,FR\n",
        "broken.csv": b"\xff\xfe\x00",
        "b.json": json.dumps([records.record(name="ours") for _ in range(60)]),
        "<b>.csv": "",
    }
    files = [("file", (name, content)) for name, content in named.items()]

    def sent(do: str, some: list[Any] = files) -> Any:
        given = {"seal": sealed[1], "do": do}
        return client.post("/upload", data=given, files=some, headers=HTML)

    looked = sent("look")
    assert looked.status_code == 200
    assert "<strong>a.csv</strong>: 1 record to look at, nothing is stored yet" in looked.text
    assert looked.text.count('<th role="rowheader"') == uploads.MOST_SHOWN
    assert client.get("/api/v1/footprints").json()["items"] == []
    for new, known in ((1, 0), (0, 1)):
        text = sent("publish").text
        assert f"<strong>a.csv</strong>: {new} new, {known} known here already, 1 row left out" in text
        assert f"<strong>b.json</strong>: {60 * new} new, {60 * known} known here already" in text
        assert "<strong>broken.csv</strong>: broken.csv is no text in UTF-8" in text
        assert "<strong>&lt;b&gt;.csv</strong>: &lt;b&gt;.csv is empty" in text
    assert len(client.get("/api/v1/footprints", params={"limit": 100}).json()["items"]) == 61
    assert sent("publish", [files[1], files[3]]).status_code == 400
    assert "no file is chosen" in sent("publish", [("file", ("", b""))]).text
    many = sent("publish", [("file", (f"{n}.csv", "x")) for n in range(uploads.MOST_FILES + 1)])
    assert (many.status_code, "Too many files" in many.text) == (400, True)


def test_form_states_the_place_of_a_cluster(client: TestClient) -> None:
    """The place and the PUE of records that state none; a place or PUE that is none is told."""
    text = test_slurm_sacct.text({})
    for zone, pue, says in (("Atlantis", "", "Atlantis"), ("DE", "0.9", "pue is 0.9"), ("DE", "x", "pue is")):
        answer = _upload(client, "jobs.txt", text, zone=zone, pue=pue)
        assert (answer.status_code < 500, says in answer.text) == (True, True)
    assert client.get("/api/v1/footprints").json()["items"] == []
    assert _upload(client, "jobs.txt", text, zone="DE", pue="1.3").status_code == 200
    (row,) = client.get("/api/v1/footprints").json()["items"]
    record = row.get("footprint", row)
    assert (record["place"]["zone"], record["pue"]["value"], record["boundary"]) == ("DE", 1.3, "facility")


def test_times_without_a_zone_are_of_the_zone_that_the_form_states(client: TestClient) -> None:
    """As with --timezone of the command line; one that is none is told, and a row beyond all years left out."""
    rows = "name,hours,hardware,zone,started\nmine,48,A100,FR,{}\n"
    local = rows.format("2026-07-01T12:00:00")
    bad = _upload(client, "runs.csv", local, timezone="Mars/Base")
    assert (bad.status_code, "time zone &#39;Mars/Base&#39; is not known" in bad.text) == (400, True)
    assert 'name="timezone" value="Mars/Base"' in bad.text
    taken = _upload(client, "runs.csv", local, do="look")
    assert "tell no zone and are taken for UTC" in taken.text
    stated = _upload(client, "runs.csv", local, timezone=" Europe/Berlin ")
    assert "tell no zone" not in stated.text
    (item,) = client.get("/api/v1/footprints").json()["items"]
    assert (item["started"], item["given"]["timezone"]) == ("2026-07-01T10:00:00Z", "Europe/Berlin")
    both = rows.format("0001-01-01T00:00:00") + "other,48,A100,FR,2026-07-02T12:00:00Z\n"
    looked = _upload(client, "runs.csv", both, do="look", timezone="Asia/Tokyo")
    assert "1 record, 1 row left out" in looked.text
    assert "there is no such time in Asia/Tokyo" in looked.text
    none = _upload(client, "runs.csv", rows.format("0001-01-01T00:00:00"), timezone="Asia/Tokyo")
    assert (none.status_code, "holds no record" in none.text) == (400, True)


def test_names_of_a_cluster_are_pseudonyms_of_the_hub(client: TestClient) -> None:
    """Neither users nor accounts nor nodes of an uploaded file are stored; the same user is the same pseudonym."""
    text = test_slurm_sacct.text({}, {"JobID": "102"})
    assert _upload(client, "jobs.txt", text).status_code == 200
    items = client.get("/api/v1/footprints").json()["items"]
    told = json.dumps(items)
    assert not any(f'"{name}"' in told for name in ("ada", "physics", "node07"))
    assert told.count('"user": "user-') == 2
    assert len(set(re.findall(r"user-[0-9a-f]{10}", told))) == 1


def test_rows_left_out_are_told_on_the_page(client: TestClient) -> None:
    """What a page lists of a file is text, whatever the file holds."""
    evil = "<script>alert(1)</script>"
    answer = _upload(
        client, "x.csv", table(SECOND, {"emissions": evil}, {"project_name": evil, "run_id": "2"})
    )
    assert answer.status_code == 200
    assert "1 record, 1 row left out" in answer.text
    assert "line 2: emissions is" in answer.text
    assert "<script" not in answer.text


@pytest.mark.parametrize(
    ("name", "content", "status", "says"),
    [
        ("x.csv", b"\xff\xfe\x00", 400, "no text in UTF-8"),
        ("x.csv", b"", 400, "x.csv is empty"),
        ("x.csv", b"a,b\n1,2\n", 400, "in no form that is known"),
        ("x.zip", b"PK\x03\x04" + b"0" * 100, 400, "no text|no form"),
        ("x.json", b"[" * 50_000, 400, "not a JSON record"),
        ("x.csv", b"hours,hardware\n" + b"1,A100\n" * 5_001, 400, "at most 5,000"),
        ("x.csv", b"hours,hardware\n" + b"1,A100\n" * 3_000_000, 413, "16 MiB"),
    ],
)
def test_bad_upload_gets_one_line(
    client: TestClient, name: str, content: bytes, status: int, says: str
) -> None:
    """Wrong, deep, many or huge: a line, and nothing is stored."""
    answer = _upload(client, name, content)
    assert answer.status_code == status
    assert re.search(says, answer.text)
    assert ('<a class="button" href="">Back to the form</a>' in answer.text) == (status == 413)
    assert client.get("/api/v1/footprints").json()["items"] == []


def test_upload_of_somebody_else_is_refused(client: TestClient, open_client: TestClient) -> None:
    """Without the seal of this browser (CSRF), from another origin, or without a token nothing is published."""
    file = {"file": ("x.csv", "hours,hardware\n1,A100\n")}
    for seal in ("", "0" * 64):
        assert client.post("/upload", data={"seal": seal, "do": "publish"}, files=file).status_code == 403
    elsewhere = client.post(
        "/upload", data={"do": "publish"}, files=file, headers={"Origin": "http://evil.example"}
    )
    assert elsewhere.status_code == 403
    assert (
        client.post("/upload", content=b"--x", headers={"content-type": "multipart/form-data"}).status_code
        == 400
    )
    assert _upload(open_client, "x.csv", "hours,hardware\n1,A100\n").status_code == 401
    assert _upload(open_client, "x.csv", "hours,hardware\n1,A100\n", do="look").status_code == 200
    assert open_client.get("/api/v1/footprints").json()["items"] == []

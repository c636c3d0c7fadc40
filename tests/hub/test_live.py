"""Live runs: minutes once, the three states, a page without a script, and a run that arrives by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from sootprint.core.ids import uuid7
from sootprint.exporters.outbox import Outbox
from sootprint.hub import database
from sootprint.hub.app import application
from sootprint.hub.people.tables import LiveRun
from sootprint.hub.tables import table_of
from tests.hub import records
from tests.hub.conftest import hub
from tests.hub.serving import served
from tests.hub.test_access import Bearer

HTML = {"Accept": "text/html"}
BASE, LIVE = "/api/v1/footprints", "/api/v1/live"
LONG_S = 120.0


def _told(minutes: range, **changes: object) -> dict[str, object]:
    rows = [
        {"minute": one, "energy_kwh": 0.01 * (one + 1), "emissions_kg": 0.001 * (one + 1), "power_w": 600.0}
        for one in minutes
    ]
    last = rows[-1]
    now = {"duration_s": 60.0 * (minutes[-1] + 1), "energy_kwh": last["energy_kwh"], "emissions_kg": 0.001}
    return {"name": "a live one", "zone": "FR", **now, "minutes": rows, **changes}


def test_run_is_live_then_lost_then_finished(client: TestClient, engine: Engine) -> None:
    """Minutes sent twice are there once; silence is lost; its record finishes a run that told no end."""
    one = records.record()
    path = f"{LIVE}/{one['id']}"
    assert client.get(path).status_code == 404
    client.post(f"{path}/minutes", json=_told(range(3)))
    client.post(f"{path}/minutes", json=_told(range(2, 5), duration_s=244.0))
    found = client.get(path).json()
    assert (found["state"], [row["minute"] for row in found["minutes"]]) == ("live", [0, 1, 2, 3, 4])
    page = client.get(f"/live/{one['id']}", headers=HTML).text
    assert '<meta http-equiv="refresh" content="60">' in page
    assert "600 W in the last minute" in page
    assert "50 Wh after 4 min 4 s" in page.replace(
        "\N{NO-BREAK SPACE}", " "
    )  # the last minute has just begun
    runs = table_of(LiveRun)
    with database.writing(engine) as connection:
        connection.execute(sa.update(runs).values(last_at="2020-01-01T00:00:00.000Z"))
    assert client.get(path).json()["state"] == "lost"
    assert "refresh" not in client.get(f"/live/{one['id']}", headers=HTML).text
    client.post(BASE, json=one)
    assert client.get(path).json()["state"] == "finished"
    assert f'href="/footprints/{one["id"]}"' in client.get(f"/live/{one['id']}", headers=HTML).text
    client.post(
        f"{LIVE}/{uuid7(1.0)}/minutes", json=_told(range(1))
    )  # what is older than 30 days is forgotten
    assert client.get(path).status_code == 404


def test_end_and_owner_of_a_run_count(open_client: TestClient, bearer: Bearer) -> None:
    """Nobody reports on the run of another; the end is told once; numbers that cannot be are refused."""
    alice, bob = bearer("contributor", name="alice"), bearer("contributor", name="bob")
    path = f"{LIVE}/{uuid7(2.0)}"
    assert open_client.post(f"{path}/minutes", json=_told(range(2))).status_code == 401
    assert open_client.post(f"{path}/finish", headers=alice).status_code == 404
    assert open_client.post(f"{path}/minutes", json=_told(range(2)), headers=alice).status_code == 200
    assert open_client.post(f"{path}/minutes", json=_told(range(2)), headers=bob).status_code == 403
    assert open_client.post(f"{path}/finish", headers=bob).status_code == 403
    first = open_client.post(f"{path}/finish", headers=alice).json()
    assert open_client.post(f"{path}/finish", headers=alice).json() == first
    assert open_client.get(path).json()["state"] == "finished"
    for wrong in ({"duration_s": -1}, {"energy_kwh": "much"}, {"minutes": [{"minute": -1}]}, {"host": "me"}):
        answer = open_client.post(f"{path}/minutes", json={**_told(range(1)), **wrong}, headers=alice)
        assert answer.status_code == 422
    assert "a live one" in open_client.get("/live", headers=HTML).text


def test_id_of_a_live_run_is_its_senders(open_client: TestClient, bearer: Bearer) -> None:
    """Everybody reads the ids of live runs: the record of one comes from who measures it, or from a maintainer."""
    alice, bob, carl = (
        bearer("contributor", name="alice"),
        bearer("contributor", name="bob"),
        bearer("maintainer"),
    )
    one, other = records.record(), records.record()
    for key in (one["id"], other["id"]):
        path = f"{LIVE}/{key}/minutes"
        assert open_client.post(path, json=_told(range(2)), headers=alice).status_code == 200
    answer = open_client.post("/api/v1/footprints", json=[one, records.record()], headers=bob).json()
    assert answer["accepted"] == 1
    assert "belongs to another account" in answer["rejected"][0]["errors"][0]
    assert open_client.post("/api/v1/footprints", json=one, headers=alice).json()["accepted"] == 1
    assert open_client.post("/api/v1/footprints", json=other, headers=carl).json()["accepted"] == 1


def _command(home: Path, *words: str) -> tuple[list[str], dict[str, str]]:
    env = {**os.environ, "SOOTPRINT_HOME": str(home), "SOOTPRINT_RUNTIME_DIR": str(home / "run")}
    return [sys.executable, "-m", "sootprint", *words], env


def sootprint(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command that has ended."""
    command, env = _command(home, *words)
    return subprocess.run(
        command, env=env, text=True, capture_output=True, timeout=LONG_S, check=False, cwd=home
    )


def _lines(home: Path) -> int:
    """Lines of the journals in a home."""
    return sum(path.read_text(encoding="utf-8").count("\n") for path in home.glob("journal/*.jsonl"))


def test_run_of_the_command_line_is_live_and_then_a_record(sqlite_engine: Engine, tmp_path: Path) -> None:
    """It reports while it lasts, its record arrives at its end, and the last line is its address."""
    with served(application(hub(sqlite_engine))) as address:
        words = (
            "run",
            "--zone",
            "FR",
            "--hub",
            address,
            "--",
            sys.executable,
            "-c",
            "import time; time.sleep(6)",
        )
        command, env = _command(tmp_path, *words)
        with subprocess.Popen(
            command, env=env, text=True, stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
        ) as running:
            assert running.stdin is not None
            assert running.stderr is not None
            live = next(line for line in running.stderr if "live at" in line)
            key = live.strip().rpartition("/")[2]
            with TestClient(application(hub(sqlite_engine)), base_url="http://127.0.0.1") as client:
                assert client.get(f"{LIVE}/{key}").json()["state"] == "live"
                running.stdin.write("\n")
                running.stdin.close()
                last = [*running.stderr][-1]
                assert running.wait(LONG_S) == 0
                assert last.strip().endswith(f"{address}/footprints/{key}")
                ended, record = client.get(f"{LIVE}/{key}").json(), client.get(f"{BASE}/{key}").json()
                assert (ended["state"], record["place"]["zone"]) == ("finished", "FR")
                for name in ("energy_kwh", "emissions_kg"):  # the last word is that of the record
                    assert ended[name] == ended["minutes"][-1][name] == record[name]["value"]
                assert ended["duration_s"] == record["duration_s"]


def test_killed_run_and_a_hub_that_is_away_lose_nothing(sqlite_engine: Engine, tmp_path: Path) -> None:
    """Two runs that could not send theirs, one for want of a hub and one killed, are each there once after a push."""
    with served(application(hub(sqlite_engine))) as address:
        port = int(address.rpartition(":")[2])
    done = sootprint(tmp_path, "run", "--hub", address, "--", sys.executable, "-c", "import sys; sys.exit(3)")
    assert done.returncode == 3  # the command's own
    assert "`sootprint hub push` sends it" in done.stderr
    command, env = _command(tmp_path, "run", "--hub", address, "--", sys.executable, "-c", "input()")
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
        outbox, until_s = Outbox(tmp_path, address), time.monotonic() + LONG_S
        while time.monotonic() < until_s and not (outbox.promised() and _lines(tmp_path) > 3):
            time.sleep(0.05)
        assert len(outbox.promised()) == 1
        running.send_signal(signal.SIGKILL)
    with served(application(hub(sqlite_engine)), port) as again:
        assert again == address
        for expected in ("2 new", "nothing waits"):
            pushed = sootprint(tmp_path, "hub", "push", "--hub", address)
            assert expected in pushed.stdout + pushed.stderr
    with TestClient(application(hub(sqlite_engine)), base_url="http://127.0.0.1") as client:
        assert len(client.get(BASE).json()["items"]) == 2


def test_hub_of_a_projects_file_gets_nothing(tmp_path: Path) -> None:
    """A repository that was cloned sends no run anywhere, and a bad address stops before the command starts."""
    (tmp_path / "sootprint.toml").write_text(
        'hub = "http://127.0.0.1:9"\nhub_push = "end"\n', encoding="utf-8"
    )
    done = sootprint(tmp_path, "run", "--", sys.executable, "-c", "print('trained')")
    assert (done.returncode, done.stdout) == (0, "trained\n")
    assert "nothing is sent to it: add --hub" in done.stderr
    assert not (tmp_path / "outbox").exists()
    wrong = sootprint(tmp_path, "run", "--hub", "ftp://x", "--", sys.executable, "-c", "print('trained')")
    assert (wrong.returncode, wrong.stdout) == (2, "")


@pytest.mark.parametrize("page", ["/live", "/live/x", "/live/00000000-0bb8-7b8d-9a7d-0e39c7ff3db2"])
def test_page_of_no_live_run_is_one(client: TestClient, page: str) -> None:
    """An empty list is a page; a run that is not there is 404."""
    assert client.get(page, headers=HTML).status_code == (200 if page == "/live" else 404)

"""The week in a minute: the story comes to its end, and the saving is that of the raw figures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

WEEK = Path(__file__).resolve().parents[2] / "examples" / "week_in_a_minute"


def test_a_week_waits_pauses_moves_and_finishes_and_is_proved_again(tmp_path: Path) -> None:
    """Each step is trained once, in two grids; an independent count agrees, and with another figure it does not."""
    played = subprocess.run(
        [sys.executable, str(WEEK / "play.py"), str(tmp_path)], capture_output=True, text=True, timeout=280
    )
    assert played.returncode == 0, played.stdout + played.stderr
    for words in (
        "the job waits for a cleaner time",
        "start in",
        "the job is asked to save and to pause",
        "were carried from",
        "resume in",
        "finished",
    ):
        assert words in played.stdout, played.stdout
    assert played.stdout.count("agrees") == 3
    steps = (tmp_path / "places" / "home" / "progress.txt").read_text().splitlines()
    assert [int(line.split()[0]) for line in steps] == list(range(1, 211))
    book = [json.loads(line) for line in (tmp_path / "book.jsonl").read_text().splitlines()]
    moves = [(one["source"], one["target"]) for one in book if one["k"] == "carried"]
    assert moves[0][0] == moves[-1][1] == ""
    assert len(moves) >= 3
    assert (tmp_path / "week.png").stat().st_size > 5000
    last = sorted(tmp_path.glob("record*.json"))[-1]
    record = json.loads(last.read_text())
    assert len({one["zone"] for one in record["savings"]["waiting"]["segments"]}) == 2
    record["savings"]["waiting"]["actual_kg"]["value"] *= 0.97
    last.write_text(json.dumps(record))
    proved = subprocess.run(
        [sys.executable, "-I", str(WEEK / "prove.py"), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert proved.returncode == 1
    assert "DIFFERS" in proved.stdout

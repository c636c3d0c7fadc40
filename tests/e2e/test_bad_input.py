"""Bad input through the real command: one clear line each, exit code 2, nothing half-written."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sootprint.ledger import Ledger

Cli = Callable[..., subprocess.CompletedProcess[str]]
ESTIMATE = ["estimate", "--hardware", "V100", "--hours", "10", "--zone", "FR"]


def _with(option: str, value: str, base: list[str] = ESTIMATE) -> list[str]:
    """The arguments with one option set to another value."""
    if option not in base:
        return [*base, option, value]
    return [value if index and base[index - 1] == option else word for index, word in enumerate(base)]


def _power(value: str, option: str = "--power-w") -> list[str]:
    return _with(option, value, ["estimate", "--power-w", "300", "--hours", "10", "--zone", "FR"])


REFUSED = {
    "unknown hardware": (_with("--hardware", "NVIDIA H1000"), ["H1000", "H100"]),
    "unknown zone": (_with("--zone", "XX"), ["XX"]),
    "zone close to one": (_with("--zone", "US-WAA"), ["US-WAA", "US-WA"]),
    "pue below one": (_with("--pue", "0.8"), ["pue", "0.8", "1"]),
    "pue is no number": (_with("--pue", "nan"), ["pue", "nan"]),
    "hours are no number": (_with("--hours", "nan"), ["hours", "nan"]),
    "hours without end": (_with("--hours", "inf"), ["hours", "inf"]),
    "hours negative": (_with("--hours", "-1"), ["hours", "-1"]),
    "hours absurd": (_with("--hours", "1e9"), ["hours", "1e"]),
    "power absurd": (_power("5000"), ["power", "5000"]),
    "power negative": (_power("-300"), ["power", "-300"]),
    "power is no number": (_power("nan"), ["power", "nan"]),
    "count of none": (_with("--count", "0"), ["count", "0"]),
    "count negative": (_with("--count", "-4"), ["count", "-4"]),
    "utilisation in percent": (_with("--utilisation", "75"), ["utilisation", "75"]),
    "intensity negative": (
        ["estimate", "--power-w", "300", "--hours", "10", "--intensity", "-5"],
        ["intensity", "-5"],
    ),
    "intensity absurd": (["estimate", "--power-w", "300", "--hours", "1", "--intensity", "1e6"], ["intensity"]),
    "word for a number": (_with("--hours", "ten"), ["hours", "ten"]),
    "unknown option": (_with("--houres", "10"), ["houres"]),
    "unknown command": (["estimat"], ["estimat"]),
    "unknown method": (_with("--method", "magic"), ["magic", "survey"]),
    "neither hardware nor power": (["estimate", "--hours", "10", "--zone", "FR"], ["hardware", "power"]),
    "run in an unknown zone": (["run", "--zone", "XX", "--", "true"], ["XX"]),
    "run with a pue below one": (["run", "--pue", "0.8", "--", "true"], ["pue", "0.8"]),
    "run without a period": (["run", "--period", "0s", "--", "true"], ["period"]),
    "run with a budget that is no number": (["run", "--budget-kg", "nan", "--", "true"], ["budget"]),
    "run with a malformed tag": (["run", "--tag", "novalue", "--", "true"], ["novalue"]),
    "run without a command": (["run"], ["command"]),
    "show of no run": (["show", "nosuchrun"], ["nosuchrun"]),
    "report of no run": (["report", "nosuchrun"], ["nosuchrun"]),
    "report in no format": (["report", "latest", "--format", "docx"], ["docx"]),
    "delete of no run": (["delete", "nosuchrun"], ["nosuchrun"]),
    "summary by nothing": (["summary", "--by", "mood"], ["mood"]),
}  # fmt: skip


def _one_line(done: subprocess.CompletedProcess[str], words: list[str]) -> None:
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert done.stdout == ""
    assert done.stderr.startswith("sootprint: "), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert word.lower() in done.stderr.lower(), done.stderr


@pytest.mark.parametrize("case", REFUSED)
def test_bad_argument_gets_one_line(cli: Cli, home: Path, case: str) -> None:
    """The line names the value and the rule; no run is in the ledger, no journal is left."""
    arguments, words = REFUSED[case]
    _one_line(cli(*arguments), words)
    assert [path for path in home.rglob("*.json*") if path.is_file()] == []
    assert Ledger(home).runs() == []


def test_bad_variable_gets_one_line(cli: Cli) -> None:
    """A wrong SOOTPRINT_ variable is named, whatever the command."""
    _one_line(cli("run", "--", "true", SOOTPRINT_PUE="0.8"), ["SOOTPRINT_PUE", "0.8"])
    _one_line(cli("run", "--", "true", SOOTPRINT_ZONE="XX"), ["XX"])


def test_bad_settings_file_gets_one_line(cli: Cli, tmp_path: Path) -> None:
    """A sootprint.toml that is no TOML, or holds an unknown name, is named with its place."""
    file = tmp_path / "folder" / "sootprint.toml"
    for text, words in (("zone = ", ["sootprint.toml"]), ('zoone = "FR"\n', ["sootprint.toml", "zoone"])):
        file.write_text(text, encoding="utf-8")
        _one_line(cli("config"), words)


def _record(path: Path, **changes: object) -> str:
    data = {"id": "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b", "schema": "1.0", **changes}
    path.write_text(json.dumps(data), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema": "2.0"}, ["2.0", "newer", "upgrade"]),
        ({"schema": None}, ["schema"]),
        ({"pue": {"value": 0.8}}, ["pue", "0.8"]),
        ({"energy_kwh": 3.0}, ["/energy_kwh"]),
        ({"id": "x"}, ["id"]),
    ],
)
def test_bad_record_gets_one_line(
    cli: Cli, tmp_path: Path, changes: dict[str, object], words: list[str]
) -> None:
    """A record of a newer schema, or one that breaks a rule, in `report` and in `schema --check`."""
    file = _record(tmp_path / "record.json", **changes)
    _one_line(cli("report", file), words)
    _one_line(cli("schema", "--check", file), words)


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, '{"id": 1, "id": 2}', "\x00\xff"])
def test_file_that_is_no_record_gets_one_line(cli: Cli, tmp_path: Path, text: str) -> None:
    """Noise, and JSON that is something else."""
    file = tmp_path / "record.json"
    file.write_bytes(text.encode("latin-1"))
    _one_line(cli("schema", "--check", str(file)), [])
    _one_line(cli("report", str(file)), [])


def test_file_that_is_not_there_gets_one_line(cli: Cli) -> None:
    """The name is in the line."""
    _one_line(cli("schema", "--check", "missing.json"), ["missing.json"])


def test_report_is_whole_or_not_there(cli: Cli, tmp_path: Path) -> None:
    """A report that cannot be written leaves nothing, and an older one as it was."""
    record = _record(tmp_path / "record.json")
    assert cli(
        "report", record, "--format", "md", "--out", "folder-that-is-not-there/report.md"
    ).returncode in (1, 2)
    kept = tmp_path / "folder" / "report.md"
    kept.write_text("older", encoding="utf-8")
    broken = _record(tmp_path / "broken.json", schema="2.0")
    _one_line(cli("report", broken, "--format", "md", "--out", "report.md"), ["2.0"])
    assert kept.read_text(encoding="utf-8") == "older"
    assert [path.name for path in kept.parent.iterdir()] == ["report.md"]


def test_missing_extra_gets_one_line(cli: Cli, tmp_path: Path) -> None:
    """Without the chart packages, HTML names the command that installs them; text works."""
    hidden = tmp_path / "hidden"
    for package in ("altair", "vl_convert"):
        (hidden / package).mkdir(parents=True)
        (hidden / package / "__init__.py").write_text(
            f"raise ModuleNotFoundError('hidden by a test', name={package!r})\n", encoding="utf-8"
        )
    record = _record(tmp_path / "record.json", started="2026-01-01T00:00:00Z", duration_s=60.0)
    done = cli("report", record, "--format", "html", "--out", "report.html", PYTHONPATH=str(hidden))
    _one_line(done, ["pip install 'sootprint[charts]'"])
    assert not (tmp_path / "folder" / "report.html").exists()
    assert cli("report", record, "--format", "text", PYTHONPATH=str(hidden)).returncode == 0


def test_bad_value_in_python_gets_one_line() -> None:
    """The same rules without the command: an InputError or CatalogueError whose text is one line."""
    import sootprint

    for arguments in (
        {"hardware": "NVIDIA H1000", "hours": 1.0, "zone": "FR"},
        {"power_w": 300.0, "hours": 1.0, "zone": "FR", "pue": 0.8},
        {"power_w": 5000.0, "hours": 1.0, "zone": "FR"},
        {"power_w": 300.0, "hours": float("nan"), "zone": "FR"},
        {"power_w": 300.0, "hours": 1e9, "zone": "FR"},
        {"power_w": 300.0, "hours": 1.0, "zone": "XX"},
    ):
        with pytest.raises(sootprint.SootprintError) as caught:
            sootprint.estimate(**arguments)
        assert "\n" not in str(caught.value)

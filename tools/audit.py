"""The dependency audit: the locked packages against a database of advisories.

Run as `python tools/audit.py`. A known advisory fails; a database out of reach is said, and passes.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

LOCK = Path("requirements.lock")
PROJECT = Path("build/audit")
UNREACHABLE = ("error sending request", "dns error", "timed out", "Connect")
PATIENCE_S = 120


def main() -> int:
    """Exit code: 0 without advisories or without the database, else 1."""
    PROJECT.mkdir(parents=True, exist_ok=True)
    PROJECT.joinpath("pyproject.toml").write_text(project(pins(LOCK.read_text(encoding="utf-8"))))
    done = _uv("lock", "-q")
    if done.returncode == 0:
        done = _uv("audit", "--frozen", "--preview-features", "audit-command")
    failed, line = verdict(done.returncode, done.stdout + done.stderr)
    print(line)
    return 1 if failed else 0


def pins(lock: str) -> list[str]:
    """The requirements of a lock file, without their hashes."""
    return [line.rstrip("\\ ") for line in lock.splitlines() if re.match(r"[A-Za-z0-9]", line)]


def project(requirements: list[str]) -> str:
    """A pyproject.toml that asks for exactly these requirements."""
    listed = "".join(f'    "{requirement}",\n' for requirement in requirements)
    head = '[project]\nname = "audited"\nversion = "0"\nrequires-python = ">=3.11"\n'
    return f"{head}dependencies = [\n{listed}]\n"


def verdict(returncode: int, output: str) -> tuple[bool, str]:
    """Whether the audit failed, and what to tell the reader."""
    if returncode == 0:
        return False, "no known advisory for the locked packages"
    if any(sign in output for sign in UNREACHABLE):
        return False, "skipped: advisory database not reachable"
    return True, output.strip()


def _uv(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("uv")), *arguments, "--project", str(PROJECT)]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 2, "", f"timed out after {PATIENCE_S} s")


if __name__ == "__main__":
    sys.exit(main())

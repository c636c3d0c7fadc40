"""The dependency audit: what it asks about, and what it makes of an answer."""

from __future__ import annotations

import tomllib

import audit

LOCK = """\
altair==6.3.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:cc
"""


def test_every_locked_requirement_is_asked_about() -> None:
    """Hashes and line ends are dropped, markers are kept."""
    assert audit.pins(LOCK) == ["altair==6.3.0", "colorama==0.4.6 ; sys_platform == 'win32'"]


def test_project_asks_for_exactly_the_pins() -> None:
    """The generated project is TOML with the pins as its dependencies."""
    made = tomllib.loads(audit.project(audit.pins(LOCK)))
    assert made["project"]["dependencies"] == audit.pins(LOCK)


def test_no_advisory_passes() -> None:
    """Exit code 0 of the auditor passes."""
    assert audit.verdict(0, "") == (False, "no known advisory for the locked packages")


def test_known_advisory_fails_and_is_shown() -> None:
    """An advisory fails the check with the auditor's own words."""
    assert audit.verdict(1, "altair 6.3.0 has 1 known vulnerability\n") == (
        True,
        "altair 6.3.0 has 1 known vulnerability",
    )


def test_unreachable_database_is_said_and_passes() -> None:
    """Without a network the audit is skipped, and says so."""
    failed, line = audit.verdict(2, "error: Request failed\n  cause: dns error\n")
    assert (failed, line) == (False, "skipped: advisory database not reachable")


def test_other_failures_of_the_auditor_fail() -> None:
    """A broken call is not mistaken for a clean bill."""
    assert audit.verdict(2, "error: unexpected argument") == (True, "error: unexpected argument")

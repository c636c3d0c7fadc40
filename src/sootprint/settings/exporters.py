"""The setting `exporters`: where the records of finished runs go, each a name, a colon and a file or an address."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sootprint.core.letters import without_secrets
from sootprint.settings.rules import hub, label, url

NONE = "none"
RULE = 'must be places such as "jsonl:footprints.jsonl", "opentelemetry:http://127.0.0.1:4318" or "mlflow"'
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def exporters(value: Any) -> tuple[str, ...]:
    """Places, from a list of texts or a text with commas; paths are made absolute, and "none" alone means none.

    >>> exporters("mlflow, opentelemetry:http://127.0.0.1:4318/")
    ('mlflow', 'opentelemetry:http://127.0.0.1:4318')
    """
    texts = value.split(",") if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise ValueError(RULE)
    given = [text.strip() for text in texts if text.strip()]
    if given == [NONE]:
        return ()
    if NONE in given:
        raise ValueError(f'must be "{NONE}" alone, or places')
    return tuple(dict.fromkeys(place(text) for text in given))


def place(text: str) -> str:
    """One place, checked as far as its name tells how."""
    name, colon, at = label(text).partition(":")
    if _NAME.fullmatch(name) is None:
        raise ValueError(RULE)
    at = _RULES.get(name, _other)(at.strip()) if colon or name in _NEEDED else ""
    return f"{name}:{at}" if at else name


def _file(at: str) -> str:
    """Absolute path: what waits is written later, from another folder."""
    if not at:
        raise ValueError('must name a file, e.g. "jsonl:footprints.jsonl"')
    try:
        return str(Path(at).expanduser().absolute())
    except (RuntimeError, OSError):
        raise ValueError("must name a file by a path: no home or working folder is known here") from None


def _collector(at: str) -> str:
    """Address of a collector of OpenTelemetry."""
    keys = "keys stand in OTEL_EXPORTER_OTLP_HEADERS"
    return url(at or "-", example="http://127.0.0.1:4318", instead=keys)


def _hub(at: str) -> str:
    return hub(at or "-")


def _other(at: str) -> str:
    """What another exporter is told; an address in it is checked for a password."""
    if without_secrets(at) != at:
        raise ValueError(
            "must have no password or query in an address, which is stored and printed: use a variable of that tool"
        )
    return at


_RULES: dict[str, Callable[[str], str]] = {
    "jsonl": _file,
    "csv": _file,
    "prometheus": _file,
    "opentelemetry": _collector,
    "hub": _hub,
}
_NEEDED = frozenset(_RULES)

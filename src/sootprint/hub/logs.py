"""The log: one JSON object a line on stderr, without bodies, tokens or query texts."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

NAME = "sootprint.hub"


class Lines(logging.Formatter):
    """Formatter of one JSON object for each record."""

    def format(self, record: logging.LogRecord) -> str:
        """Line of a record."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "at": at,
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line |= getattr(record, "facts", {})
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line)


def start() -> None:
    """Send what is logged to stderr as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger(NAME).setLevel(logging.INFO)


def event(text: str, level: int = logging.INFO, **facts: object) -> None:
    """Log what happened, with facts."""
    logging.getLogger(NAME).log(level, text, extra={"facts": facts})

"""The server's key, and what is hashed with it."""

from __future__ import annotations

import hashlib
import hmac

from sootprint.settings.key import LENGTH, OTHERS, key_of

__all__ = ["FILE_NAME", "LENGTH", "OTHERS", "key_of", "mac", "same"]

FILE_NAME = "hub.key"


def mac(key: bytes, purpose: str, text: str) -> str:
    """Keyed hash of a text for one purpose, so that a hash for one is worth nothing for another."""
    return hmac.new(key, f"{purpose}\n{text}".encode(), hashlib.sha256).hexdigest()


def same(expected: str, given: str) -> bool:
    """Whether a text that somebody sent, in whichever letters, is the expected one; it takes as long where not."""
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))

"""The server's key: 32 random bytes in a file that only its user reads, made at the first start."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from sootprint.core.errors import SettingsError

FILE_NAME = "hub.key"
LENGTH = 32
OTHERS = 0o077


def key_of(path: Path) -> bytes:
    """Key in a file, which is made if it is missing.

    Raises:
        SettingsError: The file cannot be read, is too short, or others can read it.
    """
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes().strip()
        mode = path.stat().st_mode
    except OSError as err:
        raise SettingsError(f"{path} cannot be read: {err.strerror}; name another file") from err
    if len(key) < LENGTH:
        raise SettingsError(f"{path} holds {len(key)} bytes: a key has at least {LENGTH}; remove the file")
    if mode & OTHERS:
        raise SettingsError(f"{path} can be read by others: run `chmod 600 {path}`")
    return key


def mac(key: bytes, purpose: str, text: str) -> str:
    """Keyed hash of a text for one purpose, so that a hash for one is worth nothing for another."""
    return hmac.new(key, f"{purpose}\n{text}".encode(), hashlib.sha256).hexdigest()


def same(expected: str, given: str) -> bool:
    """Whether a text that somebody sent, in whichever letters, is the expected one; it takes as long where not."""
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, secrets.token_hex(LENGTH).encode())
        os.close(descriptor)
        os.link(draft, path)  # the first of two servers that start at once wins
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)

"""A key in a file: 32 random bytes that only their user reads, made at the first use."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from sootprint.core.errors import SettingsError

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


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, secrets.token_hex(LENGTH).encode())
        os.close(descriptor)
        os.link(draft, path)  # the first of two programs that start at once wins
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)

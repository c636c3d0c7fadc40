"""Address and token of a hub, checked before anything is sent; no client is loaded for it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from sootprint.core.errors import InputError, SettingsError
from sootprint.core.letters import without_secrets
from sootprint.settings.rules import hub

LOOPBACK = ("127.0.0.1", "localhost", "::1")
OTHERS = 0o077


def is_near(address: str) -> bool:
    """Whether an address is of this machine, which no proxy knows and whose connections need no encryption."""
    return urlsplit(address).hostname in LOOPBACK


def address_of(address: str, *, token: bool = False) -> str:
    """Address of a hub without a trailing slash.

    Args:
        address: As it was given.
        token: Whether a token goes to it.

    Raises:
        InputError: It is none, or a token would go over a connection that is not encrypted.
    """
    try:
        address = hub(address)
    except ValueError as err:
        shown = without_secrets(repr(address))
        raise InputError(f"{shown:.80} is no address of a hub: it {err}") from None
    if token and address.startswith("http://") and urlsplit(address).hostname not in LOOPBACK:
        raise InputError(f"{address} is not encrypted, so the token is not sent: use https://")
    return address


def token_of(path: Path | None) -> str | None:
    """Token in a file; None where no file is named.

    Raises:
        SettingsError: The file cannot be read, or others can read it.
    """
    if path is None:
        return None
    try:
        text, mode = path.read_text(encoding="ascii").strip(), path.stat().st_mode
    except (OSError, UnicodeDecodeError) as err:
        raise SettingsError(f"{path} cannot be read as a token: {err}") from None
    if mode & OTHERS:
        raise SettingsError(f"{path} can be read by others: run `chmod 600 {path}`")
    return text or None

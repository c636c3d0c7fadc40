"""Pseudonyms of users, accounts and nodes of other systems: hashed with a key that never leaves this home.

The same name has the same pseudonym in all that this home imports, and nobody without the key can try names.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from sootprint.ledger.nodes import PSEUDONYM_LENGTH
from sootprint.settings.key import key_of

FILE = "names.key"
LENGTH = 10  # digits of a hash: 2 among 10,000 users are alike once in 20,000 homes


def pseudonyms(home: Path, *, as_written: tuple[str, ...] = ()) -> Callable[[str, str], str]:
    """What stands in a record for a name, by its kind ("user", "account", "node") and itself.

    Args:
        home: Folder that holds the key; it is made at the first name.
        as_written: Kinds whose names were asked for as they are.

    Raises:
        SettingsError: The key cannot be read or made, which shows at the first name.
    """

    @lru_cache(maxsize=100_000)
    def named(kind: str, name: str) -> str:
        return name if kind in as_written else pseudonym(key_of(home / FILE), kind, name)

    return named


def pseudonym(key: bytes, kind: str, name: str) -> str:
    """Pseudonym of a name by a key: that of a node looks as those of measured runs do.

    >>> pseudonym(b"k" * 32, "user", "ada")
    'user-90b8fda945'
    """
    digest = hmac.new(key, f"{kind}\n{name}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()
    return digest[:PSEUDONYM_LENGTH] if kind == "node" else f"{kind}-{digest[:LENGTH]}"

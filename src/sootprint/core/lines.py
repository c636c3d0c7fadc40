"""JSON in one line, as the journals and boards hold it, once a second for days."""

from __future__ import annotations

import json
from collections.abc import Callable
from json import encoder as _json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def encoder(*, ensure_ascii: bool = True) -> Callable[[Any], str]:
    """Writer of values as JSON without a space.

    `JSONEncoder.encode` makes its compiled part anew at each call, which costs as much as a short line itself; here
    it is made once. Where Python has none, that method is what is given.

    Args:
        ensure_ascii: Whether other letters than those of ASCII are written as escapes.

    >>> encoder()({"s": 1.5, "r": [None, True]})
    '{"s":1.5,"r":[null,true]}'
    """
    whole = json.JSONEncoder(separators=(",", ":"), ensure_ascii=ensure_ascii)
    make: Any = getattr(_json, "c_make_encoder", None)
    if make is None:
        return whole.encode
    text = _json.encode_basestring_ascii if ensure_ascii else _json.encode_basestring
    # markers, default, encoder of texts, indent, separators, whether keys are sorted, skipped, and NaN is allowed
    parts = make(None, whole.default, text, None, ":", ",", False, False, True)

    def encode(value: Any) -> str:
        return "".join(parts(value, 0))

    return encode

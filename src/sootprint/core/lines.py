"""JSON in one line, as the journals and boards hold it, once a second for days."""

from __future__ import annotations

import json
from collections.abc import Callable
from json import encoder as _json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def encoder(
    *, ensure_ascii: bool = True, spaced: bool = False, allow_nan: bool = True
) -> Callable[[Any], str]:
    """Writer of values as JSON in one line.

    `JSONEncoder.encode` makes its compiled part anew at each call, which costs as much as a short line itself; here
    it is made once. Where Python has none, that method is what is given.

    Args:
        ensure_ascii: Whether other letters than those of ASCII are written as escapes.
        spaced: Whether a space follows each comma and colon.
        allow_nan: Whether what is no number is written too, and not refused by a `ValueError`.

    >>> encoder()({"s": 1.5, "r": [None, True]})
    '{"s":1.5,"r":[null,true]}'
    """
    comma, colon = (", ", ": ") if spaced else (",", ":")
    whole = json.JSONEncoder(separators=(comma, colon), ensure_ascii=ensure_ascii, allow_nan=allow_nan)
    make: Any = getattr(_json, "c_make_encoder", None)
    if make is None:
        return whole.encode
    text = _json.encode_basestring_ascii if ensure_ascii else _json.encode_basestring
    # markers, default, encoder of texts, indent, separators, whether keys are sorted, skipped, and NaN is allowed
    parts = make(None, whole.default, text, None, colon, comma, False, False, allow_nan)

    def encode(value: Any) -> str:
        return "".join(parts(value, 0))

    return encode

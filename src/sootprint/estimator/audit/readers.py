"""Files that hold claims: YAML, JSON, CSV, a Markdown model card, LaTeX or plain text, and our own records."""

from __future__ import annotations

import contextlib
import csv
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sootprint.core.errors import InputError, RecordError
from sootprint.core.records import Footprint
from sootprint.estimator.audit import prose
from sootprint.estimator.audit.claim import Claim
from sootprint.estimator.audit.fields import field, key_of
from sootprint.estimator.audit.reading import Draft
from sootprint.estimator.audit.records import claim_of

MOST_BYTES = 20_000_000
_CARD_KEY = "co2_eq_emissions"  # of Hugging Face's model cards; its number is in grams
# "- **Hours used:** 240", "**Hardware Type:** 8 x A100" or "| Carbon Emitted | 35 kg |"
_ROW = re.compile(
    r"^\s*(?:[-*+]\s+|\|\s*)?(?:\*\*|__)?([A-Za-z][\w ()/-]{2,40}?)(?:\*\*|__)?\s*(?::|\|)"
    r"\s*(?:\*\*|__)?\s*(\S.*?)\s*\|?\s*$",
    re.MULTILINE,
)


def read(text: str, *, name: str) -> list[Claim]:
    """Claims of a file's text, in their order; the end of the name tells the form, else the text does.

    Args:
        text: Text of the file.
        name: Its name, for the form and for messages.

    Raises:
        InputError: The text is in no form that is known, or has no number that can be checked.
    """
    if not text.strip():
        raise InputError(f"{name} is empty: give a claim in YAML, JSON, CSV, Markdown, LaTeX or plain text")
    if len(text) > MOST_BYTES:
        raise InputError(f"{name} has {len(text):,} characters: a file of claims has at most {MOST_BYTES:,}")
    if "\x00" in text:
        raise InputError(f"{name} is no text: give a claim in YAML, JSON, CSV, Markdown, LaTeX or plain text")
    form = _form(text, name)
    return _READERS[form](text, name)


def of_mapping(data: Mapping[str, Any], *, where: str) -> Claim:
    """Claim of a mapping such as a YAML file holds, or of a Sootprint record.

    Raises:
        InputError: It has no number that can be checked, or one that cannot be.
    """
    if {"schema", "id", "boundary"} <= set(data):
        try:
            return claim_of(Footprint.from_json(json.dumps(data)), where=where)
        except RecordError as err:
            raise InputError(f"{where}: {err}") from err
    draft = Draft(where)
    _take(draft, data, card=_CARD_KEY in data)
    return draft.claim()


def _form(text: str, name: str) -> str:
    suffix = name.rpartition(".")[2].lower() if "." in name else ""
    by_suffix = {"yaml": "yaml", "yml": "yaml", "json": "json", "csv": "csv", "tsv": "csv", "md": "card"}
    by_suffix |= {"markdown": "card", "tex": "latex", "txt": "plain"}
    if suffix in by_suffix:
        return by_suffix[suffix]
    start = text.lstrip()
    if start[:1] in "{[":
        return "json"
    if start.startswith("---"):
        return "card"
    if re.search(r"\\(begin|documentclass|SI|num|section|cite)\b", text):
        return "latex"
    return "yaml" if re.match(r"[\w ]+:\s*\S", start) and _mapping_of(text) else "plain"


def _mapping_of(text: str) -> bool:
    import yaml

    try:
        return isinstance(yaml.safe_load(text), dict)
    except yaml.YAMLError:
        return False


def _yaml(text: str, name: str) -> list[Claim]:
    return _claims(_yaml_data(text, name), name)


def _yaml_data(text: str, name: str) -> Any:
    import yaml

    class Loader(yaml.SafeLoader):
        """YAML in which a key that stands twice is an error."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            """Mapping of a node."""
            keys = [self.construct_object(key, deep=True) for key, _ in node.value]
            twice = next((key for key in keys if keys.count(key) > 1), None)
            if twice is not None:
                raise InputError(f"{name} has {twice!r} twice: keep the one that holds")
            return super().construct_mapping(node, deep)

    try:
        return yaml.load(text, Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as err:
        line = getattr(getattr(err, "problem_mark", None), "line", None)
        at = f", line {line + 1}" if line is not None else ""
        raise InputError(
            f"{name}{at} cannot be read as YAML: {getattr(err, 'problem', None) or err}"
        ) from None


def _json(text: str, name: str) -> list[Claim]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [key for key, _ in pairs]
        twice = next((key for key in names if names.count(key) > 1), None)
        if twice is not None:
            raise InputError(f"{name} has {twice!r} twice: keep the one that holds")
        return dict(pairs)

    try:
        return _claims(json.loads(text, object_pairs_hook=unique), name)
    except (ValueError, RecursionError) as err:
        if isinstance(err, InputError):
            raise
        raise InputError(f"{name} cannot be read as JSON: {err}") from None


def _claims(data: Any, name: str) -> list[Claim]:
    if isinstance(data, dict):
        inner = next(
            (data[key] for key in ("claims", "runs", "models", "rows") if _is_list(data.get(key))), None
        )
        return _claims(inner, name) if inner is not None else [of_mapping(data, where=name)]
    if _is_list(data):
        return [of_mapping(one, where=f"{name}, item {order}") for order, one in enumerate(data, start=1)]
    if isinstance(data, str):
        return _plain(data, name)
    raise InputError(f"{name} holds no claim: give names with values, such as `energy_kwh: 1200`")


def _is_list(data: Any) -> bool:
    return isinstance(data, list) and bool(data) and all(isinstance(one, dict) for one in data)


def _csv(text: str, name: str) -> list[Claim]:
    lines = text.lstrip("\ufeff").splitlines()
    delimiter = max("\t;,", key=lines[0].count) if lines else ","
    reader = csv.DictReader(lines, delimiter=delimiter, restkey="", restval="")
    heads = [head for head in reader.fieldnames or () if head and field(head) is not None]
    if len(heads) < 2:
        raise InputError(
            f"{name} has no columns of a claim in its first line, e.g. hardware,count,hours,energy_kwh"
        )
    claims = []
    for order, row in enumerate(reader, start=1):
        draft = Draft(f"{name}, row {order}")
        for head in heads:
            draft.item(head, row[head].strip())
        if any((row[head] or "").strip() for head in heads):
            claims.append(_named(draft, row).claim())
    if not claims:
        raise InputError(f"{name} has no rows below its head")
    return claims


def _named(draft: Draft, row: Mapping[str, str]) -> Draft:
    for column in ("model", "name", "id"):
        if row.get(column):
            draft.values["name"] = row[column]
            break
    return draft


def _card(text: str, name: str) -> list[Claim]:
    """Claim of a Markdown card: what its front matter says counts, then its words."""
    matter = re.match(r"\s*---\s*\n(.*?)\n---\s*(?:\n|$)", text, re.DOTALL)
    draft = Draft(name)
    body = text
    if matter:
        data = _yaml_data(matter[1], name)
        body = text[matter.end() :]
        if isinstance(data, dict):
            _take(draft, data, card=True)
    for row in _ROW.finditer(_without_code(body)):
        _row(draft, row[1].strip(), row[2].strip("* |"))
    draft.prose(prose.clean(_without_code(body)))
    return [draft.claim()]


def _row(draft: Draft, key: str, value: str) -> None:
    """Take a row such as "- **Hours used:** 240" of a card, where its key and value are those of a claim."""
    known = field(key)
    if known is None or known.name in ("text", "name", "kind", "net", "measured") or not value:
        return
    if known.kind and not re.match(r"[~≈<>]?\s*[\d.]", value):
        return
    with contextlib.suppress(InputError):  # a row of words, which the text is read for
        draft.item(key, value)


def _without_code(body: str) -> str:
    return re.sub(r"```.*?```", " ", body, flags=re.DOTALL)


def _latex(text: str, name: str) -> list[Claim]:
    draft = Draft(name)
    draft.prose(prose.clean(text, latex=True))
    return [draft.claim()]


def _plain(text: str, name: str) -> list[Claim]:
    draft = Draft(name)
    draft.prose(prose.clean(text, latex="\\" in text or "$" in text))
    return [draft.claim()]


def _take(draft: Draft, data: Mapping[str, Any], *, card: bool) -> None:
    """Read a mapping key by key, the nested ones too."""
    for key, value in _pairs(data):
        if key_of(key) == _CARD_KEY:
            _card_emissions(draft, value)
        elif isinstance(value, Mapping):
            _nested(draft, key, value, card=card)
        elif isinstance(value, list):
            _listed(draft, key, value, card=card)
        elif not card or field(key) is None or field(key).name != "name":  # type: ignore[union-attr]
            draft.item(str(key), value)
        else:
            draft.values.setdefault("name", str(value))


def _pairs(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from ((str(key), value) for key, value in data.items())


def _nested(draft: Draft, key: str, value: Mapping[str, Any], *, card: bool) -> None:
    """A value with its unit, or a group of keys under a heading."""
    lower = {str(one).lower(): inner for one, inner in value.items()}
    if "value" in lower:
        unit = str(lower.get("unit", lower.get("units", "")) or "")
        number = lower["value"]
        written = f"{number} {unit}".strip() if unit else number
        draft.item(key, written)
        return
    for inner_key, inner in value.items():
        joined = f"{key}_{inner_key}"
        own = field(str(inner_key))
        if isinstance(inner, Mapping):
            _nested(draft, str(inner_key), inner, card=card)
        elif own is not None and own.name != "name":
            draft.item(str(inner_key), inner)
        elif field(joined) is not None:
            draft.item(joined, inner)


def _listed(draft: Draft, key: str, value: list[Any], *, card: bool) -> None:
    if value and all(isinstance(one, Mapping) for one in value):
        _nested(draft, key, value[0], card=card)
        if "hardware" in key.lower() and len(value) > 1:
            draft.words.append("several kinds of hardware")
    elif value and all(isinstance(one, str) for one in value) and not card:
        draft.item(key, ", ".join(value))


def _card_emissions(draft: Draft, value: Any) -> None:
    """Emissions of a model card, in grams; a text with another unit keeps both readings."""
    inner = value.get("emissions") if isinstance(value, Mapping) else value
    if isinstance(value, Mapping):
        for key, one in value.items():
            if key == "emissions":
                continue
            if key in ("source", "training_type"):
                draft.words.append(str(one).lower())
            draft.item("kind" if key == "training_type" else str(key), one)
    if inner is not None:
        draft.item("emissions_g", inner)
        draft.given["emissions_kg"] = f"co2_eq_emissions: {inner} (grams)"


_READERS = {"yaml": _yaml, "json": _json, "csv": _csv, "card": _card, "latex": _latex, "plain": _plain}

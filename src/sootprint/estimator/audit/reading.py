"""A claim put together from what was read: the first number of a field counts, a second one is kept beside it."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any

from sootprint.catalogue import hardware, tables
from sootprint.core.errors import InputError
from sootprint.estimator.audit import places, prose
from sootprint.estimator.audit.amounts import UNITS, Amount, amount
from sootprint.estimator.audit.claim import Claim
from sootprint.estimator.audit.fields import Field, field

DEFAULT_UNITS = {"energy": "kwh", "mass": "kg", "power": "w", "time": "hour", "intensity": "g/kwh"}
NEEDS_UNIT = ("energy", "mass", "intensity")
_KG_PER_KWH_UP_TO = 3.0  # a number without a unit up to here is kg/kWh: no grid has 3 g/kWh, none 3 kg/kWh
_KINDS = (
    ("search", r"\bnas\b|architecture search|\bsearch\b|hyper-?parameter"),
    ("distil", r"distil"),
    ("finetune", r"fine-?\s?tun|finetun|\bsft\b|instruction|lora"),
    ("inference", r"inference|serving|deploy"),
    ("development", r"\bdev(elopment)?\b|ablation|dev_total"),
    ("pretrain", r"pre-?train|^train(ing)?$|^train_family$"),
)
_ARCHITECTURES = (
    (
        "encdec",
        r"enc(oder)?[-_ ]?(and )?dec(oder)?\b|encoder-decoder|seq2seq|sequence-to-sequence|\bm?t5\b|\bbart\b",
    ),
    ("moe", r"mixture[- ]of[- ]experts|\bmoe\b|switch transformer|sparsely[- ]gated"),
    ("vision", r"\bvision\b|\bvit\b|convnet|\bcnn\b|resnet|diffusion"),
    ("dense", r"dense|decoder[- ]only|\bgpt\b|causal"),
)
_PRECISIONS = (
    r"\b(fp8|float8|e4m3|int8|bf16|bfloat16|fp16|float16|half|tf32|fp32|float32|mixed[- ]precision)\b"
)
_NET = (
    r"\bnet\b|market[- ]based|renewable|\bcfe\b|carbon[- ]free|\bppa\b|certificate|\brecs?\b"
    r"|green (power|tariff)"
)


class Draft:
    """What was read of one claim, field by field."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.values: dict[str, Any] = {"where": where}
        self.roundings: dict[str, float] = {}
        self.given: dict[str, str] = {}
        self.other: dict[str, tuple[float, ...]] = {}
        self.unitless: set[str] = set()
        self.words: list[str] = []
        self.provider: str | None = None

    def item(self, key: str, value: Any, *, unit: str = "") -> bool:
        """Whether a key and its value were understood as a field."""
        known = field(key)
        if known is None or value is None or value == "" or isinstance(value, bool):
            return False
        if known.name == "count" and isinstance(value, str) and prose.device(value):
            known = Field("hardware")
        if known.kind:
            return self._number(known, value, key=key, unit=unit)
        self._words(known.name, str(value))
        return True

    def number(self, name: str, found: Amount, *, unit_stated: bool = True) -> None:
        """Keep a number; where the field has one already, it is kept beside it."""
        if name not in self.values:
            self.values[name] = found.value
            self.roundings[name] = found.rounding
            self.given[name] = found.text
            if not unit_stated:
                self.unitless.add(name)
        elif found.value != self.values[name]:
            self.other[name] = (*self.other.get(name, ()), found.value)

    def prose(self, text: str) -> None:
        """Read numbers, devices and words of a running text."""
        self.words.append(text.lower())
        for name, found in prose.numbers(text):
            self.number(name, found)
        self._device(text)
        place = None if "place" in self.values else places.in_text(text)
        if place:
            self.values["place"] = place
        year = re.search(r"\b(?:in|during|of|since)\s+(?:[A-Z][a-z]+\s+)?(20[012]\d)\b", text)
        if year and "year" not in self.values:
            self.values["year"] = int(year[1])

    def claim(self) -> Claim:
        """The claim.

        Raises:
            InputError: It has no number that can be checked, or one that cannot be.
        """
        self._derive()
        made = Claim(
            **self.values,
            roundings=self.roundings,
            given=self.given,
            other=self.other,
            unitless=frozenset(self.unitless),
            words=" ".join(" ".join(self.words).split())[:20000],
        )
        if not made.has_numbers:
            raise InputError(
                f"{self.where} has no number that can be checked: state at least emissions or "
                f"energy with a unit, "
                "and hardware with hours"
            )
        return made

    def _number(self, known: Field, value: Any, *, key: str, unit: str) -> bool:
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(
                f"{self.where}, {key}: it is {value}: give a number, or leave it out where it is not known"
            )
        text = value if isinstance(value, str) else _written(value)
        if not isinstance(value, str | int | float) or not re.search(r"\d", text):
            return False
        stated = unit or known.unit
        if known.kind == "plain" and known.unit:
            text = f"{text} {known.unit}" if re.fullmatch(r"[\d.,eE+-]+", text.strip()) else text
            stated = ""
        found = amount(text, known.kind, unit=stated or DEFAULT_UNITS.get(known.kind, ""))
        if found is None:
            raise InputError(
                f"{self.where}, {key}: {text!r:.60} has a unit that is not one of {_units(known.kind)}"
            )
        if known.name == "mfu" and found.value > 1.5:  # 43 for 43 %
            found = found._replace(value=found.value / 100.0)
        unit_stated = bool(found.unit or stated) or known.kind not in NEEDS_UNIT
        if known.kind == "intensity" and not unit_stated and 0.0 < found.value <= _KG_PER_KWH_UP_TO:
            found = found._replace(value=found.value * UNITS["intensity"]["kg/kwh"])
        if found.unit and stated and UNITS[known.kind].get(found.unit) != UNITS[known.kind].get(stated):
            self.words.append(f"unit of {known.name} is written twice")
            as_key = found.value / UNITS[known.kind][found.unit] * UNITS[known.kind][stated]
            self.number(known.name, found._replace(value=as_key))
        self.number(known.name, found._replace(text=f"{key}: {text}"), unit_stated=unit_stated)
        return True

    def _words(self, name: str, text: str) -> None:
        cleaned = prose.clean(text)
        lower = cleaned.lower()
        if name in ("net", "text", "kind", "architecture", "precision", "energy_scope"):
            self.words.append(lower)
        if name == "hardware":
            self._hardware(cleaned)
        elif name == "text":
            self.prose(cleaned)
        elif name == "year":
            found = re.search(r"\b(19|20)\d\d\b", text)
            if found and "year" not in self.values:
                self.values["year"] = int(found[0])
        elif name == "net":
            self._scope_of_emissions(lower)
        elif name == "measured":
            self.values["measured"] = self.values.get("measured", False) or (
                "measured" in lower and "proxy" not in lower
            )
            if re.search(r"\btdp\b|rated", lower):
                self.words.append("power is the rated power")
        elif name == "energy_scope":
            self.values["energy_scope"] = _scope(lower)
        elif name == "provider":
            self.provider = lower.strip()
        else:
            self.values.setdefault(name, cleaned.strip())

    def _hardware(self, text: str) -> None:
        found = prose.device(text)
        if found is None:
            self.values.setdefault("hardware", text.strip())
            self._count_alone(text)
        self.prose(text)

    def _count_alone(self, text: str) -> None:
        """Number before an accelerator that no table has, e.g. "16 x NewChip"."""
        found = re.match(r"\s*(\d+)\s*[x×*]\s*\w", text)
        counted = amount(found[1], "plain") if found else None
        if counted is not None:
            self.number("count", counted)

    def _device(self, text: str) -> None:
        found = prose.device(text)
        if found is not None and "hardware" not in self.values:
            self.values["hardware"] = found[0]
        if found is not None and found[1] is not None:
            self.number("count", found[1])

    def _scope_of_emissions(self, lower: str) -> None:
        plain = re.sub(r"\([^)]*\)", " ", lower)
        gross = re.search(r"gross|location[- ]based", plain)
        if re.search(_NET, plain) and not gross and "gross=net" not in lower:
            self.values["net"] = True
        elif gross:
            self.values["net"] = False
        zero = re.search(r"market[- ]based\W{0,3}0(?:\.0+)?\b", lower)
        if zero:
            self.number("market_based_kg", Amount(0.0, 0.0, zero[0], ""))

    def _derive(self) -> None:
        """Fields that words tell: kind, architecture, precision, and the place of a cloud region."""
        words = " ".join([*self.words, str(self.values.get("name", "")).lower()])
        self._choose("kind", _KINDS, words, whole=False)
        self._choose("architecture", _ARCHITECTURES, words, whole=True)
        precision = re.search(_PRECISIONS, str(self.values.get("precision", "")).lower() or words)
        if precision:
            self.values["precision"] = precision[1]
        else:
            self.values.pop("precision", None)
        if self.provider and "place" in self.values and "/" not in str(self.values["place"]):
            self.values["place"] = f"{self.provider} {self.values['place']}"
        if "count" in self.values and "hardware" not in self.values:
            self.values["hardware"] = None

    def _choose(self, name: str, known: tuple[tuple[str, str], ...], words: str, *, whole: bool) -> None:
        own = str(self.values.get(name, "")).lower()
        found = next((one for one, pattern in known if own and (one == own or re.search(pattern, own))), None)
        if found is None and whole:
            found = next((one for one, pattern in known if re.search(pattern, words)), None)
        if name == "kind" and found is None and not own:
            found = next(
                (one for one, pattern in known[:1] if re.search(r"\bnas\b|architecture search", words)), None
            )
        if "family" in own:
            self.values.setdefault("models", 0)
        self.values[name] = found or ("other" if own else None)


def known_device(name: str | None) -> hardware.Accelerator | None:
    """Accelerator of the catalogue that a claim names, or None."""
    return _known_device(name, tables.stamp()) if name else None


@lru_cache(maxsize=4096)
def _known_device(name: str, _: object) -> hardware.Accelerator | None:
    found = hardware.find_accelerator(name)
    if found is None:
        named = prose.device(name)
        found = hardware.find_accelerator(named[0]) if named else None
    return found


def _scope(text: str) -> str | None:
    if re.search(r"facility|pue|site|data ?cent", text):
        return "facility"
    if re.search(r"node|server|system|host|wall", text):
        return "node"
    return "accelerator" if re.search(r"gpu|accelerator|chip|tpu|device", text) else None


def _written(value: Any) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _units(kind: str) -> str:
    return ", ".join(one for one in UNITS[kind] if one) or "a plain number"

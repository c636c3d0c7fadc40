"""Numbers in running text: a card's free fields, a LaTeX or plain-text statement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from sootprint.catalogue import tables
from sootprint.estimator.audit.amounts import NUMBER, Amount, amount

_SCALE = r"(?:\s?(?:k|K|M|B|T|thousand|million|billion|trillion)(?![A-Za-z]))?"
_N = rf"(?<![\w.,/-])(?:{NUMBER}){_SCALE}"
_MASS = r"(?:metric\s+)?(?:kilograms?|grams?|tonnes?|tons?|pounds?|lbs?|[kMm]?g|k?t)"
_CO2 = r"(?:of\s+)?(?:CO_?2|carbon)"
_DEVICE = r"(?:GPUs?|TPUs?|NPUs?|chips?|devices?|accelerators?|cards?|[AVHPB]\d00s?|MI\d{3}X?)"
_TIME = r"(?:hours?|hrs?|h|days?|weeks?|minutes?|mins?)"
_LATEX = (
    (r"(?<!\\)%.*", " "),
    (r"\\(?:SI|qty)\{([^{}]*)\}\{([^{}]*)\}", r"\1 \2"),
    (r"\\num\{([^{}]*)\}", r"\1"),
    (r"\\(?:text|mathrm|mathit|textbf|textit|emph|ce|textsubscript)\s*\{([^{}]*)\}", r"\1"),
    (r"\\kilo\\watt\\hour|\\kWh", "kWh"),
    (r"\\tonne", "t"),
    (r"\{,\}", ","),
    (r"\\[,;:!]|\\ |~", " "),
    (r"\\times|\\cdot", "×"),
    (r"\\%", "%"),
    (r"\\(?:texttimes)\s?", "×"),
    (r"[$]", ""),
    (r"CO_?\s*\{?2\}?", "CO2"),
)


class Found(NamedTuple):
    """A number found in text: field of the claim and what was written."""

    field: str
    amount: Amount


def clean(text: str, *, latex: bool = False) -> str:
    r"""Text without markup that would stand between a number and its unit.

    >>> clean(r"\SI{24.69}{t} of CO$_2$e", latex=True)
    '24.69 t of CO2e'
    """
    if latex:
        for pattern, plain in _LATEX:
            text = re.sub(pattern, plain, text)
    text = text.replace("CO₂", "CO2").replace("CO<sub>2</sub>", "CO2").replace("\u00a0", " ")
    text = re.sub(r"CO_?\{?2\}?", "CO2", text)
    return re.sub(r"[*`]+|<[^<>]{1,80}>", " ", text)


def numbers(text: str) -> Iterator[Found]:
    """Numbers of a claim in a text, those with the most telling unit first.

    Args:
        text: Text that `clean` made.
    """
    for name, kind, pattern in _PATTERNS:
        spans = []
        for match in pattern.finditer(text):
            written = match["n"] + (f" {match['u']}" if "u" in match.re.groupindex else "")
            found = amount(written, kind)
            field = name or _based(text, match)
            if found is not None and field and not _of_something_else(text, match, field):
                yield Found(field, found._replace(text=" ".join(match[0].split())[:80]))
                spans.append(match.span())
        for start, end in spans:  # a number is one thing: what was read is not read again
            text = text[:start] + "\n" * (end - start) + text[end:]


def _compiled(name: str, kind: str, pattern: str) -> tuple[str, str, re.Pattern[str]]:
    return name, kind, re.compile(pattern, re.IGNORECASE)


_PATTERNS = (
    _compiled(
        "intensity_g_per_kwh",
        "intensity",
        rf"(?P<n>{_N}\s*(?:k?g|t|lbs?)\s*(?:{_CO2})?[-\w.]*\s*(?:/|per)\s*[kM]Wh)",
    ),
    _compiled("energy_kwh", "energy", rf"(?P<n>{_N}\s*(?:TWh|GWh|MWh|kWh|Wh|GJ|MJ|kJ))\b"),
    _compiled("", "mass", rf"(?P<n>{_N}\s*{_MASS})\s*-?\s*{_CO2}[-\w]*"),
    _compiled("", "mass", rf"(?:emi\w+|footprint|CO2\w*)[^.\n\d]{{0,40}}?(?P<n>{_N}\s*{_MASS})(?![\w/])"),
    _compiled(
        "pue", "plain", rf"(?:PUE|power usage effectiveness)(?:\s*\(PUE\))?[^.\d\n]{{0,25}}?(?P<n>{NUMBER})"
    ),
    _compiled("mfu", "ratio", rf"(?P<n>{_N}\s*(?:%|percent))\s*(?:model\s*)?(?:MFU|FLOPS? utili[sz]ation)"),
    _compiled(
        "mfu",
        "ratio",
        rf"(?:MFU|FLOPS? utili[sz]ation)(?:\s*\(MFU\))?[^.,;\d\n]{{0,20}}?(?P<n>{NUMBER}\s*%?)",
    ),
    _compiled("flops", "flops", rf"(?P<n>{_N}\s*(?:pf|peta-?flops?)(?:/s)?[- ]days?)"),
    _compiled(
        "peak_tflops",
        "peak",
        rf"(?P<n>{_N}\s*[GTP]FLOPS?)(?:/s|\s+per second|\s+peak|\s+\(?(?:sparse|dense))",
    ),
    _compiled("peak_tflops", "peak", rf"peak[^.\d\n]{{0,40}}?(?P<n>{_N}\s*[GTP]FLOPS?)"),
    _compiled(
        "flops",
        "flops",
        rf"(?P<n>{_N}\s*(?:[GTPEZY]|giga|tera|peta|exa|zetta|yotta)?-?FLOPs?)(?!/s|\s*per|\s*util)\b",
    ),
    _compiled("flops", "flops", rf"FLOPs?(?! utili)[^.,;\d\n]{{0,20}}?(?P<n>{_N})(?!\s*%)"),
    _compiled(
        "device_hours",
        "time",
        rf"(?P<n>{_N})[- ]*(?:NVIDIA\s+)?(?:[\w-]+[ -]){{0,3}}?{_DEVICE}[- ]*(?P<u>{_TIME})\b",
    ),
    _compiled("device_hours", "time", rf"{_DEVICE}[- ](?P<u>{_TIME})\s*(?:\w+\s*)?[:=|]\s*(?P<n>{_N})"),
    _compiled("device_hours", "time", rf"cumulative\s+(?:total\s+)?of\s+(?P<n>{_N})\s*(?P<u>{_TIME})\b"),
    _compiled("wall_hours", "time", rf"(?P<n>{_N})[- ]*(?P<u>{_TIME})\b(?!\s*(?:per|of use|ago))"),
    _compiled(
        "power_cap_w",
        "power",
        rf"(?:power[- ]?(?:cap|limit)\w*|capp?ed|limited)[^.\d\n]{{0,20}}?(?P<n>{_N}\s*k?W)\b",
    ),
    _compiled(
        "rated_power_w",
        "power",
        rf"(?:TDP|rated power|thermal design power|power capacity)[^.\d\n]{{0,25}}?(?P<n>{_N}\s*k?W)\b",
    ),
    _compiled("rated_power_w", "power", rf"(?P<n>{_N}\s*k?W)\s*\(?(?:TDP|rated)"),
    _compiled("power_w", "power", rf"(?P<n>{_N}\s*k?W(?:atts?)?)\s*(?:per|/)\s*{_DEVICE}"),
    _compiled(
        "power_w",
        "power",
        rf"(?:mean|average|avg\.?) (?:\w+ )?(?:power|draw)[^.\d\n]{{0,25}}?(?P<n>{_N}\s*k?W)\b",
    ),
    _compiled("active_params", "plain", rf"(?P<n>{_N})\s*(?:active|activated)\b"),
    _compiled("active_params", "plain", rf"(?:activat\w+|active)[^.\d\n]{{0,20}}?(?P<n>{_N})[- ]*param"),
    _compiled("params", "plain", rf"(?P<n>{_N})[- ]*(?:trainable |model )?param"),
    _compiled("tokens", "plain", rf"(?P<n>{_N})\+?[- ]*(?:\w+ )?tokens\b"),
)


def _based(text: str, match: re.Match[str]) -> str:
    """Field of a mass of carbon: market-based where the words beside it say so, nothing where it was offset."""
    after = re.split(r"\d|\.\s|;", text[match.end() : match.end() + 45])[0].lower()
    before = re.split(r"\d|\.\s|;", text[max(0, match.start() - 45) : match.start()])[-1].lower()
    if re.search(r"offset|compensat|saved|avoid|embodied", before):
        return ""
    for near in (after, before):
        if "market" in near and "location" not in near:
            return "market_based_kg"
        if "location" in near:
            return "emissions_kg"
    return "emissions_kg"


def _of_something_else(text: str, match: re.Match[str], field: str) -> bool:
    """Whether the words beside a number say that it is no total: per request, a comparison, offset."""
    after = text[match.end() : match.end() + 14].lower()
    if field in ("energy_kwh", "emissions_kg", "market_based_kg") and re.match(r"\s*(/|per\b)", after):
        return True
    return bool(field == "wall_hours" and re.match(r"\s*(?:a|per) (?:day|week)", after))


@cache
def _devices() -> re.Pattern[str]:
    """Names of accelerators as people write them, the longest first."""
    known = (row["alias"] for row in tables.all_rows("accelerator_names") if row["name"])
    aliases = sorted(known, key=len, reverse=True)
    named = (
        one for one in aliases if (re.search(r"[A-Za-z]", one) and len(one) > 2) or one in ("T4", "L4", "A2")
    )
    loose = (r"[-_ ]?".join(re.escape(part) for part in re.split(r"[-_ ]", one)) for one in named)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(loose)})(?:s\b|(?![\w]))", re.IGNORECASE)


def device(text: str) -> tuple[str, Amount | None] | None:
    """First accelerator that a text names, and how many of them.

    >>> device("8 x NVIDIA A100, 240 hours")
    ('NVIDIA A100', Amount(value=8.0, rounding=0.0625, text='8', unit=''))
    """
    match = _devices().search(text)
    if match is None:
        return None
    name = match[0].removesuffix("s") if not match[0].lower().endswith("gpus") else match[0][:-1]
    before = re.search(
        rf"({_N})\s*(?:[x×*]|of)?\s*(?:\w+\s+)?(?:NVIDIA|Google|AMD|Intel|Tesla|Cloud)?\s*$",
        text[max(0, match.start() - 50) : match.start()],
        re.IGNORECASE,
    )
    if before is None:
        after = re.match(
            rf"[^.\d\n]{{0,8}}[x×*]\s*({NUMBER})|\s*\(\s*({NUMBER})\s*(?:x|GPUs|chips|devices)?\s*\)",
            text[match.end() :],
        )
        counted = (after[1] or after[2]) if after else None
    else:
        counted = before[1]
    if counted is None:
        named = re.search(
            rf"(?P<n>{_N})\s*(?:GPUs|TPUs|chips|accelerators|devices)\b(?![- ]*{_TIME})", text, re.IGNORECASE
        )
        counted = named["n"] if named else None
    found = amount(counted, "plain") if counted else None
    return name, found if found and found.value == int(found.value) and found.value >= 1 else None

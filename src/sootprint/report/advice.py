"""Sections on the advice that a record keeps: what would make the next run emit less, and what following it saved."""

from __future__ import annotations

from sootprint.charts.advised import Advised, advised, followed, time_words, together
from sootprint.charts.scale import MASS, percent
from sootprint.core.letters import clean
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint
from sootprint.report import figures, words
from sootprint.report.parts import Section, table

COLUMNS = ("Measure", "Share", "90 % interval", "CO2e", "Time", "Evidence")


def sections(footprint: Footprint) -> tuple[Section, ...]:
    """What `sootprint advise --keep` and `--score` stored, where a record has it."""
    return (*_advice(footprint), *_score(footprint))


def _advice(footprint: Footprint) -> tuple[Section, ...]:
    found = advised(footprint)
    if not found:
        return ()
    caption = "What each measure alone would save of the emissions of this run, or plan"
    shown = table(caption, COLUMNS, [_row(one) for one in found], numbers=(1, 2, 3, 4))
    lead = "Savings are not added up: what one measure leaves, the next acts on."
    chosen = together(footprint)
    if chosen is not None:
        names, share = chosen
        verb = "saves" if len(names) == 1 else "together save"
        told = f"Chosen: {clean(', '.join(map(_plain, names)))}, which {verb} {percent(share.value)}"
        lead = f"{told}{_in_brackets(share)}. {lead}"
    items = tuple(clean(f"{_plain(one.name)}: {one.action}.") for one in found if one.action)
    return (
        Section(
            key="advice", title="What would make the next run emit less", lead=lead, table=shown, items=items
        ),
    )


def _row(one: Advised) -> tuple[str, ...]:
    return (
        _plain(one.name),
        percent(one.share.value),
        _interval(one.share),
        figures.amount(one.kg, MASS),
        time_words(one.time_factor, one.wait_h),
        one.tier,
    )


def _score(footprint: Footprint) -> tuple[Section, ...]:
    found = followed(footprint)
    if found is None:
        return ()
    rows = [
        (name, percent(share.value), _interval(share))
        for name, share in (("As predicted", found.predicted), ("As measured", found.measured))
    ]
    per = found.per.removesuffix("s") or "run"
    caption = f"Saving per {per} against run {found.against[-8:] or figures.NOT_KNOWN}"
    lead = f"Followed: {', '.join(map(_plain, found.names)) or figures.NOT_KNOWN}. {words.capital(found.verdict)}"
    return (
        Section(
            key="followed",
            title="What following the advice saved",
            lead=f"{clean(lead).rstrip('. ')}.",
            table=table(clean(caption), ("", "Share", "90 % interval"), rows, numbers=(1, 2)),
        ),
    )


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _interval(share: Quantity) -> str:
    if share.low is None or share.high is None:
        return figures.NOT_KNOWN
    return f"{percent(share.low)} to {percent(share.high)}"


def _in_brackets(share: Quantity) -> str:
    return "" if share.low is None or share.high is None else f" ({_interval(share)})"

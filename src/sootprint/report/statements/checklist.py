"""Answers to the checklists of venues and standards, made of a record's facts: copy, look, and hand in.

Source:
    NeurIPS paper checklist, question 8: does the paper tell the type of compute workers, the memory and the time of
    execution, answered by Yes, No or NA (a paper without experiments) with a justification; its style has the macros
    answerYes, answerNo and answerNA. ACL Rolling Review, responsible NLP checklist, C1 (parameters, total budget,
    infrastructure); ITU-T L.1801 (2026), life-cycle stages of AI systems; ISO/IEC 21031:2024, disclosure of score,
    boundary and method.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import NamedTuple

from sootprint.charts.scale import MASS
from sootprint.core.errors import InputError
from sootprint.core.letters import clean
from sootprint.core.records import Footprint, Model
from sootprint.report import figures, words
from sootprint.report.carbon import place_in_words, source_of
from sootprint.report.parts import Section
from sootprint.report.statements import facts, sci, sci_page
from sootprint.report.statements.document import Statement
from sootprint.report.statements.facts import Fact, Lack
from sootprint.report.statements.numbers import two_figures

_BILLION = 1e9


class Answer(NamedTuple):
    """Answer to one question.

    Args:
        key: Short name, e.g. neurips.
        question: Who asks, and what.
        text: Paragraph made of the record's facts; of a question that is answered by a word its justification.
        lacks: What it wants and the record does not tell.
        answer: Yes where the record tells all that the question names, else No; None where it wants no such word.
    """

    key: str
    question: str
    text: str
    lacks: tuple[Lack, ...]
    answer: str | None = None


def answers(footprint: Footprint) -> tuple[Answer, ...]:
    """Answers of a record, in the order of the page."""
    return (_neurips(footprint), _arr(footprint), _itu(footprint), _sci(footprint))


def statement(footprint: Footprint) -> Statement:
    """All answers, the facts that they are made of, and what the record lacks."""
    found, told = answers(footprint), tuple(facts_of(footprint))
    lacking = facts.of_run((lack for one in found for lack in one.lacks), footprint)
    listed = facts.listed_lacks(lacking)
    sections = [
        Section(key=one.key, title=one.question, lead=_lead(one), items=tuple(_missing(one))) for one in found
    ]
    sections.append(facts.listed_facts(told, "What the answers are made of"))
    return Statement(
        title=f"Checklist answers: {facts.named(footprint) or f'run {footprint.id[-8:]}'}",
        lead="Made of one record; read each answer before you hand it in. "
        "What the record does not tell is not in the answers but in the last list.",
        sections=(*sections, *([listed] if listed else [])),
        data={
            "checklist": {
                "footprint": footprint.id,
                "answers": [
                    {
                        "key": one.key,
                        "question": one.question,
                        "answer": one.answer,
                        "text": one.text,
                        "lacks": [lack.what for lack in one.lacks],
                    }
                    for one in found
                ],
                "facts": [one._asdict() for one in told],
                "lacks": [one._asdict() for one in lacking],
            }
        },
    )


def facts_of(footprint: Footprint) -> Iterator[Fact]:
    """Facts of a record with the field and evidence of each."""
    model, place = footprint.model or Model(), footprint.place
    listed = (
        ("Model", facts.named(footprint), "model.name" if model.name else "name"),
        ("Parameters", _params(footprint), "model.params, as stated"),
        ("Stage", None if footprint.stage == "other" else facts.training(footprint), "stage, as stated"),
        ("Devices", facts.devices(footprint), "hardware"),
        ("Infrastructure", facts.infrastructure(footprint), _infra_origin(footprint)),
        ("Wall time", _wall(footprint), _time_origin(footprint)),
        ("Device time", facts.device_time(footprint), "device_hours"),
        ("Energy", facts.energy_in_words(footprint), f"energy_kwh: {facts.obtained(footprint)}"),
        ("Emissions", _emitted(footprint), f"emissions_kg: {facts.emitted_how(footprint)}"),
        ("PUE", _pue(footprint), _factor_origin(footprint, "pue")),
        ("Intensity", _intensity(footprint), _factor_origin(footprint, "intensity")),
        ("Place", place_in_words(place) if place.zone else None, _place_origin(footprint)),
        ("Evidence", footprint.grade, f"grade: {words.GRADES[footprint.grade or 'E']}"),
        ("Scope", words.SCOPES[footprint.scope], "scope"),
    )
    for name, text, origin in listed:
        if text is not None:
            yield Fact(name, clean(text), clean(origin))


def _lead(one: Answer) -> str:
    """Word and justification as two paragraphs, or the paragraph alone."""
    return one.text if one.answer is None else f"Answer: [{one.answer}]\n\nJustification: {one.text}"


def _missing(one: Answer) -> Iterator[str]:
    if one.lacks:
        yield f"The answer lacks {', '.join(lack.what for lack in one.lacks)}."
    else:
        yield "Everything that is asked stands in the answer."
    if one.key == "neurips":
        yield f"In the LaTeX style of NeurIPS the answer is \\answer{one.answer}{{}}."


def _word(lacks: Iterable[Lack], named: Container[Lack]) -> str:
    """Yes where nothing that a question names is lacking, else No."""
    return "No" if any(one in named for one in lacks) else "Yes"


def _neurips(footprint: Footprint) -> Answer:
    told = [_subject(footprint), _took(footprint), _drew(footprint), _whole_project(footprint)]
    lacks = [one for one in facts.lacks_of_run(footprint) if one not in (facts.PUE, facts.PLACE)]
    if facts.infrastructure(footprint) is None:
        lacks.append(INFRASTRUCTURE)
    if not _has_memory(footprint):
        lacks.append(MEMORY)
    if not any(one.kind == "storage" for one in footprint.hardware):
        lacks.append(STORAGE)
    if footprint.scope == "final_run":
        lacks.append(facts.PROJECT)
    question = "NeurIPS checklist, question 8: experiments' compute resources"
    answer = _word(lacks, (facts.HARDWARE, facts.COUNT, facts.TIME, MEMORY))
    return Answer("neurips", question, " ".join(filter(None, told)), tuple(lacks), answer)


INFRASTRUCTURE = Lack(
    "whether the machines are an internal cluster or a cloud provider",
    "`sootprint tag RUN boamps.infra=onPremise` (or publicCloud, privateCloud); a zone such as aws/us-east-1 tells it",
)
MEMORY = Lack("the memory", "measure with `sootprint run -- COMMAND`, or say it in your own words")
STORAGE = Lack("the storage", "no option adds it: say it in your own words if it matters")


def _subject(footprint: Footprint) -> str:
    """Who was trained on what and where, as one sentence."""
    on, at = facts.devices(footprint), facts.infrastructure(footprint)
    if on is None:
        return "The devices of the run are not recorded."
    what = facts.named(footprint)
    of = f" of {what}" if what else ""
    memory = "" if _has_memory(footprint) else " The memory is not recorded."
    return f"The {facts.training(footprint)}{of} ran on {on}{f', {at}' if at else ''}.{memory}"


def _has_memory(footprint: Footprint) -> bool:
    return any(one.memory_gb is not None for one in footprint.hardware)


def _took(footprint: Footprint) -> str:
    wall, spent = _wall(footprint), facts.device_time(footprint)
    if wall is None and spent is None:
        return "The time that it took is not recorded."
    if wall is None:
        return f"It took {spent}."
    return f"It took {wall} of wall time{f', which is {spent}' if spent else ''}."


def _drew(footprint: Footprint) -> str:
    """Energy and emissions as one sentence, with how the energy was obtained."""
    energy, kg = facts.energy_in_words(footprint), _emitted(footprint)
    if energy is None:
        return f"It emitted {kg}; its energy is not recorded." if kg else "Its energy is not recorded."
    over = _pue(footprint)
    how = facts.obtained(footprint)
    if kg is None:
        return f"It drew {energy} of electricity, {how}; its emissions are not recorded."
    if facts.is_stated(footprint.emissions_kg):
        return (
            f"It drew {energy} of electricity, {how}, and emitted {kg}, as stated by others{_at(footprint)}."
        )
    pue = f"with a PUE of {over}" if over else "without the facility's overhead"
    return f"It drew {energy} of electricity, {how}, and emitted {kg}, location-based, {pue}{_at(footprint)}."


def _at(footprint: Footprint) -> str:
    """Grid of the emissions, of a place that is not known as well."""
    grid = _intensity(footprint)
    if grid is None:
        return ""
    if footprint.place.zone is not None:
        return f", at {grid} in {clean(place_in_words(footprint.place))}"
    is_given = footprint.intensity_g_per_kwh is not None and footprint.intensity_g_per_kwh.basis == "claimed"
    return (
        f", at a stated {grid}" if is_given else f", at the world's mean of {grid}, as the place is not known"
    )


def _whole_project(footprint: Footprint) -> str:
    inside, outside = facts.staged(footprint)
    if inside or outside:
        return f"These numbers are of a life cycle with the stages {', '.join((*inside, *outside))}."
    if footprint.scope == "project_total":
        return "These numbers are of the whole project, preliminary and failed runs included."
    return "These numbers are of this one run; preliminary and failed runs of the project are not in them."


def _arr(footprint: Footprint) -> Answer:
    params, on, spent = _params(footprint), facts.devices(footprint), facts.device_time(footprint)
    energy, at = facts.energy_in_words(footprint), facts.infrastructure(footprint)
    what, total = facts.named(footprint), "total " if footprint.scope == "project_total" else ""
    told = [
        f"The model{f' {what}' if what else ''} has {params}." if params else "",
        f"The {total}computational budget was {spent}{f' and {energy} of electricity' if energy else ''}."
        if spent
        else f"The run drew {energy} of electricity."
        if energy
        else "",
        f"The infrastructure was {on}{f', {at}' if at else ''}." if on else "",
        _whole_project(footprint),
    ]
    wanted = (facts.HARDWARE, facts.COUNT, facts.TIME, facts.ENERGY_LACK)
    lacks = [] if params else [facts.PARAMS]
    lacks += [one for one in facts.lacks_of_run(footprint) if one in wanted]
    lacks += [facts.PROJECT] if footprint.scope == "final_run" else []
    question = "ARR and ACL checklist, C1: parameters, computational budget, infrastructure"
    answer = _word(lacks, (facts.PARAMS, facts.HARDWARE, facts.COUNT, facts.TIME))
    return Answer("arr", question, " ".join(filter(None, told)), tuple(lacks), answer)


def _itu(footprint: Footprint) -> Answer:
    told, lacks = list(_stages_told(footprint)), []
    if footprint.stage == "other" and not footprint.stages:
        lacks.append(facts.STAGE)
    if footprint.embodied_kg is None:
        lacks.append(facts.EMBODIED)
    if not footprint.stages:
        lacks.append(LIFE_CYCLE)
    told.append(f"Functional unit: {_functional_unit(footprint)}.")
    told.append("Effects: first order only; second and higher order are not assessed.")
    question = "ITU-T L.1801: life-cycle stages that the numbers hold"
    return Answer("itu", question, " ".join(told), tuple(lacks))


def _functional_unit(footprint: Footprint) -> str:
    """What the numbers are of, as one of it."""
    if footprint.stages:
        return "the life cycle of one model, as far as these stages go"
    if footprint.scope == "project_total":
        return "one project with all of its runs"
    return "one training run" if facts.is_training(footprint) else f"one run of {facts.training(footprint)}"


LIFE_CYCLE = Lack("other stages of the life cycle", "`sootprint estimate --stages FILE`")


def _stages_told(footprint: Footprint) -> Iterator[str]:
    if footprint.stages:
        inside, outside = facts.staged(footprint)
        yield f"Stages, operational: {', '.join((*inside, *outside)) or 'none'}."
    else:
        stage = facts.training(footprint)
        stated = ", not stated which" if footprint.stage == "other" else f" ({stage})"
        what, more = ("training", stated) if facts.is_training(footprint) else (stage, "")
        only = "" if footprint.embodied_kg else f" Operational {what} only."
        yield f"Stage: {what}{more}.{only}"
    if footprint.embodied_kg is None:
        yield "Making the hardware and its end of life are not included."
    else:
        made = figures.amount(footprint.embodied_kg, MASS).strip()
        yield f"Making the hardware stands beside it with {made} CO2e; its end of life is not included."


def _sci(footprint: Footprint) -> Answer:
    question = "ISO/IEC 21031 (SCI): score, boundary and method"
    try:
        found = sci.sci(footprint)
    except InputError as err:
        return Answer("sci", question, f"No score can be given: {err}.", (facts.PLACE,))
    told = [
        f"Software Carbon Intensity (ISO/IEC 21031:2024): {'; '.join(map(sci.in_words, found.scores))}.",
        sci.NO_O if found.o_g is None else sci.NO_M if found.m_g is None else "",
        sci_page.included(footprint),
        f"The score is {sci.gross_or_effective(footprint)}.",
    ]
    wanted = (facts.ENERGY_LACK, facts.PLACE, facts.PUE)
    lacks = [facts.EMBODIED] if found.m_g is None else []
    lacks += [one for one in facts.lacks_of_run(footprint) if one in wanted]
    lacks += [facts.TOKENS] if len(found.scores) == 1 else []
    return Answer("sci", question, " ".join(filter(None, told)), tuple(lacks))


def _params(footprint: Footprint) -> str | None:
    params = footprint.model.params if footprint.model else None
    if not params:
        return None
    exact = figures.number(params / _BILLION)
    return f"{exact} billion parameters" if 1e6 <= params < 1e15 else f"{two_figures(params)} parameters"


def _wall(footprint: Footprint) -> str | None:
    return None if footprint.duration_s is None else figures.duration(footprint.duration_s)


def _infra_origin(footprint: Footprint) -> str:
    place = footprint.place
    if place.provider:
        return "place.provider, place.region"
    return f"tags: {facts.INFRA_TAG}" if facts.INFRA_TAG in footprint.tags else "place.source"


def _time_origin(footprint: Footprint) -> str:
    measured = bool(footprint.intervals)
    return f"duration_s: {'measured by the monotonic clock' if measured else 'as stated'}"


def _emitted(footprint: Footprint) -> str | None:
    kg = footprint.emissions_kg
    if kg is None:
        return None
    known = kg.low is not None and kg.high is not None and kg.low != kg.high
    spread = f" (90 % interval {figures.spread(kg, MASS).strip()})" if known else ""
    return f"{figures.amount(kg, MASS).strip()} CO2e{spread}"


def _pue(footprint: Footprint) -> str | None:
    known = footprint.pue is not None and facts.has_pue(footprint)
    return figures.number(footprint.pue.value) if known and footprint.pue else None


def _intensity(footprint: Footprint) -> str | None:
    grid = footprint.intensity_g_per_kwh
    return None if grid is None else figures.amount(grid, figures.plain_unit("g CO2e/kWh"))


def _place_origin(footprint: Footprint) -> str:
    source = footprint.place.source or ""
    return f"place.zone: {words.PLACE_SOURCES.get(source, clean(source) or 'as stated')}"


def _factor_origin(footprint: Footprint, kind: str) -> str:
    told = "; ".join(dict.fromkeys(source_of(one) for one in footprint.factors if one.kind == kind))
    return f"factors: {told}" if told else {"pue": "pue", "intensity": "intensity_g_per_kwh"}[kind]

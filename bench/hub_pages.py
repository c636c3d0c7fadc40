"""What a hub of made records is asked: addresses of pages of each kind, drawn with a seed."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from sootprint.hub import leaderboards
from sootprint.hub.tables import FootprintRow, table_of

SEED = 7
HARDWARE = ("A100", "V100", "H100", "T4", "P100", "RTX 3090", "A40", "L4")
ZONES = ("FR", "DE", "US", "GB", "CN", "IN", "SE", "PL", "CA-QC", "JP", "AU", "BR", "US-CA", "NO", "ZA")
STAGES = ("pretrain", "finetune", "search", "distil", "other")
TASKS = (
    ("Image classification", "ImageNet", "Top-1 accuracy", 70.0),
    ("Machine translation", "WMT14 en-de", "BLEU", 27.0),
    ("Language modelling", "WikiText-103", "Perplexity", 18.0),
    ("Question answering", "SQuAD 2.0", "F1", 86.0),
    ("Object detection", "COCO", "AP", 45.0),
)
MEASURES = ("emissions", "energy")
_rows = table_of(FootprintRow)


def pages(engine: Engine, many: int) -> dict[str, list[str]]:
    """Addresses of many pages of each kind, each with another filter, record or leaderboard."""
    chance = random.Random(SEED)
    keys, models, later = _known(engine, chance, many)
    return {
        "home": ["/"] * many,
        **_lists(chance, later, many),
        "record": [f"/footprints/{key}" for key in keys],
        **_boards(engine, chance, many),
        "trends": [
            f"/trends?{urlencode({'measure': chance.choice(MEASURES), 'stage': chance.choice(STAGES)})}"
            for _ in range(many)
        ],
        "map": [f"/map?by={chance.choice(('records', 'energy', 'intensity'))}" for _ in range(many)],
        "award": [f"/award?{urlencode({'year': chance.randrange(2021, 2025)})}" for _ in range(many)],
        "model": [f"/models/view?{urlencode({'name': one})}" for one in models],
        "quality": ["/quality"] * many,
        "review queue": ["/review"] * many,
        "downloads": ["/downloads"] * many,
        "facets": ["/api/v1/facets"] * many,
        "list of 500": ["/api/v1/footprints?limit=500&view=summary"] * many,
    }


def _lists(chance: random.Random, later: dict[str, list[str]], many: int) -> dict[str, list[str]]:
    def each(make: Callable[[], dict[str, str]]) -> list[str]:
        return [f"/explore?{urlencode(make())}" for _ in range(many)]

    newest, emitting = iter(later["newest"]), iter(later["emissions"])
    words = ("model", "run", "fam")
    return {
        "explore": ["/explore"] * many,
        "explore, a later page": each(lambda: {"cursor": next(newest)}),
        "explore, one filter": each(lambda: _filter(chance)),
        "explore, two filters": each(lambda: _filters(chance)),
        "explore, two frequent filters": each(lambda: _frequent(chance)),
        "explore, words": each(lambda: _words(chance)),
        "explore, words and a filter": each(lambda: _words(chance) | _filter(chance)),
        "explore, one frequent word": each(lambda: {"q": chance.choice(words)}),
        "explore, by emissions or energy": each(lambda: _order(chance)),
        "explore, by emissions, a later page": each(lambda: {"order": "emissions", "cursor": next(emitting)}),
        "explore, a filter by emissions or energy": each(lambda: _order(chance) | _filter(chance)),
    }


def _boards(engine: Engine, chance: random.Random, many: int) -> dict[str, list[str]]:
    known = [
        {"task": one.task, "dataset": one.dataset, "metric": one.metric, "split": one.split}
        for one in leaderboards.boards(engine, 300)
    ]
    names = [known[min(len(known) - 1, int(chance.expovariate(0.1)))] for _ in range(many)]
    view = "/leaderboards/view"
    return {
        "leaderboards": ["/leaderboards"] * many,
        "leaderboard": [f"{view}?{urlencode(one)}" for one in names],
        "leaderboard, the five largest": [f"{view}?{urlencode(known[n % 5])}" for n in range(many)],
        "leaderboard, all evidence": [f"{view}?{urlencode({**one, 'weak': 1})}" for one in names],
        "energy to a target": [f"/leaderboards/target?{urlencode({**one, 'target': 50})}" for one in names],
    }


def _words(chance: random.Random) -> dict[str, str]:
    return {"q": f"model {chance.randrange(900)}"}


def _order(chance: random.Random) -> dict[str, str]:
    return {"order": chance.choice(MEASURES)}


def _known(
    engine: Engine, chance: random.Random, many: int
) -> tuple[list[str], list[str], dict[str, list[str]]]:
    """Ids and models of records all over the hub, and cursors of later pages by the order of the list."""
    shown = _rows.c["seq", "id", "model", "emissions_kg"]
    with engine.connect() as connection:
        n = int(connection.scalar(sa.select(sa.func.max(_rows.c.seq))) or 0)
        seqs = [chance.randrange(1, n + 1) for _ in range(many)]
        by_seq = {row.seq: row for row in connection.execute(sa.select(*shown).where(_rows.c.seq.in_(seqs)))}
    found = [by_seq[seq] for seq in seqs]

    def cursor(*values: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")

    later = {
        "newest": [cursor("newest", row.seq) for row in found],
        "emissions": [cursor("emissions", row.emissions_kg, row.seq) for row in found],
    }
    return [row.id for row in found], [row.model for row in found], later


def _filter(chance: random.Random) -> dict[str, str]:
    return chance.choice(
        (
            {"country": chance.choice(ZONES)[:2]},
            {"year": str(chance.randrange(2018, 2025))},
            {"stage": chance.choice(STAGES)},
            {"evidence": chance.choice("CDE")},
            {"task": chance.choice(TASKS)[0]},
            {"project": f"project {chance.randrange(300)}"},
        )
    )


def _filters(chance: random.Random) -> dict[str, str]:
    return {**_filter(chance), "model": f"model {chance.randrange(900)}"}


def _frequent(chance: random.Random) -> dict[str, str]:
    """Two filters that many records pass each, and both at once some, few or none."""
    country, evidence = chance.choice(ZONES)[:2], chance.choice("CD")
    year, stage = str(chance.randrange(2018, 2025)), chance.choice(STAGES)
    return chance.choice(
        (
            {"country": country, "stage": stage},
            {"evidence": evidence, "year": year},
            {"country": country, "zone": chance.choice(ZONES)},
            {"hardware": "NVIDIA H100 SXM5 80GB", "year": year},
        )
    )

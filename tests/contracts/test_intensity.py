"""What every source of carbon intensity must keep."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from tests.fixtures import grid_server

from sootprint.core import registry
from sootprint.core.errors import IntensityError
from sootprint.core.protocols import IntensitySource, MarginalIntensity
from sootprint.intensity.annual import AnnualSource
from sootprint.intensity.live import Asked
from sootprint.intensity.trace import TraceSource
from sootprint.settings.grid import MARGINAL, SOURCES, Provider

START = datetime(2022, 12, 31, 20, 30, tzinfo=UTC)
END = datetime(2023, 1, 1, 4, 15, tzinfo=UTC)


def hourly(path):
    """A trace of one day around the turn of 2022 to 2023."""
    first = datetime(2022, 12, 31, 12, tzinfo=UTC)
    rows = [f"{(first + timedelta(hours=hour)).isoformat()},{100 + hour}\n" for hour in range(24)]
    path.write_text("timestamp_utc,ci_gco2e_kwh\n" + "".join(rows), encoding="utf-8")
    return path


# What each live source is told; FR is the zone of all questions.
STATED = {
    "carbonintensity_gb": {"zones": {"FR": "GB"}},
    "energy_charts": {},
    "electricitymaps": {},
    "eia": {"zones": {"FR": "CISO"}},
    "entsoe": {"path": "/entsoe"},
    "watttime": {"zones": {"FR": "CAISO_NORTH"}, "user": grid_server.USER},
}
SECRETS = {
    "ELECTRICITYMAPS_API_KEY": grid_server.KEYS["electricitymaps"],
    "EIA_API_KEY": grid_server.KEYS["eia"],
    "ENTSOE_API_KEY": grid_server.KEYS["entsoe"],
    "WATTTIME_PASSWORD": grid_server.PASSWORD,
}


class Marginal:
    """A marginal source asked as the others are, so that one contract holds for all."""

    def __init__(self, inner):
        self.name, self.between = inner.name, inner.marginal_between


@pytest.fixture(params=[*SOURCES, *MARGINAL])
def source(request, tmp_path) -> Iterator[IntensitySource]:
    """Each source in turn, able to answer for FR around the turn of 2022 to 2023; live ones ask a real server."""
    if request.param == "annual":
        yield AnnualSource()
    elif request.param == "trace":
        yield TraceSource(hourly(tmp_path / "fr.csv"), zone="FR")
    else:
        with grid_server.serving() as (known, address):
            stated = dict(STATED[request.param])
            url = address + stated.pop("path", "")
            asked = Asked(
                provider=Provider(name=request.param, url=url, **stated),
                home=tmp_path,
                environ=SECRETS,
                wall_s=known.now.timestamp,
            )
            made = registry.load("sootprint.intensity", request.param)(asked)
            yield Marginal(made) if request.param in MARGINAL else made


def test_name_is_a_word(source):
    """The name is what `--source` takes."""
    assert source.name.isidentifier()


def test_pieces_cover_the_time_in_order(source):
    """The pieces begin at start, end at end, and leave neither hole nor overlap."""
    pieces = source.between("FR", START, END)
    assert pieces[0].start == START
    assert pieces[-1].end == END
    assert all(one.end == other.start for one, other in pairwise(pieces))
    assert all(piece.start < piece.end for piece in pieces)


def test_times_are_utc_whatever_the_time_zone_asked_in(source):
    """The same instants in another time zone give the same pieces."""
    paris = timezone(timedelta(hours=1))
    asked_elsewhere = source.between("FR", START.astimezone(paris), END.astimezone(paris))
    assert list(asked_elsewhere) == list(source.between("FR", START, END))
    assert all(piece.start.tzinfo is UTC and piece.end.tzinfo is UTC for piece in asked_elsewhere)


def test_each_piece_has_a_factor_with_its_origin(source):
    """A figure without unit, method, period or source cannot be checked."""
    for piece in source.between("FR", START, END):
        factor = piece.factor
        assert (factor.kind, factor.unit, piece.zone) == ("intensity", "gCO2e/kWh", "FR")
        assert factor.value is not None
        assert factor.value > 0
        assert factor.method
        assert factor.period
        assert factor.source
        assert factor.low is None or factor.low <= factor.value
        assert factor.high is None or factor.high >= factor.value


def test_marginal_and_average_are_two_types(source):
    """A marginal figure is of a type of its own, and says so in its method; an average is neither."""
    for piece in source.between("FR", START, END):
        assert isinstance(piece, MarginalIntensity) == (source.name in MARGINAL)
        assert piece.factor.method.startswith("marginal" if source.name in MARGINAL else "average")


def test_a_part_is_a_part_of_the_whole(source):
    """A shorter question is answered with the same figures."""
    middle = datetime(2022, 12, 31, 23, tzinfo=UTC)
    values = [piece.factor.value for piece in source.between("FR", START, END)]
    parts = [*source.between("FR", START, middle), *source.between("FR", middle, END)]
    assert {piece.factor.value for piece in parts} == set(values)


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        ("ZZ", START, END),
        ("FR", END, START),
        ("FR", START, START),
        ("FR", START.replace(tzinfo=None), END.replace(tzinfo=None)),
    ],
)
def test_what_cannot_be_answered_is_an_intensity_error(source, zone, start, end):
    """Unknown zones, empty and naive times end in one clear line."""
    with pytest.raises(IntensityError) as caught:
        source.between(zone, start, end)
    assert len(str(caught.value).splitlines()) == 1

"""Trace source: the steps of a file, its gaps, and files that cannot be used."""

import gzip
from datetime import UTC, datetime

import pytest

from sootprint.core.errors import IntensityError
from sootprint.intensity.trace import TraceSource

HALF_HOURS = """timestamp_utc,other,ci_gco2e_kwh
2020-01-01T00:00:00Z,x,100
2020-01-01T00:30:00Z,x,200
2020-01-01T01:00:00Z,x,
2020-01-01T01:30:00Z,x,400
"""


def at(hour: int, minute: int = 0) -> datetime:
    """A time on the first day of 2020."""
    return datetime(2020, 1, 1, hour, minute, tzinfo=UTC)


@pytest.fixture
def trace(tmp_path):
    """A trace of half hours with a gap."""
    path = tmp_path / "trace.csv"
    path.write_text(HALF_HOURS, encoding="utf-8")
    return path


def test_steps_are_cut_at_both_ends(trace):
    """A question from 00:15 to 00:45 has a quarter of an hour of each step."""
    pieces = TraceSource(trace).between("X", at(0, 15), at(0, 45))
    assert [(piece.start, piece.end, piece.factor.value) for piece in pieces] == [
        (at(0, 15), at(0, 30), 100.0),
        (at(0, 30), at(0, 45), 200.0),
    ]


def test_empty_cell_is_a_gap(trace):
    """A missing figure is left out, never 0 and never the last one."""
    pieces = TraceSource(trace).between("X", at(0, 30), at(2))
    assert [piece.factor.value for piece in pieces] == [200.0, 400.0]
    assert (pieces[0].end, pieces[1].start) == (at(1), at(1, 30))


def test_last_step_has_the_usual_length(trace):
    """The file covers half an hour after its last row."""
    assert TraceSource(trace).between("X", at(1, 30), at(5))[-1].end == at(2)


def test_time_outside_the_file_is_refused(trace):
    """The message has the time that the file covers."""
    with pytest.raises(IntensityError, match="covers 2020-01-01T00:00:00"):
        TraceSource(trace).between("X", at(3), at(4))


def test_only_a_gap_is_refused(trace):
    """A question that meets only a gap has no answer."""
    with pytest.raises(IntensityError, match="no figure"):
        TraceSource(trace).between("X", at(1), at(1, 30))


def test_file_of_a_spreadsheet_is_read(tmp_path):
    """Its first letter is a byte order mark."""
    path = tmp_path / "marked.csv"
    path.write_text(HALF_HOURS, encoding="utf-8-sig")
    assert TraceSource(path).between("X", at(0), at(1))


def test_gzipped_file_reads_the_same(trace, tmp_path):
    """A file that ends in .gz is unpacked on reading."""
    packed = tmp_path / "trace.csv.gz"
    packed.write_bytes(gzip.compress(HALF_HOURS.encode()))
    expected = [piece.factor.value for piece in TraceSource(trace).between("X", at(0), at(2))]
    assert [piece.factor.value for piece in TraceSource(packed).between("X", at(0), at(2))] == expected


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("time,value\n", "no column ci_gco2e_kwh, timestamp_utc"),
        ("timestamp_utc,ci_gco2e_kwh\n", "no rows"),
        ("timestamp_utc,ci_gco2e_kwh\nyesterday,1\n", "line 2"),
        ("timestamp_utc,ci_gco2e_kwh\n2020-01-01T00:00Z,many\n", "line 2"),
        ("timestamp_utc,ci_gco2e_kwh\n2020-01-01T00:00Z,-5\n", "line 2: ci_gco2e_kwh = -5"),
        ("timestamp_utc,ci_gco2e_kwh\n2020-01-01T00:00Z,nan\n", "line 2: ci_gco2e_kwh = nan"),
        ("timestamp_utc,ci_gco2e_kwh\n2020-01-02T00:00Z,1\n2020-01-01T00:00Z,1\n", "line 3"),
        ("timestamp_utc,ci_gco2e_kwh\n2020-10-25T02:00,9\n2020-10-25T02:00,9\n", "each time once and in UTC"),
        (
            "timestamp_utc,ci_gco2e_kwh\n0001-01-01T00:00+05:00,9\n",
            "line 2: 0001-01-01T00:00+05:00 lies beyond the years",
        ),
        ("timestamp_utc,ci_gco2e_kwh,x\n2024-01-01,5," + "x" * 200_000, "is no CSV"),
        ("timestamp_utc;ci_gco2e_kwh\n", "its first line has timestamp_utc;ci_gco2e_kwh, parted by commas"),
        ("timestamp_utc,ci_gco2e_kwh\n2020-01-01T00:00Z,0.3\n", "is it kg, lb or per MWh?"),
    ],
)
def test_wrong_file_is_refused_in_one_line(tmp_path, content, words):
    """The line names the file, the line number and the value."""
    path = tmp_path / "bad.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(IntensityError) as caught:
        TraceSource(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["absent.csv", "absent.csv.gz"])
def test_missing_file_is_refused(tmp_path, name):
    """A wrong path is named."""
    with pytest.raises(IntensityError, match=name):
        TraceSource(tmp_path / name)


def test_broken_gzip_is_refused(tmp_path):
    """A file that is cut short is no trace."""
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(gzip.compress(HALF_HOURS.encode())[:20])
    with pytest.raises(IntensityError, match=r"cut\.csv\.gz"):
        TraceSource(path)


def test_real_trace_has_its_published_mean(shared_dir):
    """The mean of CISO in 2022 is 257 g/kWh, of Great Britain in 2020 213 g/kWh."""
    for name, mean in (("eia_CISO_2022", 257), ("lwa_GB_2020", 213)):
        source = TraceSource(shared_dir / "data" / "traces" / f"{name}.csv.gz")
        year = int(name[-4:])
        pieces = source.between("X", datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC))
        values = [piece.factor.value for piece in pieces]
        assert sum(values) / len(values) == pytest.approx(mean, abs=0.5)

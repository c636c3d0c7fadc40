"""The test double: rows against a clock."""

import pytest

from sootprint.core.errors import InputError, MeterError
from sootprint.core.protocols import FakeClock
from sootprint.meters.trace import TraceMeter, TraceRow

CSV = """at_s,component,energy_j,power_w,utilisation,error
0,cpu:0,100,,0.5,
0,accelerator:0,,250,,
2,cpu:0,180,,,
3,accelerator:0,,,,driver gone
5,accelerator:0,,50,,
"""


@pytest.fixture
def meter(tmp_path):
    """The trace above, and its clock."""
    path = tmp_path / "trace.csv"
    path.write_text(CSV)
    clock = FakeClock(monotonic_s=1000.0)
    return TraceMeter.from_csv(path, clock), clock


def shown(meter):
    """Counter or power of each component."""
    return {reading.component: reading.energy_j or reading.power_w for reading in meter.read()}


def test_each_component_shows_its_last_row_that_is_due(meter):
    """Rows hold until the next one; an error takes its component out; instants are the clock's."""
    player, clock = meter
    seen = []
    for _ in range(6):
        seen.append(shown(player))
        clock.advance(1.0)
    before = {"cpu:0": 100.0, "accelerator:0": 250.0}
    assert seen[:2] == [before, before]
    assert seen[2] == {"cpu:0": 180.0, "accelerator:0": 250.0}
    assert seen[3] == seen[4] == {"cpu:0": 180.0}
    assert seen[5] == {"cpu:0": 180.0, "accelerator:0": 50.0}
    assert player.read()[0].at_s == 1006.0


def test_only_errors_due_is_an_error():
    """The text of the row is the error's."""
    with pytest.raises(MeterError, match="gone"):
        TraceMeter([TraceRow(at_s=0.0, error="gone")], FakeClock()).read()


def test_before_the_first_row_there_is_nothing():
    """No reading, and no error."""
    assert TraceMeter([TraceRow(at_s=5.0, power_w=1.0)], FakeClock()).read() == []


def test_rows_out_of_order_are_refused():
    """Time does not run back."""
    with pytest.raises(InputError, match="order"):
        TraceMeter([TraceRow(at_s=1.0), TraceRow(at_s=0.0)], FakeClock())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("at_s,power_w\n0,nan\n", "power_w of line 2 is 'nan'"),
        ("at_s,power_w\n0,1\n1,much\n", "power_w of line 3 is 'much'"),
        ("at_s,watts\n0,1\n", "column 'watts'"),
        ("at_s,power_w\n,1\n", "line 2 has no at_s"),
        ("at_s,power_w\n0,1,2\n", "column 'None'"),
    ],
)
def test_bad_cells_are_named(tmp_path, text, message):
    """Line, column, value and rule in one line."""
    path = tmp_path / "trace.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        TraceMeter.from_csv(path)


def test_unreadable_file_is_named(tmp_path):
    """A missing file and one that is no text."""
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for name in ("absent", "binary"):
        with pytest.raises(InputError, match="cannot be read"):
            TraceMeter.from_csv(tmp_path / name)

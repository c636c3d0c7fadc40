"""Update: newer rows win, wrong rows change nothing."""

import subprocess
import sys

import pytest

from sootprint.catalogue import tables, zones
from sootprint.catalogue.schema import TABLES
from sootprint.catalogue.search import search
from sootprint.catalogue.update import update
from sootprint.core.errors import InputError

COLUMNS = TABLES["intensity"].columns


def intensity_file(path, *rows):
    """A file with the columns of `intensity`; each row gives zone, year and value, or more cells by name."""
    lines = [",".join(COLUMNS)]
    for row in rows:
        filled = {"method": "lifecycle", "source": "operator-2027", "licence": "own", **row}
        lines.append(",".join(str(filled.get(name, "")) for name in COLUMNS))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def row(zone="FR", year=2026, value=21.5, **cells):
    """Cells of one row."""
    return {"zone": zone, "year": year, "intensity_g_per_kwh": value, **cells}


def test_newer_row_wins_and_others_stay(own_home, tmp_path):
    """A figure of 2026 is added, that of 2023 replaced; 2022 stays as packaged (78.5)."""
    done = update(intensity_file(tmp_path / "new.csv", row(), row(year=2023, value=50.0)))
    assert (done.table, done.added, done.replaced) == ("intensity", 1, 1)
    assert done.path.parent == own_home / "catalogue"
    assert zones.intensity("FR", 2026).factor.value == 21.5
    assert zones.intensity("FR", 2026).factor.source == "operator-2027"
    assert zones.intensity("FR", 2023).factor.value == 50.0
    assert zones.intensity("FR", 2022).factor.value == pytest.approx(78.5, abs=0.05)
    assert len(tables.all_rows("intensity")) == len(tables.parse(packaged())) + 1


def packaged():
    """Text of the packaged table."""
    return (tables.PACKAGED / "intensity.csv").read_text(encoding="utf-8")


def test_second_update_keeps_the_first(tmp_path):
    """Rows of an earlier update stay unless they come again."""
    update(intensity_file(tmp_path / "one.csv", row(), row(zone="DE", value=300.0)))
    update(intensity_file(tmp_path / "two.csv", row(value=22.0)))
    assert (zones.intensity("FR", 2026).factor.value, zones.intensity("DE", 2026).factor.value) == (
        22.0,
        300.0,
    )


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (row(value=-1), "intensity_g_per_kwh = '-1'"),
        (row(value="nan"), "intensity_g_per_kwh = 'nan'"),
        (row(value=""), "intensity_g_per_kwh = ''"),
        (row(year="soon"), "year = 'soon'"),
        (row(zone="fr"), "zone = 'fr' must be a zone in capitals"),
        (row(zone="QX"), "zone = 'QX' is in no row of zones"),
        (row(method="both"), "method = 'both' must be one of lifecycle, direct"),
        (row(licence="ODbL"), "licence = 'ODbL' must be one of"),
        (row(low=30), "does not lie from low = 30"),
        (row(), "stands twice"),
    ],
)
def test_bad_row_is_one_line_and_nothing_is_written(own_home, tmp_path, bad, words):
    """The line names file, line, column, value and rule; the table stays as it was."""
    with pytest.raises(InputError) as caught:
        update(intensity_file(tmp_path / "bad.csv", row(), bad))
    assert "bad.csv line 3" in str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (own_home / "catalogue").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no rows"),
        ("zone,year\nFR,2026\n", "columns of no table"),
        ("zone,name,kind,parent,iso3,source,licence\nFR,France\n", "not as many cells"),
        (
            "zone,name,kind,parent,iso3,source,licence\nFR,France,country,,FRA,x,own,more\n",
            "not as many cells",
        ),
    ],
)
def test_wrong_file_is_refused(tmp_path, content, words):
    """A file that is no table of ours is refused in one line."""
    file = tmp_path / "wrong.csv"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        update(file)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b""])
def test_unreadable_file_is_refused(tmp_path, content):
    """Neither another encoding nor a missing file is a table."""
    file = tmp_path / "wrong.csv"
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"wrong\.csv"):
        update(file)
    with pytest.raises(InputError, match=r"absent\.csv"):
        update(tmp_path / "absent.csv")


def test_failed_write_leaves_no_trace(own_home, tmp_path):
    """If the table cannot be put in its place, no half of it remains."""
    (own_home / "catalogue" / "intensity.csv").mkdir(parents=True)
    with pytest.raises(InputError, match="cannot be written"):
        update(intensity_file(tmp_path / "new.csv", row()))
    assert [path.name for path in (own_home / "catalogue").iterdir()] == ["intensity.csv"]


def test_new_zone_needs_its_name_first(tmp_path):
    """A zone is added to the table of zones, then its figures."""
    names = tmp_path / "zones.csv"
    names.write_text(
        "zone,name,kind,parent,iso3,source,licence\nFR-IDF,Ile-de-France,subdivision,FR,,me,own\n"
    )
    update(names)
    update(intensity_file(tmp_path / "new.csv", row(zone="FR-IDF", value=33.0)))
    assert zones.intensity("FR-IDF", 2026).factor.value == 33.0
    assert zones.intensity("FR-IDF", 2026).place.country == "FR"


def test_new_rows_without_their_companions_are_listed(tmp_path):
    """A device that has no other name yet, and a zone that has no figure yet: neither stops the list of all."""
    device = dict.fromkeys(TABLES["accelerators"].columns, "") | {
        "name": "Me X1", "vendor": "Me", "kind": "gpu", "year": "2026", "source": "me", "licence": "own",
    }  # fmt: skip
    zone = dict.fromkeys(TABLES["zones"].columns, "") | {
        "zone": "QX", "name": "Quex", "kind": "country", "source": "me", "licence": "own",
    }  # fmt: skip
    for name, new in (("accelerators", device), ("zones", zone)):
        file = tmp_path / f"{name}.csv"
        file.write_text(",".join(new) + "\n" + ",".join(new.values()) + "\n")
        update(file)
    assert [one["name"] for one in search("hardware", "me x1")] == ["Me X1"]
    (quex,) = search("zones", "quex")
    assert quex["intensity_g_per_kwh"] is None
    assert quex["warnings"] == ["zone 'QX' has no life-cycle intensity: ask for another method or zone"]
    assert len(search("zones")) > 200


def test_table_of_an_earlier_version_is_read_without_its_new_columns(own_home, tmp_path):
    """Who updates the program does not have to lay his rows over the tables again before the next look-up."""
    update(intensity_file(tmp_path / "new.csv", row()))
    path = own_home / "catalogue" / "intensity.csv"
    lines = [line.split(",") for line in path.read_text().splitlines()]
    gone = lines[0].index("flags")
    path.write_text("".join(",".join(line[:gone] + line[gone + 1 :]) + "\n" for line in lines))
    assert zones.intensity("FR", 2026).factor.value == 21.5
    assert len(search("zones", "france")) > 0
    update(intensity_file(tmp_path / "more.csv", row(zone="DE", value=300.0)))
    assert zones.intensity("FR", 2026).factor.value == 21.5


def test_two_updates_at_once_lose_no_row(own_home, tmp_path):
    """Eight programs lay a row each over one table."""
    zone_codes = ["FR", "DE", "SE", "NO", "ES", "IT", "PL", "GB"]
    code = "import pathlib, sys; from sootprint.catalogue.update import update; update(pathlib.Path(sys.argv[1]))"
    files = [intensity_file(tmp_path / f"{zone}.csv", row(zone=zone, value=33.0)) for zone in zone_codes]
    running = [subprocess.Popen([sys.executable, "-c", code, str(file)]) for file in files]
    assert [one.wait(timeout=60) for one in running] == [0] * len(files)
    assert {zones.intensity(zone, 2026).factor.value for zone in zone_codes} == {33.0}

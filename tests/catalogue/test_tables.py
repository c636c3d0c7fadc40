"""Packaged tables: made by the script, sorted for the search, each row with a source that permits it."""

from itertools import pairwise

import pytest

from sootprint.catalogue import tables
from sootprint.catalogue.schema import TABLES


@pytest.mark.parametrize("name", sorted(TABLES))
def test_build_gives_the_same_bytes(name, shared_dir, tmp_path):
    """The packaged table is what the script makes from the gathered data, to the byte."""
    import build_catalogue
    from catalogue.tables import text_of

    made = text_of(name, build_catalogue.tables(shared_dir / "data")[name])
    assert made == (tables.PACKAGED / f"{name}.csv").read_text(encoding="utf-8")


def test_build_writes_every_table(shared_dir, tmp_path):
    """The command writes all tables of the schema and says how many."""
    import build_catalogue

    assert build_catalogue.main(["--from", str(shared_dir / "data"), "--out", str(tmp_path)]) == 0
    assert {path.stem for path in tmp_path.glob("*.csv")} == set(TABLES)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_row_keeps_the_schema(name):
    """Columns, numbers, units and bounds are as the schema says."""
    rows = tables.all_rows(name)
    assert rows
    for row in rows:
        TABLES[name].check(row)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_rows_are_sorted_and_each_once(name):
    """The search of the bytes needs the rows of one key side by side."""
    identities = [TABLES[name].identity(row) for row in tables.all_rows(name)]
    assert all(one < other for one, other in pairwise(identities))


@pytest.mark.parametrize("name", sorted(set(TABLES) - {"sources", "zone_names"}))
def test_every_row_names_a_source_with_its_licence(name):
    """The licence of a row is that of its source, and one that an Apache-2.0 package may carry."""
    licence_of = {row["id"]: row["licence"] for row in tables.all_rows("sources")}
    for row in tables.all_rows(name):
        assert row["licence"] == licence_of[row["source"]]
        assert row["licence"] != "own"


def test_no_table_holds_what_may_not_be_shipped():
    """Share-alike and unlicensed compilations stay outside: their intensities, their zones, their lists."""
    text = "".join((tables.PACKAGED / f"{name}.csv").read_text(encoding="utf-8").lower() for name in TABLES)
    for word in ("odbl", "gsf", "real-time-cloud", "techpowerup db", "watttime", "opennem", "ademe"):
        assert word not in text
    own = {row["source"] for row in tables.all_rows("region_intensity")}
    assert own == {"google-regions"}


def test_search_of_the_bytes_finds_what_parsing_finds():
    """Both ways of reading give the same rows for the first, the last and a middle key."""
    listed = tables.all_rows("intensity")
    for zone in (listed[0]["zone"], "NA", "US-WA", "WORLD", listed[-1]["zone"]):
        assert list(tables.rows("intensity", zone)) == [row for row in listed if row["zone"] == zone]


@pytest.mark.parametrize("name", ["", "zone", "F", "FR,2023", "\n"])
def test_a_key_that_is_no_key_finds_nothing(name):
    """The header, a beginning or a part of a line is no row."""
    assert tables.rows("intensity", name) == ()


@pytest.mark.parametrize(
    ("asked", "expected"), [(None, "2020"), (2012, "2010"), (2015, "2010"), (2016, "2020"), (2030, "2020")]
)
def test_nearest_year_is_the_earlier_of_two(asked, expected):
    """2015 is as far from 2010 as from 2020: the earlier, which is final, counts."""
    listed = ({"year": "2010"}, {"year": "2020"}, {"year": "2000"})
    assert tables.nearest_year(listed, asked)["year"] == expected


@pytest.mark.parametrize("name", sorted(TABLES))
def test_packaged_tables_are_read_as_the_csv_module_reads_them(name):
    """The short way gives the same rows, quoted cells included."""
    text = (tables.PACKAGED / f"{name}.csv").read_text(encoding="utf-8")
    assert tables.parse_packaged(text) == tables.parse(text)


@pytest.mark.parametrize("line", ['"a, b",c', 'a,"b ""c""",', '"",x', '"a"', ",,"])
def test_quoted_cells_are_those_of_the_csv_module(line):
    """Commas and doubled quotes inside, and empty cells."""
    head = ",".join("abc"[: len(tables._cells(line))])
    assert tables.parse_packaged(f"{head}\n{line}") == tables.parse(f"{head}\n{line}")


@pytest.mark.parametrize("key", ["FR", "WORLD", "AD", "ZW", "nowhere", "", "a,b"])
def test_the_search_in_pieces_finds_what_a_search_of_the_whole_does(key, monkeypatch):
    """Wherever a piece of the table ends, the lines of a key are all there."""
    path = tables.PACKAGED / "intensity.csv"
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    wanted = [header, *(line for line in lines if key and "," not in key and line.startswith(f"{key},"))]
    for piece in (50_000, 4_099, tables.PIECE):
        monkeypatch.setattr(tables, "PIECE", piece)
        assert tables._block(path, key).splitlines() == wanted

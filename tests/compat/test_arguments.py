"""What a tracker is told: arguments, files and variables of CodeCarbon, and what becomes of each."""

from __future__ import annotations

import inspect
import logging
import re
from pathlib import Path

import pytest

from sootprint.compat import codecarbon
from sootprint.compat.codecarbon import OutputMethod, arguments
from sootprint.compat.codecarbon.arguments import COMMON, PLACE, USED, options

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/come-from-another-tool.md"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory and a home of the test's own."""
    (tmp_path / "user").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    return tmp_path


def test_unknown_argument_is_a_type_error_as_of_any_function() -> None:
    """Misspelt, given twice, or too many: before anything is measured."""
    with pytest.raises(
        TypeError, match=r"EmissionsTracker\(\) got an unexpected keyword argument 'projectname'"
    ):
        codecarbon.EmissionsTracker(projectname="x")
    with pytest.raises(TypeError, match="multiple values for argument 'project_name'"):
        codecarbon.EmissionsTracker("x", project_name="y")
    with pytest.raises(TypeError, match="unexpected keyword argument 'country_iso_code'"):
        codecarbon.EmissionsTracker(country_iso_code="FRA")
    with pytest.raises(TypeError, match="too many positional arguments"):
        codecarbon.OfflineEmissionsTracker(*range(len(COMMON) + 1))
    with pytest.raises(TypeError, match=r"track_emissions\(\) got an unexpected keyword argument 'x'"):
        codecarbon.track_emissions(x=1)


def test_signatures_are_what_an_editor_shows() -> None:
    """The names stand in the signature, although one table holds them."""
    assert tuple(inspect.signature(codecarbon.EmissionsTracker).parameters) == COMMON
    assert tuple(inspect.signature(codecarbon.OfflineEmissionsTracker).parameters) == (*COMMON, *PLACE)
    assert next(iter(inspect.signature(codecarbon.track_emissions).parameters)) == "fn"


def test_arguments_without_a_meaning_are_named_in_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    """One line for all of them; what is switched off, or has a meaning, is not among them."""
    options(
        {"save_to_api": True, "api_key": "k", "save_to_prometheus": False, "metadata": None, "pue": 1.1},
        of_place=False,
    )
    (line,) = caplog.messages
    assert line.startswith("codecarbon: save_to_api, api_key have no meaning here: see docs/how-to/")
    assert PAGE.is_file()


def test_configuration_counts_where_no_argument_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """The argument over the variable, that over the folder's file, that over the user's."""
    Path("user/.codecarbon.config").write_text(
        "[codecarbon]\nproject_name = user\noutput_file = user.csv\nexperiment_id = user\npue = 1.5\n"
    )
    Path(".codecarbon.config").write_text("[codecarbon]\noutput_file = folder%.csv\nexperiment_id = folder\n")
    monkeypatch.setenv("CODECARBON_EXPERIMENT_ID", "variable")
    monkeypatch.setenv("codecarbon_save_to_file", "true")
    told = options({"pue": 1.1}, of_place=False)
    assert (told.project_name, told.file.name, told.experiment_id) == ("user", "folder%.csv", "variable")
    assert told.settings["pue"] == 1.1
    monkeypatch.setenv("CODECARBON_SAVE_TO_FILE", "False")
    monkeypatch.delenv("codecarbon_save_to_file")
    assert options({}, of_place=False).file is None


def test_place_of_the_configuration_is_an_offline_trackers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As there; the other one takes the place of our settings."""
    monkeypatch.setenv("CODECARBON_COUNTRY_ISO_CODE", "FRA")
    assert options({}, of_place=True).settings["zone"] == "FR"
    assert options({}, of_place=False).settings["zone"] is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("api_key = s3cret\n", "MissingSectionHeaderError in line 1"),
        ("[codecarbon]\n\napi_key s3cret\n", "ParsingError in line 3"),
        ("[codecarbon]\napi_key = s3cret\napi_key = s3cret\n", "DuplicateOptionError in line 3"),
    ],
)
def test_damaged_configuration_is_told_without_its_keys(
    text: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The line of the file is named, and not repeated."""
    Path(".codecarbon.config").write_text(text)
    options({}, of_place=False)
    assert words in caplog.text
    assert "s3cret" not in caplog.text


def test_damaged_configuration_keeps_nobody_from_measuring(caplog: pytest.LogCaptureFixture) -> None:
    """It is named in one line."""
    Path(".codecarbon.config").write_bytes(b"no section\xff")
    assert options({}, of_place=False).project_name == "codecarbon"
    (line,) = caplog.messages
    assert line.startswith(".codecarbon.config: ") and line.endswith("measuring without it")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"tracking_mode": "gpu"}, "tracking_mode=gpu is not one of machine, process: machine is taken"),
        ({"on_csv_write": "a"}, "on_csv_write=a is not one of append, update: append is taken"),
        ({"log_level": "loud"}, "log_level=loud is no level of logging"),
        ({"output_dir": 7}, "output_dir and output_file name no file"),
        ({"output_methods": ["csv", "api"]}, "output_methods other than csv (api) have no meaning here"),
    ],
)
def test_wrong_value_is_told_and_left_out(
    given: dict[str, object], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Value, rule and what is done instead, in one line."""
    options(given, of_place=False)
    assert words in caplog.text and len(caplog.messages) == 1


def test_methods_say_whether_there_is_a_file(caplog: pytest.LogCaptureFixture) -> None:
    """As the newer argument for `save_to_file`."""
    assert options({"output_methods": [OutputMethod.CSV]}, of_place=False).file is not None
    assert options({"output_methods": []}, of_place=False).file is None
    assert caplog.messages == []


def test_period_is_as_long_as_our_counters_allow() -> None:
    """Some wrap after 65 s: a longer one is a minute."""
    assert options({"measure_power_secs": "0.5"}, of_place=False).settings["period"] == 0.5
    assert options({"measure_power_secs": 600}, of_place=False).settings["period"] == 60.0
    assert options({}, of_place=False).settings["period"] is None


def test_level_of_the_log_is_that_of_our_lines() -> None:
    """For all trackers of the program, as there."""
    options({"log_level": "critical"}, of_place=False)
    assert logging.getLogger("sootprint").level == logging.CRITICAL
    logging.getLogger("sootprint").setLevel(logging.NOTSET)


def test_page_tells_of_each_argument_what_becomes_of_it() -> None:
    """The table has each name once, as ignored exactly where it is."""
    told = dict(
        re.findall(r"^\| `(\w+)` \| (same|different|ignored) \|", PAGE.read_text(encoding="utf-8"), re.M)
    )
    assert set(told) == {*COMMON, *PLACE, "offline"}
    assert {name for name, what in told.items() if what == "ignored"} == set(COMMON) - set(USED)
    assert set(arguments.DECORATOR) <= set(told)


def test_function_that_is_called_often_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """Each call has a tracker of its own; the arguments are the same."""

    @codecarbon.track_emissions(save_to_file=False, save_to_api=True)
    def called() -> None:
        pass

    called()
    called()
    assert caplog.text.count("save_to_api has no meaning here") == 1

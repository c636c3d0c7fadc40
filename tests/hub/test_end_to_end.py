"""What a new user does, with the real commands, a real server and a real browser, on SQLite and on PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy.engine import Engine

from sootprint.core.records import Footprint
from sootprint.hub import seed
from sootprint.hub.app import application
from sootprint.survey import hub as survey_hub
from sootprint.survey.figures.gallery import figure
from tests.hub.conftest import hub
from tests.hub.serving import served
from tests.hub.test_live import LONG_S, sootprint

QUESTIONS = (("Hardware", "A100"), ("Devices", "8"), ("Hours", "48"), ("Where", "FR"))
PUBLISHED = (
    ("Model", "Paper-Net"),
    ("Paper", "Doe et al. 2026"),
    ("Task", "Image Classification"),
    ("Data set", "ImageNet"),
    ("Split", "validation"),
    ("Metric", "Top-1 accuracy"),
    ("Value", "99.8"),
)
SHOTS = os.environ.get("SOOTPRINT_SCREENSHOTS")  # read before each test clears what the user has set
LOOKS = {
    "sqlite": tuple((width, scheme) for width in (1440, 390) for scheme in ("light", "dark")),
    "postgresql": ((1440, "light"), (390, "dark")),  # the same pages: enough to see that they are there
}


@contextlib.contextmanager
def _made_hub(home: Path, engine: Engine) -> Iterator[str]:
    """Address of a hub that was made as `make hub` does it: seeded, then served until it is told to stop."""
    url = engine.url.render_as_string(hide_password=False)
    if engine.dialect.name == "sqlite":
        seeded = sootprint(home, "hub", "seed", "--database-url", url)
        assert "published runs added" in seeded.stdout, seeded.stderr
    else:
        seed.seed(engine)  # the same without a start of the program
    words = (sys.executable, "-m", "sootprint", "hub", "serve", "--port", "0", "--database-url", url)
    env = {**os.environ, "SOOTPRINT_HOME": str(home), "SOOTPRINT_RUNTIME_DIR": str(home / "run")}
    with (
        (home / "log").open("w", encoding="utf-8") as log,
        subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=log, text=True, cwd=home) as serving,
    ):
        try:
            assert serving.stdout is not None
            yield serving.stdout.readline().split()[-1].rstrip("/")
        finally:
            serving.terminate()
            assert serving.wait(LONG_S) == 0


def test_new_user_finds_a_run_and_a_paper_and_takes_the_data_home(
    engine: Engine,
    chromium: Any,
    tmp_path: Path,
) -> None:
    """A run of the command line and a paper's run are on the hub, without an account, and in the downloaded file."""
    shots = Path(SHOTS or tmp_path) / engine.dialect.name
    with _made_hub(tmp_path, engine) as address:
        words = ("run", "--zone", "FR", "--name", "my first run", "--hub", address, "--", sys.executable)
        done = sootprint(tmp_path, *words, "-c", "import time; time.sleep(1.5)")
        place = done.stderr.split()[-1]
        assert place.startswith(f"{address}/footprints/"), done.stderr
        said: list[str] = []
        context = chromium.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
        context.set_default_timeout(LONG_S * 1000)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.goto(address)
        page.get_by_role("link", name="my first run").click()
        assert page.url == place
        page.goto(address)
        page.get_by_role("link", name="Estimate or submit a training").click()
        _fill(page.locator("form").first, QUESTIONS)
        page.get_by_role("button", name="Estimate").click()
        page.get_by_text("90 % interval 2.7 to 9.1 kg").first.wait_for()
        asked = page.url
        _fill(page.locator("form").last, PUBLISHED)
        page.get_by_label("It is somebody else's work").check()
        page.get_by_role("button", name="Publish").click()
        page.get_by_role("heading", name="Paper-Net").wait_for()
        paper = page.url
        page.get_by_role("link", name="Image Classification").click()
        page.wait_for_url(lambda url: url != paper)
        page.get_by_role("link", name="Paper-Net").wait_for()
        page.get_by_text("Doe et al. 2026").wait_for()
        board = page.url
        page.get_by_role("link", name="Downloads").click()
        with page.expect_download() as downloading:
            page.get_by_role("link", name="CSV, one flat row each").click()
        downloading.value.save_as(tmp_path / "all.csv")
        context.close()
        visited = {"home": address, "run": place, "estimate": asked, "paper": paper, "leaderboard": board}
        said += _looked_at(chromium, visited, shots, LOOKS[engine.dialect.name])
    assert said == []
    text = (tmp_path / "all.csv").read_text(encoding="utf-8")
    assert "Paper-Net" in text
    assert "my first run" in text


def _fill(form: Any, fields: tuple[tuple[str, str], ...]) -> None:
    for label, text in fields:
        form.get_by_label(label, exact=False).first.fill(text)


def _looked_at(
    browser: Any, addresses: dict[str, str], folder: Path, looks: tuple[tuple[int, str], ...]
) -> list[str]:
    """What the browser said against pages at some widths, light and dark, of which pictures are taken."""
    said: list[str] = []
    for width, scheme in looks:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        context.set_default_timeout(LONG_S * 1000)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        for name, address in addresses.items():
            page.goto(address)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
            page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
        context.close()
    return said


def test_one_footprint_goes_from_the_run_to_the_figure(sqlite_engine: Engine, tmp_path: Path) -> None:
    """Run, push, leaderboard, survey: the same numbers at each step, and the point in the figure is the run's."""
    record = tmp_path / "run.json"
    words = ("--zone", "FR", "--name", "traced", "--model", "Traced-Net", "--record", str(record))
    words += ("--result", "Image Classification/ImageNet/Top-1 accuracy=70")
    sootprint(tmp_path, "run", "--quiet", *words, "--", sys.executable, "-c", "sum(range(2_000_000))")
    measured = Footprint.from_json(record.read_text(encoding="utf-8"))
    assert [one.value for one in measured.results] == [70.0]
    better = ("--result", "Image Classification/ImageNet/Top-1 accuracy=77.7")  # as evaluated after the run
    assert "77.7" in sootprint(tmp_path, "tag", "traced", *better).stdout
    assert measured.emissions_kg is not None
    kg = measured.emissions_kg.value
    seed.seed(sqlite_engine)
    with served(application(hub(sqlite_engine))) as address:
        pushed = sootprint(tmp_path, "hub", "push", "traced", "--hub", address)
        assert pushed.stdout.endswith(f"{address}/footprints/{measured.id}\n"), pushed.stderr
        board = {
            "task": "image classification",
            "dataset": "imagenet",
            "metric": "top-1 accuracy",
            "weak": True,
        }
        entries = httpx.get(f"{address}/api/v1/leaderboards", params=board).json()["entries"]
        listed = [(one["id"], one["emissions_kg"], one["front_carbon"]) for one in entries]
        assert (measured.id, kg, True) in listed  # nothing emits less
        data = survey_hub.load(address)
    drawn = figure(data, "figure4")
    points = drawn.drawn.points.filter(drawn.drawn.points["run"] == measured.id).to_dicts()
    assert [(one["emissions_kg"], one["metric_value"]) for one in points] == [(kg, 77.7)]
    assert drawn.chart is not None
    assert "77.7" in str(drawn.chart.to_dict())

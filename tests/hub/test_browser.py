"""A real browser at a real server: from an empty form to the downloaded file, with no script and nothing refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy.engine import Engine

from sootprint.hub import seed
from sootprint.hub.app import application
from tests.hub.conftest import hub
from tests.hub.serving import served


def test_papers_run_goes_from_the_form_to_the_leaderboard_and_the_file(
    sqlite_engine: Engine, chromium: Any, tmp_path: Path
) -> None:
    """A visitor without account and script fills in a form, finds the model on its leaderboard, takes the data."""
    seed.seed(sqlite_engine)
    with served(application(hub(sqlite_engine))) as address:
        context = chromium.new_context(
            viewport={"width": 390, "height": 800}, java_script_enabled=False, accept_downloads=True
        )
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(address)
        page.get_by_role("link", name="Estimate or submit a training").click()
        for label, text in (("Hardware", "A100"), ("Devices", "8"), ("Hours", "48"), ("Where", "FR")):
            page.get_by_label(label, exact=False).first.fill(text)
        page.get_by_role("button", name="Estimate").click()
        page.get_by_text("90 % interval 2.7 to 9.1 kg").first.wait_for()
        for label, text in (
            ("Model", "Tested-50"),
            ("Task", "Image Classification"),
            ("Data set", "ImageNet"),
            ("Metric", "Top-1 accuracy"),
            ("Value", "99.9"),
        ):
            page.get_by_label(label, exact=False).first.fill(text)
        page.get_by_role("button", name="Publish").click()
        page.get_by_role("heading", name="Tested-50").wait_for()
        page.get_by_role("link", name="Image Classification").click()
        page.get_by_role("link", name="Tested-50").wait_for()
        page.get_by_role("link", name="Downloads").click()
        with page.expect_download() as downloading:
            page.get_by_role("link", name="CSV, one flat row each").click()
        downloading.value.save_as(tmp_path / "all.csv")
        context.close()
    assert said == []
    assert "Tested-50" in (tmp_path / "all.csv").read_text(encoding="utf-8")

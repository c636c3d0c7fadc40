"""The pictures of the documents, made with Sootprint's own commands into docs/images.

    python tools/pictures.py [NAME ...]

`make pictures` draws all of them anew; it needs the development packages, and a Chromium for the two that are pages.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

DRAWN_MS = 1500  # until the charts of a page are drawn
ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "images"
WEEK = ROOT / "examples" / "week_in_a_minute"
PLAN = (
    *("--expect", "10h", "--deadline", "48h", "--power-w", "3000", "--pausable", "--resume-cost", "5m"),
    *("--trace", f"US-CAL-CISO={WEEK / 'california.csv'}", "--at", "2022-09-12T01:00Z"),
)
PREDICTED = ("--params", "7e9", "--tokens", "2e12", "--hardware", "A100", "--count", "64", "--zone", "DE")


def main(names: Sequence[str]) -> int:
    """Exit code 0, after drawing the pictures of these names, or every one."""
    FOLDER.mkdir(exist_ok=True)
    for name in names or PICTURES:
        with tempfile.TemporaryDirectory(prefix="pictures-") as home:
            PICTURES[name](Path(home), FOLDER / f"{name}.png")
    return 0


def plan(home: Path, to: Path) -> None:
    """A job that waits and pauses."""
    sootprint(home, "plan", *PLAN, "--chart", str(to))


def tornado(home: Path, to: Path) -> None:
    """What a prediction's interval is made of."""
    sootprint(home, "predict", *PREDICTED, "--explain", "--chart", str(to))


def advice(home: Path, to: Path) -> None:
    """What would make that prediction emit less."""
    words = (sys.executable, "-m", "sootprint", "predict", *PREDICTED, "--json")
    told = subprocess.run(words, check=True, cwd=ROOT, env=_env(home), stdout=subprocess.PIPE)
    (home / "plan.json").write_bytes(told.stdout)
    sootprint(home, "advise", str(home / "plan.json"), "--only-zones", "SE,FR,GB", "--chart", str(to))


def survey(home: Path, to: Path) -> None:
    """Emissions over the years, of the packaged published models."""
    sootprint(home, "survey", "--dataset", "published", "--out", str(home / "survey"))
    shutil.copy(home / "survey" / "figures" / "figure3.png", to)


def report(home: Path, to: Path) -> None:
    """The page of a real run."""
    sootprint(
        home, "run", "--zone", "DE", "--name", "digits-mlp", "--", sys.executable, "examples/train_digits.py"
    )
    sootprint(home, "report", "latest", "--out", str(home / "report.html"))
    screenshot((home / "report.html").as_uri(), to)


def hub(home: Path, to: Path) -> None:
    """A leaderboard of the packaged published models."""
    with served(home) as address:
        screenshot(f"{address}/leaderboards", to, link="Top-1 accuracy on ImageNet")


PICTURES = {made.__name__: made for made in (report, plan, tornado, advice, survey, hub)}


def sootprint(home: Path, *words: str) -> None:
    """One command, with what it keeps in a folder of its own.

    Raises:
        CalledProcessError: If it fails; what it said stands on stderr.
    """
    subprocess.run((sys.executable, "-m", "sootprint", *words), check=True, cwd=ROOT, env=_env(home))


@contextlib.contextmanager
def served(home: Path) -> Iterator[str]:
    """Address of a hub that holds the packaged published runs."""
    sootprint(home, "hub", "seed")
    words = (sys.executable, "-m", "sootprint", "hub", "serve", "--port", "0")
    with subprocess.Popen(words, env=_env(home), stdout=subprocess.PIPE, text=True) as serving:
        try:
            assert serving.stdout is not None
            yield serving.stdout.readline().split()[-1].rstrip("/")
        finally:
            serving.terminate()


def screenshot(address: str, to: Path, *, link: str | None = None) -> None:
    """The first screen of a page, or of the page that it links to, as a PNG of 1100 x 1000 pixels."""
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as played:
        shown = played.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = shown.new_page(viewport={"width": 1100, "height": 1000})
        page.goto(address)
        if link:
            page.get_by_role("link", name=link).click()
        page.wait_for_timeout(DRAWN_MS)
        page.screenshot(path=to)


def _env(home: Path) -> dict[str, str]:
    return {**os.environ, "SOOTPRINT_HOME": str(home), "SOOTPRINT_RUNTIME_DIR": str(home / "run")}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

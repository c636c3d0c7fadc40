"""Charts are drawn in two processes, and in one where the other fails."""

from __future__ import annotations

import sys

import pytest

from sootprint.charts import render, studio

SPEC = {
    "$schema": "https://vega.github.io/schema/vega-lite/v6.1.0.json",
    "description": "two & two",
    "data": {"values": [{"a": 1}, {"a": 2}]},
    "mark": "point",
    "encoding": {"x": {"field": "a", "type": "quantitative"}},
}
STARTS = {".svg": b"<svg", ".png": b"\x89PNG", ".pdf": b"%PDF"}


def drawn(count: int) -> list[dict[str, bytes]]:
    """Files of some drawings of one studio."""
    with studio.Studio() as place:
        asked = [place.draw(SPEC) for _ in range(count)]
        place.work()
    return [one.result(timeout=60) for one in asked]


def test_each_drawing_is_made_once_and_whole() -> None:
    """Six are asked for, and each has its three files, the same as when they are drawn alone."""
    alone = render.svg(SPEC)
    assert "<desc>two &amp; two</desc>" in alone
    for files in drawn(6):
        assert {end: data[: len(STARTS[end])] for end, data in files.items()} == STARTS
        assert files[".svg"].decode() == alone


@pytest.mark.parametrize(
    "command",
    [
        (sys.executable, "-c", "raise SystemExit(1)"),
        (sys.executable, "-c", "print('no drawing')"),
        ("/nothing/here",),
    ],
)
def test_a_second_process_that_fails_costs_nothing(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends, says something else, or does not start: the first one draws all."""
    monkeypatch.setattr(studio, "COMMAND", command)
    assert all(files[".svg"].startswith(b"<svg") for files in drawn(3))


def test_what_cannot_be_drawn_is_said_to_who_asked() -> None:
    """The others are drawn, and nobody waits for ever."""
    with studio.Studio() as place:
        bad = place.draw({**SPEC, "mark": {"type": "no such mark"}})
        good = place.draw(SPEC)
        place.work()
    assert good.result(timeout=60)[".svg"]
    with pytest.raises(ValueError, match="conversion failed"):
        bad.result(timeout=60)


def test_the_second_process_ends_with_its_studio() -> None:
    """After an error, too, and what waits is given up."""
    place = studio.Studio()
    with pytest.raises(KeyError), place:
        place.draw(SPEC)
        raise KeyError
    process = place._process
    assert process is None or process.poll() is not None

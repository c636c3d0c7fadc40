"""The world map."""

from __future__ import annotations

from sootprint.charts import draw, world

ROWS = [
    {"country": "FR", "name": "France", "value": 56.0},
    {"country": "SG", "name": "Singapore", "value": 471.0},
    {"country": "US", "name": "United States", "value": 369.0},
]


def test_map_draws_offline_and_names_its_values():
    """Every country with a value is filled and named; the others are there without a name."""
    drawn = draw.svg(world.world_map(ROWS, value="value", title="intensity"))
    assert drawn.count("<path") > 170
    for row in ROWS:
        assert f"country: {row['name']}" in drawn


def test_small_country_is_a_point():
    """Singapore has no outline at this scale, and is on the map all the same."""
    assert world.has_place("SG") and world.has_place("GB") and not world.has_place("EU")


def test_scale_turns_with_the_ground():
    """Much is dark on paper and bright on a dark page."""
    made = world.world_map(ROWS, value="value", title="intensity")
    paper, dark = (draw.spec(made, theme)["config"]["range"]["ramp"] for theme in ("paper", "dark"))
    assert paper == dark[::-1]


def test_map_of_nothing_is_a_map():
    """Without a row all countries are pale."""
    assert draw.svg(world.world_map([], value="value", title="intensity")).count("<path") > 170


def test_logarithmic_legend_names_even_steps():
    """From 1 to 48 these are 1, 3, 10 and 30; over many powers of ten, the powers alone."""

    def steps(*values: float) -> list[float]:
        rows = [{**row, "value": value} for row, value in zip(ROWS, values, strict=True)]
        layer = world.world_map(rows, value="value", title="models", log=True).to_dict()["layer"][1]
        return list(layer["encoding"]["color"]["legend"]["values"])

    assert steps(1, 4, 48) == [1, 3, 10, 30]
    assert steps(1, 20, 9_000) == [1, 10, 100, 1_000]

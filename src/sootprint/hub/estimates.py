"""An estimate at once: what the form and the API are asked, and the hub's answer to it."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from sootprint.core.records import Footprint
from sootprint.estimator import hours as estimator
from sootprint.estimator.inputs import Job
from sootprint.settings import Settings

_NOWHERE = Path("/nonexistent")  # no user's hardware, sites or calibrations enter an estimate of the hub


class Asked(BaseModel):
    """Where, on what, how long: the survey's three questions, and what else may be known."""

    model_config = ConfigDict(extra="forbid")

    hours: float = Field(description="Wall hours of one device.", gt=0, le=1_000_000)
    hardware: str | None = Field(
        None, description="Device, as drivers, papers and people write it.", max_length=200
    )
    power_w: float | None = Field(None, description="Mean power of one device, in place of the model [W].")
    count: int = Field(1, description="Number of devices.", ge=1, le=10_000_000)
    zone: str | None = Field(None, description="Grid zone, cloud region or country.", max_length=100)
    year: int | None = Field(None, description="Year of the work.", ge=1990, le=2100)
    intensity: float | None = Field(None, description="Carbon intensity in place of a zone [gCO2e/kWh].")
    pue: float | None = Field(None, description="Facility energy over IT energy [1].")
    utilisation: float | None = Field(None, description="Mean power over rated power [0-1].")
    work: str = Field(
        "unknown", description="llm-pretrain, finetune, vision, inference or unknown.", max_length=40
    )


def estimated(asked: Asked) -> Footprint:
    """Footprint of what was asked; the place of the server plays no part in it.

    Raises:
        InputError: A value is outside its range, or values contradict each other.
        CatalogueError: A name is in no table.
    """
    given = asked.model_dump()
    if not given["zone"] and given["intensity"] is None:
        given["zone"] = "WORLD"
    return estimator.footprint(Job(**given), Settings(home=_NOWHERE, runtime_dir=_NOWHERE))

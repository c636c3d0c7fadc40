"""One file of each tool, with what it tells in kilowatt-hours and kilograms.

Those of Carbontracker 2.4.7 and Eco2AI 0.3.12 are what these wrote here; the others have their tools' names and units.
"""

# ruff: noqa: E501 - the tools write long lines
from __future__ import annotations

import json
from typing import NamedTuple

from tests.importers.test_green_algorithms import export
from tests.importers.test_impact_tracker import samples
from tests.importers.test_importers import CARD, THIRD, table
from tests.importers.test_mlflow import history
from tests.importers.test_wandb import events
from tests.importers.test_words import LATEX


class Example(NamedTuple):
    """A file of a tool, and the energy before PUE [kWh] and emissions [kg] that it tells; None where it tells none."""

    form: str
    name: str
    text: str
    energy_kwh: float | None
    emissions_kg: float | None


STANDARD = """2026-11-23 09:49:20 - carbontracker version 2.4.7
2026-11-23 09:49:20 - Only predicted and actual consumptions are multiplied by a PUE coefficient of 1.58 (Daniel Bizo, 2023, Uptime Institute Global Data Center Survey).
2026-11-23 09:49:20 - The following components were found: GPU with device(s) NVIDIA A100. CPU with device(s) AMD EPYC 7302.
2026-11-23 09:49:20 - Monitoring thread started.
2026-11-23 09:49:23 - Epoch 1:
2026-11-23 09:49:23 - Duration: 0:00:03.00
2026-11-23 09:49:23 - Average power usage (W) for gpu: 270.0
2026-11-23 09:49:23 - Average power usage (W) for cpu: 77.5
2026-11-23 09:49:26 - Epoch 2:
2026-11-23 09:49:26 - Duration: 0:00:03.00
2026-11-23 09:49:26 - Average power usage (W) for gpu: 270.0
2026-11-23 09:49:26 - Average power usage (W) for cpu: 77.5
2026-11-23 09:49:29 - Epoch 3:
2026-11-23 09:49:29 - Duration: 0:00:03.00
2026-11-23 09:49:29 - Average power usage (W) for gpu: 270.0
2026-11-23 09:49:29 - Average power usage (W) for cpu: 77.5
2026-11-23 09:49:29 - Carbon intensities (gCO2eq/kWh) fetched every 900 s at detected location: Unknown: [445.0]
2026-11-23 09:49:29 - Average carbon intensity during training was 445.00 gCO2eq/kWh.\x20
2026-11-23 09:49:29 - Monitoring thread ended.
"""
OUTPUT = """2026-11-23 09:49:20 - CarbonTracker: The following components were found: GPU with device(s) NVIDIA A100. CPU with device(s) AMD EPYC 7302.
2026-11-23 09:49:23 - CarbonTracker:\x20
Predicted consumption for 3 epoch(s):
\tTime:\t0:00:09
\tEnergy:\t0.001372692525 kWh
\tCO2eq:\t0.610848173404 g
\tThis is equivalent to:
\t0.005719552185 km travelled by car
2026-11-23 09:49:29 - CarbonTracker: Average carbon intensity during training was 445.00 gCO2eq/kWh.\x20
2026-11-23 09:49:29 - CarbonTracker:\x20
Actual consumption for 3 epoch(s):
\tTime:\t0:00:09
\tEnergy:\t0.001372689288 kWh
\tCO2eq:\t0.610846733281 g
\tThis is equivalent to:
\t0.005719538701 km travelled by car
2026-11-23 09:49:29 - CarbonTracker: Finished monitoring.
"""
ECO2AI = """id,project_name,experiment_description,epoch,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg),CPU_name,GPU_name,OS,region/country,cost
2580252d-c7a9-4d6a-b9ef-e7ecbbe0b9b0,thesis,resnet,,2026-11-23 09:49:32,3.2074599266052246,7.851585792427922e-05,5.302175885626576e-06,"AMD EPYC/1 device(s), TDP:500.0", 0 device(s),Linux,FR,0
"""
EPOCHS = """3f87d647-460d-4722-b04d-ee2c8882b0c1,thesis,epochs,"epoch: 1, loss: 0.5, ",2026-11-23 09:49:36,1.6743197441101074,1.5869305942904553e-08,1.0716542303243443e-09,"AMD EPYC/1 device(s), TDP:500.0", 0 device(s),Linux,FR,0
3f87d647-460d-4722-b04d-ee2c8882b0c1,thesis,epochs,"epoch: 2, loss: 0.4, ",2026-11-23 09:49:38,1.6684539318084717,1.6147961224532993e-08,1.090471821492713e-09,"AMD EPYC/1 device(s), TDP:500.0", 0 device(s),Linux,FR,0
3f87d647-460d-4722-b04d-ee2c8882b0c1,thesis,epochs,"epoch: 3, loss: 0.3, ",2026-11-23 09:49:40,1.6736302375793457,1.6254839118611622e-08,1.097689285679843e-09,"AMD EPYC/1 device(s), TDP:500.0", 0 device(s),Linux,FR,0
"""
ZEUS = """start_time,window_name,elapsed_time,gpu0_energy,gpu1_energy
1700000010.5,epoch_0,100.0,25000.0,24000.0
1700000110.5,epoch_1, with a comma,100.0,25000.0,24000.0
1700000000.0,training,3600.0,900000.0,900000.0
"""

EXAMPLES = (
    Example(
        "carbontracker",
        "25570.318626_2026-11-23T094920Z_carbontracker.log",
        STANDARD,
        347.5 * 9 / 3.6e6,
        None,
    ),
    Example("eco2ai", "emission.csv", ECO2AI, 7.851585792427922e-05, 5.302175885626576e-06),
    Example("zeus", "zeus.csv", ZEUS, 0.5, None),
    Example("experiment-impact-tracker", "data.json", samples(), 0.396, None),
    Example("mlco2", "paper.tex", LATEX, 58.5, 21.64),
    Example("green-algorithms", "GreenAlgorithms_results.csv", export(), 10.0, 1.76),
    Example("mlflow", "history.json", json.dumps(history()), 0.25, None),
    Example("wandb", "events.csv", events(), 0.5, None),
    Example("codecarbon", "emissions.csv", table(THIRD), 0.8, 0.056),
    Example("hf-card", "README.md", CARD.format(emissions="83524", words=""), None, 83.524),
)

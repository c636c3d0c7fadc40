"""CodeCarbon's interface: `from sootprint.compat.codecarbon import EmissionsTracker`, and the script goes on.

Arguments, results and the columns of emissions.csv are those of CodeCarbon 3.3.2; the numbers are ours.
"""

from sootprint import __version__
from sootprint.compat.codecarbon.arguments import OutputMethod
from sootprint.compat.codecarbon.emissions_tracker import (
    EmissionsTracker,
    OfflineEmissionsTracker,
    track_emissions,
)

__all__ = ["EmissionsTracker", "OfflineEmissionsTracker", "OutputMethod", "__version__", "track_emissions"]

"""carbontracker's interface: `from sootprint.compat.carbontracker import CarbonTracker`, and the script goes on."""

from sootprint.compat.carbontracker.tracker import CarbonTracker

__all__ = ["CarbonTracker"]

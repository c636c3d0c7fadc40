"""Zeus's interface: `from sootprint.compat.zeus import ZeusMonitor`, and the script goes on."""

from sootprint.compat.zeus.monitor import Measurement, ZeusMonitor

__all__ = ["Measurement", "ZeusMonitor"]

"""Meters: each module reads one kind of device and ends the device's own unit on the line that reads it."""

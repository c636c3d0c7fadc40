"""Thirty faults and more: real processes, each with its joules lost and doubled against a known truth."""

"""Tuning: which settings of a training to probe, what each slice of it tells, and whether one is truly better."""

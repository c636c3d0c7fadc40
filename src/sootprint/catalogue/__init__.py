"""Packaged tables and their look-up: grids, cloud regions, hardware, PUE, water, embodied, fuels."""

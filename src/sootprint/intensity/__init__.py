"""Sources of carbon intensity: annual figures of the catalogue, and traces from a file."""

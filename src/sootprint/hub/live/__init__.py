"""Live runs: what a run tells each minute while it lasts, and a page that shows it without a script."""

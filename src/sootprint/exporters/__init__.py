"""Places where finished footprints go. A record waits in the outbox until whoever it goes to has acknowledged it."""

"""The hub: a central repository in which footprints are submitted, recomputed, compared, cited and downloaded.

One direction: `admission` reads a record, `truth` recomputes it, `ingest` appends it, `reading` finds it again; `api`
and `pages` are thin over these. The web stack loads when `app` or `serve` is imported, not before.
"""

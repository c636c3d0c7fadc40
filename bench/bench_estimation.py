"""`bench/estimation.py` by the name that `make bench` looks for."""

from __future__ import annotations

from estimation import main

if __name__ == "__main__":
    raise SystemExit(main())

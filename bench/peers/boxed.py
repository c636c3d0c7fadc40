"""`python boxed.py SPEC.json`: run the case of a specification and write its result, within namespaces of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from bench.peers import runner


def main() -> None:
    """Run the case."""
    spec: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    Path(spec["result"]).write_text(json.dumps(runner.run(spec)), encoding="utf-8")


if __name__ == "__main__":
    main()

"""What can be read after the end: `python rows.py ADAPTER FOLDER PART < what it printed` prints one JSON list."""

import importlib.util
import json
import sys
from pathlib import Path


def main() -> None:
    """Rows that the tool's files, or else its output, hold."""
    adapter, folder, part = sys.argv[1:4]
    made = importlib.util.spec_from_file_location("adapter", adapter)
    module = importlib.util.module_from_spec(made)
    made.loader.exec_module(module)
    print(json.dumps(module.kept(Path(folder), sys.stdin.read(), part)))


if __name__ == "__main__":
    sys.path.pop(0)
    main()

"""The pictures of the documents: each is drawn by tools/pictures.py, shown on a page, and described in words."""

from __future__ import annotations

import re

from tools import pictures

SHOWN = re.compile(r"!\[([^\]]+)\]\(([^)]*images/[\w-]+\.png)\)")
PNG = b"\x89PNG\r\n\x1a\n"
MOST_BYTES = 300_000


def test_every_picture_is_drawn_and_shown() -> None:
    """What is in the folder, what the tool draws and what the pages show is the same; nothing is heavy."""
    drawn = {f"{name}.png" for name in pictures.PICTURES}
    assert {path.name for path in pictures.FOLDER.iterdir()} == drawn
    pages = [pictures.ROOT / "README.md", *(pictures.ROOT / "docs").rglob("*.md")]
    shown = {
        (page.parent / link).resolve(): words
        for page in pages
        for words, link in SHOWN.findall(page.read_text(encoding="utf-8"))
    }
    assert {path.name for path in shown} == drawn
    for path, words in shown.items():
        assert path.parent == pictures.FOLDER
        assert path.read_bytes().startswith(PNG)
        assert path.stat().st_size < MOST_BYTES, path.name
        assert len(words.split()) >= 8, f"{path.name} is not described: {words}"

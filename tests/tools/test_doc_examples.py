"""The runner of the documents' examples, on pages written here."""

from __future__ import annotations

from pathlib import Path

import pytest

import doc_examples

PAGE = """\
# Page

<!-- file: train.py -->
```python
print("trained")
```

```console
$ python train.py > out.txt
trained
$ cat \\
> out.txt
```

<!-- not-run: it needs a GPU -->
```console
$ false
```

```text
$ not a command
```

```python
from pathlib import Path
assert Path("out.txt").read_text() == "trained\\n"
```
"""


def test_blocks_are_found_with_their_orders() -> None:
    """Language, line, file and reason are read; a text block is no example."""
    found = doc_examples.examples(PAGE)
    assert [(block.language, block.line) for block in found] == [
        ("python", 4),
        ("console", 8),
        ("console", 16),
        ("python", 24),
    ]
    assert found[0].file == "train.py"
    assert found[2].not_run == "it needs a GPU"


def test_commands_are_the_lines_after_the_prompt() -> None:
    """Printed lines are left out, and a backslash joins a command over two lines."""
    assert doc_examples.commands(doc_examples.examples(PAGE)[1]) == [
        "python train.py > out.txt",
        "cat \\\nout.txt",
    ]


def test_page_runs_in_order_in_one_folder(tmp_path: Path) -> None:
    """A later block sees the files of an earlier one, and a block that opts out is not run."""
    for example in doc_examples.examples(PAGE):
        doc_examples.run(example, folder=tmp_path)
    assert tmp_path.joinpath("out.txt").read_text() == "trained\n"


@pytest.mark.parametrize(
    ("block", "printed"),
    [
        ("```console\n$ echo before; false\n$ echo after\n```\n", "before"),
        ("```console\n$ false | cat\n```\n", ""),
        ('```python\nraise SystemExit("no such run")\n```\n', "no such run"),
    ],
)
def test_failing_block_is_an_error_that_shows_what_was_printed(
    tmp_path: Path, block: str, printed: str
) -> None:
    """The first command that fails ends the block, and so does the first of a pipe."""
    (example,) = doc_examples.examples(block)
    with pytest.raises(doc_examples.ExampleError, match="line 1: exit code 1") as caught:
        doc_examples.run(example, folder=tmp_path)
    assert printed in str(caught.value)
    assert "after" not in str(caught.value)


def test_block_that_takes_too_long_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block has a bound in time."""
    monkeypatch.setattr(doc_examples, "LIMIT_S", 0.2)
    (example,) = doc_examples.examples("```console\n$ exec sleep 30\n```\n")
    with pytest.raises(doc_examples.ExampleError, match="took longer"):
        doc_examples.run(example, folder=tmp_path)


def test_command_with_sudo_is_refused(tmp_path: Path) -> None:
    """No example may change the machine that tests it."""
    (example,) = doc_examples.examples("```console\n$ sudo touch changed\n```\n")
    with pytest.raises(doc_examples.ExampleError, match="never run"):
        doc_examples.run(example, folder=tmp_path)

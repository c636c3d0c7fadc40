"""What `sacct --json` prints, of any length: a job at a time, whole or not at all."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sootprint import importers
from sootprint.core.errors import InputError
from sootprint.core.records import Footprint
from sootprint.importers.slurm_sacct import stream, tree
from tests.importers.test_slurm_sacct import tree as printed

JOB = json.loads(printed())["jobs"][0]


def opened(text: str) -> list[tuple[str, Footprint | str]]:
    """Place and record of each job of a text that comes as from a file."""
    return list(importers.opened(io.StringIO(text), name="jobs.json"))


def jobs(count: int, **more: object) -> Iterator[str]:
    """Parts of the output of so many jobs, in which each has a line."""
    yield '{\n  "meta": {"Slurm": {"release": "x"}},\n  "jobs": [\n'
    for number in range(count):
        yield f"{',' if number else ''}{json.dumps(JOB | {'job_id': number + 1} | more, indent=2)}\n"
    yield '  ],\n  "errors": [],\n  "warnings": []\n}\n'


def test_jobs_are_made_while_the_text_is_read() -> None:
    """The first job is there before the last part is, whatever stands between them."""

    def parts() -> Iterator[str]:
        yield from list(jobs(1000))[:-2]
        raise AssertionError("the whole text was read for the first job")

    where, _, _ = next(tree.jobs(parts(), "jobs.json"))
    assert where == "job 1"


def test_text_beyond_what_is_read_whole_is_read() -> None:
    """25 million characters, in the memory of a few jobs; each of them is there."""
    padding = "x" * 10_000
    size = sum(map(len, jobs(2_500, comment=padding)))
    assert size > importers.MOST_CHARACTERS
    tracemalloc.start()
    count = sum(1 for _ in tree.jobs(jobs(2_500, comment=padding), "jobs.json"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 2_500
    assert peak < 5_000_000


def test_file_is_told_by_its_begin() -> None:
    """Printed in lines or in one, with the jobs before or behind what else there is."""
    one_line = json.dumps(json.loads("".join(jobs(3))))
    behind = json.dumps({"jobs": [JOB], "meta": {"jobs": [1]}, "warnings": []})
    for text, count in (("".join(jobs(3)), 3), (one_line, 3), (behind, 1)):
        made = opened(text)
        assert [isinstance(one, Footprint) for _, one in made] == [True] * count


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("".join(jobs(3))[:-20], "behind job 3"),
        ("".join(jobs(3))[:4000], "is no JSON of sacct"),
        ("".join(jobs(2)) + "".join(jobs(2)), "behind job 2: it goes on behind its end"),
        (printed().replace('"jobs": [', '"jobs": [}'), "behind job 0"),
        (printed()[:-1] + "]", "'}' is missing"),
        (printed().replace('"job_id": 101', '"job_id": 1' + "0" * 5000), "behind job 0"),
        (printed().replace('"steps": [', '"steps": [' + "[" * 100_000), "behind job 0"),
    ],
)
def test_text_that_is_broken_gets_one_line(text: str, why: str) -> None:
    """With the last job that was whole; what reads it into a ledger keeps none of them then."""
    with pytest.raises(InputError) as caught:
        opened(text)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=8,
    ),
    st.integers(1, 7),
    st.sampled_from([None, 1]),
)
def test_value_in_parts_is_the_value(value: object, size: int, indent: int | None) -> None:
    """However the text is cut into parts."""
    text = json.dumps({"meta": value, "jobs": [value, value], "more": [value]}, indent=indent)
    parts = [text[at : at + size] for at in range(0, len(text), size)]
    before = stream.LEAST
    stream.LEAST = 1
    try:
        assert list(stream.listed(stream.Text(parts), "jobs")) == [value, value]
    finally:
        stream.LEAST = before


def test_long_value_is_tried_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job of a million characters in parts of a thousand: as many tries as it has doublings, and not one a part."""
    monkeypatch.setattr(stream, "LEAST", 1_000)
    tries = 0
    decode = stream._DECODER.raw_decode

    class Counting:
        def raw_decode(self, text: str, at: int) -> tuple[object, int]:
            nonlocal tries
            tries += 1
            return decode(text, at)

    monkeypatch.setattr(stream, "_DECODER", Counting())
    text = json.dumps({"jobs": ["x" * 1_000_000]})
    parts = [text[at : at + 1_000] for at in range(0, len(text), 1_000)]
    assert len(list(stream.listed(stream.Text(parts), "jobs"))) == 1
    assert tries < 20

"""Lines of the node service."""

from __future__ import annotations

import os
import socket

import pytest

from sootprint.tracker.service.protocol import (
    RefusedError,
    caller_of,
    encoded,
    name_in,
    parsed,
    visible_in,
    whole_in,
)


def test_caller_is_told_by_the_kernel() -> None:
    """Process and user of a connection are those of the process that opened it."""
    near, far = socket.socketpair()
    with near, far:
        assert caller_of(near) == (os.getpid(), os.getuid())


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"1", b'{"op":1}', b"\xff\xfe", b"[" * 10_000, b"{}"])
def test_nonsense_is_refused(line: bytes) -> None:
    """A line that is no object with an operation is refused with the rule."""
    with pytest.raises(RefusedError, match="a request is"):
        parsed(line)


def test_message_is_read_back() -> None:
    """What is encoded is parsed to the same message, on one line."""
    assert encoded({"op": "share", "run": "a\nb"}).count(b"\n") == 1
    assert parsed(encoded({"op": "share", "run": "a\nb"})) == {"op": "share", "run": "a\nb"}


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a b", "x" * 101, None, 5, "-x", "."])
def test_name_that_is_none_is_refused(name: object) -> None:
    """A name may become a file's: it has no path in it."""
    with pytest.raises(RefusedError, match='"job" must be a name'):
        name_in({"job": name}, "job")


@pytest.mark.parametrize("number", [True, -1, 1.5, "5", None, 1 << 32])
def test_number_that_is_none_is_refused(number: object) -> None:
    """A user's number is whole and has 32 bits."""
    with pytest.raises(RefusedError, match='"uid" must be a whole number'):
        whole_in({"uid": number}, "uid")


@pytest.mark.parametrize("given", [[], {"PATH": "x"}, {"CUDA_VISIBLE_DEVICES": 1}])
def test_only_lists_of_accelerators_are_taken_from_an_environment(given: object) -> None:
    """No other variable of a user is taken."""
    with pytest.raises(RefusedError, match="must be texts of"):
        visible_in({"visible": given})
    assert visible_in({"visible": {"CUDA_VISIBLE_DEVICES": "0"}}) == {"CUDA_VISIBLE_DEVICES": "0"}

"""The groups of several processes, without PyTorch; tests/frameworks has the real ones."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from typing import Any

import pytest

from sootprint.callbacks.ranks import Ranks


class Distributed:
    """The part of `torch.distributed` that is used: a world of two with named groups."""

    def __init__(self, backend: str = "gloo") -> None:
        self.backend, self.groups = backend, ["world"]

    def get_rank(self) -> int:
        """First of the two."""
        return 0

    def get_world_size(self) -> int:
        """Two."""
        return 2

    def new_group(self, backend: str) -> str:
        """One more group, named by its backend."""
        self.groups.append(backend)
        return backend

    def get_backend(self) -> str:
        """Backend of the first group."""
        if "world" not in self.groups:
            raise ValueError("Default process group has not been initialized")
        return self.backend

    def destroy_process_group(self, group: str = "world") -> None:
        """Leave a group."""
        if group not in self.groups:
            raise ValueError("Invalid process group specified")
        self.groups.remove(group)


@pytest.fixture
def at_exit(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """What is to be called as the program ends."""
    found: list[Callable[[], object]] = []

    def register(call: Callable[..., object], *arguments: Any) -> None:
        found.append(lambda: call(*arguments))

    monkeypatch.setattr(atexit, "register", register)
    return found


def test_gloo_has_no_thread_left_at_the_end(at_exit: list[Callable[[], object]]) -> None:
    """A thread that still runs then aborts the process, which would end with another code than 75."""
    made = Distributed()
    Ranks(made)
    assert made.groups == ["world", "gloo"]
    for one in at_exit:
        one()
    assert made.groups == []


def test_groups_of_accelerators_are_the_programs_own(at_exit: list[Callable[[], object]]) -> None:
    """To destroy one of NCCL may wait for the others, who may be gone."""
    made = Distributed("nccl")
    Ranks(made)
    for one in at_exit:
        one()
    assert made.groups == ["world"]


def test_a_program_that_has_cleaned_up_is_left_alone(at_exit: list[Callable[[], object]]) -> None:
    """Two trainings one after the other, and all groups destroyed before the end."""
    made = Distributed()
    Ranks(made), Ranks(made)
    made.groups.clear()
    for one in reversed(at_exit):
        one()
    assert made.groups == []


def test_a_fork_destroys_nothing(
    at_exit: list[Callable[[], object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has none of the threads, and would wait for them."""
    made = Distributed()
    Ranks(made)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    for one in at_exit:
        one()
    assert made.groups == ["world", "gloo"]

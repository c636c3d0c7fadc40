"""Answers that are slow to make, kept until the data change; made in the background where they take long."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy.engine import Engine

from sootprint.core.errors import SootprintError
from sootprint.hub import chain, logs

MOST = 200  # answers; the oldest is forgotten
AGE_PER_COST = 20.0  # an answer may be older than the data by this many times what it costs to make


STRANGE = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


class FailedError(SootprintError):
    """An analysis stumbled over the records."""


class Kept:
    """Answers by name, each with the state of the data that it is of."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[str, tuple[str, float, float, Any]] = {}
        self._making: dict[str, threading.Thread] = {}
        self._failed: dict[str, SootprintError] = {}
        self._lock = threading.Lock()

    def now(self, engine: Engine, name: str, make: Callable[[], Any]) -> Any:
        """Answer of the data as they are, or as they were a little while ago where it is costly."""
        state, known = chain.head(engine), self._known.get(name)
        if known is not None and (known[0] == state or self._is_young(known)):
            return known[3]
        return self._made(name, state, make)

    def later(self, engine: Engine, name: str, make: Callable[[], Any], *, wait_s: float) -> tuple[Any, bool]:
        """Answer, and whether it is of the data as they are; None where the first is still being made.

        Raises:
            SootprintError: It cannot be made.
        """
        state, known = chain.head(engine), self._known.get(name)
        if known is not None and known[0] == state:
            return known[3], True
        with self._lock:
            thread = self._making.get(name)
            if thread is None and (known is None or not self._is_young(known)):
                thread = threading.Thread(target=self._make, args=(name, state, make), daemon=True)
                self._making[name] = thread
                thread.start()
        if known is None and thread is not None:
            thread.join(timeout=wait_s)
        failed = self._failed.pop(name, None)  # by one of those who wait for it
        if failed is not None:
            raise failed
        found = self._known.get(name)
        return (None, False) if found is None else (found[3], found[0] == state)

    def _is_young(self, known: tuple[str, float, float, Any]) -> bool:
        _, at_s, cost_s, _ = known
        return self._clock() - at_s < AGE_PER_COST * cost_s

    def _make(self, name: str, state: str, make: Callable[[], Any]) -> None:
        try:
            self._made(name, state, make)
        except SootprintError as err:
            self._failed[name] = err
        except (
            STRANGE
        ) as err:  # a fault of ours in an analysis of whatever people send: the page says so, once
            logs.event(
                "analysis failed", logging.ERROR, name=name, error=f"{type(err).__name__}: {err}"[:300]
            )
            self._failed[name] = FailedError(
                "this page cannot be made of what the hub holds; the log has the reason"
            )
        finally:
            with self._lock:
                self._making.pop(name, None)

    def _made(self, name: str, state: str, make: Callable[[], Any]) -> Any:
        began_s = self._clock()
        made = make()
        ended_s = self._clock()
        with self._lock:
            self._known.pop(name, None)
            self._known[name] = (state, ended_s, ended_s - began_s, made)
            while len(self._known) > MOST:
                self._known.pop(next(iter(self._known)))
        return made

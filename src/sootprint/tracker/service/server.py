"""The node service's one loop: sockets that never wait for a client, and looks at the meters when they are due."""

from __future__ import annotations

import contextlib
import selectors
import socket
from collections.abc import Callable
from typing import Any

from sootprint.core.protocols import Clock
from sootprint.tracker.sampler import Sampler
from sootprint.tracker.service.desk import Answer, Desk, Late
from sootprint.tracker.service.page import Page
from sootprint.tracker.service.peer import Peer
from sootprint.tracker.service.protocol import RefusedError, caller_of, encoded, parsed
from sootprint.tracker.service.rates import Bucket
from sootprint.tracker.service.web import Visit
from sootprint.tracker.service_client import MOST_TOLD

MOST_PEERS, MOST_PEERS_OF_ONE, MOST_VISITS = 1_024, 320, 32
TICKS_AT_ONCE, TICKS_PER_S = 4, 4.0  # looks at the meters that clients can cause, all together
OF_ONE_AT_ONCE, OF_ONE_PER_S = 4, 2.0  # and one user
SCAN_S = 10.0


class Server:
    """The service.

    Args:
        desk: What it does.
        sampler: Its meters.
        clock: The clock.
        period_s: Time between two looks at the meters [s].
        page: The page of figures.
    """

    def __init__(self, desk: Desk, sampler: Sampler, clock: Clock, *, period_s: float, page: Page) -> None:
        self._desk, self._sampler, self._clock, self._period_s = desk, sampler, clock, period_s
        self._page = page
        self._selector = selectors.DefaultSelector()
        self._peers: set[Peer] = set()
        self._visits: set[Visit] = set()
        self._late: list[tuple[Peer, Late]] = []
        now_s = clock.monotonic_s()
        self._due_s = self._scan_s = self._poll_s = now_s
        self._full: list[selectors.SelectorKey] = []  # listeners that wait until a descriptor is free
        self._wished_s: float | None = None  # when somebody's coming or going is to be seen
        self._ticks = Bucket(most=TICKS_AT_ONCE, per_s=TICKS_PER_S, now_s=now_s)
        self._of_one: dict[int, Bucket] = {}
        self.stopping = False

    def listen(self, listener: socket.socket, *, for_page: bool = False) -> None:
        """Take connections of a listening socket."""
        listener.setblocking(False)
        take = self._take_visit if for_page else self._take_peer
        self._selector.register(listener, selectors.EVENT_READ, lambda mask: take(listener))

    def wake_by(self, pipe: socket.socket) -> None:
        """End a wait when a byte comes, as a signal sends one."""
        pipe.setblocking(False)
        self._selector.register(pipe, selectors.EVENT_READ, lambda mask: pipe.recv(4096))

    def run(self) -> None:
        """Serve until `stopping`."""
        while not self.stopping:
            for key, mask in self._selector.select(self._pause_s()):
                key.data(mask)
            now_s = self._clock.monotonic_s()
            if self._is_due(now_s):
                self._tick(now_s)
            elif self._sampler.poll_s and now_s >= self._poll_s:
                self._sampler.poll()
                self._poll_s = now_s + self._sampler.pause_s()
            if now_s >= self._scan_s:
                self._scan(now_s)

    def close(self) -> None:
        """Look a last time, answer who waits, and let everybody go."""
        self._tick(self._clock.monotonic_s())
        self._desk.save()
        for one in self._all():
            one.close()
        self._selector.close()

    def _all(self) -> list[Peer | Visit]:
        return [*self._peers, *self._visits]

    def _pause_s(self) -> float:
        now_s = self._clock.monotonic_s()
        pause_s = min(self._due_s, self._scan_s) - now_s
        if self._wished_s is not None:
            pause_s = min(pause_s, max(self._wished_s - now_s, self._ticks.wait_s(now_s)))
        if self._sampler.poll_s:
            pause_s = min(pause_s, self._poll_s - now_s)
        return max(0.0, pause_s)

    def _is_due(self, now_s: float) -> bool:
        if now_s >= self._due_s:
            return True
        return self._wished_s is not None and now_s >= self._wished_s and self._ticks.take(now_s)

    def _tick(self, now_s: float) -> None:
        self._wished_s = None
        if now_s >= self._due_s:
            self._due_s = max(self._due_s + self._period_s, now_s)
        self._desk.tick()
        for key in self._full:
            self._selector.register(key.fileobj, key.events, key.data)
        self._full.clear()
        waiting, self._late = self._late, []
        for peer, late in waiting:
            if peer in self._peers:
                self._answer_late(peer, late)
        self._tell()

    def _tell(self) -> None:
        """Tell each run that wants it what it is charged, so that all know of the same look where this process dies."""
        for peer in [one for one in self._peers if one.run is not None and one.untold and not one.waits]:
            answer = self._desk.told(peer.caller, peer.run or "")
            if answer is not None:
                peer.untold -= 1
                self._send(peer, answer)

    def _send(self, peer: Peer, answer: Answer) -> None:
        try:
            peer.send(encoded(answer))
            self._watch(peer)
        except ConnectionError:
            self._drop(peer)

    def _scan(self, now_s: float) -> None:
        self._scan_s = now_s + SCAN_S
        self._desk.scan()
        for one in self._all():
            if one.is_idle(now_s):
                self._drop(one)
        self._of_one = {uid: one for uid, one in self._of_one.items() if not one.is_full(now_s)}

    def _wish(self, uid: int) -> None:
        """Look at the meters soon, as a user's run or job comes or goes; how soon depends on how often he asked."""
        now_s = self._clock.monotonic_s()
        if uid not in self._of_one:
            self._of_one[uid] = Bucket(most=OF_ONE_AT_ONCE, per_s=OF_ONE_PER_S, now_s=now_s)
        bucket = self._of_one[uid]
        at_s = now_s + bucket.wait_s(now_s)
        bucket.take(now_s)
        self._wished_s = at_s if self._wished_s is None else min(self._wished_s, at_s)

    def _take_peer(self, listener: socket.socket) -> None:
        connection = self._accepted(listener)
        if connection is None:
            return
        try:
            caller = caller_of(connection)
        except OSError:
            connection.close()
            return
        peer = Peer(connection, caller, self._clock.monotonic_s())
        of_one = sum(other.caller.uid == caller.uid for other in self._peers)
        if len(self._peers) >= MOST_PEERS or of_one >= MOST_PEERS_OF_ONE:
            with contextlib.suppress(ConnectionError):
                peer.send(encoded({"error": "too many connections"}))
            self._desk.counters.errors["refused"] += 1
            peer.close()
            return
        self._peers.add(peer)
        self._selector.register(connection, selectors.EVENT_READ, lambda mask: self._on_peer(peer, mask))

    def _take_visit(self, listener: socket.socket) -> None:
        connection = self._accepted(listener)
        if connection is None:
            return
        visit = Visit(connection, self._page.text, self._clock.monotonic_s())
        if len(self._visits) >= MOST_VISITS:
            visit.close()
            return
        self._visits.add(visit)
        self._selector.register(connection, selectors.EVENT_READ, lambda mask: self._on_visit(visit, mask))

    def _accepted(self, listener: socket.socket) -> socket.socket | None:
        try:
            return listener.accept()[0]
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return None
        except OSError:  # no descriptor is left
            self._desk.counters.errors["refused"] += 1
            self._full.append(self._selector.get_key(listener))
            self._selector.unregister(listener)
            return None

    def _on_visit(self, visit: Visit, mask: int) -> None:
        try:
            visit.receive() if mask & selectors.EVENT_READ else visit.flush()
            self._watch(visit)
        except ConnectionError:
            self._drop(visit)

    def _on_peer(self, peer: Peer, mask: int) -> None:
        try:
            if mask & selectors.EVENT_WRITE:
                peer.flush()
            if mask & selectors.EVENT_READ:
                for line in peer.receive(self._clock.monotonic_s()):
                    self._hear(peer, line)
            self._watch(peer)
        except ConnectionError:
            self._drop(peer)

    def _hear(self, peer: Peer, line: bytes) -> None:
        """Answer one request.

        Raises:
            ConnectionError: The client has gone, or speaks nonsense.
        """
        try:
            message = parsed(line)
        except RefusedError as err:
            self._desk.counters.errors["client"] += 1
            peer.send(encoded({"error": str(err)}))
            raise ConnectionError("nonsense") from err
        try:
            answer = self._do(peer, message)
        except RefusedError as err:
            self._desk.counters.errors["refused"] += 1
            answer = {"error": str(err)}
        if callable(answer):
            self._answer_late(peer, answer)
        elif answer:
            peer.send(encoded(answer))

    def _do(self, peer: Peer, message: dict[str, Any]) -> Answer | Late:
        """Answer to a request, empty where it wants none, or what will answer it after the next look at the meters.

        Raises:
            RefusedError: It is not granted.
        """
        desk, caller = self._desk, peer.caller
        if message["op"] in ("hear", "share") and peer.is_told:
            peer.untold = MOST_TOLD
        if message["op"] == "hear":
            return {}
        if message["op"] == "join":
            return self._join(peer, message)
        if message["op"] == "leave" and peer.run is not None:
            key, peer.run = peer.run, None
            self._wish(caller.uid)
            return desk.leave(caller, key)
        if message["op"] == "job-end":
            late = desk.end_job(caller, message)
            self._wish(caller.uid)
            return late
        if message["op"] == "job-start":
            self._wish(caller.uid)
            return desk.begin_job(caller, message)
        plain: dict[str, Callable[[], Answer | Late]] = {
            "greet": lambda: desk.greet(caller, message),
            "share": lambda: desk.share(caller, message),
            "record": lambda: desk.record(caller, message),
            "status": lambda: desk.status(caller),
        }
        if message["op"] not in plain:
            raise RefusedError("no such request")
        return plain[message["op"]]()

    def _join(self, peer: Peer, message: dict[str, Any]) -> Answer:
        if peer.run is not None:
            raise RefusedError("one run a connection")
        peer.run, answer = self._desk.join(peer.caller, message)
        peer.is_told = message.get("told") is True
        for other in [one for one in self._peers if one is not peer and one.run == peer.run]:
            other.run = None  # the run has a new connection
            self._drop(other)
        self._wish(peer.caller.uid)
        return answer

    def _answer_late(self, peer: Peer, late: Late) -> None:
        answer = late()
        if answer is None:
            self._late.append((peer, late))
        else:
            self._send(peer, answer)

    def _watch(self, one: Peer | Visit) -> None:
        """Be told when bytes come, and when those that wait can go."""
        mask = selectors.EVENT_READ | (selectors.EVENT_WRITE if one.waits else 0)
        with contextlib.suppress(KeyError, ValueError):
            key = self._selector.get_key(one.connection)
            if key.events != mask:
                self._selector.modify(one.connection, mask, key.data)

    def _drop(self, one: Peer | Visit) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(one.connection)
        one.close()
        if isinstance(one, Visit):
            self._visits.discard(one)
            return
        self._peers.discard(one)
        if one.run is not None:
            self._desk.leave(one.caller, one.run)
            self._wish(one.caller.uid)
            one.run = None

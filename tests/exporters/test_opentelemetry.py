"""Metrics to a collector: what the specification asks for, and servers that do not keep to it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from email.utils import formatdate

import pytest

from sootprint import settings
from sootprint.core.errors import ExportError, InputError, RefusedError
from sootprint.exporters import opened
from tests.fixtures.collector import Collector
from tests.fixtures.exporting import footprint

SECRET = "s3cret-key"


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector."""
    with Collector() as made:
        yield made


def write(collector: Collector, record=None) -> None:
    """Send a record."""
    opened(f"opentelemetry:{collector.address}", settings.load()).write(record or footprint())


def test_metrics_have_names_units_and_times_of_the_conventions(collector: Collector) -> None:
    """Sums in joules and kilograms from the start of the run to its end, each component by its kind."""
    write(collector)
    points = {
        (one.name.removeprefix("sootprint.run."), one.attributes.get("hw.id", "")): one
        for one in collector.points()
    }
    energy = points["energy", ""]
    assert (energy.value, energy.unit, energy.kind) == (3.6e6, "J", "sum")
    assert (energy.start, energy.at) == (1793613600 * 10**9, 1793617200 * 10**9)
    assert points["energy_high", ""].value == pytest.approx(1.2 * 3.6e6)
    assert (points["emissions", ""].value, points["emissions", ""].unit) == (0.04, "kg{CO2e}")
    assert points["component.energy", "accelerator:0"].attributes["hw.type"] == "gpu"
    assert points["component.energy", "cpu"].value == 0.25 * 3.6e6
    assert points["carbon_intensity", ""].kind == "gauge"
    assert ("water", "") not in points
    told = energy.resource
    assert (told["service.name"], told["sootprint.run.zone"], told["sootprint.run.tag.seed"]) == (
        "sootprint",
        "FR",
        "1",
    )


@pytest.mark.parametrize(
    "answer", [b"", b"{}", b'{"partialSuccess":{}}', b'{"partialSuccess":{"rejectedDataPoints":"0"}}']
)
def test_answers_of_success_count(collector: Collector, answer: bytes) -> None:
    """With and without a message; Prometheus answers nothing at all."""
    collector.answer = answer
    write(collector)
    assert collector.points()


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (400, b'{"code":3,"message":"bad name"}'),
        (200, b'{"partialSuccess":{"rejectedDataPoints":"2","errorMessage":"bad name"}}'),
    ],
)
def test_what_is_refused_is_not_sent_again(collector: Collector, status: int, answer: bytes) -> None:
    """The specification forbids it for bad data and for a partial success."""
    collector.status, collector.answer = status, answer
    with pytest.raises(RefusedError, match="bad name"):
        write(collector)


@pytest.mark.parametrize("status", [301, 401, 403, 404, 429, 500, 503])
def test_other_answers_leave_the_record_waiting(collector: Collector, status: int) -> None:
    """A redirection is not followed: it would carry the key elsewhere."""
    collector.status, collector.more = status, {"Location": "http://127.0.0.1:9/v1/metrics"}
    with pytest.raises(ExportError, match=f"answered {status}") as caught:
        write(collector)
    assert not isinstance(caught.value, RefusedError)
    assert len(collector.headers) == 1


def test_busy_server_is_asked_again_when_it_says_so(collector: Collector) -> None:
    """By a number of seconds and by a date; the record is there once."""
    soon = {"Retry-After": formatdate(time.time() + 2.0, usegmt=True)}
    collector.first = [(429, {"Retry-After": "1"}), (503, soon), (504, {"Retry-After": "0"})]
    began_s = time.monotonic()
    write(collector)
    assert time.monotonic() - began_s >= 3.0  # a second each, at least
    assert (len(collector.headers), len(collector.bodies)) == (4, 1)


@pytest.mark.parametrize("later", ["3600", "soon", "-1", "9" * 400])
def test_busy_server_that_asks_for_long_is_left_for_now(collector: Collector, later: str) -> None:
    """The record waits, and the line says how long is asked for."""
    collector.status, collector.more = 429, {"Retry-After": later}
    with pytest.raises(ExportError, match="answered 429") as caught:
        write(collector)
    assert ("asks to be asked again in 3600 s" in str(caught.value)) == (later == "3600")
    assert len(collector.headers) == 1


@pytest.mark.parametrize(
    "answer", [b"Client sent an HTTP request to an HTTPS server.\n", b"<html>Bad\nRequest</html>", b"[]", b""]
)
def test_bad_request_of_another_server_is_no_verdict_on_the_record(
    collector: Collector, answer: bytes
) -> None:
    """Only a Status of OTLP is: a wrong port or a proxy says 400, too, and the record waits for the right one."""
    collector.status, collector.answer = 400, answer
    with pytest.raises(ExportError, match="answered 400") as caught:
        write(collector)
    assert not isinstance(caught.value, RefusedError)
    assert ("an HTTPS server" in str(caught.value)) == answer.startswith(b"Client")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_COMPRESSION", "OTEL_EXPORTER_OTLP_METRICS_COMPRESSION"])
def test_request_is_compressed_where_the_environment_says_so(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """As of other senders; what is not known is refused before anything is sent."""
    monkeypatch.setenv(name, "gzip")
    write(collector)
    assert collector.headers[0]["Content-Encoding"] == "gzip"
    assert collector.points()
    monkeypatch.setenv(name, "zstd")
    with pytest.raises(InputError, match="COMPRESSION is 'zstd': state gzip or none"):
        write(collector)
    assert len(collector.headers) == 1


def test_variable_of_metrics_counts_before_that_of_all(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the specification has it."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "of=all,x=1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "of=metrics")
    write(collector)
    assert collector.headers[0]["of"] == "metrics"
    assert "x" not in collector.headers[0]


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b"\xff\x00", b"[" * 20_000, b"null"])
def test_nonsense_is_no_success(collector: Collector, answer: bytes) -> None:
    """A page of some other server is not taken for an acknowledgement."""
    collector.answer = answer
    with pytest.raises(ExportError, match="no JSON of OTLP"):
        write(collector)


def test_answer_without_an_end_is_given_up(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither for ever nor into all of the memory."""
    monkeypatch.setattr("sootprint.exporters.post.MOST_BYTES", 1000)
    collector.drip_s, collector.answer = 0.05, b" " * 2000
    began_s = time.monotonic()
    with pytest.raises(ExportError, match="does not come to an end"):
        write(collector)
    assert time.monotonic() - began_s < 30.0


def test_silent_server_is_given_up(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the request and says nothing."""
    monkeypatch.setattr("sootprint.exporters.post.ONE_LOOK_S", 0.3)
    collector.delay_s = 60.0
    with pytest.raises(ExportError, match="does not answer"):
        write(collector)


def test_server_that_is_away_is_said_with_its_address() -> None:
    """One line."""
    with pytest.raises(ExportError, match=r"http://127\.0\.0\.1:9/v1/metrics does not answer"):
        opened("opentelemetry:http://127.0.0.1:9", settings.load()).write(footprint())


def test_keys_of_the_environment_are_sent_and_never_told(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Percent-encoded as the specification writes them; to a server without encryption elsewhere they do not go."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"api-key={SECRET}%21,x=1")
    write(collector)
    assert collector.headers[0]["api-key"] == f"{SECRET}!"
    with pytest.raises(InputError, match="not encrypted") as caught:
        opened("opentelemetry:http://collector.example.org:4318", settings.load())
    assert SECRET not in str(caught.value)
    collector.status = 500
    with pytest.raises(ExportError) as failed:
        write(collector)
    assert SECRET not in str(failed.value)


@pytest.mark.parametrize(
    "value", [f"api-key={SECRET}%0a", f"api-key={SECRET}%0d%0aX: y", f"api-key={SECRET}é"]
)
def test_header_that_http_cannot_carry_is_told_without_its_value(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """A key that was copied with the end of its line."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", value)
    with pytest.raises(ExportError, match="HTTP cannot carry") as caught:
        write(collector)
    assert SECRET not in str(caught.value)
    assert collector.headers == []


def test_same_record_is_the_same_points(collector: Collector) -> None:
    """Cumulative sums of one series, so that a record that was sent twice counts once."""
    record = footprint()
    write(collector, record)
    write(collector, record)
    first, second = (json.loads(body) for body in collector.bodies)
    assert first == second

"""What leaves in the formats of OpenTelemetry and Prometheus, read by their own messages and their own parser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip(
    "opentelemetry.proto",
    reason="OTLP is not installed: `make test-frameworks` has an environment of its own",
)

from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as otlp
from prometheus_client.parser import text_string_to_metric_families

from sootprint import settings
from sootprint.core.errors import RefusedError
from sootprint.exporters import opened
from tests.fixtures.collector import Collector
from tests.fixtures.exporting import ODD, footprint


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector."""
    with Collector() as made:
        yield made


def received(collector: Collector) -> otlp.ExportMetricsServiceRequest:
    """The last request as a message of OTLP, which knows every field of it."""
    return json_format.Parse(collector.bodies[-1], otlp.ExportMetricsServiceRequest())


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_metrics_are_messages_of_otlp(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, compression: str
) -> None:
    """No field is unknown, and numbers, times and names come out as they went in, odd names included."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", compression)
    record = footprint(2.0, name=ODD, tags={ODD: ODD})
    opened(f"opentelemetry:{collector.address}", settings.load()).write(record)
    (resource,) = received(collector).resource_metrics
    attributes = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert attributes["service.name"] == "sootprint"
    assert attributes["sootprint.run.id"] == record.id
    (scope,) = resource.scope_metrics
    metrics = {one.name: one for one in scope.metrics}
    energy = metrics["sootprint.run.energy"]
    (point,) = energy.sum.data_points
    assert (energy.unit, energy.sum.is_monotonic, point.as_double) == ("J", True, 7.2e6)
    assert energy.sum.aggregation_temporality == 2  # cumulative
    assert (point.start_time_unix_nano, point.time_unix_nano) == (
        1793613600 * 10**9,
        1793617200 * 10**9,
    )
    parts = {
        tuple((one.key, one.value.string_value) for one in point.attributes): point.as_double
        for point in metrics["sootprint.run.component.energy"].sum.data_points
    }
    assert parts[("hw.id", "accelerator:0"), ("hw.type", "gpu")] == 0.75 * 7.2e6
    assert metrics["sootprint.run.pue"].gauge.data_points[0].as_double == 1.0


def test_answer_of_a_partial_success_as_otlp_writes_it_is_understood(collector: Collector) -> None:
    """The number of what was rejected is a text there, as all 64-bit integers are; an empty message is a success."""
    refused = otlp.ExportMetricsServiceResponse()
    refused.partial_success.rejected_data_points = 3
    refused.partial_success.error_message = "too old"
    collector.answer = json_format.MessageToJson(refused).encode()
    exporter = opened(f"opentelemetry:{collector.address}", settings.load())
    with pytest.raises(RefusedError, match="refused 3 metrics: too old"):
        exporter.write(footprint())
    collector.answer = json_format.MessageToJson(otlp.ExportMetricsServiceResponse()).encode()
    exporter.write(footprint())


def test_text_file_is_read_by_the_parser_of_prometheus(tmp_path: Path) -> None:
    """Families, kinds and labels, odd names included."""
    path = tmp_path / "sootprint.prom"
    exporter = opened(f"prometheus:{path}", settings.load())
    records = [footprint(1.0, name=ODD, project=ODD), footprint(2.0, name="other")]
    for record in records:
        exporter.write(record)
    families = {one.name: one for one in text_string_to_metric_families(path.read_text())}
    assert {one.type for one in families.values()} == {"gauge"}
    assert all(one.documentation for one in families.values())
    energies = {
        sample.labels["name"]: sample.value for sample in families["sootprint_run_energy_joules"].samples
    }
    assert energies["other"] == 7.2e6
    assert sorted(energies.values()) == [3.6e6, 7.2e6]
    infos = {sample.labels["id"] for sample in families["sootprint_run_info"].samples}
    assert infos == {record.id for record in records}

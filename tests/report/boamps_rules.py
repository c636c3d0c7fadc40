"""What BoAmps 1.1.0 requires of the fields that we write, in our words: names, types, values, and which must be there.

Source:
    Boavizta, BoAmps data model 1.1.0 (CC-BY-4.0). A name that it does not have is refused, but for `sootprint`.
"""

from __future__ import annotations

from typing import Any

TEXT, NUMBER, WHOLE = {"type": "string"}, {"type": "number"}, {"type": "integer"}
SHARE = {"type": "number", "minimum": 0, "maximum": 1}


def _object(required: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def _texts(names: str) -> dict[str, Any]:
    return dict.fromkeys(names.split(), TEXT)


def _one_of(values: str) -> dict[str, Any]:
    return {"enum": values.split()}


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": of}


REPORT = _object(
    "task measures infrastructure",
    header=_object(
        "reportDatetime",
        **_texts("licensing formatVersion formatVersionSpecificationUri reportId"),
        reportDatetime={"type": "string", "pattern": r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$"},
        reportStatus=_one_of("draft final corrective other"),
        publisher=_object(
            "confidentialityLevel",
            **_texts("name division projectName publicKey"),
            confidentialityLevel=_one_of("public internal confidential secret"),
        ),
    ),
    task=_object(
        "taskStage taskFamily algorithms dataset",
        **_texts("taskStage taskFamily taskDescription"),
        nbRequest=NUMBER,
        algorithms=_list(
            _object(
                "",
                **_texts(
                    "trainingType algorithmType algorithmName algorithmUri foundationModelName classPath"
                ),
                **_texts("foundationModelUri framework frameworkVersion optimizer quantization"),
                parametersNumber=NUMBER,
                layersNumber=NUMBER,
                epochsNumber=NUMBER,
            )
        ),
        dataset=_list(
            _object(
                "dataUsage dataType",
                dataUsage=_one_of("input output"),
                dataType=_one_of("tabular audio boolean image video object text token word other"),
                dataSize=NUMBER,
                dataQuantity=NUMBER,
                **_texts("shape sourceUri owner"),
            )
        ),
        measuredAccuracy=SHARE,
    ),
    measures=_list(
        _object(
            "measurementMethod powerConsumption",
            **_texts("measurementMethod manufacturer version cpuTrackingMode gpuTrackingMode"),
            averageUtilizationCpu=SHARE,
            averageUtilizationGpu=SHARE,
            powerConsumption=NUMBER,
            measurementDuration=NUMBER,
            measurementDateTime={"type": "string", "pattern": r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$"},
        )
    ),
    system=_object("os", **_texts("os distribution distributionVersion")),
    software=_object("language", **_texts("language version")),
    infrastructure=_object(
        "infraType components",
        infraType=_one_of("publicCloud privateCloud onPremise other"),
        **_texts("cloudProvider cloudInstance cloudService"),
        components=_list(
            _object(
                "componentType nbComponent",
                **_texts("componentName componentType manufacturer family series"),
                nbComponent=WHOLE,
                memorySize=WHOLE,
                share=SHARE,
            )
        ),
    ),
    environment=_object(
        "country",
        **_texts("country location"),
        latitude=NUMBER,
        longitude=NUMBER,
        powerSourceCarbonIntensity=NUMBER,
    ),
    quality=_one_of("high medium low"),
    sootprint={"type": "object"},
)

"""Results of a run as a person states them: TASK/DATASET[:SPLIT]/METRIC=VALUE, which is what a leaderboard ranks."""

from __future__ import annotations

import math

from sootprint.core.errors import InputError

KINDS = ("quality", "robustness", "fairness")
MOST = 200  # results of a run
MAX_TEXT = 200  # characters of a name, as the hub keeps it
EXAMPLE = '"Image Classification/ImageNet/Top-1 accuracy=76.1"'
# Metrics of which less is better: words, and abbreviations that stand alone
_LOWER = (
    r"perplex|ppl|loss|error|latency|bits|entropy|negative log|rmse|brier|divergence|regret|"
    r"(?<![a-z])(?:wer|cer|ter|hter|eer|mae|mse|mape|smape|nll|bpb|bpc|bpd|fid|kid|fvd|ece|lpips|mpjpe)(?![a-z])"
)
_OF_SPLIT = r"(.*\S)\s*:([^\W\d_][\w.+-]*)"  # a data set, and its split after a colon
NAME = "TASK/DATASET[:SPLIT]/METRIC, e.g. Image Classification/ImageNet/Top-1 accuracy"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any


def named(name: str) -> dict[str, str]:
    """Task, data set, split, metric and kind of a result's name; a data set may hold slashes, and may be empty.

    A split is one word that begins with a letter, after the last colon of the data set: that of `glue:1.0.0` is none.
    A data set that ends so itself has a colon more, which says that there is no split: `glue:mnli:`.

    Args:
        name: Such as "Translation/WMT/en-fr/BLEU", or "fairness:Credit/Adult/gap" for another kind than quality.

    Raises:
        InputError: The task or the metric is missing, or a name is too long.

    >>> named("Translation/WMT/en-fr/BLEU")
    {'kind': 'quality', 'task': 'Translation', 'dataset': 'WMT/en-fr', 'metric': 'BLEU'}
    >>> named("Image Classification/ImageNet:val/Top-1 accuracy")["split"]
    'val'
    >>> named("Inference/glue:mnli:/accuracy")
    {'kind': 'quality', 'task': 'Inference', 'dataset': 'glue:mnli', 'metric': 'accuracy'}
    """
    import re

    kind, colon, rest = name.partition(":")
    kind, text = (
        (kind.strip().lower(), rest) if colon and kind.strip().lower() in KINDS else ("quality", name)
    )
    parts = [part.strip() for part in text.split("/")]
    task, dataset, metric = parts[0], "/".join(parts[1:-1]), parts[-1]
    if len(parts) < 3 or not task or not metric:
        raise InputError(f"result {name!r:.120} is not {NAME}")
    found = re.fullmatch(_OF_SPLIT, dataset)
    dataset, split = found.groups() if found else (dataset.removesuffix(":").rstrip(), "")
    if max(len(task), len(dataset), len(metric), len(split)) > MAX_TEXT:
        raise InputError(f"result {name[:60]!r}... has a name of more than {MAX_TEXT} characters: shorten it")
    of_split = {"split": split} if split else {}
    return {"kind": kind, "task": task, "dataset": dataset, **of_split, "metric": metric}


def parsed(text: str) -> dict[str, Any]:
    """Fields of `sootprint.core.records.Result` of a text such as TASK/DATASET:SPLIT/METRIC=VALUE.

    Raises:
        InputError: It has no such form, or the value is no finite number.

    >>> parsed("Image Classification/ImageNet/Top-1 accuracy=76.1")["value"]
    76.1
    """
    name, sign, value = text.rpartition("=")
    if not sign:
        raise InputError(f"result {text!r:.120} is not TASK/DATASET[:SPLIT]/METRIC=VALUE, e.g. {EXAMPLE}")
    return {**named(name), "value": number(value.strip(), name)}


def number(value: object, name: str) -> float:
    """Value of a result.

    Raises:
        InputError: It is no finite number.
    """
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise InputError(f"result {name!r:.120}: {value!r:.40} is not a number, e.g. {EXAMPLE}")
    return found


def key_of(result: Mapping[str, Any]) -> tuple[str, ...]:
    """What a second value of the same result replaces."""
    return tuple(str(result.get(part) or "") for part in ("kind", "task", "dataset", "split", "metric"))


def joined(before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Results in the order in which they were first stated, each with its latest value."""
    return [dict(one) for one in {key_of(one): one for one in (*before, *after)}.values()]


def is_higher_better(metric: str) -> bool:
    """Direction of a metric by its name.

    >>> [is_higher_better(name) for name in ("Top-1 accuracy", "log-likelihood", "Perplexity", "val_MSE", "BPB")]
    [True, True, False, False, False]
    """
    import re

    return re.search(_LOWER, metric, re.IGNORECASE) is None

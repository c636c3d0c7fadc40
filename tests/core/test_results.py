"""Results as a person states them."""

import pytest

from sootprint.core.results import joined, named, parsed


@pytest.mark.parametrize(
    ("dataset", "known", "split"),
    [
        ("ImageNet:val", "ImageNet", "val"),
        ("WMT/en-fr:newstest2014", "WMT/en-fr", "newstest2014"),
        ("glue:mnli : dev", "glue:mnli : dev", None),
        ("glue:mnli:dev", "glue:mnli", "dev"),
        ("glue:1.0.0", "glue:1.0.0", None),
        ("Corpus: spoken", "Corpus: spoken", None),
        (":test", ":test", None),
        ("ImageNet:", "ImageNet", None),
        ("ImageNet::", "ImageNet:", None),
        ("glue:mnli:", "glue:mnli", None),
        ("glue:mnli :", "glue:mnli", None),
        ("a:b/c", "a:b/c", None),
        ("ImageNet", "ImageNet", None),
        ("", "", None),
    ],
)
def test_split_is_a_word_after_the_last_colon_of_the_data_set(
    dataset: str, known: str, split: str | None
) -> None:
    """A version, a title with a colon and a kind before the task are none; a last colon says that there is none."""
    told = named(f"fairness: Task: one/{dataset}/a:b")
    assert told | {"split": told.get("split")} == {
        "kind": "fairness", "task": "Task: one", "dataset": known, "split": split, "metric": "a:b",
    }  # fmt: skip


def test_splits_do_not_replace_each_other() -> None:
    """The values of two splits stand beside each other, and beside that of none."""
    texts = ("t/d/m=1", "t/d:val/m=2", "t/d:test/m=3", "t/d:val/m=4")
    made = joined([], (parsed(text) for text in texts))
    assert [(one.get("split"), one["value"]) for one in made] == [(None, 1.0), ("val", 4.0), ("test", 3.0)]

"""The table of targets: what is taken, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from sootprint.core.errors import SettingsError
from sootprint.settings import load
from sootprint.settings.targets import Target

SLURM = '[targets.se]\nzone = "SE"\nengine = "slurm"\n'


def own(folder: Path, text: str):
    """Settings with a text in the user's own file."""
    (folder / "sootprint.toml").write_text(text)
    return load({"SOOTPRINT_HOME": str(folder)}, folder)


def test_targets_are_read_by_name(tmp_path):
    """Values in the unit of their name, and all of them survive a plan's book."""
    text = f'{SLURM}host = "me@login"\nworkdir = "/w"\ntransfer_time = "10m"\ndata_gb = 12\npue = 1.1\n'
    found = own(tmp_path, text + '[targets.home]\nzone = "DE"\n').targets
    assert (found["se"].transfer_s, found["se"].data_gb, found["se"].pue) == (600.0, 12.0, 1.1)
    assert found["se"].is_remote
    assert (found["home"].engine, found["home"].workdir, found["home"].is_remote) == ("local", None, False)
    assert Target(**found["se"].as_table()) == found["se"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[targets.a]\nengine = "ssh"\nhost = "h"\n', "a must have a zone"),
        ('[targets.a]\nzone = "FR"\nengine = "ssh"\n', "a must have a host"),
        ('[targets.a]\nzone = "FR"\nhost = "h"\n', "needs engine"),
        ('[targets.a]\nzone = "FR"\nengine = "ssh"\nhost = "h"\n', "a must have a workdir"),
        ('[targets.a]\nzone = "FR"\nengine = "ssh"\nhost = "-oProxyCommand=x"\n', "must be a host"),
        ('[targets.a]\nzone = "FR"\nengine = "kube"\n', "must be one of local, ssh, slurm"),
        ('[targets.a]\nzone = "FR"\nmax_jobs = 0\n', "at least 1"),
        ('[targets.a]\nzone = "FR"\nworkdir = "train"\n', "absolute path"),
        (f'{SLURM}options = "train.sh"\n', "options of sbatch"),
        ('[targets.a]\nzone = "FR"\nworkdr = "/w"\n', "the nearest is workdir"),
        ('[targets."a/b"]\nzone = "FR"\n', "'a/b' must be a name without commas and slashes"),
        ('[targets."a,b"]\nzone = "FR"\n', "'a,b' must be a name without commas and slashes"),
    ],
)
def test_wrong_target_is_one_line(tmp_path, text, words):
    """With its key, the rule, and the way out."""
    with pytest.raises(SettingsError, match=words):
        own(tmp_path, text)


def test_project_that_was_cloned_may_not_name_targets(tmp_path):
    """It would open connections and run commands."""
    home, project = tmp_path / "home", tmp_path / "project"
    home.mkdir()
    project.mkdir()
    (project / "sootprint.toml").write_text(SLURM)
    with pytest.raises(SettingsError, match="only in your own"):
        load({"SOOTPRINT_HOME": str(home)}, project)

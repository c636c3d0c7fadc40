"""The strict rule on skips, proved on test files written here."""

from __future__ import annotations

from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py").read_text(encoding="utf-8")
SKIPS = """
    import pytest

    def test_runs(): pass

    def test_wants_slurm(): pytest.skip("slurmd is not installed")

    @pytest.mark.skip(reason="never")
    def test_marked(): pass

    @pytest.fixture
    def database(): pytest.skip("no PostgreSQL")

    def test_wants_fixture(database): pass
"""


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A test session inside the test, under this repository's conftest, not strict."""
    monkeypatch.delenv("SOOTPRINT_STRICT", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(CONFTEST)
    return pytester


def test_skips_pass_where_the_rule_is_off(inner: pytest.Pytester) -> None:
    """Without SOOTPRINT_STRICT a skip stays a skip."""
    inner.makepyfile(SKIPS)
    inner.runpytest().assert_outcomes(passed=1, skipped=3)


def test_every_skip_fails_where_the_rule_is_on(
    inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A skip in the test, by mark or in a fixture fails, and the reason is shown."""
    monkeypatch.setenv("SOOTPRINT_STRICT", "1")
    inner.makepyfile(SKIPS)
    result = inner.runpytest()
    result.assert_outcomes(passed=1, failed=1, errors=2)
    result.stdout.fnmatch_lines(["*allows no skip*slurmd is not installed*"])


def test_whole_file_that_skips_fails_where_the_rule_is_on(
    inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file skipped while it is collected is an error."""
    monkeypatch.setenv("SOOTPRINT_STRICT", "1")
    inner.makepyfile('import pytest\npytest.importorskip("no_such_package")\n')
    inner.runpytest().assert_outcomes(errors=1)


def test_absent_shared_folder_may_be_skipped_even_so(
    inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fixture shared_dir skips where ../shared is absent, and that skip is allowed."""
    monkeypatch.setenv("SOOTPRINT_STRICT", "1")
    inner.makepyfile("def test_data(shared_dir): pass\n")
    inner.runpytest("-rs").assert_outcomes(skipped=1)


def test_expected_failure_is_not_a_skip(inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """An xfail is reported as a skip by pytest, and is left alone."""
    monkeypatch.setenv("SOOTPRINT_STRICT", "1")
    inner.makepyfile("import pytest\n@pytest.mark.xfail\ndef test_known(): assert False\n")
    inner.runpytest().assert_outcomes(xfailed=1)


def test_own_home_is_empty_and_the_users_settings_are_out_of_sight(
    inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables of the user do not reach a test; a fresh home and a short runtime folder do."""
    monkeypatch.setenv("SOOTPRINT_ZONE", "FR")
    inner.makepyfile("""
        import os
        from pathlib import Path

        def test_home(own_home):
            assert os.environ["SOOTPRINT_HOME"] == str(own_home)
            assert list(own_home.iterdir()) == []
            assert "SOOTPRINT_ZONE" not in os.environ
            assert len(os.environ["SOOTPRINT_RUNTIME_DIR"]) < 60
    """)
    inner.runpytest().assert_outcomes(passed=1)

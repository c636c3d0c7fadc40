"""`sootprint show`: one footprint on the terminal."""

from __future__ import annotations

from sootprint.cli import lookup, options, output


def show(run: options.RunOrFile, json: options.Json = False) -> None:
    """Show the footprint of a run or file.

    A record of someone else is a file; - reads it from standard input.

        sootprint show latest
        sootprint show baseline --json
        sootprint estimate --hardware A100 --hours 24 --json | sootprint show -
    """
    record, kin = lookup.with_kin(run)
    if json:
        output.print_text(record.to_json(indent=2))
        return
    from sootprint import report

    output.console().print(report.terminal(record, kin=kin))

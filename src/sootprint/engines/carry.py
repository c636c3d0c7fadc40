"""What goes with a job that moves: files and folders copied between two places, whole or not at all.

They pass through this machine as one archive, are unpacked beside their place, and take it when all has arrived. What
lay there before is replaced; where the job comes from nothing is removed. Each try unpacks in a folder of its own, for
what a killed driver has begun on another machine may go on there for a while.
"""

from __future__ import annotations

import shlex
import uuid
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from sootprint.core.errors import InputError
from sootprint.engines.shell import UnreachableError, answer, command, piped

if TYPE_CHECKING:
    from sootprint.settings.targets import Target

ARRIVING = ".sootprint-arriving"
SETTLE_S = 600.0


def checked(paths: Sequence[str]) -> tuple[str, ...]:
    """Paths that may be carried: relative to the working directory, and within it.

    Raises:
        InputError: One is not.
    """
    for text in paths:
        path = PurePosixPath(text)
        if path.is_absolute() or ".." in path.parts or not path.parts or not text.isprintable():
            raise InputError(
                f"--carry {text} must be a file or folder below the working directory, e.g. --carry checkpoints"
            )
    return tuple(str(PurePosixPath(text)) for text in paths)


def carried(
    paths: Sequence[str],
    *,
    source: tuple[Target | None, str],
    target: tuple[Target | None, str],
    plan: str,
) -> int:
    """Bytes that were copied from one place to another; paths that are not there are left out.

    Args:
        paths: Relative paths.
        source: Place (None is this machine) and folder that they are in.
        target: Place and folder that they go to.
        plan: Identity of the plan, whose own earlier tries are cleared away.

    Raises:
        UnreachableError: A place cannot be reached, or the copy failed; what was there before is whole.
    """
    words = shlex.join(paths)
    pack = (
        f"cd {shlex.quote(source[1])} || exit 1; set --; for p in {words}; do "
        '[ -e "$p" ] && set -- "$@" "$p"; done; tar -cf - -b 20 -T /dev/null "$@"'
    )
    own = f"{ARRIVING}.{plan}"  # another plan's may be about to be put in its place
    into, here = shlex.quote(target[1]), f"{own}.{uuid.uuid4().hex[:12]}"
    unpack = (
        f"mkdir -p {into} && cd {into} && rm -rf {own}.* && mkdir {here} || exit 1; "
        f"tar -C {here} -xf - || {{ rm -rf {here}; exit 1; }}"
    )
    size = piped(command(source[0], pack), command(target[0], unpack))
    settle = (
        f"cd {into} && [ -d {here} ] || exit 1; for p in {words}; do "
        f'if [ -e {here}/"$p" ]; then mkdir -p "$(dirname "$p")" && rm -rf "$p" && '
        f'mv {here}/"$p" "$p" || exit 1; fi; done; rm -rf {here}'
    )
    done = answer(target[0], settle, limit_s=SETTLE_S)
    if done.code:
        raise UnreachableError(f"what was carried cannot be put in its place: {done.reason}")
    return size

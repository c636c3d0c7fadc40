"""One error base, and below it one class for each thing that a caller can do about it."""

from __future__ import annotations


class SootprintError(Exception):
    """Base of every error that Sootprint raises on purpose; its text is one line for a person.

    Args:
        args: What happened, with which value, and a way out that everybody has, in the names of arguments.
        here: End of the text for who is at this machine: options of its command line, its settings.
    """

    here: str = ""

    def __init__(self, *args: object, here: str = "") -> None:
        super().__init__(*args)
        if here:
            self.here = here

    def __str__(self) -> str:
        return f"{super().__str__()}{self.here}"

    @property
    def elsewhere(self) -> str:
        """Text for who asks from elsewhere, by the interface or the pages of a hub.

        >>> error = InputError("the power is not known: give power_w", here=" (--power-w)")
        >>> str(error), error.elsewhere
        ('the power is not known: give power_w (--power-w)', 'the power is not known: give power_w')
        """
        return str(self).removesuffix(self.here)


class InputError(SootprintError, ValueError):
    """A value that was given is outside what is possible: give another one."""


class SettingsError(SootprintError, ValueError):
    """A configuration file, variable or argument cannot be used: correct it."""


class CatalogueError(SootprintError, LookupError):
    """A name is in no table: use one of the names in the message, or add it to the settings."""


class MeterError(SootprintError):
    """A meter cannot be read here.

    Args:
        message: What happened, with the device or file.
        fix: The command or step that would unlock the meter, if there is one.
    """

    def __init__(self, message: str, *, fix: str | None = None) -> None:
        super().__init__(message)
        self.fix = fix


class IntensityError(SootprintError):
    """No carbon intensity is known for a zone and time: name another source or year."""


class RecordError(SootprintError, ValueError):
    """A record or journal cannot be read or written: the message names the field and the rule."""


class ExportError(SootprintError):
    """A place where footprints go does not take them now: they wait in the outbox, and are sent again."""


class RefusedError(ExportError):
    """A place where footprints go will not take this one, however often: it is put aside with the reason."""


class HubError(ExportError):
    """A hub did not accept or answer: try again, or save the record to a file."""


class MissingExtraError(SootprintError):
    """An optional part is not installed: the message holds the command that installs it."""

"""The mails of a campaign: the survey's three questions and a link of their own; sending them is the user's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

from sootprint.core import files
from sootprint.core.errors import InputError

SUBJECT = "Where, on what and how long was it trained? A question about your paper"
FORMS = ("eml", "txt")
_TEXT = """\
Hello,

my name is {sender}, and I work on the environmental impact of machine learning.
I gather data on the carbon footprint of published research, to show what training our models emits.

Could you tell me more about your paper{entitled}?

- Where was it trained? On a local cluster, where is that? In the cloud, with which provider, in which region
  (e.g. aws/us-east-1)?
- On what hardware, and on how many devices at once?
- How long did the training take in total?

The shortest way to answer is this form, which already holds what the paper says. It takes two minutes, needs no
account, and shows you the estimate at once:

{link}

The answer is published there with the name of the paper, as a footprint that you can correct later with the same link.
If you would rather not answer, one click there says so, and I will not ask again. Or simply reply to this mail.
{contact}
Thank you very much,

{sender}
"""
_REMINDER = """\
Hello,

some time ago I asked where, on what hardware and for how long the models of your paper{entitled} were trained.
An answer would still help: with few of them nobody can say what our field emits. The form takes two minutes:

{link}

If you would rather not answer, one click there says so, and this was the last mail.

Thank you very much,

{sender}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who asks.

    Args:
        name: Name of the person.
        email: Address that answers go to.
        contact: More about who asks and why, or None.
    """

    name: str
    email: str
    contact: str | None = None


def message(
    invitation: Mapping[str, Any], to: str, link: str, *, sender: Sender, reminder: bool = False
) -> EmailMessage:
    """Mail about one paper.

    Raises:
        InputError: An address is none.
    """
    title = invitation["paper"].get("title")
    made = EmailMessage(policy=SMTP)
    made["From"] = _address(sender.email, sender.name)
    made["To"] = _address(to)
    made["Subject"] = f"Re: {SUBJECT}" if reminder else SUBJECT
    mark = f"{invitation['id']}@{sender.email.rpartition('@')[2]}"
    made["Message-ID"] = f"<reminder{invitation['reminders'] + 1}.{mark}>" if reminder else f"<{mark}>"
    if reminder:
        made["In-Reply-To"] = made["References"] = f"<{mark}>"
    text = (_REMINDER if reminder else _TEXT).format(
        sender=sender.name,
        entitled=f' "{title}"' if title else "",
        link=link,
        contact=f"\n{sender.contact}\n" if sender.contact else "",
    )
    made.set_content(text)
    return made


def write(folder: Path, mails: Sequence[tuple[str, EmailMessage]], *, form: str = "eml") -> list[Path]:
    """Files of the mails, one each.

    Args:
        folder: Folder, made if it is missing.
        mails: Names and mails.
        form: eml for a mail program, txt to read and copy.

    Raises:
        InputError: The folder cannot be written, or there is no such form.
    """
    if form not in FORMS:
        raise InputError(f"format {form!r:.20} is not one of {', '.join(FORMS)}")
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, mail in mails:
            path = folder / f"{name}.{form}"
            files.write(path, mail.as_bytes() if form == "eml" else _plain(mail).encode())
            paths.append(path)
    except OSError as err:
        raise InputError(f"{folder} cannot be written: {err.strerror}; name another --out") from None
    return paths


def _plain(mail: EmailMessage) -> str:
    heads = "".join(f"{name}: {mail[name]}\n" for name in ("From", "To", "Subject"))
    return f"{heads}\n{mail.get_content()}"


def _address(email: str, name: str = "") -> Address:
    try:
        made = Address(display_name=name, addr_spec=email)
    except (ValueError, IndexError):
        raise InputError(f"address {email!r:.80} is none of a mail") from None
    if not made.username or not made.domain or not f"{email}{name}".isprintable():
        raise InputError(f"address {email!r:.80} is none of a mail")
    return made

"""Pages of plain words: accessibility and privacy."""

from __future__ import annotations

from sootprint.hub.insight.sheets import Link, Part, Sheet

ACCESSIBILITY = Sheet(
    title="Accessibility",
    lead="This site is meant for everybody who can read, hear or feel a page. It aims at WCAG 2.2, level AA.",
    parts=[
        Part(
            title="What is done",
            items=[
                "Every page works without a script, with the keyboard alone, and at 200 % text "
                "size; a link skips to the content.",
                "Every chart has its finding in words, which a screen reader reads in its place, "
                "and a table of the same numbers.",
                "No meaning rests on colour alone: marks are named, grades are letters. Colours "
                "have a contrast of 4.5 to 1 or more.",
                "Dark and light follow the setting of the device; nothing moves, blinks or plays.",
                "Tables become lists on narrow screens and keep the names of their columns.",
                "Errors name the field, the value and the way out, and the form keeps what was typed.",
            ],
        ),
        Part(
            title="What is known to be lacking",
            items=[
                "The charts cannot be explored by touch or with a pointer; their tables have the numbers.",
                "The site is in English only.",
                "It was tested with Chromium; other browsers and screen readers were not tried "
                "by its makers.",
            ],
        ),
        Part(
            title="Trouble",
            says=["Tell whoever runs this hub, with the address of the page and what did not work."],
        ),
    ],
)

PRIVACY = Sheet(
    title="Privacy",
    lead="This site keeps what you send to it for publication, and as little else as it can.",
    parts=[
        Part(
            title="What is kept",
            items=[
                "Footprints that you publish, with their earlier versions, for ever; who sent "
                "them, where that is an account.",
                "Accounts: a name, a role, an argon2id hash of the password, a keyed hash of each "
                "token, and when it was last used (the day).",
                "Questions to authors: the paper's facts and what became of the question. The "
                "address of the author is in the mail alone.",
                "Wrong passwords: how many there were for an account and from one place, as keyed hashes, for a day.",
                "An audit log: who accepted, corrected, reviewed or retracted what, and when.",
                "Requests in the log of the server: method, route, status and duration. No "
                "address of a visitor, no search words.",
            ],
        ),
        Part(
            title="What is not",
            items=[
                "No tracking, no counter of visitors, no fonts, maps or scripts of others; "
                "nothing is loaded from elsewhere.",
                "No cookies but one that ties a form to your browser, one while you are logged in, and one that tells "
                "for a year that you were, so that nobody who guesses your password can keep you out.",
                "Records from the command line hold no command lines, paths, user or host names "
                "unless you ask for it; "
                "`sootprint hub push --dry-run` shows what would leave.",
                "Estimates of the form are computed and forgotten until you publish them.",
                "Addresses in a record are never fetched.",
            ],
        ),
        Part(
            title="Your rights",
            says=[
                "You can retract what you published: it leaves all lists, and a mark with your "
                "reason stays in its place. "
                "For more, turn to whoever runs this hub, who is responsible for it."
            ],
        ),
    ],
    actions=[Link("How the hub keeps to the truth", "/methodology")],
)

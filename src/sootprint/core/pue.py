"""PUE, facility energy over IT energy [1]: the one rule of what may be stated as one.

Nothing draws less than its IT equipment alone. Half-empty machine rooms reach 3 and more, so that what is refused above
is what no facility has: a percentage (120), or a decimal point that is missing (12 for 1.2).
"""

from __future__ import annotations

LEAST, MOST = 1.0, 10.0
RULE = f"facility energy over IT energy, between {LEAST:g} and {MOST:g} (typically 1.1 to 1.6)"

"""Progress of a download on a terminal's standard error; elsewhere only what keeps it back is said."""

from __future__ import annotations

import sys

from advisor.cli.diagnostics import note
from advisor.cli.progress import Bar
from advisor.domain.transfer import Transfer, transfer_text
from advisor.text import printable


class TransferProgress(Bar):
    """A bar that follows a download or the hashing of files."""

    def __call__(self, now: Transfer) -> None:
        """Show how it stands: rate and time left. What keeps it back is said on any standard error."""
        if not sys.stderr.isatty():
            if now.stage == "wait" and now.text is not None:
                note(now.text)
            return
        self.show(printable(transfer_text(now)), now.share)

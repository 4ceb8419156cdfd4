"""Export: the recommendation as TOML, seen before it is saved."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, Input, Label, Static

from advisor.errors import AdvisorError
from advisor.tui.commands import bindings_at
from advisor.tui.messages import Topic
from advisor.tui.screens.place import Place

FILE_NAME = "recommendation.toml"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
"""Characters that a header of the download could not carry as they are."""


class ExportScreen(Place):
    """Nothing is overwritten unless that is asked for in a second step."""

    place = "export"
    BINDINGS = bindings_at("export")
    AUTO_FOCUS = "#save"

    def body(self) -> ComposeResult:
        yield Static(markup=False, id="export-title")
        with Horizontal(id="export-where"):
            yield Label("Save as", id="path-label")
            yield Input(f"./{FILE_NAME}", id="path", compact=True)
            yield Button("Save", id="save", variant="primary", action="screen.save", compact=True)
            yield Button("Overwrite", id="overwrite", variant="error", action="screen.overwrite", compact=True)
        yield Static(markup=False, id="export-outcome")
        with VerticalScroll(id="preview"):
            yield Static(markup=False, id="preview-text")

    def show_topic(self, topic: Topic) -> None:
        if self.is_current:
            self._show_preview()

    @on(events.ScreenResume)
    def _resumed(self) -> None:
        # The first preview takes a moment to write; the screen should be there before.
        self.call_after_refresh(self._show_preview)

    def _show_preview(self) -> None:
        chosen = self.session.chosen
        title = self.query_one("#export-title", Static)
        preview = self.query_one("#preview-text", Static)
        self.query_one("#save", Button).disabled = chosen is None
        if chosen is None:
            title.update("Nothing to export: no model passes, or the picks are still being made.")
            preview.update("")
            return
        smoke = self.session.chosen_smoke
        proved = smoke is not None and smoke.report is not None
        with_proof = "with its smoke test" if proved else "no smoke test yet; t runs one"
        title.update(f"{chosen.model.name} {chosen.quantization.name} · {with_proof}")
        try:
            preview.update(self._text())
        except AdvisorError as error:
            preview.update(f"✗ {error}")

    def _text(self) -> str:
        session = self.session
        recommendation, smoke = session.chosen_recommendation, session.chosen_smoke
        if recommendation is None:
            return ""
        report = smoke.report if smoke is not None else None
        return session.advisor.recommendation_text(recommendation, session.answers, smoke=report)

    # ------------------------------------------------------------ the user

    @on(Input.Changed, "#path")
    def _path_typed(self) -> None:
        self.remove_class("-taken")
        self.query_one("#export-outcome", Static).update("")

    @on(Input.Submitted, "#path")
    def _path_entered(self) -> None:
        self._save(overwrite=False)

    def action_save(self) -> None:
        """Write the file unless one of that name exists."""
        self._save(overwrite=False)

    def action_overwrite(self) -> None:
        """Write the file over the existing one."""
        if self.has_class("-taken"):
            self._save(overwrite=True)

    def _save(self, *, overwrite: bool) -> None:
        session = self.session
        if session.chosen is None:
            return
        typed = self.query_one("#path", Input).value.strip() or FILE_NAME
        if self.app.is_web:
            self._deliver(typed)
            return
        path = session.working_directory / Path(typed).expanduser()
        if self.focused is self.query_one("#overwrite", Button):
            # The button goes; the focus must not fall into the field, where letters are no commands.
            self.set_focus(self.query_one("#save", Button))
        self.remove_class("-failed", "-taken")
        outcome = self.query_one("#export-outcome", Static)
        try:
            session.advisor.save_recommendation(path, self._text(), overwrite=overwrite)
        except AdvisorError as error:
            self._show_failure(error, path)
            return
        session.saved_answers = dict(session.answers)
        outcome.update(f"✓ saved: {path}")

    def _deliver(self, typed: str) -> None:
        """Give the file to the browser: a visitor has no business with the files of the serving machine."""
        name = _UNSAFE.sub("_", Path(typed).name).lstrip(".") or FILE_NAME
        outcome = self.query_one("#export-outcome", Static)
        try:
            text = self._text()
        except AdvisorError as error:
            outcome.update(f"✗ {error}")
            return
        self.app.deliver_text(StringIO(text), save_filename=name, mime_type="application/toml")
        self.session.saved_answers = dict(self.session.answers)
        outcome.update(f"✓ downloading: {name}")

    def _show_failure(self, error: AdvisorError, path: Path) -> None:
        why = f": {error.why}" if error.why else ""
        self.add_class("-failed")
        hint = "Choose another name."
        if path.is_file():
            self.add_class("-taken")
            hint = "Choose another name, or press Overwrite."
        self.query_one("#export-outcome", Static).update(f"✗ {error.what}{why}. {hint}")

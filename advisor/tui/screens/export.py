"""Export: the recommendation and its files, seen before they are saved."""

from __future__ import annotations

import os
import re
from io import StringIO
from pathlib import Path

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Label, Static, Tab, Tabs

from advisor.errors import AdvisorError
from advisor.tui.commands import bindings_at
from advisor.tui.messages import Topic
from advisor.tui.previews import Preview, previews
from advisor.tui.screens.confirm import ConfirmScreen
from advisor.tui.screens.place import Place
from advisor.tui.widgets.path_field import PathField

FILE_NAME = "recommendation.toml"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
"""Characters that a header of the download could not carry as they are."""


class Pages(VerticalScroll, can_focus=True):
    """The text of the file."""

    HELP = "The file as it would be written: arrows, Page up and Page down scroll it."


class ExportScreen(Place):
    """Nothing is overwritten unless that is agreed to."""

    place = "export"
    BINDINGS = bindings_at("export")
    AUTO_FOCUS = "#save"

    _previews: tuple[Preview, ...] = ()
    _index = 0

    def body(self) -> ComposeResult:
        yield Static(markup=False, id="export-title")
        with Horizontal(id="export-where"):
            yield Label("Save as", id="path-label")
            yield PathField(f"./{FILE_NAME}", self.session.working_directory)
            yield Button("Save", id="save", variant="primary", action="screen.save", compact=True)
            yield Button("Copy", id="copy", action="screen.copy", compact=True)
        yield Static(markup=False, id="export-outcome")
        yield Tabs(id="files")
        with Pages(id="preview"):
            yield Static(markup=False, id="preview-text")

    def show_topic(self, topic: Topic) -> None:
        if self.is_current:
            self._show_previews()

    @on(events.ScreenResume)
    def _resumed(self) -> None:
        # The first preview takes a moment to write; the screen should be there before.
        self.call_after_refresh(self._show_previews)

    # ------------------------------------------------------------ what is shown

    def _show_previews(self) -> None:
        chosen = self.session.chosen
        title = self.query_one("#export-title", Static)
        for button in ("#save", "#copy"):
            self.query_one(button, Button).disabled = chosen is None
        if chosen is None:
            title.update("Nothing to export: no model passes, or the picks are still being made.")
        else:
            smoke = self.session.chosen_smoke
            proved = smoke is not None and smoke.report is not None
            with_proof = "with its smoke test" if proved else "no smoke test yet; t runs one"
            title.update(f"{chosen.model.name} {chosen.quantization.name} · {with_proof}")
        self._read_previews()

    def _read_previews(self) -> None:
        names = [preview.name for preview in self._previews]
        try:
            self._previews = previews(self.session)
        except AdvisorError as error:
            self._previews = ()
            self.query_one("#preview-text", Static).update(f"✗ {error}")
            return
        if names != [preview.name for preview in self._previews]:
            self._offer_files()
        self._show_text()

    def _offer_files(self) -> None:
        """One tab for each file; none where there is only one."""
        self._index = 0
        self.set_class(len(self._previews) > 1, "-several")
        tabs = self.query_one("#files", Tabs)
        tabs.clear()
        for index, preview in enumerate(self._previews):
            tabs.add_tab(Tab(Content(preview.name), id=f"file-{index}"))

    def _show_text(self) -> None:
        shown = self._shown
        self.query_one("#preview-text", Static).update(shown.text if shown is not None else "")

    @property
    def _shown(self) -> Preview | None:
        return self._previews[self._index] if self._index < len(self._previews) else None

    # ------------------------------------------------------------ the user

    @on(Tabs.TabActivated)
    def _file_chosen(self, event: Tabs.TabActivated) -> None:
        index = int((event.tab.id or "file-0").removeprefix("file-"))
        before, self._index = self._shown, index
        self._show_text()
        field, now = self.query_one(PathField), self._shown
        # A name that the user typed stays.
        if before is not None and now is not None and field.value == f"./{before.name}":
            field.value = f"./{now.name}"

    @on(Input.Changed, "#path")
    def _path_typed(self) -> None:
        self.query_one("#export-outcome", Static).update("")

    @on(Input.Submitted, "#path")
    def _path_entered(self) -> None:
        self.action_save()

    def action_copy(self) -> None:
        """Send the shown file to the terminal's clipboard."""
        shown = self._shown
        if shown is not None:
            self.app.copy_to_clipboard(shown.text)
            self.notify(f"{shown.name} was sent to the clipboard. Some terminals ignore that.", markup=False)

    def action_save(self) -> None:
        """Write the file; ask first where one of that name exists."""
        shown = self._shown
        if shown is None:
            return
        if self.app.is_web:
            self._deliver(shown)
            return
        path = self._path()
        if path.is_file():
            question = f"{path} exists. Write over it?"
            self.app.push_screen(ConfirmScreen(question, "overwrite"), lambda yes: self._answered(path, yes))
        else:
            self._save(path, overwrite=False)

    def _answered(self, path: Path, yes: bool | None) -> None:
        if yes:
            self._save(path, overwrite=True)
        else:
            self._show_outcome(f"✗ {path} was left as it is. Choose another name.", failed=True)

    def _path(self) -> Path:
        shown = self._shown
        typed = self.query_one(PathField).value.strip() or (shown.name if shown is not None else FILE_NAME)
        # Unlike a Path's, this takes `~name` for a name like any other where nobody has it.
        return self.session.working_directory / os.path.expanduser(typed)

    def _save(self, path: Path, *, overwrite: bool) -> None:
        session, shown = self.session, self._shown
        if shown is None:
            return
        if path.is_dir():
            self._show_outcome(f"✗ {path} is a folder. Add a name, for example {shown.name}.", failed=True)
            return
        try:
            session.advisor.save_recommendation(path, shown.text, overwrite=overwrite)
        except AdvisorError as error:
            why = f": {error.why}" if error.why else ""
            self._show_outcome(f"✗ {error.what}{why}. Choose another name.", failed=True)
            return
        session.saved_answers = dict(session.answers)
        self._show_outcome(f"✓ saved: {path}", failed=False)

    def _deliver(self, shown: Preview) -> None:
        """Give the file to the browser: a visitor has no business with the files of the serving machine."""
        typed = self.query_one(PathField).value.strip() or shown.name
        name = _UNSAFE.sub("_", Path(typed).name).lstrip(".") or shown.name
        mime_type = "application/toml" if shown.name.endswith(".toml") else "text/plain"
        self.app.deliver_text(StringIO(shown.text), save_filename=name, mime_type=mime_type)
        self.session.saved_answers = dict(self.session.answers)
        self._show_outcome(f"✓ downloading: {name}", failed=False)

    def _show_outcome(self, text: str, *, failed: bool) -> None:
        self.set_class(failed, "-failed")
        self.query_one("#export-outcome", Static).update(text)

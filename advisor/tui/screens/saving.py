"""The part of Export that writes: one file or a folder of them, never over others unasked; downloads in a browser."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path, PurePath

from textual import on
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Button, Input, Label, Static

from advisor.errors import AdvisorError
from advisor.files import is_file, is_folder
from advisor.tui.previews import FILE_NAME, Preview
from advisor.tui.screens.confirm import ConfirmScreen
from advisor.tui.screens.place import Place
from advisor.tui.widgets.choice import Choice
from advisor.tui.widgets.path_field import PathField
from advisor.units import counted

FOLDER = "deploy"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
"""Characters that a header of the download could not carry as they are."""
_MOST_NAMED = 3
"""Files that a question names; others are counted."""


class SavingScreen(Place):
    """Shows files in its own way and saves them in this one."""

    previews: tuple[Preview, ...] = ()
    """What can be saved now, with notes that cannot."""
    has_pick = False
    recommendation_name = Path(FILE_NAME).stem
    """Of the recommendation as it was saved last, without its ending: files made from it are named after it."""
    _other_path = f"./{FOLDER}"
    """What the field held for the other kind of place."""
    _is_folder = False

    made_from = ""
    """The recommendation that the files are made from."""
    saved_text: str | None = None
    """The recommendation as it was saved last."""
    index = 0
    """Of the file on screen."""

    @property
    def shown(self) -> Preview | None:
        """The file on screen."""
        return self.previews[self.index] if self.index < len(self.previews) else None

    def where(self) -> Iterator[Widget]:
        """The line that says where to, and the one for what came of it."""
        with Horizontal(id="export-where"):
            yield Label("Save as", id="path-label", classes="export-label")
            yield PathField(f"./{FILE_NAME}", self.session.working_directory)
            yield Button("Save", id="save", variant="primary", action="screen.save", compact=True)
            yield Button("Copy", id="copy", action="screen.copy", compact=True)
        yield Static(markup=False, id="export-outcome")

    @property
    def _texts(self) -> dict[str, str]:
        return {preview.name: preview.text for preview in self.previews if preview.is_file}

    def to_folder(self, is_folder: bool) -> None:
        """Ask for a folder of files, or for the name of one; what was typed for the other comes back later."""
        if is_folder != self._is_folder:
            field = self.query_one(PathField)
            self._is_folder = is_folder
            self._other_path, field.value = field.value, self._other_path
            self.query_one("#path-label", Label).update("Save in" if is_folder else "Save as")

    def show_saving(self) -> None:
        """Bring the buttons up to date."""
        n_files = len(self._texts)
        save = self.query_one("#save", Button)
        save.label = f"Save all {n_files}" if n_files > 1 and not self.app.is_web else "Save"
        save.refresh(layout=True)
        # While files are being made the buttons stay, or else the focus would go into the field beside them.
        copy = self.query_one("#copy", Button)
        if not self.has_pick and self.focused in (save, copy):
            # There, a key that should lead on would be taken for a letter.
            self.set_focus(self.query_one(Choice))
        is_awaited = save.disabled and self.has_pick and isinstance(self.focused, Choice)
        save.disabled = copy.disabled = not self.has_pick
        if is_awaited:
            self.set_focus(save)

    @on(Input.Changed, "#path")
    def _path_typed(self) -> None:
        self.show_outcome("", failed=False)

    def save(self) -> None:
        """Write the files; ask first where one of a name exists."""
        if not self._texts:
            self.show_outcome("✗ there is nothing to save now", failed=True)
        elif self.app.is_web:
            self._deliver()
        elif self._is_folder:
            self._save_in(self._place())
        else:
            self._save_as(self._place())

    def _place(self) -> Path:
        typed = self.query_one(PathField).value.strip() or (FOLDER if self._is_folder else FILE_NAME)
        # Unlike a Path's, this takes `~name` for a name like any other where nobody has it.
        return self.session.working_directory / os.path.expanduser(typed)

    def _save_as(self, path: Path) -> None:
        if is_folder(path):
            self.show_outcome(f"✗ {path} is a folder. Add a name, for example {FILE_NAME}.", failed=True)
        elif is_file(path):
            self._ask(f"{path} exists. Write over it?", path.parent, {path.name: next(iter(self._texts.values()))})
        else:
            self._write(path.parent, {path.name: next(iter(self._texts.values()))}, overwrite=False)

    def _save_in(self, folder: Path) -> None:
        texts = self._texts
        if is_file(folder):
            self.show_outcome(f"✗ {folder} is a file. Name a folder, for example ./{FOLDER}.", failed=True)
            return
        there = self.session.advisor.files_there(folder, texts)
        if there:
            names = ", ".join(path.name for path in there[:_MOST_NAMED])
            more = f" and {len(there) - _MOST_NAMED} more" if len(there) > _MOST_NAMED else ""
            verb, them = ("exists", "it") if len(there) == 1 else ("exist", "them")
            self._ask(f"In {folder} {verb} {names}{more}. Write over {them}?", folder, texts)
        else:
            self._write(folder, texts, overwrite=False)

    def _ask(self, question: str, folder: Path, texts: dict[str, str]) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self._write(folder, texts, overwrite=True)
            elif self._is_folder:
                self.show_outcome("✗ nothing was written. Choose another folder.", failed=True)
            else:
                place = folder / next(iter(texts))
                self.show_outcome(f"✗ {place} was left as it is. Choose another name.", failed=True)

        self.app.push_screen(ConfirmScreen(question, "overwrite"), answered)

    def _write(self, folder: Path, texts: dict[str, str], *, overwrite: bool) -> None:
        session = self.session
        try:
            paths = session.advisor.save_files(folder, texts, overwrite=overwrite)
        except AdvisorError as error:
            why = f": {error.why}" if error.why else ""
            other = "folder" if self._is_folder else "name"
            self.show_outcome(f"✗ {error.what}{why}. Choose another {other}.", failed=True)
            return
        if not self._is_folder:
            self.saved_text, self.recommendation_name = texts[paths[0].name], paths[0].stem
            session.saved_answers = dict(session.answers)
            self.show_outcome(f"✓ saved: {paths[0]}", failed=False)
            return
        kept = "" if self.made_from == self.saved_text else " The recommendation itself is not saved yet."
        self.show_outcome(f"✓ saved: {counted(len(paths), 'file')} in {folder}.{kept}", failed=False)

    def _deliver(self) -> None:
        """Give the shown file to the browser: a visitor has no business with the files of the serving machine."""
        file = self.shown if self.shown is not None and self.shown.is_file else self.previews[0]
        typed = "" if self._is_folder else self.query_one(PathField).value.strip()
        name = _UNSAFE.sub("_", PurePath(typed or file.name).name).lstrip(".") or file.name
        mime_type = "application/toml" if name.endswith(".toml") else "text/plain"
        self.app.deliver_text(StringIO(file.text), save_filename=name, mime_type=mime_type)
        if not self._is_folder:
            self.session.saved_answers = dict(self.session.answers)
        more = " f shows the next file." if len(self._texts) > 1 else ""
        self.show_outcome(f"✓ downloading: {name}{more}", failed=False)

    def show_outcome(self, text: str, *, failed: bool) -> None:
        """Say what came of it."""
        self.set_class(failed, "-failed")
        self.set_class(bool(text), "-said")
        self.query_one("#export-outcome", Static).update(text)

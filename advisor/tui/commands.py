"""Every command once: from here come key bindings, footer, palette and help."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding, BindingType

from advisor.tui.places import PLACE_IDS, PLACES, PlaceId

EVERYWHERE = frozenset(PLACE_IDS)
NOWHERE: frozenset[PlaceId] = frozenset()


@dataclass(frozen=True, slots=True)
class Command:
    """Something the user can do."""

    id: str
    """Name under which a key can be changed."""
    keys: str
    """Keys, separated by commas."""
    shown: str
    """The keys as people read them."""
    action: str
    label: str
    """One or two words for footer and palette."""
    help: str
    where: frozenset[PlaceId]
    footer: frozenset[PlaceId]
    """Places whose footer shows it."""

    def binding(self, place: PlaceId) -> Binding:
        """The key binding in a place."""
        show = place in self.footer
        return Binding(
            self.keys, self.action, self.label, show=show, key_display=self.shown, tooltip=self.help, id=self.id
        )


def _at(*places: PlaceId) -> frozenset[PlaceId]:
    return frozenset(places)


_GO = tuple(
    Command(f"go.{place}", str(i), str(i), f"app.go('{place}')", f"Go to {name}", f"Go to {name}.", EVERYWHERE, NOWHERE)
    for i, (place, name) in enumerate(PLACES, start=1)
)

COMMANDS: tuple[Command, ...] = (
    Command(
        "machine.accept", "enter", "Enter", "app.go('picks')", "See picks",
        "Use the answers as they are and see the picks.", _at("machine"), _at("machine"),
    ),
    Command(
        "needs.advanced", "a", "a", "advanced", "All questions",
        "Show or hide the questions that few people need.", _at("needs"), _at("needs"),
    ),
    Command(
        "needs.preset", "p", "p", "preset", "Preset",
        "Fill the form for a common need; u puts your answers back.", _at("needs"), _at("needs"),
    ),
    Command(
        "needs.fold", "f", "f", "fold", "Fold",
        "Show or hide the questions that cannot change anything now.", _at("needs"), NOWHERE,
    ),
    Command(
        "needs.reset", "d", "d", "defaults", "Defaults",
        "Put every answer back to its default.", _at("needs"), NOWHERE,
    ),
    Command(
        "picks.filter", "slash", "/", "filter", "Filter",
        "Show only rows that contain a word.", _at("picks"), _at("picks"),
    ),
    Command(
        "picks.excluded", "x", "x", "excluded", "Excluded",
        "Show the excluded models by requirement, with the reason and what would admit each; again for the picks.",
        _at("picks"), _at("picks"),
    ),
    Command(
        "picks.admit", "a", "a", "admit", "Admit",
        "Of an excluded model: change the answers just so far that it passes, and rank again.",
        _at("picks"), NOWHERE,
    ),
    Command(
        "undo", "u", "u", "app.undo", "Undo",
        "Take back the last change that was made for you: a preset, the defaults or the admission of a model.",
        _at("needs", "picks"), NOWHERE,
    ),
    Command(
        "measure.best", "m", "m", "app.measure(True)", "Measure",
        "Time the best candidates here with slices of them, and rank all again; again to stop.",
        _at("picks"), _at("picks"),
    ),
    Command(
        "measure.chosen", "m", "m", "app.measure(False)", "Measure",
        "Time the selected model here with slices of it, without a download; again to stop.",
        _at("proof"), _at("proof"),
    ),
    Command(
        "picks.mark", "space", "Space", "mark", "Mark",
        "Mark a model for comparison, up to four; again to unmark.", _at("picks"), _at("picks"),
    ),
    Command(
        "picks.compare", "c", "c", "app.compare", "Compare",
        "Put the marked models side by side.", _at("picks"), _at("picks"),
    ),
    Command(
        "what_if", "i", "i", "app.what_if", "What if",
        "Try another GPU, more memory, a longer context or more users, and see what hardware a model needs.",
        _at("needs", "picks"), _at("needs", "picks"),
    ),
    Command(
        "picks.examine", "w", "w", "app.examine", "What changes it",
        "Find the speed, wait, context and memory at which the first pick changes; takes some seconds.",
        _at("picks"), NOWHERE,
    ),
    Command(
        "smoke", "t", "t", "app.smoke", "Smoke test",
        "Run the selected model here for a moment.", EVERYWHERE, _at("picks", "proof"),
    ),
    Command(
        "proof.next", "n", "n", "app.smoke_next", "Next candidate",
        "After a failed smoke test: select the next candidate and test that one.", _at("proof"), NOWHERE,
    ),
    Command(
        "proof.download", "d", "d", "app.download", "Download",
        "Fetch the selected model's published file, after asking; its smoke test then runs with real weights.",
        _at("proof"), _at("proof"),
    ),
    Command(
        "proof.cancel", "c", "c", "cancel", "Cancel",
        "Stop the smoke test or the measurement at once.", _at("proof"), _at("proof"),
    ),
    Command(
        "proof.trial", "o", "o", "app.trial", "Own tasks",
        "Let model files that are here answer your own tasks: who is better, and is that more than chance?",
        _at("proof"), _at("proof"),
    ),
    Command(
        "proof.judge", "b", "b", "app.judge", "Judge blind",
        "Judge the answers of your last trial pair by pair, without names.", _at("proof"), NOWHERE,
    ),
    Command(
        "export", "e", "e", "app.go('export')", "Export",
        "Save the selected model as TOML, as a report, or as files that run it.", EVERYWHERE, _at("picks", "proof"),
    ),
    Command(
        "picks.plot", "p", "p", "app.plot", "Plot",
        "Quality against speed, with the best choices joined by a line.", _at("picks"), _at("picks"),
    ),
    Command(
        "picks.sort", "s", "s", "sort", "Sort",
        "Sort by the next column: score, speed, memory, quality, name.", _at("picks"), _at("picks"),
    ),
    Command(
        "picks.scale", "l", "l", "app.scale", "Scale",
        "Users against latency for the first picks, where each breaks, and the plan behind it.", _at("picks"), NOWHERE,
    ),
    Command(
        "picks.trial", "o", "o", "app.rank_by_trial", "By own trial",
        "Judge quality by a trial on your own tasks, above published results; again to go back to these.",
        _at("picks"), NOWHERE,
    ),
    Command(
        "export.target", "o", "o", "target", "Output",
        "Choose what to make: the recommendation, a report, or files that run the model.",
        _at("export"), _at("export"),
    ),
    Command(
        "export.options", "p", "p", "options", "Options",
        "Show or hide what can be decided about the files: weights, requests at once, copies, port, image.",
        _at("export"), _at("export"),
    ),
    Command(
        "export.file", "f", "f", "next_file", "Next file",
        "Show the next of the files that are made together.", _at("export"), _at("export"),
    ),
    Command(
        "export.anyway", "a", "a", "anyway", "Make anyway",
        "Make files that run the model although the machine was described and not probed.", _at("export"), NOWHERE,
    ),
    Command(
        "export.save", "ctrl+s", "Ctrl+S", "save", "Save",
        "Write the file, or all that are made together; asks first where one of a name exists.",
        _at("export"), _at("export"),
    ),
    Command(
        "export.copy", "y", "y", "copy", "Copy",
        "Send the shown file to the terminal's clipboard.", _at("export"), _at("export"),
    ),
    Command(
        "machine.rescan", "r", "r", "app.rescan", "Rescan",
        "Look at the machine again.", EVERYWHERE, _at("machine"),
    ),
    *_GO,
    Command(
        "back", "escape", "Esc", "back", "Back",
        "One level back: out of a field, a filter, an explanation, then to the place before.",
        EVERYWHERE, _at("needs", "picks", "proof", "export"),
    ),
    Command(
        "help", "question_mark", "?", "app.help", "Help",
        "What the keys do here.", EVERYWHERE, EVERYWHERE,
    ),
    Command(
        "help.focus", "f1", "F1", "app.help(True)", "Help on the focus",
        "What the field or table is that has the focus, and what the keys do here.", EVERYWHERE, NOWHERE,
    ),
    Command(
        "suspend", "ctrl+z", "Ctrl+Z", "app.suspend_process", "Suspend",
        "Back to the shell for a while, where there is one; fg returns.", EVERYWHERE, NOWHERE,
    ),
    Command(
        "quit", "q", "q", "app.leave", "Quit",
        "Leave the program.", EVERYWHERE, EVERYWHERE,
    ),
)  # fmt: skip


def commands_at(place: PlaceId) -> tuple[Command, ...]:
    """Commands that work in a place, in the order of help and footer."""
    return tuple(command for command in COMMANDS if place in command.where)


def bindings_at(place: PlaceId) -> list[BindingType]:
    """Key bindings of a place."""
    return [command.binding(place) for command in commands_at(place)]

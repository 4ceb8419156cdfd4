"""How GGUF files reach the machine that serves: a POSIX shell script that downloads, checks and never half-finishes."""

from __future__ import annotations

import shlex
from urllib.parse import quote

from advisor.export.deploy.serving import GgufSource

HUB = "https://huggingface.co"


def file_url(repo: str, file: str) -> str:
    """The Hub's address of a file at the newest commit."""
    return f"{HUB}/{quote(repo)}/resolve/main/{quote(file)}"


def local_name(file: str) -> str:
    """The name of a file without the folders of its repository."""
    return file.rsplit("/", 1)[-1]


def fetch_lines(source: GgufSource, folder: str) -> list[str]:
    """Shell lines that put every part into `folder`, a path of plain characters.

    A part counts as there once it has its name: it is downloaded beside it, checked against its hash where one is
    published, then renamed. One download at a time writes to a folder. Needs curl, flock and sha256sum; a token for
    the Hub comes from $HF_TOKEN.
    """
    if source.repo is None:
        return []
    lines = [
        f"exec 9>{folder}/.lock",
        "flock 9",
        "fetch() {",
        f'  part={folder}/"$1"',
        '  [ -f "$part" ] && return 0',
        "  # The token goes through standard input, out of sight of other processes.",
        '  answer=$(if [ -n "${HF_TOKEN:-}" ]; then',
        '      printf \'header = "Authorization: Bearer %s"\\n\' "$HF_TOKEN"',
        "    fi |",
        "    curl --config - --fail --location --proto-redir =https --silent --show-error \\",
        "      --write-out '%{http_code}' \\",
        '      --retry 5 --retry-connrefused --continue-at - --output "$part.part" "$2") || {',
        "    # What the server cannot go on with is begun anew next time; what it refuses is kept for then.",
        '    case "$?/$answer" in 33/* | */416) rm -f "$part.part" ;; esac',
        "    return 1",
        "  }",
        '  if [ -n "$3" ]; then',
        '    echo "$3  $part.part" | sha256sum --check --quiet || { rm -f "$part.part"; return 1; }',
        "  fi",
        '  mv "$part.part" "$part"',
        "}",
    ]
    for i, part in enumerate(source.parts):
        sha256 = source.sha256[i] if i < len(source.sha256) else ""
        words = (local_name(part), file_url(source.repo, part), sha256)
        lines.append("fetch " + " ".join(shlex.quote(word) for word in words))
    return lines


def fetch_script(source: GgufSource, folder: str) -> str:
    """The lines as a script that stops at the first failure."""
    return "\n".join(["set -eu", *fetch_lines(source, folder)]) + "\n"

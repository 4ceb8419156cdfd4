"""`llm-advisor serve`."""

from __future__ import annotations

import secrets

import click

from advisor.addresses import is_loopback_host
from advisor.cli.diagnostics import note
from advisor.cli.extras import needing
from advisor.cli.help import Command
from advisor.errors import InputError

TOKEN_VARIABLE = "LLM_ADVISOR_TOKEN"


@click.command("serve", cls=Command)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where to listen.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    default=8765,
    show_default=True,
    help="0 takes any that is free.",
)
@click.option("--public", is_flag=True, help="Allow an address that other machines can reach; needs a token.")
@click.option(
    "--token", envvar=TOKEN_VARIABLE, help=f"What visitors must show; better in {TOKEN_VARIABLE}. Random by default."
)
@click.option(
    "--name", "names", multiple=True, metavar="HOST", help="A host name that visitors use, besides addresses."
)
@click.option(
    "--visitors",
    type=click.IntRange(1, 64),
    metavar="N",
    default=4,
    show_default=True,
    help="At the same time, at most.",
)
def command(host: str, port: int, public: bool, token: str | None, names: tuple[str, ...], visitors: int) -> None:
    """The screens in a browser. They look at the machine that serves them, not at the visitor's.

    Each visitor is a process of this machine, which ends when the visitor leaves. Exported files are downloaded.

    \b
    llm-advisor serve
    llm-advisor serve --port 9000 --visitors 1
    LLM_ADVISOR_TOKEN=… llm-advisor serve --host 0.0.0.0 --public --name gpu-box.example
    """
    with needing("web"):
        from advisor.web.guard import SHORTEST_TOKEN, Guard, host_name
        from advisor.web.server import Setting, run
    is_public = not is_loopback_host(host)
    if is_public and not (public and token):
        raise InputError(
            f"--host {host} can be reached by other machines",
            hint=f"Add --public and a token in {TOKEN_VARIABLE}, or leave --host out.",
        )
    if token is not None and len(token) < SHORTEST_TOKEN:
        raise InputError(f"--token: shorter than {SHORTEST_TOKEN} characters", hint="Leave it out for a random one.")
    for name in names:
        if host_name(name) != name.lower():
            hint = "Write the name alone, without scheme, port or final dot."
            raise InputError(f"--name {name} is no host name", hint=hint)
    if is_public:
        note("The connection is not encrypted: put a proxy with TLS in front, or use a network that you trust.")
    guard = Guard(token or secrets.token_urlsafe(24), port, frozenset(map(str.lower, names)), is_public)
    run(
        Setting(host, port, guard, visitors),
        lambda bound: _announce(host, bound, guard.token, chosen=token is not None),
    )


def _announce(host: str, port: int, token: str, *, chosen: bool) -> None:
    shown = f"[{host}]" if ":" in host else host
    secret = "YOUR_TOKEN" if chosen else token
    note(f"Visitors see the hardware of this machine. Open http://{shown}:{port}/?token={secret} - Ctrl+C ends it.")

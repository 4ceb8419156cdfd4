"""`llm-advisor mcp`."""

from __future__ import annotations

import click

from advisor.cli.extras import needing
from advisor.cli.help import Command


@click.command("mcp", cls=Command)
def command() -> None:
    """Answer an assistant's questions over MCP: standard input and output are the protocol.

    An assistant starts it: give it the command `llm-advisor` with the argument `mcp`. It is read-only: recommend, size,
    speed (estimated), licence, models, show. Nothing is downloaded and no model is run.

    \b
    llm-advisor mcp
    """
    with needing("mcp"):
        from advisor.mcp_server import serve
    serve()

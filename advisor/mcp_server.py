"""The advisor for assistants: an MCP server on standard input and output, all of it read-only.

Standard output is the protocol. The SDK serves it from a private descriptor and points descriptor 1 at standard
error meanwhile, so that nothing which prints can break it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any, Literal, TypeVar

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp_types import ToolAnnotations
from pydantic import Field, ValidationError

from advisor import __version__, api
from advisor.errors import AdvisorError, nearest
from advisor.redaction import redacted
from advisor.service import Advisor
from advisor.text import one_line

Document = dict[str, Any]
F = TypeVar("F", bound=Callable[..., Any])

NOTHING: Document = {}
"""No needs of one's own; never changed."""

INSTRUCTIONS = """Advice on Mistral and Llama models: which one, in which quantization, for a use on a machine.
The machine is the one that this server runs on unless `gpu` or `ram` says otherwise. Every figure carries
its basis: `estimated` was computed, `measured` was timed. Licence verdicts are a reading, not legal advice.
Nothing is downloaded or written, and no model is run."""


@dataclass(frozen=True, slots=True)
class _Tables:
    """Tables of the constraints file as the schema of an argument; all of them where none is named."""

    names: tuple[str, ...] = ()

    def __get_pydantic_json_schema__(self, core: object, handler: object) -> dict[str, Any]:
        schema = Advisor().schema("constraints")
        known = schema["properties"]
        tables = {name: known[name] for name in self.names or known if name != "schema_version"}
        return {
            "type": "object",
            "description": "What is asked for; what is left out takes its default.",
            "additionalProperties": False,
            "properties": tables,
            "default": {},
        }


Needs = Annotated[dict[str, Any], _Tables()]
UseNeeds = Annotated[dict[str, Any], _Tables(("use",))]
SpeedNeeds = Annotated[dict[str, Any], _Tables(("scale", "machine"))]
ModelId = Annotated[str, Field(description="Id or Hugging Face id, e.g. mistral-7b-instruct-v0.3. See `models`.")]
FileType = Annotated[str, Field(description="llama.cpp file type, e.g. Q4_K_M.")]
Gpu = Annotated[
    str | None,
    Field(description='Pretend these GPUs: "RTX 4090", "H100 80GBx2", or "none" for the processor alone.'),
]
Ram = Annotated[str | None, Field(description='Pretend this much system memory, e.g. "64GiB".')]


class Tools:
    """The tools. Knowledge is read once for all calls."""

    def __init__(self, advisor: Advisor) -> None:
        self._advisor = advisor

    def recommend(self, needs: Needs = NOTHING, gpu: Gpu = None, ram: Ram = None) -> Document:
        """Which model, in which quantization, to run for a use on a machine.

        Gives the pick with placement, memory, speed, licence duties and score, the alternatives, and every excluded
        model with the reason and the smallest change that would admit it. `recommendation` is null where nothing
        satisfies the needs.
        """
        return api.recommend(needs, gpu=gpu, ram=ram, advisor=self._advisor).document

    def size(
        self,
        model: ModelId,
        quantization: FileType = api.DEFAULT_QUANTIZATION,
        context_tokens: Annotated[int | None, Field(description="Of all parallel requests together.")] = None,
        parallel: Annotated[int, Field(description="Requests at the same time.")] = 1,
        kv_type: Annotated[str, Field(description="Number format of the KV cache: f16, q8_0, q4_0.")] = "f16",
        gpu: Gpu = None,
        ram: Ram = None,
    ) -> Document:
        """Memory of a model in llama.cpp, in bytes per device: weights, KV cache, compute and output buffers."""
        found = api.size(
            self._catalogued(model),
            quantization,
            context_tokens=context_tokens,
            parallel=parallel,
            kv_type=kv_type,
            gpu=gpu,
            ram=ram,
            advisor=self._advisor,
        )
        return found.document

    def speed(
        self,
        model: ModelId,
        quantization: FileType = api.DEFAULT_QUANTIZATION,
        needs: SpeedNeeds = NOTHING,
        prompt_tokens: Annotated[int | None, Field(ge=1, description="Length of the prompt.")] = None,
        depth_tokens: Annotated[int | None, Field(ge=0, description="Tokens in the cache while decoding.")] = None,
        gpu: Gpu = None,
        ram: Ram = None,
    ) -> Document:
        """How fast a model would run, estimated: tokens per second with an interval, and the wait for the first."""
        found = api.speed(
            model,
            quantization,
            needs,
            prompt_tokens=prompt_tokens,
            depth_tokens=depth_tokens,
            gpu=gpu,
            ram=ram,
            advisor=self._advisor,
        )
        return found.document

    def licence(self, model: ModelId, needs: UseNeeds = NOTHING) -> Document:
        """What a model's licence says about the use in `needs`: verdict, duties, clauses, changes."""
        return api.licence(model, needs, advisor=self._advisor).document

    def models(self, family: Literal["mistral", "llama"] | None = None) -> Document:
        """The catalogue in short: parameters, context, licence, languages, status of each model."""
        return api.models(family, advisor=self._advisor).document

    def show(self, model: ModelId) -> Document:
        """One model: shape, languages, benchmarks and published files, each with its source."""
        return api.show(model, advisor=self._advisor).document

    def _catalogued(self, name: str) -> str:
        """The id of a model. An assistant may name models, but neither files of this machine nor addresses."""
        return self._advisor.model(name).id


class _Server(MCPServer):
    """Whatever is wrong with a call is told in one line, which an assistant can read and correct itself by."""

    async def call_tool(self, name: str, arguments: dict[str, Any], context: Any = None) -> Any:
        await self._refuse_unknown(name, arguments)
        try:
            return await super().call_tool(name, arguments, context)
        except UnexpectedToolError:
            raise
        except ToolError as error:
            raise ToolError(_one_line(error)) from error.__cause__

    async def _refuse_unknown(self, name: str, arguments: dict[str, Any]) -> None:
        """Raises ToolError for an argument that a tool does not have, which the SDK would leave out in silence."""
        tool = next((tool for tool in await self.list_tools() if tool.name == name), None)
        known = list(arguments) if tool is None else list(tool.input_schema["properties"])
        unknown = next((argument for argument in arguments if argument not in known), None)
        if unknown is not None:
            hint = nearest(unknown, known) or f"Arguments are {', '.join(known)}."
            raise ToolError(one_line(redacted(f"unknown argument {unknown!r}. {hint}")))


def _one_line(error: ToolError) -> str:
    cause = error.__cause__
    if isinstance(cause, ValidationError):
        parts = (f"{'.'.join(map(str, part['loc']))}: {part['msg']}" for part in cause.errors())
        return one_line(redacted("; ".join(parts)))
    return one_line(redacted(str(error if cause is None else cause)))


def server(advisor: Advisor | None = None) -> MCPServer:
    """The server with its tools, each marked as reading only."""
    tools = Tools(advisor or Advisor())
    made = _Server("llm-advisor", version=__version__, instructions=INSTRUCTIONS, log_level="WARNING")
    for tool in (tools.recommend, tools.size, tools.speed, tools.licence, tools.models, tools.show):
        made.add_tool(_answering(tool), annotations=_READS_ONLY)
    return made


_READS_ONLY = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)


def _answering(tool: F) -> F:
    """The tool, whose errors are told to the assistant instead of counting as a crash."""

    @wraps(tool)
    def answer(*args: Any, **kwargs: Any) -> Any:
        try:
            return tool(*args, **kwargs)
        except AdvisorError as error:
            raise ToolError(str(error)) from error

    return answer  # type: ignore[return-value]


def serve() -> None:
    """Serve until standard input ends."""
    server().run("stdio")

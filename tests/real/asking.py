"""A server made with the official SDK that asks its client for everything, in whichever era it is spoken to.

Tools: `echo`, `sample` (asks the client's model), `elicit` (asks its user), `roots` (asks for its folders), `steps`
(tells of progress and says something), `touch` (tells that `fixed://one` and the tools have changed). One prompt, one
resource, one template, completion of the prompt's argument.
"""

from typing import Annotated

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.resolve import Elicit, ListRoots, Resolve, Sample
from mcp_types import Completion, CreateMessageResult, ListRootsResult, SamplingMessage, TextContent
from pydantic import BaseModel

server = MCPServer("asking", instructions="Ask me anything; I ask back.")


class Name(BaseModel):
    name: str


def ask_user() -> Elicit[Name]:
    return Elicit("Who are you?", Name)


def ask_model() -> Sample:
    question = TextContent(type="text", text="The capital of France?")
    return Sample([SamplingMessage(role="user", content=question)], max_tokens=10)


def ask_roots() -> ListRoots:
    return ListRoots()


@server.tool()
async def echo(text: str) -> str:
    return text


@server.tool()
async def sample(answer: Annotated[CreateMessageResult, Resolve(ask_model)]) -> str:
    return f"the model says {answer.content.text}"


@server.tool()
async def elicit(who: Annotated[Name, Resolve(ask_user)]) -> str:
    return f"the user is {who.name}"


@server.tool()
async def roots(answer: Annotated[ListRootsResult, Resolve(ask_roots)]) -> str:
    return " ".join(str(root.uri) for root in answer.roots)


@server.tool()
async def steps(ctx: Context) -> str:
    for step in range(1, 4):
        await ctx.report_progress(step, 3)
    await ctx.info("three steps are done")
    return "done"


@server.tool()
async def touch(ctx: Context) -> str:
    await ctx.notify_resource_updated("fixed://one")
    return "touched"


@server.prompt()
def greet(who: str) -> str:
    return f"Say hello to {who}"


@server.resource("note://{name}")
def note(name: str) -> str:
    return f"a note on {name}"


@server.resource("fixed://one")
def one() -> str:
    return "the one"


@server.completion()
async def complete(ref, argument, context) -> Completion:
    return Completion(values=[argument.value + "!"])


if __name__ == "__main__":
    server.run()

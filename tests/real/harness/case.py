"""A case: a test with a name that is its rule, and a limit of time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from .world import World

Body = Callable[[World], Awaitable[None]]

LIMIT_SECONDS = 30.0


@dataclass(frozen=True)
class Case:
    name: str
    body: Body
    limit_seconds: float


CASES: list[Case] = []


def case(*, limit_seconds: float = LIMIT_SECONDS) -> Callable[[Body], Body]:
    def register(body: Body) -> Body:
        CASES.append(Case(body.__name__, body, limit_seconds))
        return body

    return register

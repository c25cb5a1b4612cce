"""Reading what a call came back with."""

import json
from datetime import UTC, datetime

# A refusal's time of the next try is compared with this machine's clock.
LOCK_SECONDS_MAX = 10.0
# Where the gateway's own facts stand in a result's `_meta`.
FACTS = "rea/failure"


def text(result) -> str:
    assert len(result.content) == 1, f"one content item expected: {result}"
    return result.content[0].text


def ok(result) -> str:
    """The text of a result that is no error."""
    assert not result.is_error, f"an error where none belongs: {text(result)}"
    return text(result)


def facts(result) -> dict:
    """The gateway's own facts beside the text of a call that did not come back with the server's answer."""
    assert result.is_error, f"no error: {json.dumps(str(result))[:300]}"
    assert result.meta is not None and FACTS in result.meta, f"not an answer of the gateway: {text(result)}"
    return result.meta[FACTS]


def lost(result) -> None:
    """The call may have run, and the model is told so."""
    assert facts(result)["executed"] == "maybe", facts(result)
    assert "may have been executed" in text(result), text(result)


def locked(result) -> None:
    """The call was refused by a flap lock, and says when the next try is."""
    told = facts(result)
    assert (told["reason"], told["executed"]) == ("flap_locked", "no"), told
    assert told["retry_at"] in text(result), text(result)
    ahead = (datetime.fromisoformat(told["retry_at"]) - datetime.now(UTC)).total_seconds()
    assert -0.1 < ahead < LOCK_SECONDS_MAX, f"the next try is {ahead:g} s ahead"

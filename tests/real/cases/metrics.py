"""Metrics, read by the official Prometheus client."""

import socket
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from harness.answers import ok
from harness.case import case
from harness.world import World


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@case()
async def metrics_are_what_prometheus_reads(world: World) -> None:
    """Every family has a type and a help text, no sample stands twice, and the numbers are those of the calls."""
    world.registry(world.everything(), world.time())
    port = _free_port()
    async with world.gateway(variables={"REA_METRICS_PORT": str(port)}) as gateway:
        await gateway.listed("everything", "time")
        for _ in range(3):
            ok(await gateway.call("everything__echo", {"message": "hello"}))
        text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert len(families) >= 14, sorted(families)
    for family in families.values():
        assert family.type in ("counter", "gauge", "histogram") and family.documentation, family
        keys = [(sample.name, tuple(sorted(sample.labels.items()))) for sample in family.samples]
        assert len(keys) == len(set(keys)), family
    calls = {sample.labels["server"]: sample.value for sample in families["rea_downstream_calls"].samples}
    assert calls == {"everything": 3, "time": 0}, calls
    state = {
        sample.labels["server"]: sample.labels["state"]
        for sample in families["rea_downstream_state"].samples
        if sample.value == 1
    }
    assert state == {"everything": "ready", "time": "ready"}, state
    (durations,) = [
        sample
        for sample in families["rea_downstream_call_duration_seconds"].samples
        if sample.name.endswith("_count") and sample.labels == {"server": "everything", "outcome": "answered"}
    ]
    assert durations.value == 3, durations

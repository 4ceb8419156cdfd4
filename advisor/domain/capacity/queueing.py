"""How long requests wait for one of several servers that each answer one after the other."""

from __future__ import annotations

import math


def wait_percentile(arrivals_per_s: float, service_s: float, servers: int, share: float) -> float | None:
    """Seconds in the queue that a share of requests stays below, by Erlang's C formula; None where it never empties."""
    offered = arrivals_per_s * service_s
    if offered >= servers:
        return None
    if offered <= 0:
        return 0.0
    waiting = _erlang_c(offered, servers)
    if waiting <= 1 - share:
        return 0.0
    return math.log(waiting / (1 - share)) * service_s / (servers - offered)


def _erlang_c(offered: float, servers: int) -> float:
    """Probability that a request has to wait."""
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = offered * blocked / (n + offered * blocked)
    return blocked / (1 - offered / servers * (1 - blocked))

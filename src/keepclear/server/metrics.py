# SPDX-License-Identifier: Apache-2.0
"""What a node counts, for Prometheus; shown on the operator's address alone.

None of it has a party's name on it: how busy each is, is its own.
"""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4.partition("; charset=")[0]  # which the server adds
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
AT_ONCE = (1, 2, 5, 10, 20, 50, 100, 200, 500)


class Metrics:
    """Counters of one node. Each is safe to be used by any thread."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.acts = Counter(
            "keepclear_acts", "Acts by what came of them: taken, refused, not done.", ["outcome"],
            registry=self._registry,
        )  # fmt: skip
        self.batch = Histogram(
            "keepclear_batch_acts", "Acts that were decided and written together.",
            buckets=AT_ONCE, registry=self._registry,
        )  # fmt: skip
        self.written = Histogram(
            "keepclear_batch_seconds", "From the first decision of a batch to its write.",
            buckets=SECONDS, registry=self._registry,
        )  # fmt: skip

    def gauge(self, name: str, what: str, value: Callable[[], float]) -> None:
        """Show a value as it is when it is asked for."""
        Gauge(name, what, registry=self._registry).set_function(value)

    def text(self) -> bytes:
        """Return all of them, as Prometheus reads them (text format 0.0.4)."""
        return generate_latest(self._registry)

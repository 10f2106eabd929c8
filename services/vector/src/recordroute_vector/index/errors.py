"""What an index refuses, whichever engine it is."""

from __future__ import annotations

from collections.abc import Sequence

from recordroute_runtime.errors import PreconditionFailed


class VectorsMissing(PreconditionFailed):
    """Passages came without vectors, and the index does not hold their texts in this document."""

    def __init__(self, indexes: Sequence[int]) -> None:
        shown = ", ".join(map(str, indexes[:20])) + (", ..." if len(indexes) > 20 else "")
        super().__init__(
            "VECTORS_MISSING",
            f"{len(indexes)} passages have no vector, and the index holds none for their texts: {shown}",
            metadata={"passages": ",".join(map(str, indexes[:200]))},
        )

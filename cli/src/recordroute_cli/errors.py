"""What a command raises when it can't go on."""

from __future__ import annotations

from collections.abc import Mapping

from recordroute_cli.exit_codes import ExitCode


class CommandError(Exception):
    """Ends the command: `message` is one sentence for people, `exit_code` tells scripts.

    `status` (name of a gRPC status), `reason` (stable name), `metadata` (what the reason is about, by name) and
    `trace_id` are set where a server answered.
    """

    def __init__(
        self,
        message: str,
        exit_code: ExitCode = ExitCode.FAILED,
        *,
        status: str = "",
        reason: str = "",
        trace_id: str = "",
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
        self.status = status
        self.reason = reason
        self.trace_id = trace_id
        self.metadata = dict(metadata or {})

    def document(self) -> dict[str, str | dict[str, str]]:
        """Returns the error as the value of "error" in a command's JSON output."""
        fields: dict[str, str | dict[str, str]] = {
            "message": self.message,
            "status": self.status,
            "reason": self.reason,
            "trace_id": self.trace_id,
            "metadata": self.metadata,
        }
        return {name: value for name, value in fields.items() if value}

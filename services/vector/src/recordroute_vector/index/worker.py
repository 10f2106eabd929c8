"""The process that owns the index: `python -m recordroute_vector.index.worker DESCRIPTOR`.

Qdrant Edge holds the interpreter's lock while it works, so it gets an interpreter of its own. The worker ends when
the other end of its socket closes: it never outlives the service, however that ends.
"""

from __future__ import annotations

import select
import signal
import socket
import sys
from typing import Any

from recordroute_vector.index.frames import Call, Failure, IndexTrouble, Reply, Trouble, pack, receive
from recordroute_vector.index.shard import Shard

READS = frozenset({"search", "stats"})
WRITES = frozenset({"upsert", "delete"})


def _failure(error: Exception) -> Failure:
    if isinstance(error, IndexTrouble):
        return Failure(error.trouble, str(error), error.details)
    return Failure(Trouble.INTERNAL, repr(error), {})


def _result(shard: Shard, call: Call) -> Any:
    if call.method not in READS | WRITES:
        raise ValueError(f"no method {call.method}")
    return getattr(shard, call.method)(*call.arguments)


def _waiting_calls(connection: socket.socket) -> list[Call]:
    calls = [receive(connection)]
    while select.select([connection], [], [], 0)[0]:
        calls.append(receive(connection))
    return calls


def _serve(connection: socket.socket, shard: Shard) -> None:
    """Answers calls in their order. One flush makes the writes of all that wait durable, then each is answered."""
    while True:
        try:
            calls = _waiting_calls(connection)
        except (EOFError, ConnectionError):
            return
        written: list[Reply] = []
        for call in calls:
            try:
                reply = Reply(call.number, _result(shard, call))
            except Exception as error:  # noqa: BLE001 # the caller answers for it
                reply = Reply(call.number, _failure(error))
            if call.method in WRITES and not isinstance(reply.result, Failure):
                written.append(reply)
            else:
                connection.sendall(pack(reply))
        if written:
            try:
                shard.flush()
            except IndexTrouble as error:
                written = [Reply(reply.number, _failure(error)) for reply in written]
            connection.sendall(b"".join(map(pack, written)))


def main() -> None:
    # Ctrl-C and service managers signal the whole group: the service decides when its worker ends.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        config = receive(connection)
        try:
            shard = Shard(config)
        except IndexTrouble as error:
            connection.sendall(pack(Reply(0, _failure(error))))
            return
        try:
            connection.sendall(pack(Reply(0, None)))
            _serve(connection, shard)
        except ConnectionError:
            return
        finally:
            shard.close()


if __name__ == "__main__":
    main()

"""The processes that own the index: `python -m recordroute_vector.index.worker DESCRIPTOR`.

Qdrant Edge holds the interpreter's lock while it works, so it gets interpreters of its own: one serves a generation,
another one makes the next at a low priority. A worker ends when the other end of its socket closes: it never
outlives the service, however that ends.
"""

from __future__ import annotations

import os
import queue
import signal
import socket
import sys
import threading
from typing import Any

from recordroute_vector.index.frames import (
    BuildIndex,
    Call,
    Failure,
    IndexTrouble,
    Reply,
    Trouble,
    pack,
    receive,
)
from recordroute_vector.index.generation import Builder, Generation

METHODS = {
    Generation: frozenset(
        {
            *("search_many", "document", "held_hashes", "facet", "stats", "measure", "begin_copy", "scroll"),
            *("stage", "abort", "commit", "delete", "catch_up", "warm"),
        }
    ),
    Builder: frozenset({"put", "finish"}),
}
# Answered when the journal is on disk.
DURABLE = frozenset({"commit", "delete"})
NICENESS = 10


def _failure(error: Exception) -> Failure:
    if isinstance(error, IndexTrouble):
        return Failure(error.trouble, str(error), error.details)
    return Failure(Trouble.INTERNAL, repr(error), {})


class _Outbox:
    """Sends replies, those of changes after one flush for all that wait; reads need not wait for the disk."""

    def __init__(self, connection: socket.socket, generation: Generation | Builder) -> None:
        self._connection = connection
        self._generation = generation
        self._sending = threading.Lock()
        self._written: queue.SimpleQueue[Reply | None] = queue.SimpleQueue()
        self._flusher = threading.Thread(target=self._flush, daemon=True)
        self._flusher.start()

    def send(self, *replies: Reply) -> None:
        with self._sending:
            self._connection.sendall(b"".join(map(pack, replies)))

    def send_durably(self, reply: Reply) -> None:
        self._written.put(reply)

    def close(self) -> None:
        self._written.put(None)
        self._flusher.join()

    def _flush(self) -> None:
        while True:
            replies = [self._written.get()]
            while not self._written.empty():
                replies.append(self._written.get())
            written = [reply for reply in replies if reply is not None]
            try:
                self._generation.sync()
            except IndexTrouble as error:
                written = [Reply(reply.number, _failure(error)) for reply in written]
            try:
                self.send(*written)
            except OSError:
                return
            if None in replies:
                return


def _serve(connection: socket.socket, generation: Generation | Builder, outbox: _Outbox) -> None:
    """Answers calls in their order, until the other end closes."""
    methods = METHODS[type(generation)]
    while True:
        try:
            call: Call = receive(connection)
        except (EOFError, ConnectionError):
            return
        try:
            if call.method not in methods:
                raise ValueError(f"no method {call.method}")
            reply = Reply(call.number, getattr(generation, call.method)(*call.arguments))
        except Exception as error:  # noqa: BLE001 # the caller answers for it
            reply = Reply(call.number, _failure(error))
        if call.method in DURABLE and not isinstance(reply.result, Failure):
            outbox.send_durably(reply)
        else:
            outbox.send(reply)


def main() -> None:
    # Ctrl-C and service managers signal the whole group: the service decides when its worker ends.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        try:
            config: Any = receive(connection)
        except EOFError:
            # Whoever wanted it has gone before it was there.
            return
        try:
            generation: Generation | Builder
            if isinstance(config, BuildIndex):
                os.nice(NICENESS)
                generation = Builder(config)
            else:
                generation = Generation(config)
        except IndexTrouble as error:
            connection.sendall(pack(Reply(0, _failure(error))))
            return
        outbox = _Outbox(connection, generation)
        try:
            outbox.send(Reply(0, getattr(generation, "manifest", None)))
            _serve(connection, generation, outbox)
        except ConnectionError:
            return
        finally:
            outbox.close()
            generation.close()


if __name__ == "__main__":
    main()

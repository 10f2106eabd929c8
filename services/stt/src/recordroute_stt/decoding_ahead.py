"""Decodes a file in a thread of its own, a few blocks ahead of who uses them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from recordroute_runtime.inference import CancelToken

from recordroute_stt.media import AudioDecoder, Channels, Damage, MediaProperties

BLOCKS_AHEAD = 3


class DecodingAhead:
    """A running decoder. Everything but `start` and `join` is to be used with `changed` held, which is notified of
    everything new."""

    def __init__(
        self, open_media: Callable[[], AudioDecoder], token: CancelToken, changed: threading.Condition
    ) -> None:
        self._open = open_media
        self._token = token
        self._changed = changed
        self._thread = threading.Thread(target=self._run, name="stt-decode", daemon=True)
        self.blocks: deque[Channels] = deque()
        self.properties: MediaProperties | None = None
        """What the file is; None until it has been opened. Its length may become known later."""
        self.seconds = 0.0
        self.damages: tuple[Damage, ...] = ()
        self.ended = False
        self.error: BaseException | None = None

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        """Waits for the end of the thread, which comes with the end of the file or after the token was cancelled."""
        self._thread.join()

    def take(self) -> Channels:
        """Returns the next block; there must be one."""
        self._changed.notify_all()
        return self.blocks.popleft()

    def _run(self) -> None:
        try:
            with self._open() as media:
                self._follow(media)
                for block in media.channel_blocks():
                    self._put(block, media)
                self._follow(media)
        except BaseException as error:  # noqa: BLE001 - whoever takes the blocks raises it
            self.error = error
        finally:
            with self._changed:
                self.ended = True
                self._changed.notify_all()

    def _follow(self, media: AudioDecoder) -> None:
        media.look_for_duration()
        with self._changed:
            self.properties = media.properties
            self.seconds = media.seconds
            self.damages = tuple(media.damages)
            self._changed.notify_all()

    def _put(self, block: Channels, media: AudioDecoder) -> None:
        self._follow(media)
        with self._changed:
            while len(self.blocks) >= BLOCKS_AHEAD:
                self._token.raise_if_cancelled()
                self._changed.wait()
            self.blocks.append(block)
            self._changed.notify_all()

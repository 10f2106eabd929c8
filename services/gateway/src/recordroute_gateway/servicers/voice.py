"""VoiceService on the wire."""

from __future__ import annotations

from typing import Any

from recordroute.gateway.v1 import voice_pb2, voice_pb2_grpc

from recordroute_gateway.identity.caller import current_caller
from recordroute_gateway.library.records import Access
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.library.voices import VoiceStore
from recordroute_gateway.servicers.records import voice_message


class VoiceServicer(voice_pb2_grpc.VoiceServiceServicer):
    def __init__(self, library: LibraryStore, voices: VoiceStore) -> None:
        self._library = library
        self._voices = voices

    async def RememberVoice(
        self, request: voice_pb2.RememberVoiceRequest, context: Any
    ) -> voice_pb2.RememberVoiceResponse:
        recording = await self._library.get(current_caller().user, request.recording_id, Access.WRITE)
        voice = await self._voices.remember(
            current_caller().user,
            request.request_id,
            recording.id,
            await self._library.transcript(recording),
            request.speaker,
            name=request.name,
        )
        return voice_pb2.RememberVoiceResponse(voice=voice_message(voice))

    async def ListVoices(
        self, request: voice_pb2.ListVoicesRequest, context: Any
    ) -> voice_pb2.ListVoicesResponse:
        voices = await self._voices.list(current_caller().user)
        return voice_pb2.ListVoicesResponse(voices=map(voice_message, voices))

    async def DeleteVoice(
        self, request: voice_pb2.DeleteVoiceRequest, context: Any
    ) -> voice_pb2.DeleteVoiceResponse:
        await self._voices.delete(current_caller().user, request.voice_id)
        return voice_pb2.DeleteVoiceResponse()

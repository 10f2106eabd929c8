"""VocabularyService on the wire."""

from __future__ import annotations

from typing import Any

from recordroute.gateway.v1 import vocabulary_pb2, vocabulary_pb2_grpc
from recordroute_runtime.wire import to_timestamp

from recordroute_gateway.identity.caller import current_caller
from recordroute_gateway.library.vocabulary import VocabularyStore, VocabularyTerm

DEFAULT_TERMS = 200


class VocabularyServicer(vocabulary_pb2_grpc.VocabularyServiceServicer):
    def __init__(self, vocabulary: VocabularyStore) -> None:
        self._vocabulary = vocabulary

    async def ListTerms(
        self, request: vocabulary_pb2.ListTermsRequest, context: Any
    ) -> vocabulary_pb2.ListTermsResponse:
        page, token = await self._vocabulary.list_page(
            current_caller().user, request.page_size or DEFAULT_TERMS, request.page_token
        )
        return vocabulary_pb2.ListTermsResponse(terms=map(_term_message, page), next_page_token=token)

    async def AddTerms(
        self, request: vocabulary_pb2.AddTermsRequest, context: Any
    ) -> vocabulary_pb2.AddTermsResponse:
        terms = await self._vocabulary.add(current_caller().user, request.texts)
        return vocabulary_pb2.AddTermsResponse(terms=map(_term_message, terms))

    async def RemoveTerms(
        self, request: vocabulary_pb2.RemoveTermsRequest, context: Any
    ) -> vocabulary_pb2.RemoveTermsResponse:
        await self._vocabulary.remove(current_caller().user, request.texts)
        return vocabulary_pb2.RemoveTermsResponse()


def _term_message(term: VocabularyTerm) -> vocabulary_pb2.VocabularyTerm:
    return vocabulary_pb2.VocabularyTerm(
        text=term.text,
        heard_as=term.heard_as,
        correction_count=term.correction_count,
        learned=term.learned,
        created_at=to_timestamp(term.created_at),
    )

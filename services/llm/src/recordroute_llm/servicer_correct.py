"""Corrections to the contract's messages."""

from __future__ import annotations

from recordroute.llm.v1 import llm_pb2

from recordroute_llm.corrections import Correction, Reason
from recordroute_llm.engine import Usage
from recordroute_llm.minutes import Progress
from recordroute_llm.servicer_generate import usage_message

_REASONS = {
    Reason.VOCABULARY: llm_pb2.CORRECTION_REASON_VOCABULARY,
    Reason.MODEL: llm_pb2.CORRECTION_REASON_MODEL,
}


def correct_response(part: Correction | Progress | Usage) -> llm_pb2.CorrectResponse:
    """Returns the message for the next proposal, progress, or the end."""
    match part:
        case Correction():
            return llm_pb2.CorrectResponse(
                correction=llm_pb2.Correction(
                    segment_index=part.segment_index,
                    start=part.start,
                    end=part.end,
                    original=part.original,
                    replacement=part.replacement,
                    reason=_REASONS[part.reason],
                    confidence=part.confidence,
                )
            )
        case Progress(completed, total):
            return llm_pb2.CorrectResponse(
                progress=llm_pb2.SummarizeProgress(completed_steps=completed, total_steps=total)
            )
        case Usage():
            return llm_pb2.CorrectResponse(usage=usage_message(part, cached=False))

"""Minutes to and from the contract's messages."""

from __future__ import annotations

from recordroute.common.v1 import minutes_pb2
from recordroute_runtime.wire import enum_name, to_duration, to_seconds

from recordroute_gateway.library.records import Evidence, Minutes, MinutesField, MinutesItem, MinutesSection

PREFIX = "MINUTES_SECTION_KIND_"


def minutes_record(message: minutes_pb2.Minutes) -> Minutes:
    """Returns our form of minutes."""
    return Minutes(
        language=message.language,
        overview=message.overview,
        model=message.model,
        sections=tuple(
            MinutesSection(
                enum_name(section, "kind"),
                tuple(
                    MinutesItem(
                        item.text,
                        tuple(
                            Evidence(
                                segment_index=evidence.segment_index,
                                start=to_seconds(evidence.start),
                                end=to_seconds(evidence.end),
                                speaker=evidence.speaker,
                                quote=evidence.quote,
                                page=evidence.page if evidence.HasField("page") else None,
                                line=evidence.line if evidence.HasField("line") else None,
                            )
                            for evidence in item.evidence
                        ),
                        tuple(MinutesField(field.name, field.value) for field in item.fields),
                        item.edited,
                        item.done,
                    )
                    for item in section.items
                ),
                section.title,
            )
            for section in message.sections
        ),
        unsupported=tuple(message.unsupported),
        template=message.template,
        overview_edited=message.overview_edited,
    )


def minutes_message(minutes: Minutes) -> minutes_pb2.Minutes:
    """Returns the contract's form of minutes."""
    return minutes_pb2.Minutes(
        language=minutes.language,
        overview=minutes.overview,
        model=minutes.model,
        sections=[
            minutes_pb2.MinutesSection(
                kind=PREFIX + section.kind.upper(),
                items=[
                    minutes_pb2.MinutesItem(
                        text=item.text,
                        evidence=[
                            minutes_pb2.Evidence(
                                segment_index=evidence.segment_index,
                                start=to_duration(evidence.start),
                                end=to_duration(evidence.end),
                                speaker=evidence.speaker,
                                quote=evidence.quote,
                                page=evidence.page,
                                line=evidence.line,
                            )
                            for evidence in item.evidence
                        ],
                        fields=[
                            minutes_pb2.MinutesField(name=field.name, value=field.value)
                            for field in item.fields
                        ],
                        edited=item.edited,
                        done=item.done,
                    )
                    for item in section.items
                ],
                title=section.title,
            )
            for section in minutes.sections
        ],
        unsupported=minutes.unsupported,
        template=minutes.template,
        overview_edited=minutes.overview_edited,
    )

"""TemplateService on the wire."""

from __future__ import annotations

from typing import Any

from recordroute.gateway.v1 import template_pb2, template_pb2_grpc
from recordroute_runtime.wire import to_timestamp

from recordroute_gateway.clients.llm import LlmClient
from recordroute_gateway.identity.caller import current_caller
from recordroute_gateway.library.templates import TemplateStore, UserTemplate


class TemplateServicer(template_pb2_grpc.TemplateServiceServicer):
    def __init__(self, templates: TemplateStore, llm: LlmClient) -> None:
        self._templates = templates
        self._llm = llm

    async def ListTemplates(
        self, request: template_pb2.ListTemplatesRequest, context: Any
    ) -> template_pb2.ListTemplatesResponse:
        own = await self._templates.list(current_caller().user)
        found = {
            template.name: template_pb2.Template(
                name=template.name, title=template.title, markdown=template.markdown, built_in=True
            )
            for template in await self._llm.templates(request.language)
        }
        found |= {template.name: _template_message(template) for template in own}
        return template_pb2.ListTemplatesResponse(templates=[found[name] for name in sorted(found)])

    async def PutTemplate(
        self, request: template_pb2.PutTemplateRequest, context: Any
    ) -> template_pb2.PutTemplateResponse:
        title = await self._llm.check_template(request.markdown)
        template = await self._templates.put(
            current_caller().user, request.name, title=title, markdown=request.markdown
        )
        return template_pb2.PutTemplateResponse(template=_template_message(template))

    async def DeleteTemplate(
        self, request: template_pb2.DeleteTemplateRequest, context: Any
    ) -> template_pb2.DeleteTemplateResponse:
        await self._templates.delete(current_caller().user, request.name)
        return template_pb2.DeleteTemplateResponse()


def _template_message(template: UserTemplate) -> template_pb2.Template:
    return template_pb2.Template(
        name=template.name,
        title=template.title,
        markdown=template.markdown,
        updated_at=to_timestamp(template.updated_at),
    )

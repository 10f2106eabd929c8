"""Every RPC of VocabularyService and TemplateService by a blocking client."""

from __future__ import annotations

import uuid

import grpc
import pytest
from recordroute.gateway.v1 import template_pb2, template_pb2_grpc, vocabulary_pb2, vocabulary_pb2_grpc
from recordroute_runtime.remote import read_error

SOCKET = None
SECONDS = 60
WEEKLY = "# Weekly\n\n## Decisions {decisions}\nWhat was decided.\n"


@pytest.fixture(scope="module")
def grpc_stub_cls() -> type[vocabulary_pb2_grpc.VocabularyServiceStub]:
    return vocabulary_pb2_grpc.VocabularyServiceStub


def reason(call: object, request: object) -> str:
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=SECONDS)
    return read_error(caught.value).reason


def test_terms_come_and_go(grpc_stub) -> None:
    add = vocabulary_pb2.AddTermsRequest(request_id=str(uuid.uuid4()), texts=["김민지", "Qdrant"])
    for _ in range(2):
        assert [term.text for term in grpc_stub.AddTerms(add, timeout=SECONDS).terms] == ["김민지", "Qdrant"]
    listed = grpc_stub.ListTerms(vocabulary_pb2.ListTermsRequest(), timeout=SECONDS).terms
    assert [term.text for term in listed] == ["Qdrant", "김민지"]
    remove = vocabulary_pb2.RemoveTermsRequest(request_id=str(uuid.uuid4()), texts=["김민지", "Qdrant"])
    for _ in range(2):
        grpc_stub.RemoveTerms(remove, timeout=SECONDS)
    assert not grpc_stub.ListTerms(vocabulary_pb2.ListTermsRequest(), timeout=SECONDS).terms
    assert reason(grpc_stub.ListTerms, vocabulary_pb2.ListTermsRequest(page_token="?")) == "PAGE_TOKEN"
    assert reason(grpc_stub.AddTerms, vocabulary_pb2.AddTermsRequest(texts=["x"])) == "INVALID_FIELDS"


def test_templates_of_one_s_own(grpc_channel) -> None:
    stub = template_pb2_grpc.TemplateServiceStub(grpc_channel)
    put = template_pb2.PutTemplateRequest(request_id=str(uuid.uuid4()), name="weekly", markdown=WEEKLY)
    assert stub.PutTemplate(put, timeout=SECONDS).template.title == "Weekly"
    listed = stub.ListTemplates(template_pb2.ListTemplatesRequest(language="ko"), timeout=SECONDS).templates
    assert [template.name for template in listed if not template.built_in] == ["weekly"]
    assert {"meeting", "lecture", "call"} < {template.name for template in listed}
    put.markdown = "# Weekly\n\n## Decisions {nonsense}\nWhat was decided.\n"
    assert reason(stub.PutTemplate, put) == "BAD_TEMPLATE"
    delete = template_pb2.DeleteTemplateRequest(request_id=str(uuid.uuid4()), name="weekly")
    for _ in range(2):
        stub.DeleteTemplate(delete, timeout=SECONDS)


def test_every_rpc_was_called(called) -> None:
    files = (template_pb2, vocabulary_pb2)
    services = [service for file in files for service in file.DESCRIPTOR.services_by_name.values()]
    assert called.methods == {method.name for service in services for method in service.methods}

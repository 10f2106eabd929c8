"""A Qdrant server for tests: qdrant-client's own gRPC servicers over Qdrant Edge, one shard a collection.

It speaks the real wire and searches with the real engine; it is no cluster and keeps its collections in a folder.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import qdrant_edge as edge
from qdrant_client import grpc as wire
from qdrant_client import models
from qdrant_client.conversions.conversion import GrpcToRest, payload_to_grpc
from qdrant_client.grpc import (
    collections_service_pb2_grpc,
    points_service_pb2_grpc,
)


def _range(value: models.Range) -> edge.RangeFloat:
    return edge.RangeFloat(gte=value.gte, gt=value.gt, lte=value.lte, lt=value.lt)


def _match(match: Any) -> Any:
    if isinstance(match, models.MatchValue):
        return edge.MatchValue(match.value)
    if isinstance(match, models.MatchAny):
        return edge.MatchAny(list(match.any))
    if isinstance(match, models.MatchText):
        return edge.MatchText(match.text)
    raise NotImplementedError(f"match {match!r}")


def _condition(condition: Any) -> Any:
    if isinstance(condition, models.Filter):
        return to_filter(condition)
    if isinstance(condition, models.HasIdCondition):
        return edge.HasIdCondition(set(condition.has_id))
    if isinstance(condition, models.IsEmptyCondition):
        return edge.IsEmptyCondition(condition.is_empty.key)
    if isinstance(condition, models.FieldCondition):
        if condition.match is not None:
            return edge.FieldCondition(condition.key, match=_match(condition.match))
        if condition.range is not None:
            return edge.FieldCondition(condition.key, range=_range(condition.range))
    raise NotImplementedError(f"condition {condition!r}")


def to_filter(which: models.Filter | None) -> edge.Filter:
    if which is None:
        return edge.Filter()
    assert not which.should
    assert not which.min_should
    return edge.Filter(
        must=[_condition(item) for item in which.must or []],
        must_not=[_condition(item) for item in which.must_not or []],
    )


def _filter(message: Any, name: str) -> edge.Filter:
    present = message.HasField(name)
    return to_filter(GrpcToRest.convert_filter(getattr(message, name)) if present else None)


def _to_vector(value: Any) -> Any:
    if isinstance(value, models.SparseVector):
        return edge.SparseVector(list(value.indices), list(value.values))
    return value


def _vectors_output(vectors: dict[str, Any]) -> wire.VectorsOutput:
    named = {}
    for name, value in vectors.items():
        if isinstance(value, edge.SparseVector):
            named[name] = wire.VectorOutput(
                sparse=wire.SparseVector(indices=value.indices, values=value.values)
            )
        elif value and isinstance(value[0], list):
            rows = [wire.DenseVector(data=row) for row in value]
            named[name] = wire.VectorOutput(multi_dense=wire.MultiDenseVector(vectors=rows))
        else:
            named[name] = wire.VectorOutput(dense=wire.DenseVector(data=value))
    return wire.VectorsOutput(vectors=wire.NamedVectorsOutput(vectors=named))


def _id(value: Any) -> wire.PointId:
    return wire.PointId(num=value) if isinstance(value, int) else wire.PointId(uuid=str(value))


def _wanted_vectors(message: Any) -> list[str] | bool:
    if not message.HasField("with_vectors"):
        return False
    selector = message.with_vectors
    return list(selector.include.names) if selector.HasField("include") else selector.enable


def _retrieved(record: Any) -> wire.RetrievedPoint:
    return wire.RetrievedPoint(
        id=_id(record.id),
        payload=payload_to_grpc(record.payload or {}),
        vectors=_vectors_output(record.vector) if record.vector else None,
    )


def _params(params: models.SearchParams | None) -> edge.SearchParams:
    if params is None:
        return edge.SearchParams()
    quantization = params.quantization
    return edge.SearchParams(
        hnsw_ef=params.hnsw_ef,
        quantization=None
        if quantization is None
        else edge.QuantizationSearchParams(
            rescore=quantization.rescore, oversampling=quantization.oversampling
        ),
        idf=None if params.idf is None else edge.IdfParams(corpus=to_filter(params.idf.corpus)),
    )


@dataclass
class _Collection:
    shard: edge.EdgeShard
    metadata: dict[str, Any]


@dataclass
class TestServer:
    """What tests hold: its address, its collections, and what it shall answer instead."""

    folder: Path
    url: str = ""
    failures: list[grpc.StatusCode] = field(default_factory=list)
    """Statuses that the next calls get, one each."""
    collections: dict[str, _Collection] = field(default_factory=dict)

    __test__ = False

    def shard(self, name: str) -> edge.EdgeShard:
        return self.collections[name].shard


class _Failing(grpc.aio.ServerInterceptor):
    def __init__(self, server: TestServer) -> None:
        self._server = server

    async def intercept_service(self, continuation: Any, details: Any) -> Any:
        if not self._server.failures:
            return await continuation(details)
        code = self._server.failures.pop(0)

        async def fail(request: Any, context: Any) -> None:
            await context.abort(code, "as the test wants it")

        handler = await continuation(details)
        return grpc.unary_unary_rpc_method_handler(
            fail, handler.request_deserializer, handler.response_serializer
        )


class _Collections(collections_service_pb2_grpc.CollectionsServicer):
    def __init__(self, server: TestServer) -> None:
        self._server = server

    async def CollectionExists(self, request: Any, context: Any) -> Any:
        exists = request.collection_name in self._server.collections
        return wire.CollectionExistsResponse(result=wire.CollectionExists(exists=exists))

    async def Create(self, request: Any, context: Any) -> Any:
        vectors = {
            name: edge.EdgeVectorParams(
                size=params.size,
                distance=edge.Distance.Cosine,
                multivector_config=edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim)
                if params.HasField("multivector_config")
                else None,
            )
            for name, params in request.vectors_config.params_map.map.items()
        }
        sparse = {
            name: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)
            for name in request.sparse_vectors_config.map
        }
        path = self._server.folder / request.collection_name
        path.mkdir(parents=True)
        shard = edge.EdgeShard.create(str(path), edge.EdgeConfig(vectors=vectors, sparse_vectors=sparse))
        metadata = GrpcToRest.convert_payload(request.metadata)
        self._server.collections[request.collection_name] = _Collection(shard, metadata)
        return wire.CollectionOperationResponse(result=True)

    async def Get(self, request: Any, context: Any) -> Any:
        collection = self._server.collections[request.collection_name]
        info = collection.shard.info()
        config = wire.CollectionConfig(
            params=wire.CollectionParams(shard_number=1, replication_factor=1),
            hnsw_config=wire.HnswConfigDiff(m=16, ef_construct=100, full_scan_threshold=10),
            optimizer_config=wire.OptimizersConfigDiff(
                deleted_threshold=0.2,
                vacuum_min_vector_number=1,
                default_segment_number=1,
                flush_interval_sec=5,
            ),
            wal_config=wire.WalConfigDiff(wal_capacity_mb=1, wal_segments_ahead=0),
            metadata=payload_to_grpc(collection.metadata),
        )
        return wire.GetCollectionInfoResponse(
            result=wire.CollectionInfo(
                status=wire.Green,
                optimizer_status=wire.OptimizerStatus(ok=True),
                segments_count=info.segments_count,
                points_count=info.points_count,
                indexed_vectors_count=info.indexed_vectors_count,
                config=config,
            )
        )


class _Points(points_service_pb2_grpc.PointsServicer):
    def __init__(self, server: TestServer) -> None:
        self._server = server

    async def CreateFieldIndex(self, request: Any, context: Any) -> Any:
        schema: Any = {
            wire.FieldTypeKeyword: edge.PayloadSchemaType.Keyword,
            wire.FieldTypeFloat: edge.PayloadSchemaType.Float,
            wire.FieldTypeInteger: edge.PayloadSchemaType.Integer,
        }.get(request.field_type)
        params = request.field_index_params
        if params.HasField("text_index_params"):
            text = params.text_index_params
            assert text.tokenizer == wire.TokenizerType.Prefix
            schema = edge.TextIndexParams(
                tokenizer=edge.TokenizerType.Prefix,
                min_token_len=text.min_token_len,
                max_token_len=text.max_token_len,
                lowercase=text.lowercase,
            )
        self._update(request, edge.UpdateOperation.create_field_index(request.field_name, schema))
        return _done()

    async def Upsert(self, request: Any, context: Any) -> Any:
        points = []
        for message in request.points:
            point = GrpcToRest.convert_point_struct(message)
            vectors = {name: _to_vector(value) for name, value in (point.vector or {}).items()}
            points.append(edge.Point(point.id, vectors, point.payload))
        self._update(request, edge.UpdateOperation.upsert_points(points))
        return _done()

    async def Delete(self, request: Any, context: Any) -> Any:
        selector = GrpcToRest.convert_points_selector(request.points)
        if isinstance(selector, models.FilterSelector):
            operation = edge.UpdateOperation.delete_points_by_filter(to_filter(selector.filter))
        else:
            operation = edge.UpdateOperation.delete_points(list(selector.points))
        self._update(request, operation)
        return _done()

    async def Get(self, request: Any, context: Any) -> Any:
        ids = [GrpcToRest.convert_point_id(item) for item in request.ids]
        records = self._shard(request).retrieve(ids, True, _wanted_vectors(request))
        return wire.GetResponse(result=[_retrieved(record) for record in records])

    async def Count(self, request: Any, context: Any) -> Any:
        count = self._shard(request).count(edge.CountRequest(filter=_filter(request, "filter")))
        return wire.CountResponse(result=wire.CountResult(count=count))

    async def Facet(self, request: Any, context: Any) -> Any:
        found = self._shard(request).facet(
            edge.FacetRequest(
                request.key, limit=request.limit, exact=request.exact, filter=_filter(request, "filter")
            )
        )
        hits = [
            wire.FacetHit(value=wire.FacetValue(string_value=hit.value), count=hit.count) for hit in found
        ]
        return wire.FacetResponse(hits=hits)

    async def Scroll(self, request: Any, context: Any) -> Any:
        offset = GrpcToRest.convert_point_id(request.offset) if request.HasField("offset") else None
        records, following = self._shard(request).scroll(
            edge.ScrollRequest(
                offset=offset,
                limit=request.limit,
                filter=_filter(request, "filter"),
                with_payload=True,
                with_vector=_wanted_vectors(request),
            )
        )
        return wire.ScrollResponse(
            result=[_retrieved(record) for record in records],
            next_page_offset=None if following is None else _id(following),
        )

    async def QueryBatch(self, request: Any, context: Any) -> Any:
        results = []
        for asked in request.query_points:
            query = GrpcToRest.convert_query(asked.query)
            params = GrpcToRest.convert_search_params(asked.params) if asked.HasField("params") else None
            found = self._shard(request).query(
                edge.QueryRequest(
                    query=edge.Query.Nearest(_to_vector(query.nearest), using=asked.using),
                    params=_params(params),
                    filter=_filter(asked, "filter"),
                    limit=asked.limit,
                    with_payload=asked.with_payload.enable,
                    with_vector=_wanted_vectors(asked),
                )
            )
            results.append(
                wire.BatchResult(
                    result=[
                        wire.ScoredPoint(
                            id=_id(point.id),
                            score=point.score,
                            version=point.version,
                            payload=payload_to_grpc(point.payload or {}),
                            vectors=_vectors_output(point.vector) if point.vector else None,
                        )
                        for point in found
                    ]
                )
            )
        return wire.QueryBatchResponse(result=results)

    def _shard(self, request: Any) -> edge.EdgeShard:
        return self._server.shard(request.collection_name)

    def _update(self, request: Any, operation: edge.UpdateOperation) -> None:
        assert request.wait
        self._shard(request).update(operation)


def _done() -> Any:
    return wire.PointsOperationResponse(result=wire.UpdateResult(status=wire.UpdateStatus.Completed))


@asynccontextmanager
async def serve_qdrant(folder: Path) -> AsyncIterator[TestServer]:
    """Serves on a free port of the loopback."""
    state = TestServer(folder)
    server = grpc.aio.server(interceptors=[_Failing(state)], options=[("grpc.so_reuseport", 0)])
    collections_service_pb2_grpc.add_CollectionsServicer_to_server(_Collections(state), server)
    points_service_pb2_grpc.add_PointsServicer_to_server(_Points(state), server)
    state.url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield state
    finally:
        await server.stop(1.0)
        for collection in state.collections.values():
            collection.shard.close()

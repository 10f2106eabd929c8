import type { DescService } from "@bufbuild/protobuf";
import { createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";

const UNARY_DEADLINE_MS = 30_000;
/** How much longer than the server's deadline the page waits for its answer. */
const ANSWER_ALLOWANCE_MS = 5_000;

/** The server refuses unary calls without a deadline, and a network that went away gives no answer at all. */
const deadline: Interceptor = (next) => (request) => {
  if (request.stream || request.header.has("grpc-timeout")) return next(request);
  request.header.set("grpc-timeout", `${UNARY_DEADLINE_MS}m`);
  const gone = AbortSignal.timeout(UNARY_DEADLINE_MS + ANSWER_ALLOWANCE_MS);
  return next({ ...request, signal: AbortSignal.any([request.signal, gone]) });
};

/** gRPC-Web to whoever served the page: the gateway itself, or Envoy. The session's cookie tells who calls. */
const transport = createGrpcWebTransport({
  baseUrl: window.location.origin,
  interceptors: [deadline],
  fetch: (input, init) => fetch(input, { ...init, credentials: "same-origin" }),
});

/** Returns a client for a service, with one method for each RPC. */
export function clientOf<Service extends DescService>(service: Service) {
  return createClient(service, transport);
}

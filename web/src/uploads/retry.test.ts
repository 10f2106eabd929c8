import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { ErrorInfoSchema, RetryInfoSchema } from "@/gen/google/rpc/error_details_pb";
import { pauseMs, verdictOn } from "./retry";
import { LocalFileError } from "./types";

function refusal(code: Code, reason: string, retrySeconds?: number): ConnectError {
  const retry =
    retrySeconds === undefined
      ? []
      : [{ desc: RetryInfoSchema, value: { retryDelay: { seconds: BigInt(retrySeconds), nanos: 0 } } }];
  return new ConnectError("no", code, undefined, [{ desc: ErrorInfoSchema, value: { reason } }, ...retry]);
}

test.each([
  ["the network is away", new ConnectError("Failed to fetch", Code.Unknown), "passing"],
  ["the server is away", new ConnectError("502", Code.Unavailable), "passing"],
  ["the call took too long", new ConnectError("timeout", Code.Canceled), "passing"],
  ["the server is busy", refusal(Code.ResourceExhausted, "OVERLOADED", 2), "passing"],
  ["the disk is full", refusal(Code.ResourceExhausted, "DISK_FULL"), "final"],
  ["the upload has expired", refusal(Code.NotFound, "UPLOAD_NOT_FOUND"), "outOfStep"],
  ["a piece was damaged", refusal(Code.InvalidArgument, "CHUNK_CHECKSUM_MISMATCH"), "outOfStep"],
  ["the file is no recording", refusal(Code.InvalidArgument, "MEDIA_UNREADABLE"), "final"],
  ["nobody is signed in", refusal(Code.Unauthenticated, "TOKEN_EXPIRED"), "final"],
  ["the file has changed", new LocalFileError("fileChanged"), "final"],
])("whether it passes that %s", (_, error, verdict) => {
  expect(verdictOn(error)).toBe(verdict);
});

test("pauses double, are bounded, scattered, and never shorter than asked", () => {
  const error = new ConnectError("away", Code.Unavailable);
  const middle = () => 0.5;
  expect([1, 2, 3, 9, 99].map((failures) => pauseMs(failures, error, middle))).toEqual([
    1_000, 2_000, 4_000, 30_000, 30_000,
  ]);
  expect(pauseMs(1, error, () => 0)).toBe(750);
  expect(pauseMs(1, refusal(Code.ResourceExhausted, "OVERLOADED", 5), middle)).toBe(5_000);
});

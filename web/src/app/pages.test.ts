import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { beforeEach, expect, test, vi } from "vitest";
import { identity, library } from "@/api/clients";
import { keys, makeQueryClient } from "@/api/queries";
import { GetCallerResponseSchema } from "@/gen/recordroute/gateway/v1/identity_pb";
import { preload } from "./pages";

const ID = "0c5dd9f2-95a6-4c3f-8a60-6b3b9b5bb6ab";
const refused = new ConnectError("not today", Code.PermissionDenied);

beforeEach(() => {
  vi.spyOn(identity, "getCaller").mockResolvedValue(create(GetCallerResponseSchema));
  vi.spyOn(library, "getRecording").mockRejectedValue(refused);
  vi.spyOn(library, "getTranscript").mockRejectedValue(refused);
});

function at(address: string): Location {
  const { pathname, hash } = new URL(address, window.location.origin);
  return { ...window.location, pathname, hash };
}

test("the page of a recording asks for its data while its code and the caller are on their way", async () => {
  const cache = makeQueryClient();
  preload(cache, at(`/recordings/${ID}`));
  await vi.waitFor(() => expect(library.getTranscript).toHaveBeenCalled(), 30_000);
  expect(vi.mocked(library.getTranscript).mock.calls[0]?.[0]).toMatchObject({ recordingId: ID });
  expect(vi.mocked(library.getRecording).mock.calls[0]?.[0]).toMatchObject({ recordingId: ID });
  await vi.waitFor(() => expect(cache.getQueryData(keys.caller)).toBeDefined(), 30_000);
});

test.each([`/recordings/${ID}#token=abc`, "/", "/settings/models", "/no-page-of-ours"])(
  "%s asks for who calls, and for no recording",
  async (address) => {
    const cache = makeQueryClient();
    preload(cache, at(address));
    await vi.waitFor(() => expect(cache.getQueryData(keys.caller)).toBeDefined(), 30_000);
    expect(library.getRecording).not.toHaveBeenCalled();
    expect(library.getTranscript).not.toHaveBeenCalled();
  },
);

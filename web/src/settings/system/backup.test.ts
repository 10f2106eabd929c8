import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { type BackupFile, writeBackup } from "./backup";

const server = vi.hoisted(() => ({ backup: vi.fn() }));
vi.mock("@/api/clients", () => ({ system: server }));

function newFile() {
  const events: string[] = [];
  const file: BackupFile = {
    write: async (chunk) => {
      events.push(`write ${chunk.length}`);
    },
    close: async () => {
      events.push("close");
    },
    abort: async () => {
      events.push("abort");
    },
  };
  return { file, events };
}

test("a backup is written as it comes", async () => {
  server.backup.mockImplementation(async function* () {
    yield { chunk: new Uint8Array(3) };
    yield { chunk: new Uint8Array(2) };
  });
  const { file, events } = newFile();
  const onBytes = vi.fn();
  await writeBackup(file, new AbortController().signal, onBytes);
  expect(events).toEqual(["write 3", "write 2", "close"]);
  expect(onBytes.mock.calls).toEqual([[3], [5]]);
});

test("half a backup is none", async () => {
  server.backup.mockImplementation(async function* () {
    yield { chunk: new Uint8Array(3) };
    throw new ConnectError("the disk is full", Code.ResourceExhausted);
  });
  const { file, events } = newFile();
  const written = writeBackup(file, new AbortController().signal, () => {});
  await expect(written).rejects.toThrow("the disk is full");
  expect(events).toEqual(["write 3", "abort"]);
});

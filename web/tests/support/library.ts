import { randomUUID } from "node:crypto";
import { type BrowserContext, expect } from "@playwright/test";

type Wanted = {
  title: string;
  /** A file of its own for each call; else a text is made of the title. */
  file?: { name: string; mimeType: string; buffer: Buffer };
  tags?: string[];
  folder?: string;
  /** Whether minutes are made, too: they take the longest. */
  summary?: boolean;
  process?: boolean;
};

/** Adds a recording by the server's REST routes, and waits until it is worked on; returns its id. */
export async function addRecording(context: BrowserContext, wanted: Wanted): Promise<string> {
  const text = `${wanted.title}.\n\nThe number of this text is ${randomUUID()}.\n`;
  const file = wanted.file ?? { name: "text.txt", mimeType: "text/plain", buffer: Buffer.from(text) };
  const parameters = new URLSearchParams({ file_name: file.name, title: wanted.title });
  for (const tag of wanted.tags ?? []) parameters.append("tag", tag);
  if (wanted.folder !== undefined) parameters.append("folder", wanted.folder);
  const uploaded = await context.request.post(`/upload?${parameters}`, {
    headers: { "content-type": "application/octet-stream" },
    data: file.buffer,
  });
  expect(uploaded.status(), await uploaded.text()).toBe(201);
  const { id } = await uploaded.json();
  if (wanted.process === false) return id;
  const options = { skip_summary: wanted.summary !== true, language: "en" };
  const begun = await context.request.post("/process", { data: { recording_id: id, options } });
  expect(begun.status(), await begun.text()).toBe(202);
  const task = await begun.json();
  await expect
    .poll(async () => (await (await context.request.get(`/tasks/${task.id}`)).json()).state, {
      timeout: 90_000,
    })
    .toBe("succeeded");
  return id;
}

import { expect, test } from "vitest";
import { fromFileList, fromTransfer, looksLikeRecording } from "./pick";

function inFolder(path: string, type = ""): File {
  const file = new File(["x"], path.split("/").at(-1) ?? "", { type });
  Object.defineProperty(file, "webkitRelativePath", { value: path.includes("/") ? path : "" });
  return file;
}

test.each([
  ["talk.MP3", "", true],
  ["notes.md", "", true],
  ["without-ending", "audio/ogg", true],
  ["picture.png", "image/png", false],
  [".DS_Store", "", false],
  ["._talk.mp3", "audio/mpeg", false],
])("whether %s looks like a recording", (name, type, expected) => {
  expect(looksLikeRecording({ name, type })).toBe(expected);
});

test("of a folder only recordings are taken; what is asked for by name is left to the server", () => {
  const list = [
    inFolder("May/b.mp3"),
    inFolder("May/Thumbs.db"),
    inFolder("May/1/a.wav"),
    inFolder("strange.xyz"),
  ];
  const { files, skippedCount } = fromFileList(list as unknown as FileList);
  expect(files.map(({ file, folder }) => [folder, file.name])).toEqual([
    ["", "strange.xyz"],
    ["May", "b.mp3"],
    ["May/1", "a.wav"],
  ]);
  expect(skippedCount).toBe(1);
});

type Entry = { isFile: boolean; isDirectory: boolean; name: string } & Record<string, unknown>;

function fileEntry(name: string): Entry {
  return {
    isFile: true,
    isDirectory: false,
    name,
    file: (found: (file: File) => void) => found(inFolder(name)),
  };
}

function folderEntry(name: string, ...batches: Entry[][]): Entry {
  const createReader = () => {
    const left = [...batches, []];
    return { readEntries: (found: (entries: Entry[]) => void) => found(left.shift() ?? []) };
  };
  return { isFile: false, isDirectory: true, name, createReader };
}

test("dropped folders are walked to their ends", async () => {
  const inner = folderEntry("inner", [fileEntry("c.wav")]);
  const folder = folderEntry("outer", [fileEntry("a.wav"), inner], [fileEntry("b.wav"), fileEntry("x.jpg")]);
  const items = [
    { kind: "file", webkitGetAsEntry: () => folder, getAsFile: () => null },
    { kind: "file", webkitGetAsEntry: () => fileEntry("d.wav"), getAsFile: () => inFolder("d.wav") },
    { kind: "string", getAsFile: () => null },
  ];
  const { files, skippedCount } = await fromTransfer({ items } as unknown as DataTransfer);
  expect(files.map(({ file, folder: path }) => `${path}/${file.name}`)).toEqual([
    "/d.wav",
    "outer/a.wav",
    "outer/b.wav",
    "outer/inner/c.wav",
  ]);
  expect(skippedCount).toBe(1);
});

import type { PickedFile } from "./types";

const ENDINGS = new Set(
  (
    "aac ac3 aif aiff alac amr ape caf flac m4a m4b mka mp3 mpga oga ogg opus wav wave weba webm wma " +
    "3gp avi flv m4v mkv mov mp4 mpeg mpg mts m2ts ogv ts wmv " +
    "md markdown pdf text txt"
  ).split(" "),
);

/** What a file dialogue offers first; the server decides what it can read. */
export const ACCEPTED = `audio/*,video/*,application/pdf,.md,.markdown,.txt,.text,.mka,.mkv,.opus,.amr,.caf`;

/** Whether a file looks like a recording: of a folder only such files are taken. */
export function looksLikeRecording({ name, type }: Pick<File, "name" | "type">): boolean {
  if (name.startsWith(".")) return false;
  const ending = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  return ENDINGS.has(ending) || type.startsWith("audio/") || type.startsWith("video/");
}

export type Picked = {
  files: PickedFile[];
  /** Files of folders that look like no recordings. */
  skippedCount: number;
};

/** Leaves out what is not asked for one by one and is no recording. */
function sorted(all: readonly PickedFile[]): Picked {
  const files = all.filter(({ file, folder }) => folder === "" || looksLikeRecording(file));
  files.sort(
    (one, other) => one.folder.localeCompare(other.folder) || one.file.name.localeCompare(other.file.name),
  );
  return { files, skippedCount: all.length - files.length };
}

function folderOf(file: File): string {
  return file.webkitRelativePath.split("/").slice(0, -1).join("/");
}

/** Reads what a file field has. */
export function fromFileList(list: FileList): Picked {
  return sorted([...list].map((file) => ({ file, folder: folderOf(file) })));
}

/** Asks for files; null where the browser has no dialogue that lets the page read them again later. */
export async function askForFiles(multiple: boolean): Promise<Picked | null> {
  if (window.showOpenFilePicker === undefined) return null;
  try {
    const handles = await window.showOpenFilePicker({ multiple });
    return sorted(await Promise.all(handles.map(async (handle) => ofHandle(handle, ""))));
  } catch (error) {
    // Closed without a choice.
    if (error instanceof DOMException && error.name === "AbortError") return { files: [], skippedCount: 0 };
    throw error;
  }
}

async function ofHandle(handle: FileSystemFileHandle, folder: string): Promise<PickedFile> {
  return { file: await handle.getFile(), folder, handle };
}

function isFolder(handle: FileSystemHandle): handle is FileSystemDirectoryHandle {
  return handle.kind === "directory";
}

function isFile(handle: FileSystemHandle): handle is FileSystemFileHandle {
  return handle.kind === "file";
}

async function walkHandle(handle: FileSystemHandle, folder: string): Promise<PickedFile[]> {
  if (isFile(handle)) return [await ofHandle(handle, folder)];
  if (!isFolder(handle)) return [];
  const below = folder === "" ? handle.name : `${folder}/${handle.name}`;
  const found: PickedFile[] = [];
  for await (const child of handle.values()) found.push(...(await walkHandle(child, below)));
  return found;
}

function isFileEntry(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolderEntry(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

async function walkEntry(entry: FileSystemEntry, folder: string): Promise<PickedFile[]> {
  if (isFileEntry(entry)) {
    return [{ file: await new Promise<File>((resolve, reject) => entry.file(resolve, reject)), folder }];
  }
  if (!isFolderEntry(entry)) return [];
  const below = folder === "" ? entry.name : `${folder}/${entry.name}`;
  const reader = entry.createReader();
  const found: PickedFile[] = [];
  for (;;) {
    // It tells a hundred at a time, until there are none.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return found;
    for (const child of some) found.push(...(await walkEntry(child, below)));
  }
}

/** Reads what was dropped or pasted, folders and all below them included. */
export function fromTransfer(transfer: DataTransfer): Promise<Picked> {
  // Only in the event itself can the items be asked, so all are before the first wait.
  const asked = [...transfer.items]
    .filter((item) => item.kind === "file")
    .map((item) => ({
      handle: item.getAsFileSystemHandle?.().catch(() => null),
      entry: item.webkitGetAsEntry?.() ?? null,
      file: item.getAsFile(),
    }));
  return (async () => {
    const found = await Promise.all(
      asked.map(async ({ handle, entry, file }) => {
        const known = await handle;
        if (known) return walkHandle(known, "");
        if (entry?.isDirectory) return walkEntry(entry, "");
        return file === null ? [] : [{ file, folder: "" }];
      }),
    );
    return sorted(found.flat());
  })();
}

/** Whether something that is dragged holds files. */
export function holdsFiles(transfer: DataTransfer | null): boolean {
  return transfer?.types.includes("Files") ?? false;
}

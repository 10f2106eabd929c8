import { library } from "@/api/clients";
import { ExportFormat, type Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import { fileNameOf } from "./fileName";

export const EXPORTS = [
  { format: ExportFormat.TXT, extension: "txt", type: "text/plain" },
  { format: ExportFormat.MD, extension: "md", type: "text/markdown" },
  {
    format: ExportFormat.DOCX,
    extension: "docx",
    type: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  },
  { format: ExportFormat.SRT, extension: "srt", type: "application/x-subrip" },
  { format: ExportFormat.VTT, extension: "vtt", type: "text/vtt" },
  { format: ExportFormat.JSON, extension: "json", type: "application/json" },
] as const;

export type Export = (typeof EXPORTS)[number];

function save(address: string, name: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
}

/** Writes a recording's texts into a file of the user's downloads. */
export async function saveExport(recording: Recording, { format, extension, type }: Export): Promise<void> {
  const parts: BlobPart[] = [];
  for await (const { chunk } of library.export({ recordingId: recording.id, format })) {
    parts.push(new Uint8Array(chunk));
  }
  const address = URL.createObjectURL(new Blob(parts, { type }));
  save(address, fileNameOf(recording.title, extension));
  // The download has to have begun.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

export function saveOriginal(recording: Recording): void {
  save(`/media/${recording.id}`, recording.fileName);
}

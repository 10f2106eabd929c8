import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";

type Upload = { name: string; mimeType: string; buffer: Buffer };

/** Where the samples of the files that tests/web/speech.py writes begin. */
const HEADER_BYTES = 44;
/** Silence at their beginning: room for samples that make one file differ from the others. */
const MARK_BYTES = 64;

/** Returns a recording of speech that no library has yet: its first samples, in the silence before the speech, are random. */
export function speech(path: string, name: string): Upload {
  const buffer = readFileSync(path);
  for (const [index, value] of randomBytes(MARK_BYTES).entries()) {
    // Little-endian: of each sample only the low byte, so that nothing is heard.
    if (index % 2 === 0) buffer[HEADER_BYTES + index] = value % 8;
  }
  return { name, mimeType: "audio/wav", buffer };
}

/** Returns a WAV file that takes a while to upload and is worked on in no time: noise, 192 kHz in stereo. */
export function noise(name: string, megabytes: number): Upload {
  const samples = randomBytes(megabytes * 1_000_000);
  const header = Buffer.alloc(HEADER_BYTES);
  header.write("RIFF", 0);
  header.writeUInt32LE(samples.length + HEADER_BYTES - 8, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(2, 22);
  header.writeUInt32LE(192_000, 24);
  header.writeUInt32LE(768_000, 28);
  header.writeUInt16LE(4, 32);
  header.writeUInt16LE(16, 34);
  header.write("data", 36);
  header.writeUInt32LE(samples.length, 40);
  return { name, mimeType: "audio/wav", buffer: Buffer.concat([header, samples]) };
}

import { Code, ConnectError } from "@connectrpc/connect";
import { failureOf } from "@/api/errors";

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

/** What the network, a proxy or a busy server does for a while. The last two are of calls that never got an answer. */
const PASSING = new Set([Code.Unavailable, Code.DeadlineExceeded, Code.Aborted, Code.Unknown, Code.Canceled]);
/** The upload is to be asked about once more: what is there tells how to go on. */
const OUT_OF_STEP = new Set([
  "UPLOAD_NOT_FOUND",
  "UPLOAD_INCOMPLETE",
  "UPLOAD_COMPLETED",
  "CHUNK_CHECKSUM_MISMATCH",
  "TOO_MANY_GAPS",
]);
/** So often in a row without a byte that came; more is no accident. The network may be away as long as it likes. */
export const MOST_OUT_OF_STEP = 4;

export type Verdict = "passing" | "outOfStep" | "final";

/** Returns whether what went wrong passes by itself. */
export function verdictOn(error: unknown): Verdict {
  if (!(error instanceof ConnectError)) return "final";
  const { code, reason, retryAfterMs } = failureOf(error);
  if (OUT_OF_STEP.has(reason)) return "outOfStep";
  if (retryAfterMs !== null) return "passing";
  return PASSING.has(code) ? "passing" : "final";
}

/** Returns how long to wait after so many failures in a row: twice as long each time, and not all clients at once. */
export function pauseMs(failures: number, error: unknown, random: () => number = Math.random): number {
  const asked = failureOf(error).retryAfterMs ?? 0;
  const own = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10));
  return Math.max(asked, own * (0.75 + random() / 2));
}

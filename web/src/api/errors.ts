import { Code, ConnectError } from "@connectrpc/connect";
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "@/gen/google/rpc/error_details_pb";
import english from "./locales/en.json";

/** Why a call failed, as the server tells it. */
export type Failure = {
  code: Code;
  /** Stable name of the reason, for instance "RECORDING_NOT_FOUND"; empty where the server gave none. */
  reason: string;
  /** One sentence in English. */
  message: string;
  metadata: Record<string, string>;
  /** When trying again may help, in milliseconds; null where it can't. */
  retryAfterMs: number | null;
};

/** Reads an error of a call, or any other. */
export function failureOf(error: unknown): Failure {
  const connect = ConnectError.from(error);
  const info = connect.findDetails(ErrorInfoSchema)[0];
  const retry = connect.findDetails(RetryInfoSchema)[0]?.retryDelay;
  const violation = connect.findDetails(BadRequestSchema)[0]?.fieldViolations[0];
  return {
    code: connect.code,
    reason: info?.reason ?? "",
    message: violation === undefined ? connect.rawMessage : `${violation.field}: ${violation.description}`,
    metadata: info?.metadata ?? {},
    retryAfterMs: retry === undefined ? null : Number(retry.seconds) * 1000 + retry.nanos / 1e6,
  };
}

/** Whether the call may work when it is made again as it is: the server was away or busy. */
export function isTransient(error: unknown): boolean {
  const { code, retryAfterMs } = failureOf(error);
  return code === Code.Unavailable || (code === Code.ResourceExhausted && retryAfterMs !== null);
}

const AWAY = new Set([Code.Unknown, Code.Unavailable, Code.DeadlineExceeded]);

/** Whether no server was reached: the network is away, or nothing listens, or a proxy answers in its place. */
export function isAway(error: unknown): boolean {
  const { code, reason } = failureOf(error);
  return AWAY.has(code) && reason === "";
}

export function isAborted(error: unknown): boolean {
  return failureOf(error).code === Code.Canceled;
}

type ApiText = keyof typeof english;

function isText(key: string): key is ApiText {
  return Object.hasOwn(english, key);
}

/** Returns one sentence in the page's language; what has no translation comes as the server said it. */
export function errorText(error: unknown, t: TFunction<"api">): string {
  const { code, reason, message, metadata } = failureOf(error);
  if (isText(reason)) return t(reason, { replace: metadata });
  const byCode = `code_${Code[code]}`;
  const isServersOwn = error instanceof ConnectError && code !== Code.Unavailable && code !== Code.Unknown;
  if (isText(byCode) && !isServersOwn) return t(byCode);
  return message;
}

/** Returns one sentence in the page's language on an error that came as a part of an answer. */
export function reasonText(error: { reason: string; message: string }, t: TFunction<"api">): string {
  return isText(error.reason) ? t(error.reason) : error.message;
}

export function useErrorText(error: unknown): string {
  const { t } = useTranslation("api");
  return errorText(error, t);
}

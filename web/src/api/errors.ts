import { Code, ConnectError } from "@connectrpc/connect";
import i18next, { type TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "@/gen/google/rpc/error_details_pb";
import { currentLanguage } from "@/i18n";
import type english from "./locales/en.json";

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
type Text = TFunction<"api">;

function template(key: string): string | undefined {
  // No key would be all of the dictionary.
  return key === "" ? undefined : i18next.getResource(currentLanguage(), "api", key);
}

function isText(key: string): key is ApiText {
  return template(key) !== undefined;
}

/** What breaks a rule of the contract, by the ending of protovalidate's name for the rule. */
const WRONG = [
  [/max_bytes$/, "wrong_length"],
  [/max_len$/, "wrong_letters"],
  [/(min_bytes|min_len|min_items|required)$/, "wrong_empty"],
  [/max_items$/, "wrong_many"],
  [/unique$/, "wrong_twice"],
  [/(pattern|uri|uuid)$/, "wrong_form"],
  [/\.[gl]te?(_now)?$/, "wrong_range"],
] as const;

/** What is entered has the same name wherever it stands: "config.tags[2]" are tags. */
function fieldName(path: string, t: Text): string {
  const key = `field_${path.replace(/\[[^\]]*\]/g, "").replace(/^.*\./, "")}`;
  return isText(key) ? t(key) : path;
}

/** The name of a service in the page's language. */
export function serviceName(service: string, t: Text): string {
  const key = `service_${service}`;
  return isText(key) ? t(key) : service;
}

/** What the server tells beside a reason, as it stands in a sentence. */
function valuesOf(metadata: Record<string, string>, t: Text): Record<string, string> {
  const { field, rule = "", service, limit = "" } = metadata;
  const wrong = WRONG.find(([ending]) => ending.test(rule))?.[1] ?? "wrong_other";
  return {
    ...metadata,
    ...(service !== undefined && { service: serviceName(service, t) }),
    ...(field !== undefined && { field: fieldName(field, t), wrong: t(wrong, { replace: { limit } }) }),
  };
}

/** A reason's sentence: the one with values (`REASON_detailed`) where the server told them all; null for no such. */
function sentence(reason: string, metadata: Record<string, string>, t: Text): string | null {
  const values = valuesOf(metadata, t);
  const detailed = `${reason}_detailed`;
  if (isText(detailed)) {
    const names = [...(template(detailed) ?? "").matchAll(/\{\{(\w+)\}\}/g)].map(([, name = ""]) => name);
    if (names.every((name) => values[name])) return t(detailed, { replace: values });
  }
  return isText(reason) ? t(reason) : null;
}

/** Returns one sentence in the page's language; what has no translation comes as the server said it. */
export function errorText(error: unknown, t: Text): string {
  const { code, reason, message, metadata } = failureOf(error);
  const told = sentence(reason, metadata, t);
  if (told !== null) return told;
  const byCode = `code_${Code[code]}`;
  const isServersOwn = error instanceof ConnectError && code !== Code.Unavailable && code !== Code.Unknown;
  if (isText(byCode) && !isServersOwn) return t(byCode);
  return message;
}

/** Returns one sentence in the page's language on an error that came as a part of an answer. */
export function reasonText(
  { reason, message, metadata = {} }: { reason: string; message: string; metadata?: Record<string, string> },
  t: Text,
): string {
  return sentence(reason, metadata, t) ?? message;
}

export function useErrorText(error: unknown): string {
  const { t } = useTranslation("api");
  return errorText(error, t);
}

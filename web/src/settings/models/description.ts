import type { TFunction } from "i18next";
import type { Model } from "@/gen/recordroute/gateway/v1/model_pb";

/** Models of the catalogue that comes with the system. */
export const DESCRIBED = [
  "faster-whisper-base",
  "faster-whisper-tiny.en",
  "qwen2.5-coder-0.5b-instruct",
  "smollm2-135m-instruct",
  "multilingual-e5-small",
  "all-minilm-l6-v2",
] as const;

export type Description = {
  text: string;
  /** Language of the text where it is not the page's. */
  lang?: string;
};

/** Returns what a model is, in the page's language; what somebody else has written of it comes as it is. */
export function descriptionOf(
  { id, description }: Pick<Model, "id" | "description">,
  t: TFunction<"settings">,
): Description {
  const known = DESCRIBED.find((one) => one === id);
  if (known === undefined || t(`model_${known}`, { lng: "en" }) !== description)
    return { text: description, lang: "en" };
  return { text: t(`model_${known}`) };
}

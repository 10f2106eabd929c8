import { QueryClient } from "@tanstack/react-query";
import { isTransient } from "./errors";

/** Names of what is kept in the cache. The watch stream keeps everything below `recordings` and `workflows` fresh. */
export const keys = {
  caller: ["caller"] as const,
  facets: ["facets"] as const,
  recordings: ["recordings"] as const,
  recordingLists: ["recordings", "list"] as const,
  recordingList: (filter: object) => ["recordings", "list", filter] as const,
  recordingPicker: (text: string) => ["recordings", "picker", text] as const,
  recording: (id: string) => ["recordings", "one", id] as const,
  transcript: (id: string) => ["recordings", "transcript", id] as const,
  removedText: (id: string) => ["recordings", "removed", id] as const,
  revisions: (id: string) => ["recordings", "revisions", id] as const,
  minutes: (id: string) => ["recordings", "minutes", id] as const,
  waveform: (id: string) => ["recordings", "waveform", id] as const,
  similar: (id: string) => ["recordings", "similar", id] as const,
  shares: (id: string) => ["recordings", "shares", id] as const,
  workflows: ["workflows"] as const,
  workflowLists: ["workflows", "list"] as const,
  workflowList: (filter: object) => ["workflows", "list", filter] as const,
  workflow: (id: string) => ["workflows", "one", id] as const,
  system: ["system"] as const,
  search: (request: object) => ["search", request] as const,
  templates: (language: string) => ["templates", language] as const,
  allTemplates: ["templates"] as const,
  models: ["models"] as const,
  vocabulary: ["vocabulary"] as const,
  apiKeys: ["apiKeys"] as const,
  voices: ["voices"] as const,
  webhooks: ["webhooks"] as const,
  auditEvents: (filter: object) => ["auditEvents", filter] as const,
};

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 60_000,
        refetchOnWindowFocus: false,
        retry: (failures, error) => failures < 3 && isTransient(error),
      },
    },
  });
}

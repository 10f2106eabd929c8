import type { MessageInitShape } from "@bufbuild/protobuf";
import { useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { library, workflows } from "@/api/clients";
import { reasonText } from "@/api/errors";
import { keys } from "@/api/queries";
import type { BulkEditRequestSchema, Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import type { WorkflowError, WorkflowOptionsSchema } from "@/gen/recordroute/gateway/v1/workflow_pb";
import { useToasts } from "@/ui/Toast";
import { changeListed, readAnew, takeBack } from "./cache";
import { inGroups } from "./groups";

/** Recordings that one call takes. */
const MOST = 1000;

type Action = NonNullable<MessageInitShape<typeof BulkEditRequestSchema>["action"]>;
export type Labels = { addTags?: string[]; removeTags?: string[]; folder?: string };
export type Options = MessageInitShape<typeof WorkflowOptionsSchema>;

function withLabels(recording: Recording, { addTags = [], removeTags = [], folder }: Labels): Recording {
  const tags = [...new Set([...recording.tags, ...addTags])]
    .filter((tag) => !removeTags.includes(tag))
    .sort();
  return { ...recording, tags, folder: folder ?? recording.folder };
}

/** What can be done with recordings. Each is seen at once, and taken back where the server refuses it. */
export function useActions() {
  const cache = useQueryClient();
  const { t } = useTranslation("library");
  const { t: apiText } = useTranslation("api");
  const { show, showError } = useToasts();
  return useMemo(() => {
    /** Tells what went wrong with some of many. */
    const tell = (errors: (WorkflowError | undefined)[], count: number) => {
      const first = errors.find((error) => error !== undefined);
      if (first === undefined) return;
      const failed = errors.filter((error) => error !== undefined).length;
      const reason = reasonText(first, apiText);
      show(count === 1 ? reason : t("someFailed", { count: failed, reason }));
    };

    const edit = async (
      ids: readonly string[],
      action: Action,
      change: (recording: Recording) => Recording | null,
    ): Promise<boolean> => {
      const before = await changeListed(cache, ids, change);
      try {
        for (const group of inGroups(ids, MOST)) {
          const requestId = crypto.randomUUID();
          const { results } = await library.bulkEdit({ requestId, recordingIds: group, action });
          tell(
            results.map(({ error }) => error),
            ids.length,
          );
        }
        return true;
      } catch (error) {
        takeBack(cache, before);
        showError(error);
        return false;
      } finally {
        readAnew(cache);
      }
    };

    const restore = (ids: readonly string[]) => edit(ids, { case: "restore", value: {} }, () => null);

    return {
      restore: async (ids: readonly string[]) => {
        if (await restore(ids)) show(t("restored", { count: ids.length }));
      },

      /** Puts them into the bin, with the way back. */
      remove: async (ids: readonly string[]) => {
        if (!(await edit(ids, { case: "delete", value: { purge: false } }, () => null))) return;
        show(t("deleted", { count: ids.length }), { label: t("undo"), onAction: () => void restore(ids) });
      },

      purge: async (ids: readonly string[]) => {
        if (await edit(ids, { case: "delete", value: { purge: true } }, () => null))
          show(t("purged", { count: ids.length }));
      },

      label: (ids: readonly string[], labels: Labels) =>
        edit(ids, { case: "labels", value: labels }, (recording) => withLabels(recording, labels)),

      rename: async (recording: Recording, title: string) => {
        const before = await changeListed(cache, [recording.id], (listed) => ({ ...listed, title }));
        try {
          await library.updateRecording({
            requestId: crypto.randomUUID(),
            recording: { id: recording.id, title },
            updateMask: { paths: ["title"] },
          });
        } catch (error) {
          takeBack(cache, before);
          showError(error);
        } finally {
          readAnew(cache);
        }
      },

      process: async (ids: readonly string[], options: Options) => {
        try {
          for (const group of inGroups(ids, MOST)) {
            const { results } = await workflows.startWorkflows({
              requestId: crypto.randomUUID(),
              recordingIds: group,
              options,
            });
            for (const { workflow } of results) {
              if (workflow !== undefined) cache.setQueryData(keys.workflow(workflow.id), workflow);
            }
            tell(
              results.map(({ error }) => error),
              ids.length,
            );
          }
          return true;
        } catch (error) {
          showError(error);
          return false;
        } finally {
          readAnew(cache);
        }
      },
    };
  }, [cache, t, apiText, show, showError]);
}

export type Actions = ReturnType<typeof useActions>;

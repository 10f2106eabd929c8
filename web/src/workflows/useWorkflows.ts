import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { workflows } from "@/api/clients";
import { keys } from "@/api/queries";
import { type Workflow, WorkflowState } from "@/gen/recordroute/gateway/v1/workflow_pb";
import { useToasts } from "@/ui/Toast";

export const ACTIVE = [WorkflowState.QUEUED, WorkflowState.RUNNING];
export const FAILED = [WorkflowState.FAILED];
export const ENDED = [WorkflowState.SUCCEEDED, WorkflowState.CANCELLED];

/** The workflows in some states, newest first; the watch keeps them fresh. */
export function useWorkflows(states: WorkflowState[], pageSize: number) {
  const query = useInfiniteQuery({
    queryKey: keys.workflowList({ states, pageSize }),
    queryFn: ({ pageParam, signal }) =>
      workflows.listWorkflows({ states, pageSize, pageToken: pageParam }, { signal }),
    initialPageParam: "",
    getNextPageParam: ({ nextPageToken }) => nextPageToken || null,
  });
  // The watch tells a workflow's end before the list is read anew: until then it stands in none.
  const listed = useMemo(
    () =>
      query.data?.pages
        .flatMap((page) => page.workflows)
        .filter((workflow) => states.includes(workflow.state)) ?? [],
    [query.data, states],
  );
  return { ...query, workflows: listed };
}

type Change = "cancel" | "retry";

/** Stops workflows, or goes on with them. */
export function useChange(change: Change) {
  const cache = useQueryClient();
  const { showError } = useToasts();
  return useMutation({
    mutationFn: async (wanted: readonly { requestId: string; workflowId: string }[]) => {
      for (const request of wanted) {
        const { workflow } = await (change === "cancel"
          ? workflows.cancelWorkflow(request)
          : workflows.retryWorkflow(request));
        if (workflow !== undefined) cache.setQueryData(keys.workflow(workflow.id), workflow);
      }
    },
    onError: showError,
    onSettled: () => cache.invalidateQueries({ queryKey: keys.workflowLists }),
  });
}

/** What a change of these workflows is asked for with: the ids of the requests are kept when it is tried again. */
export function requestsFor(changed: readonly Workflow[]): { requestId: string; workflowId: string }[] {
  return changed.map(({ id }) => ({ requestId: crypto.randomUUID(), workflowId: id }));
}

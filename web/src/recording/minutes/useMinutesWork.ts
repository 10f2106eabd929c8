import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { workflows } from "@/api/clients";
import { keys } from "@/api/queries";
import type { Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import {
  type StageStatus,
  type Workflow,
  WorkflowStage,
  WorkflowState,
} from "@/gen/recordroute/gateway/v1/workflow_pb";

export type MinutesOptions = { template: string; outputLanguage: string };

/** The work on the minutes: what is going on, what went wrong last, and how to begin it. */
export type MinutesWork = {
  /** The workflow that is going to make new minutes, with its stage that does. */
  running: { workflow: Workflow; stage: StageStatus } | null;
  /** The newest workflow, where it ended with an error before new minutes were made. */
  failed: Workflow | null;
};

function isOpen(state: WorkflowState): boolean {
  return state === WorkflowState.QUEUED || state === WorkflowState.RUNNING;
}

export function minutesWorkOf(workflow: Workflow | undefined): MinutesWork {
  const stage = workflow?.stages.find((one) => one.stage === WorkflowStage.SUMMARISE);
  if (workflow === undefined || stage === undefined) return { running: null, failed: null };
  const isFailed = workflow.state === WorkflowState.FAILED && stage.state !== WorkflowState.SUCCEEDED;
  return {
    running: isOpen(workflow.state) && isOpen(stage.state) ? { workflow, stage } : null,
    failed: isFailed && stage.state !== WorkflowState.SKIPPED ? workflow : null,
  };
}

/** The watch stream keeps the workflow fresh. */
export function useMinutesWork(recording: Recording): MinutesWork {
  const id = recording.latestWorkflowId;
  const workflow = useQuery({
    queryKey: keys.workflow(id),
    queryFn: async () => {
      const answer = await workflows.getWorkflow({ workflowId: id });
      if (answer.workflow === undefined) throw new Error("the answer has no workflow");
      return answer.workflow;
    },
    enabled: id !== "",
  });
  return minutesWorkOf(workflow.data);
}

/** Makes the minutes anew from the transcript as it is. */
export function useMakeMinutes(recording: Recording) {
  const cache = useQueryClient();
  const requestId = useRef("");
  return useMutation({
    onMutate: () => {
      requestId.current = crypto.randomUUID();
    },
    mutationFn: async (options: MinutesOptions) => {
      const { workflow } = await workflows.startWorkflow({
        requestId: requestId.current,
        recordingId: recording.id,
        options: { ...options, firstStage: WorkflowStage.SUMMARISE, skipIndex: true },
      });
      return workflow;
    },
    onSuccess: (workflow) => {
      if (workflow === undefined) return;
      cache.setQueryData(keys.workflow(workflow.id), workflow);
      cache.setQueryData<Recording>(
        keys.recording(recording.id),
        (known) => known && { ...known, latestWorkflowId: workflow.id, latestWorkflowState: workflow.state },
      );
    },
  });
}

import {
  type StageStatus,
  type Workflow,
  WorkflowStage,
  WorkflowState,
} from "@/gen/recordroute/gateway/v1/workflow_pb";

/** A stage that has a name to show. */
export type Stage = Omit<StageStatus, "stage"> & { stage: 1 | 2 | 3 | 4 };

function isNamed(stage: StageStatus): stage is StageStatus & { stage: 1 | 2 | 3 | 4 } {
  return stage.stage !== WorkflowStage.UNSPECIFIED;
}

/** Returns the stage that is worked on, or comes next; undefined where none does. */
export function stageOf(workflow: Workflow): Stage | undefined {
  const named = workflow.stages.filter(isNamed);
  return (
    named.find(({ state }) => state === WorkflowState.RUNNING) ??
    named.find(({ state }) => state === WorkflowState.QUEUED)
  );
}

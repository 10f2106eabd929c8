import { type Workflow, WorkflowState } from "@/gen/recordroute/gateway/v1/workflow_pb";

/** Workflows that were started together, or one alone. */
export type Group = { key: string; workflows: Workflow[] };

/** Puts workflows of the same batch together, at the place of the first; the order is kept otherwise. */
export function groupByBatch(workflows: readonly Workflow[]): Group[] {
  const groups = new Map<string, Group>();
  for (const workflow of workflows) {
    const key = workflow.batchId || workflow.id;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { key, workflows: [workflow] });
    else group.workflows.push(workflow);
  }
  return [...groups.values()];
}

/** Returns what runs, and what waits in the order of its turns. */
export function splitActive(workflows: readonly Workflow[]): { running: Workflow[]; queued: Workflow[] } {
  return {
    running: workflows.filter(({ state }) => state === WorkflowState.RUNNING),
    queued: workflows
      .filter(({ state }) => state === WorkflowState.QUEUED)
      .sort((one, other) => one.queuePosition - other.queuePosition),
  };
}

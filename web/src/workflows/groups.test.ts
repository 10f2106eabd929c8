import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { WorkflowSchema, WorkflowState } from "@/gen/recordroute/gateway/v1/workflow_pb";
import { groupByBatch, splitActive } from "./groups";

function workflow(id: string, state: WorkflowState, batchId = "", queuePosition = 0) {
  return create(WorkflowSchema, { id, state, batchId, queuePosition });
}

test("workflows of a batch stand together, at the place of the first", () => {
  const groups = groupByBatch([
    workflow("a", WorkflowState.QUEUED),
    workflow("b", WorkflowState.QUEUED, "x"),
    workflow("c", WorkflowState.QUEUED),
    workflow("d", WorkflowState.QUEUED, "x"),
  ]);
  expect(groups.map(({ workflows }) => workflows.map(({ id }) => id))).toEqual([["a"], ["b", "d"], ["c"]]);
});

test("what waits is in the order of its turns", () => {
  const { running, queued } = splitActive([
    workflow("late", WorkflowState.QUEUED, "", 5),
    workflow("runs", WorkflowState.RUNNING),
    workflow("next", WorkflowState.QUEUED, "", 1),
  ]);
  expect(running.map(({ id }) => id)).toEqual(["runs"]);
  expect(queued.map(({ id }) => id)).toEqual(["next", "late"]);
});

import { ChevronRight, CircleStop, RotateCw } from "lucide-react";
import { useTranslation } from "react-i18next";
import { type Workflow, WorkflowState } from "@/gen/recordroute/gateway/v1/workflow_pb";
import { Button } from "@/ui/Button";
import { requestsFor, useChange } from "./useWorkflows";
import { WorkflowRow } from "./WorkflowRow";
import styles from "./WorkflowRow.module.css";

/** One workflow, or those of a batch below each other, folded together. */
export function WorkflowGroup({ workflows }: { workflows: Workflow[] }) {
  const { t } = useTranslation("workflows");
  const [first] = workflows;
  const change = useChange(first?.state === WorkflowState.FAILED ? "retry" : "cancel");
  if (first === undefined) return null;
  if (workflows.length === 1) {
    return (
      <li className={styles.item}>
        <WorkflowRow workflow={first} />
      </li>
    );
  }
  const isFailed = first.state === WorkflowState.FAILED;
  const isActive = first.state === WorkflowState.QUEUED || first.state === WorkflowState.RUNNING;
  return (
    <li className={styles.item}>
      <details className={styles.batch}>
        <summary className={styles.summary}>
          <ChevronRight aria-hidden />
          {t("batch", { count: workflows.length })}
        </summary>
        <ul className={styles.members}>
          {workflows.map((workflow) => (
            <li key={workflow.id} className={styles.member}>
              <WorkflowRow workflow={workflow} />
            </li>
          ))}
        </ul>
      </details>
      {(isFailed || isActive) && (
        <Button
          size="small"
          className={styles.batchAction}
          icon={isFailed ? <RotateCw /> : <CircleStop />}
          busy={change.isPending}
          onClick={() => change.mutate(requestsFor(workflows))}
        >
          {t(isFailed ? "retryAll" : "cancelAll")}
        </Button>
      )}
    </li>
  );
}

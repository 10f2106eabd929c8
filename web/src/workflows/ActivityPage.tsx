import { Activity } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "wouter";
import type { Workflow } from "@/gen/recordroute/gateway/v1/workflow_pb";
import { Button } from "@/ui/Button";
import { Page } from "@/ui/Page";
import { EmptyState, ErrorState, LoadingState } from "@/ui/State";
import styles from "./ActivityPage.module.css";
import { groupByBatch, splitActive } from "./groups";
import { ACTIVE, ENDED, FAILED, useWorkflows } from "./useWorkflows";
import { WorkflowGroup } from "./WorkflowGroup";

const FILTERS = ["all", "running", "queued", "failed", "done"] as const;
type Filter = (typeof FILTERS)[number];

const NONE = { running: "noneRunning", queued: "noneQueued", failed: "noFailed", done: "noneDone" } as const;

/** All work on recordings: what goes on, waits, has failed or is done. */
export default function ActivityPage() {
  const { t } = useTranslation("workflows");
  const [params, setParams] = useSearchParams();
  const filter = FILTERS.find((name) => name === params.get("state")) ?? "all";
  const active = useWorkflows(ACTIVE, 200);
  const failed = useWorkflows(FAILED, 30);
  const ended = useWorkflows(ENDED, 20);
  const { running, queued } = splitActive(active.workflows);
  const lists = [active, failed, ended];
  const broken = lists.find((list) => list.isError);
  const isEmpty = lists.every((list) => list.workflows.length === 0);
  const show = (section: Filter) => filter === "all" || filter === section;
  return (
    <Page title={t("title")}>
      <p role="status" className="visually-hidden">
        {active.isSuccess && t("summary", { running: running.length, count: queued.length })}
      </p>
      <nav aria-label={t("filter")} className={styles.filters}>
        {FILTERS.map((name) => (
          <button
            key={name}
            type="button"
            className={styles.filter}
            aria-pressed={filter === name}
            onClick={() => setParams(name === "all" ? {} : { state: name }, { replace: true })}
          >
            {t(`filter_${name}`)}
            <Count value={countOf(name, running, queued, failed.workflows)} />
          </button>
        ))}
      </nav>
      {broken !== undefined ? (
        <ErrorState error={broken.error} onRetry={() => void broken.refetch()} />
      ) : lists.some((list) => list.isPending) ? (
        <LoadingState />
      ) : filter === "all" && isEmpty ? (
        <EmptyState
          icon={<Activity />}
          title={t("nothing")}
          text={t("nothingText")}
          action={<Link href="/">{t("startInLibrary")}</Link>}
        />
      ) : (
        <>
          {show("running") && (
            <Section
              title={t("running")}
              workflows={running}
              none={filter === "running" && t(NONE.running)}
            />
          )}
          {show("queued") && (
            <Section title={t("queued")} workflows={queued} none={filter === "queued" && t(NONE.queued)} />
          )}
          {show("failed") && (
            <Section
              title={t("failed")}
              workflows={failed.workflows}
              none={filter === "failed" && t(NONE.failed)}
              more={failed.hasNextPage && <More list={failed} />}
            />
          )}
          {show("done") && (
            <Section
              title={t("done")}
              workflows={ended.workflows}
              none={filter === "done" && t(NONE.done)}
              more={ended.hasNextPage && <More list={ended} />}
            />
          )}
        </>
      )}
    </Page>
  );
}

function countOf(filter: Filter, running: Workflow[], queued: Workflow[], failed: Workflow[]): number {
  const counts = { all: 0, running: running.length, queued: queued.length, failed: failed.length, done: 0 };
  return counts[filter];
}

function Count({ value }: { value: number }) {
  return value === 0 ? null : <span className={styles.count}>{value}</span>;
}

type SectionProps = { title: string; workflows: Workflow[]; none: string | false; more?: ReactNode };

function Section({ title, workflows, none, more }: SectionProps) {
  if (workflows.length === 0) return none === false ? null : <EmptyState icon={<Activity />} title={none} />;
  return (
    <section className={styles.section} aria-label={title}>
      <h2 className={styles.heading}>{title}</h2>
      <ul className={styles.list}>
        {groupByBatch(workflows).map(({ key, workflows: members }) => (
          <WorkflowGroup key={key} workflows={members} />
        ))}
      </ul>
      {more}
    </section>
  );
}

type MoreProps = { list: { isFetchingNextPage: boolean; fetchNextPage: () => Promise<unknown> } };

function More({ list }: MoreProps) {
  const { t } = useTranslation("workflows");
  return (
    <Button size="small" busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
      {t("more")}
    </Button>
  );
}

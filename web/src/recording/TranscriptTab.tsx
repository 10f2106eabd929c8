import type { UseQueryResult } from "@tanstack/react-query";
import { FileText } from "lucide-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useConnected } from "@/api/watch";
import { ArtifactKind, type Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import { WorkflowState } from "@/gen/recordroute/gateway/v1/workflow_pb";
import { EmptyState, ErrorState, LoadingState } from "@/ui/State";
import type { Player } from "./player/Player";
import type { Transcript } from "./transcript/model";
import { TranscriptPanel } from "./transcript/TranscriptPanel";
import type { TranscriptStore } from "./transcript/TranscriptStore";
import type { Target } from "./transcript/target";

type TranscriptTabProps = {
  recording: Recording;
  query: UseQueryResult<Transcript>;
  store: TranscriptStore;
  player: Player | null;
  canEdit: boolean;
  target: Target | null;
  onHistory: () => void;
};

/** The transcript, or why there is none. */
export function TranscriptTab({ recording, query, ...more }: TranscriptTabProps) {
  const { t } = useTranslation("recording");
  useRetryWhenBack(query);
  const isThere = recording.artifacts.some(({ kind }) => kind === ArtifactKind.TRANSCRIPT);
  if (!isThere) {
    const isComing =
      recording.latestWorkflowState === WorkflowState.RUNNING ||
      recording.latestWorkflowState === WorkflowState.QUEUED;
    return (
      <EmptyState
        icon={<FileText />}
        title={t(isComing ? "transcriptComing" : "noTranscript")}
        text={t(isComing ? "transcriptComingText" : "noTranscriptText")}
      />
    );
  }
  if (query.data === undefined) {
    return query.isError ? (
      <ErrorState error={query.error} onRetry={() => void query.refetch()} />
    ) : (
      <LoadingState />
    );
  }
  if (query.data.segments.length === 0 && query.data.complete) {
    return <EmptyState icon={<FileText />} title={t("emptyTranscript")} text={t("emptyTranscriptText")} />;
  }
  return (
    <TranscriptPanel
      recording={recording}
      transcript={query.data}
      error={query.isError ? query.error : null}
      onRetry={() => void query.refetch()}
      {...more}
    />
  );
}

/** What could not be read while the server was away is read as soon as it is back. */
function useRetryWhenBack({ isError, refetch }: UseQueryResult<Transcript>): void {
  const isConnected = useConnected();
  const wasConnected = useRef(isConnected);
  useEffect(() => {
    const isBack = isConnected && !wasConnected.current;
    wasConnected.current = isConnected;
    if (isBack && isError) void refetch();
  }, [isConnected, isError, refetch]);
}

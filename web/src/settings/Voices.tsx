import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { AudioWaveform, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { failureOf } from "@/api/errors";
import { keys } from "@/api/queries";
import { voices } from "@/api/voices";
import type { Voice } from "@/gen/recordroute/gateway/v1/voice_pb";
import { currentLocale } from "@/i18n";
import { dateOf, dayAndTime } from "@/lib/time";
import { IconButton } from "@/ui/Button";
import { ConfirmDialog } from "@/ui/Dialog";
import { EmptyState, ErrorState, LoadingState } from "@/ui/State";
import { useToasts } from "@/ui/Toast";
import { Card, Row, Rows } from "./Card";
import { useCaller } from "./caller";

const SETTING = "RECORDROUTE_GATEWAY_REMEMBER_VOICES";

/** The voices that new recordings are searched for. */
export default function Voices() {
  const { t } = useTranslation("settings");
  const { canWrite } = useCaller();
  const cache = useQueryClient();
  const toasts = useToasts();
  const [forgetting, setForgetting] = useState<Voice | null>(null);
  const list = useQuery({ queryKey: keys.voices, queryFn: () => voices.listVoices({}) });
  const forget = useMutation({
    mutationFn: (voice: Voice) => voices.deleteVoice({ requestId: crypto.randomUUID(), voiceId: voice.id }),
    onSuccess: (_, voice) => toasts.show(t("voiceForgotten", { name: voice.name })),
    onError: toasts.showError,
    onSettled: () => {
      setForgetting(null);
      void cache.invalidateQueries({ queryKey: keys.voices });
    },
  });
  if (list.isPending) return <LoadingState />;
  if (list.isError) {
    if (failureOf(list.error).reason === "VOICES_DISABLED") {
      return (
        <Card>
          <EmptyState
            icon={<AudioWaveform />}
            title={t("voicesOff")}
            text={t("voicesOffText", { setting: SETTING })}
          />
        </Card>
      );
    }
    return <ErrorState error={list.error} onRetry={() => void list.refetch()} />;
  }
  const language = currentLocale();
  return (
    <Card title={t("voices")} text={t("voicesText")}>
      {list.data.voices.length === 0 ? (
        <EmptyState icon={<AudioWaveform />} title={t("noVoices")} text={t("noVoicesText")} />
      ) : (
        <Rows label={t("voices")}>
          {list.data.voices.map((voice) => {
            const since = dateOf(voice.createdAt);
            return (
              <Row
                key={voice.id}
                title={voice.name}
                details={
                  <>
                    {since && t("since", { date: dayAndTime(since, language) })}{" "}
                    {voice.recordingId !== "" && (
                      <Link href={`/recordings/${voice.recordingId}`}>{t("takenFrom")}</Link>
                    )}
                  </>
                }
                actions={
                  canWrite && (
                    <IconButton
                      size="small"
                      label={t("forgetVoice", { name: voice.name })}
                      icon={<Trash2 />}
                      onClick={() => setForgetting(voice)}
                    />
                  )
                }
              />
            );
          })}
        </Rows>
      )}
      {forgetting !== null && (
        <ConfirmDialog
          title={t("forgetVoice", { name: forgetting.name })}
          text={t("forgetVoiceText")}
          action={t("forget")}
          danger
          busy={forget.isPending}
          onConfirm={() => forget.mutate(forgetting)}
          onClose={() => setForgetting(null)}
        />
      )}
    </Card>
  );
}

import { FileText, Play } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { Evidence } from "@/gen/recordroute/common/v1/minutes_pb";
import { type Recording, RecordingKind } from "@/gen/recordroute/gateway/v1/library_pb";
import { speakerColour } from "@/lib/speakers";
import { secondsOf } from "@/lib/time";
import { Tooltip } from "@/ui/Tooltip";
import styles from "./EvidenceChips.module.css";
import { usePlaceOf } from "./places";

export type SeekTo = (seconds: number, segmentIndex?: number) => void;

type EvidenceChipsProps = { evidence: readonly Evidence[]; recording: Recording; onSeek: SeekTo };

/** The places that a line rests on: each shows its words, and leads there. */
export function EvidenceChips({ evidence, recording, onSeek }: EvidenceChipsProps) {
  const { t } = useTranslation("recording/minutes");
  const placeOf = usePlaceOf(recording);
  const isDocument = recording.kind === RecordingKind.DOCUMENT;
  return (
    <ul className={styles.chips} aria-label={t("evidence")}>
      {evidence.map((one) => {
        const { position, speaker } = placeOf(one);
        const isKnown = recording.speakers.some(({ label }) => label === one.speaker);
        const name = speaker === "" ? position : `${position}, ${speaker}`;
        return (
          <li key={`${one.segmentIndex}-${one.quote}`}>
            <Tooltip text={one.quote}>
              <button
                type="button"
                className={styles.chip}
                aria-label={isDocument ? t("goToPlace", { place: name }) : t("playPlace", { place: name })}
                onClick={() => onSeek(secondsOf(one.start), one.segmentIndex)}
              >
                {isDocument ? <FileText aria-hidden /> : <Play aria-hidden />}
                <span className={styles.position}>{position}</span>
                {speaker !== "" && (
                  <span
                    className={styles.speaker}
                    style={isKnown ? { color: speakerColour(one.speaker) } : undefined}
                  >
                    {speaker}
                  </span>
                )}
              </button>
            </Tooltip>
          </li>
        );
      })}
    </ul>
  );
}

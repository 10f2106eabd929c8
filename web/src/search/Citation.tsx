import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Popover } from "@/ui/Popover";
import styles from "./Citation.module.css";
import type { CitedSource } from "./citations";
import { codePoints } from "./codePoints";
import type { Citation } from "./exchange";
import { SourceCard } from "./SourceCard";

/** The number of a source in an answer: it opens what the sentence rests on. */
export function CitationNumber({ source, citation }: { source: CitedSource; citation: Citation }) {
  const { t } = useTranslation("search");
  const [isOpen, setOpen] = useState(false);
  const name = t("citation", { number: source.number, title: source.place.title });
  return (
    <Popover
      label={name}
      open={isOpen}
      onOpenChange={setOpen}
      trigger={
        <button
          type="button"
          className={styles.number}
          aria-label={name}
          title={codePoints(source.place.text, citation.range).trim()}
        >
          {source.number}
        </button>
      }
    >
      <SourceCard place={source.place} ranges={[citation.range]} seconds={citation.start} />
    </Popover>
  );
}

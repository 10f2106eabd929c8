import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import type { SearchHit } from "@/gen/recordroute/gateway/v1/search_pb";
import { languageOf } from "@/lib/script";
import { secondsOf } from "@/lib/time";
import { Button } from "@/ui/Button";
import styles from "./HitCard.module.css";
import { Marked } from "./Marked";
import { PlaceLine } from "./PlaceLine";
import { addressOf, placeOf } from "./place";

/** A place that was found. */
export function HitCard({ hit }: { hit: SearchHit }) {
  const { t } = useTranslation("search");
  const [isWhole, setWhole] = useState(false);
  const place = placeOf(hit);
  const seconds = secondsOf(hit.snippetStart ?? hit.start);
  const hasMore = hit.text.trim() !== hit.snippet.trim();
  return (
    <article className={styles.hit}>
      <h2 className={styles.title}>
        <Link href={addressOf(place, seconds)}>{hit.recordingTitle}</Link>
      </h2>
      <p className={styles.text} lang={languageOf(hit.text)}>
        {isWhole ? hit.text : <Marked text={hit.snippet} ranges={hit.highlights} />}
      </p>
      <div className={styles.foot}>
        <PlaceLine place={place} seconds={seconds} />
        {hasMore && (
          <Button size="small" variant="ghost" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
            {isWhole ? t("less") : t("more")}
          </Button>
        )}
      </div>
    </article>
  );
}

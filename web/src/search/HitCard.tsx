import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { SearchHit } from "@/gen/recordroute/gateway/v1/search_pb";
import { languageOf } from "@/lib/script";
import { secondsOf } from "@/lib/time";
import { Box } from "@/ui/Box";
import { Button } from "@/ui/Button";
import { codePoints } from "./codePoints";
import styles from "./HitCard.module.css";
import { Marked } from "./Marked";
import { PlaceLine } from "./PlaceLine";
import { PlaceLink } from "./PlaceLink";
import { placeOf } from "./place";

/** A place that was found. */
export function HitCard({ hit }: { hit: SearchHit }) {
  const { t } = useTranslation("search");
  const [isWhole, setWhole] = useState(false);
  const place = placeOf(hit);
  const seconds = secondsOf(hit.snippetStart ?? hit.start);
  const quote = hit.sentence === undefined ? "" : codePoints(hit.snippet, hit.sentence);
  const hasMore = hit.text.trim() !== hit.snippet.trim();
  return (
    <Box as="article" compact>
      <h2 className={styles.title}>
        <PlaceLink place={place} seconds={seconds} quote={quote}>
          {hit.recordingTitle}
        </PlaceLink>
      </h2>
      <p className={styles.text} lang={languageOf(hit.text)}>
        {isWhole ? hit.text : <Marked text={hit.snippet} ranges={hit.highlights} />}
      </p>
      <div className={styles.foot}>
        <PlaceLine place={place} seconds={seconds} quote={quote} />
        {hasMore && (
          <Button size="small" variant="ghost" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
            {isWhole ? t("less") : t("more")}
          </Button>
        )}
      </div>
    </Box>
  );
}

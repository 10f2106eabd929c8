import { MessageCircleQuestion, Plus } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "@/ui/Button";
import { EmptyState } from "@/ui/State";
import { AnswerCard } from "./AnswerCard";
import styles from "./AskView.module.css";
import { ask, clearConversation, stop, useConversation } from "./conversation";
import type { Filters } from "./filters";

/** The conversation, the newest question at the top, where the box is. */
export function AskView({ filters }: { filters: Filters }) {
  const { t } = useTranslation("search");
  const exchanges = useConversation();
  if (exchanges.length === 0) {
    return <EmptyState icon={<MessageCircleQuestion />} title={t("askTitle")} text={t("askText")} />;
  }
  return (
    <>
      <div className={styles.head}>
        <p className={styles.muted}>{t("conversationHint")}</p>
        <Button size="small" icon={<Plus />} onClick={clearConversation}>
          {t("newConversation")}
        </Button>
      </div>
      <ol className={styles.exchanges} aria-label={t("conversation")}>
        {[...exchanges].reverse().map((exchange) => (
          <li key={exchange.id}>
            <AnswerCard
              exchange={exchange}
              onStop={stop}
              onRepeat={() => void ask(exchange.question, filters)}
            />
          </li>
        ))}
      </ol>
    </>
  );
}

import { CloudOff } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "@/ui/Button";
import { EmptyState } from "@/ui/State";

/** The page was opened from this device's memory, and there is no server: it goes on as soon as there is one. */
export function NoServer({ onRetry }: { onRetry: () => void }) {
  const { t } = useTranslation("app");
  return (
    <main role="status">
      <EmptyState
        icon={<CloudOff />}
        title={t("noServerTitle")}
        text={t("noServerText")}
        action={<Button onClick={onRetry}>{t("noServerRetry")}</Button>}
      />
    </main>
  );
}

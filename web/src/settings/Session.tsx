import { LogOut } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { signOut } from "@/app/session";
import { currentLocale } from "@/i18n";
import { size } from "@/lib/size";
import { Badge } from "@/ui/Badge";
import { Button } from "@/ui/Button";
import { LoadingState } from "@/ui/State";
import { useToasts } from "@/ui/Toast";
import { Card } from "./Card";
import { useCaller } from "./caller";
import { Facts } from "./Facts";
import { useScopeName } from "./scopes";

/** Who is signed in here. */
export default function Session() {
  const { t } = useTranslation("settings");
  const { caller } = useCaller();
  const toasts = useToasts();
  const scopeName = useScopeName();
  const [isBusy, setBusy] = useState(false);
  if (caller === null) return <LoadingState />;
  const leave = async () => {
    setBusy(true);
    try {
      await signOut();
      // What this user saw and looked for must not be there for the next one; loading anew empties the memory.
      sessionStorage.clear();
      localStorage.removeItem("recordroute.recentQueries");
      window.location.assign("/");
    } catch (error) {
      toasts.showError(error);
      setBusy(false);
    }
  };
  const language = currentLocale();
  return (
    <Card
      title={t("session")}
      text={t("sessionText")}
      actions={
        <Button icon={<LogOut />} busy={isBusy} onClick={leave}>
          {t("signOut")}
        </Button>
      }
    >
      <Facts
        facts={[
          [t("user"), caller.name === "" ? caller.user : `${caller.name} (${caller.user})`],
          [
            t("access"),
            <span key="scopes">
              {caller.scopes.map((scope) => (
                <Badge key={scope} tone="accent">
                  {scopeName(scope)}
                </Badge>
              ))}
              {caller.isOperator && <Badge>{t("operator")}</Badge>}
            </span>,
          ],
          [t("signedInWith"), caller.apiKeyId === "" ? t("ownToken") : t("apiKey", { id: caller.apiKeyId })],
          [t("storage"), size(caller.storageBytes, language)],
        ]}
      />
    </Card>
  );
}

import { useQuery } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { identity } from "@/api/clients";
import { keys } from "@/api/queries";
import type { ApiKey } from "@/gen/recordroute/gateway/v1/identity_pb";
import { currentLocale } from "@/i18n";
import { dateOf, dayAndTime } from "@/lib/time";
import { Badge } from "@/ui/Badge";
import { Button } from "@/ui/Button";
import { Switch } from "@/ui/Switch";
import { useToasts } from "@/ui/Toast";
import { Row } from "../Card";
import { useCaller } from "../caller";
import { SecretsCard } from "../SecretsCard";
import { useScopeName } from "../scopes";
import { CreateKeyDialog } from "./CreateKeyDialog";
import { type KeyState, stateOf } from "./expiry";

function keyStateOf(key: ApiKey): KeyState {
  return stateOf({ expiresAt: dateOf(key.expiresAt), revokedAt: dateOf(key.revokedAt) }, new Date());
}

type KeyRowProps = {
  apiKey: ApiKey;
  isOwnKey: boolean;
  showUser: boolean;
  onRevoke: (() => void) | undefined;
};

function KeyRow({ apiKey, isOwnKey, showUser, onRevoke }: KeyRowProps) {
  const { t } = useTranslation("settings");
  const scopeName = useScopeName();
  const language = currentLocale();
  const state = keyStateOf(apiKey);
  const used = dateOf(apiKey.lastUsedAt);
  const ends = dateOf(apiKey.expiresAt);
  const made = dateOf(apiKey.createdAt);
  const details = [
    apiKey.id,
    showUser && t("ofUser", { user: apiKey.user }),
    made && t("madeOn", { date: dayAndTime(made, language) }),
    used === null ? t("neverUsed") : t("usedOn", { date: dayAndTime(used, language) }),
    state === "active" &&
      (ends === null ? t("endsNever") : t("endsOn", { date: dayAndTime(ends, language) })),
  ].filter(Boolean);
  return (
    <Row
      title={apiKey.name}
      badges={
        <>
          {state === "active" &&
            apiKey.scopes.map((scope) => (
              <Badge key={scope} tone="accent">
                {scopeName(scope)}
              </Badge>
            ))}
          {isOwnKey && <Badge>{t("thisSession")}</Badge>}
          {state === "revoked" && <Badge tone="danger">{t("revoked")}</Badge>}
          {state === "expired" && <Badge tone="warning">{t("expired")}</Badge>}
        </>
      }
      details={details.join(" · ")}
      actions={
        state === "active" &&
        onRevoke !== undefined && (
          <Button size="small" aria-label={t("revokeKey", { name: apiKey.name })} onClick={onRevoke}>
            {t("revoke")}
          </Button>
        )
      }
    />
  );
}

/** The keys that programs call with. */
export default function ApiKeys() {
  const { t } = useTranslation("settings");
  const { caller } = useCaller();
  const toasts = useToasts();
  const [allUsers, setAllUsers] = useState(false);
  const [showEnded, setShowEnded] = useState(false);
  const list = useQuery({
    queryKey: [...keys.apiKeys, allUsers],
    queryFn: () => identity.listApiKeys({ allUsers }),
  });
  const all = list.data?.apiKeys ?? [];
  const shown = all.filter((key) => showEnded || keyStateOf(key) === "active");
  const endedCount = all.filter((key) => keyStateOf(key) !== "active").length;
  return (
    <SecretsCard
      title={t("keys")}
      text={t("keysText")}
      queryKey={keys.apiKeys}
      query={list}
      items={shown}
      empty={{ icon: <KeyRound />, title: t("noKeys"), text: t("noKeysText") }}
      renderRow={(key, onRevoke) => (
        <KeyRow
          key={key.id}
          apiKey={key}
          isOwnKey={caller !== null && key.id === caller.apiKeyId}
          showUser={allUsers}
          onRevoke={onRevoke}
        />
      )}
      newText={t("newKey")}
      renderNew={(dialog) => caller !== null && <CreateKeyDialog caller={caller} {...dialog} />}
      made={{ title: t("keyMade"), text: t("keyMadeText") }}
      question={(key) => ({
        title: t("revokeKey", { name: key.name }),
        text: key.id === caller?.apiKeyId ? t("revokeOwnText") : t("revokeText"),
        action: t("revoke"),
      })}
      remove={({ id }) => identity.revokeApiKey({ requestId: crypto.randomUUID(), apiKeyId: id })}
      onRemoved={({ name }) => toasts.show(t("keyRevoked", { name }))}
    >
      {(endedCount > 0 || showEnded) && (
        <Switch label={t("showEnded", { count: endedCount })} checked={showEnded} onChange={setShowEnded} />
      )}
      {caller?.isOperator && <Switch label={t("keysOfAll")} checked={allUsers} onChange={setAllUsers} />}
    </SecretsCard>
  );
}

import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { identity } from "@/api/clients";
import { keys } from "@/api/queries";
import { type GetCallerResponse, Scope } from "@/gen/recordroute/gateway/v1/identity_pb";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Checkbox, Select, TextField } from "@/ui/Field";
import { ErrorNotice } from "@/ui/Notice";
import { SCOPES, useScopeName } from "../scopes";
import styles from "./ApiKeys.module.css";
import { EXPIRIES, type Expiry, endOf } from "./expiry";

type CreateKeyDialogProps = {
  caller: GetCallerResponse;
  onCreated: (secret: string) => void;
  onClose: () => void;
};

const DEFAULT_EXPIRY: Expiry = 90;

/** Makes an API key, which can't do more than its maker. */
export function CreateKeyDialog({ caller, onCreated, onClose }: CreateKeyDialogProps) {
  const { t } = useTranslation("settings");
  const formId = useId();
  const cache = useQueryClient();
  const scopeName = useScopeName();
  const [name, setName] = useState("");
  const [user, setUser] = useState("");
  const [expiry, setExpiry] = useState<Expiry>(DEFAULT_EXPIRY);
  const [scopes, setScopes] = useState<readonly Scope[]>([Scope.READ]);
  const create = useMutation({
    mutationFn: () => {
      const end = endOf(expiry, new Date());
      return identity.createApiKey({
        requestId: crypto.randomUUID(),
        name: name.trim(),
        scopes: [...scopes],
        user: user.trim(),
        ...(end !== null && { expiresAt: timestampFromDate(end) }),
      });
    },
    onSuccess: ({ secret }) => {
      void cache.invalidateQueries({ queryKey: keys.apiKeys });
      onCreated(secret);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() !== "" && scopes.length > 0) create.mutate();
  };
  return (
    <Dialog
      title={t("newKey")}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button
            type="submit"
            form={formId}
            variant="primary"
            busy={create.isPending}
            disabled={scopes.length === 0}
          >
            {t("makeKey")}
          </Button>
        </>
      }
    >
      <form id={formId} className={styles.form} onSubmit={submit}>
        <TextField
          label={t("keyName")}
          hint={t("keyNameHint")}
          required
          maxLength={80}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <fieldset className={styles.scopes}>
          <legend>{t("access")}</legend>
          {SCOPES.map((scope) => {
            const isOwn = caller.scopes.includes(scope);
            return (
              <Checkbox
                key={scope}
                disabled={!isOwn}
                checked={scopes.includes(scope)}
                onChange={(event) =>
                  setScopes(
                    event.target.checked ? [...scopes, scope] : scopes.filter((other) => other !== scope),
                  )
                }
                label={isOwn ? scopeName(scope) : t("scopeNotYours", { scope: scopeName(scope) })}
              />
            );
          })}
          {scopes.length === 0 && <p className={styles.error}>{t("noScope")}</p>}
        </fieldset>
        <Select
          label={t("expiry")}
          value={expiry}
          onChange={(event) => {
            const chosen = EXPIRIES.find((days) => days === Number(event.target.value));
            if (chosen !== undefined) setExpiry(chosen);
          }}
        >
          {EXPIRIES.map((days) => (
            <option key={days} value={days}>
              {days === 0 ? t("never") : t("days", { count: days })}
            </option>
          ))}
        </Select>
        {caller.isOperator && (
          <TextField
            label={t("keyUser")}
            hint={t("keyUserHint")}
            autoComplete="off"
            value={user}
            onChange={(event) => setUser(event.target.value)}
          />
        )}
        {create.isError && <ErrorNotice error={create.error} />}
      </form>
    </Dialog>
  );
}

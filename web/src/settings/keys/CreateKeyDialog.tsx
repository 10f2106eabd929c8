import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { identity } from "@/api/clients";
import { keys } from "@/api/queries";
import { type GetCallerResponse, Scope } from "@/gen/recordroute/gateway/v1/identity_pb";
import { CheckboxGroup } from "@/ui/CheckboxGroup";
import { Select, TextField } from "@/ui/Field";
import { FormDialog } from "@/ui/FormDialog";
import { ErrorNotice } from "@/ui/Notice";
import { SCOPES, useScopeName } from "../scopes";
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
  const submit = () => {
    if (name.trim() !== "" && scopes.length > 0) create.mutate();
  };
  const options = SCOPES.map((scope) => {
    const isOwn = caller.scopes.includes(scope);
    const label = isOwn ? scopeName(scope) : t("scopeNotYours", { scope: scopeName(scope) });
    return { value: scope, label, disabled: !isOwn };
  });
  return (
    <FormDialog
      title={t("newKey")}
      submit={t("makeKey")}
      busy={create.isPending}
      disabled={scopes.length === 0}
      onSubmit={submit}
      onClose={onClose}
    >
      <TextField
        label={t("keyName")}
        hint={t("keyNameHint")}
        required
        maxLength={80}
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <CheckboxGroup
        label={t("access")}
        options={options}
        chosen={scopes}
        error={scopes.length === 0 ? t("noScope") : undefined}
        onChange={setScopes}
      />
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
    </FormDialog>
  );
}

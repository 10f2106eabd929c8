import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { keys } from "@/api/queries";
import { Button } from "@/ui/Button";
import { TextField } from "@/ui/Field";
import { Logo } from "./Logo";
import styles from "./SignIn.module.css";
import { getCaller, SignInError, signIn } from "./session";

/** Asks for a token: the system's own, or an API key. */
export function SignIn() {
  const { t } = useTranslation("app");
  const cache = useQueryClient();
  const [token, setToken] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await signIn(token);
      const caller = await getCaller();
      if (caller === null) setError(t("tokenRefused"));
      else cache.setQueryData(keys.caller, caller);
    } catch (failure) {
      setError(failure instanceof SignInError ? t("tokenRefused") : t("serverAway"));
    } finally {
      setBusy(false);
    }
  };
  return (
    <main className={styles.page}>
      <form className={styles.form} onSubmit={submit}>
        <Logo />
        <h1>{t("signInTitle")}</h1>
        <p className={styles.text}>{t("signInText")}</p>
        <TextField
          label={t("token")}
          type="password"
          autoComplete="current-password"
          required
          value={token}
          error={error}
          onChange={(event) => setToken(event.target.value)}
        />
        <Button type="submit" variant="primary" busy={busy}>
          {t("signIn")}
        </Button>
      </form>
    </main>
  );
}

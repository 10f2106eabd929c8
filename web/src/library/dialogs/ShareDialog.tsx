import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { UserMinus } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { library } from "@/api/clients";
import { useErrorText } from "@/api/errors";
import { keys } from "@/api/queries";
import { Access, type Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import { Button, IconButton } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Select, TextField } from "@/ui/Field";
import { Spinner } from "@/ui/Spinner";
import { ErrorState } from "@/ui/State";
import styles from "./Dialogs.module.css";

/** Who else may see or change a recording. */
export function ShareDialog({ recording, onClose }: { recording: Recording; onClose: () => void }) {
  const { t } = useTranslation("library");
  const cache = useQueryClient();
  const key = keys.shares(recording.id);
  const shares = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => library.listShares({ recordingId: recording.id }, { signal }),
  });
  const [user, setUser] = useState("");
  const [access, setAccess] = useState<Access.READ | Access.WRITE>(Access.READ);
  const readAnew = () => cache.invalidateQueries({ queryKey: key });
  const share = useMutation({
    mutationFn: (wanted: { requestId: string; user: string; access: Access }) =>
      library.shareRecording({ recordingId: recording.id, ...wanted }),
    onSuccess: () => {
      setUser("");
      return readAnew();
    },
  });
  const unshare = useMutation({
    mutationFn: (wanted: { requestId: string; user: string }) =>
      library.unshareRecording({ recordingId: recording.id, ...wanted }),
    onSuccess: readAnew,
  });
  const failure = share.error ?? unshare.error;
  const errorText = useErrorText(failure);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (user.trim() !== "") share.mutate({ requestId: crypto.randomUUID(), user: user.trim(), access });
  };
  return (
    <Dialog title={t("shareTitle", { title: recording.title || recording.fileName })} onClose={onClose}>
      <form className={styles.shareForm} onSubmit={submit}>
        <TextField
          label={t("shareUser")}
          hint={t("shareUserHint")}
          value={user}
          maxLength={256}
          autoComplete="off"
          required
          error={failure === null ? undefined : errorText}
          onChange={(event) => setUser(event.currentTarget.value)}
        />
        <Select
          label={t("shareAccess")}
          value={access}
          onChange={(event) =>
            setAccess(Number(event.currentTarget.value) === Access.WRITE ? Access.WRITE : Access.READ)
          }
        >
          <option value={Access.READ}>{t("access_1")}</option>
          <option value={Access.WRITE}>{t("access_2")}</option>
        </Select>
        <Button type="submit" variant="primary" busy={share.isPending}>
          {t("shareAdd")}
        </Button>
      </form>
      <h3>{t("shareWith")}</h3>
      {shares.isPending && <Spinner />}
      {shares.isError && <ErrorState error={shares.error} onRetry={() => void shares.refetch()} />}
      {shares.data?.shares.length === 0 && <p className={styles.muted}>{t("shareEmpty")}</p>}
      <ul className={styles.shares}>
        {shares.data?.shares.map((given) => (
          <li key={given.user} className={styles.share}>
            <span className={styles.user}>{given.user}</span>
            <span className={styles.muted}>{t(given.access === Access.WRITE ? "access_2" : "access_1")}</span>
            <IconButton
              size="small"
              label={t("shareRemove", { user: given.user })}
              icon={<UserMinus />}
              busy={unshare.isPending && unshare.variables.user === given.user}
              onClick={() => unshare.mutate({ requestId: crypto.randomUUID(), user: given.user })}
            />
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

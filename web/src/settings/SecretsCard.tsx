import { type QueryKey, type UseQueryResult, useMutation, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Button } from "@/ui/Button";
import { ConfirmDialog } from "@/ui/Dialog";
import { EmptyState, ErrorState, LoadingState } from "@/ui/State";
import { useToasts } from "@/ui/Toast";
import { Card, Rows } from "./Card";
import { useCaller } from "./caller";
import { NoAccess } from "./NoAccess";
import { SecretDialog } from "./SecretDialog";

type SecretsCardProps<T> = {
  title: string;
  text: string;
  queryKey: QueryKey;
  query: UseQueryResult<unknown>;
  items: readonly T[];
  empty: { icon: ReactNode; title: string; text: string };
  /** `onRemove` is undefined where the caller may change nothing. */
  renderRow: (item: T, onRemove: (() => void) | undefined) => ReactNode;
  /** Text of the button that makes a new one, and the dialog that it opens. */
  newText: string;
  renderNew: (dialog: { onCreated: (secret: string) => void; onClose: () => void }) => ReactNode;
  /** What is said where the secret is shown. */
  made: { title: string; text: string };
  question: (item: T) => { title: string; text: string; action: string };
  remove: (item: T) => Promise<unknown>;
  onRemoved?: (item: T) => void;
  /** What stands below the rows. */
  children?: ReactNode;
};

/**
 * Things that have a secret, which is shown once: when one is made. There is no way back from taking one away, so that
 * it is asked for.
 */
export function SecretsCard<T>({ title, text, queryKey, query, items, ...more }: SecretsCardProps<T>) {
  const { empty, renderRow, newText, renderNew, made, question, remove, onRemoved, children } = more;
  const { caller, canWrite } = useCaller();
  const cache = useQueryClient();
  const toasts = useToasts();
  const [isCreating, setCreating] = useState(false);
  const [secret, setSecret] = useState("");
  const [removed, setRemoved] = useState<{ item: T } | null>(null);
  const removal = useMutation({
    mutationFn: remove,
    onSuccess: (_, item) => onRemoved?.(item),
    onError: toasts.showError,
    onSettled: () => {
      setRemoved(null);
      void cache.invalidateQueries({ queryKey });
    },
  });
  return (
    <>
      {caller !== null && !canWrite && <NoAccess scope="write" />}
      <Card
        title={title}
        text={text}
        actions={
          canWrite && (
            <Button variant="primary" icon={<Plus />} onClick={() => setCreating(true)}>
              {newText}
            </Button>
          )
        }
      >
        {query.isPending && <LoadingState />}
        {query.isError && <ErrorState error={query.error} onRetry={() => void query.refetch()} />}
        {query.isSuccess && items.length === 0 && <EmptyState {...empty} />}
        {items.length > 0 && (
          <Rows label={title}>
            {items.map((item) => renderRow(item, canWrite ? () => setRemoved({ item }) : undefined))}
          </Rows>
        )}
        {children}
      </Card>
      {isCreating &&
        renderNew({
          onClose: () => setCreating(false),
          onCreated: (created) => {
            setCreating(false);
            setSecret(created);
          },
        })}
      {secret !== "" && <SecretDialog {...made} secret={secret} onClose={() => setSecret("")} />}
      {removed !== null && (
        <ConfirmDialog
          {...question(removed.item)}
          danger
          busy={removal.isPending}
          onConfirm={() => removal.mutate(removed.item)}
          onClose={() => setRemoved(null)}
        />
      )}
    </>
  );
}

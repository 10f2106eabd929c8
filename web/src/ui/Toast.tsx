import { X } from "lucide-react";
import { Toast as Radix } from "radix-ui";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { errorText } from "@/api/errors";
import { Button, IconButton } from "./Button";
import styles from "./Toast.module.css";

export type ToastAction = { label: string; onAction: () => void };

type Message = {
  id: number;
  text: string;
  tone: "neutral" | "danger";
  action: ToastAction | undefined;
  stays: boolean;
};

type Toasts = {
  /** Tells that something was done, with the way back where there is one. */
  show: (text: string, action?: ToastAction, options?: { /** Until it is closed. */ stays: boolean }) => void;
  /** Tells that something that the user wanted did not work. */
  showError: (error: unknown) => void;
};

const Context = createContext<Toasts | null>(null);
let lastId = 0;

export function ToastProvider({ children }: { children: ReactNode }) {
  const { t } = useTranslation("ui");
  const { t: apiText } = useTranslation("api");
  const [messages, setMessages] = useState<Message[]>([]);
  const add = useCallback((message: Omit<Message, "id">) => {
    lastId += 1;
    const id = lastId;
    setMessages((shown) => [...shown.slice(-2), { ...message, id }]);
  }, []);
  const toasts = useMemo<Toasts>(
    () => ({
      show: (text, action, { stays } = { stays: false }) => add({ text, tone: "neutral", action, stays }),
      showError: (error) =>
        add({ text: errorText(error, apiText), tone: "danger", action: undefined, stays: false }),
    }),
    [add, apiText],
  );
  const close = (id: number) => setMessages((shown) => shown.filter((message) => message.id !== id));
  return (
    <Context value={toasts}>
      <Radix.Provider label={t("notification")} duration={8000} swipeDirection="down">
        {children}
        {messages.map((message) => (
          <Radix.Root
            key={message.id}
            className={`${styles.toast} ${styles[message.tone]}`}
            type={message.tone === "danger" ? "foreground" : "background"}
            {...(message.stays ? { duration: Number.POSITIVE_INFINITY } : {})}
            onOpenChange={(open) => {
              if (!open) close(message.id);
            }}
          >
            <Radix.Description className={styles.text}>{message.text}</Radix.Description>
            {message.action !== undefined && (
              <Radix.Action asChild altText={message.action.label}>
                <Button size="small" onClick={message.action.onAction}>
                  {message.action.label}
                </Button>
              </Radix.Action>
            )}
            <Radix.Close asChild>
              <IconButton size="small" label={t("close")} icon={<X />} />
            </Radix.Close>
          </Radix.Root>
        ))}
        <Radix.Viewport className={styles.viewport} />
      </Radix.Provider>
    </Context>
  );
}

export function useToasts(): Toasts {
  const toasts = useContext(Context);
  if (toasts === null) throw new Error("useToasts stands outside of ToastProvider");
  return toasts;
}

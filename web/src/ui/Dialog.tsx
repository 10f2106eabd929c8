import { X } from "lucide-react";
import { type ReactNode, useId, useLayoutEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Button, IconButton } from "./Button";
import styles from "./Dialog.module.css";

type DialogProps = {
  title: string;
  onClose: () => void;
  children: ReactNode;
  /** Buttons at the end, the main one last. */
  actions?: ReactNode;
  wide?: boolean;
};

/** What gets the focus back: where it was, or the button of the menu that it was in, since the menu will be gone. */
function openerOf(focused: Element | null): HTMLElement | null {
  const button = focused?.closest("[role=menu]")?.getAttribute("aria-labelledby");
  const opener = button ? document.getElementById(button) : focused;
  return opener instanceof HTMLElement ? opener : null;
}

/** What somebody opens a form for: to type. */
const TYPED = 'form :is(input[type="text"], input[type="url"], textarea):not(:disabled)';

/**
 * A modal dialog: it is open as long as it is rendered. The browser keeps the focus inside and closes it by Escape. The
 * first field to type in gets the focus, else the dialog itself.
 */
export function Dialog({ title, onClose, children, actions, wide = false }: DialogProps) {
  const { t } = useTranslation("ui");
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  // Before it is taken out of the page: a dialog that is gone gives no focus back.
  useLayoutEffect(() => {
    const opened = dialog.current;
    const opener = openerOf(document.activeElement);
    opened?.showModal();
    // Not the button that closes: its tooltip would take the first Escape.
    const first = opened?.querySelector<HTMLElement>(TYPED) ?? opened;
    first?.focus();
    return () => {
      opened?.close();
      // WebKit leaves the focus on what is not shown any more.
      const { activeElement: focused } = document;
      if (focused === document.body || opened?.contains(focused)) opener?.focus();
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape is the keyboard's way, and the browser does it
    <dialog
      ref={dialog}
      tabIndex={-1}
      className={wide ? `${styles.dialog} ${styles.wide}` : styles.dialog}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div className={styles.content}>
        <header className={styles.header}>
          <h2 id={titleId}>{title}</h2>
          <IconButton label={t("close")} icon={<X />} size="small" onClick={onClose} />
        </header>
        <div className={styles.body}>{children}</div>
        {actions !== undefined && <footer className={styles.actions}>{actions}</footer>}
      </div>
    </dialog>
  );
}

type ConfirmDialogProps = {
  title: string;
  text: string;
  action: string;
  danger?: boolean;
  busy?: boolean;
  onConfirm: () => void;
  onClose: () => void;
};

/** Asks before something that can't be undone. */
export function ConfirmDialog({
  title,
  text,
  action,
  danger = false,
  busy = false,
  ...rest
}: ConfirmDialogProps) {
  const { t } = useTranslation("ui");
  return (
    <Dialog
      title={title}
      onClose={rest.onClose}
      actions={
        <>
          <Button onClick={rest.onClose}>{t("cancel")}</Button>
          <Button variant={danger ? "danger" : "primary"} busy={busy} onClick={rest.onConfirm}>
            {action}
          </Button>
        </>
      }
    >
      <p>{text}</p>
    </Dialog>
  );
}

import type { ButtonHTMLAttributes, MouseEvent, ReactNode, Ref } from "react";
import styles from "./Button.module.css";
import { Spinner } from "./Spinner";
import { Tooltip } from "./Tooltip";

export type ButtonVariant = "primary" | "secondary" | "ghost" | "danger";

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  variant?: ButtonVariant;
  size?: "small" | "medium";
  icon?: ReactNode;
  /** Work is going on that this button started: pressing it again does nothing meanwhile. It keeps the focus. */
  busy?: boolean;
  ref?: Ref<HTMLButtonElement>;
};

function swallow(event: MouseEvent): void {
  // Neither a press nor a form that it sends.
  event.preventDefault();
}

/** A disabled button would lose the focus, and whoever works by keyboard or hears the page their place with it. */
function whileBusy(busy: boolean) {
  return busy ? { "aria-busy": true, "aria-disabled": true, onClick: swallow } : {};
}

/** A button with a text. */
export function Button({ variant = "secondary", size = "medium", icon, busy = false, ...rest }: ButtonProps) {
  const { children, className, disabled, ...button } = rest;
  return (
    <button
      type="button"
      {...button}
      className={[styles.button, styles[variant], styles[size], className].filter(Boolean).join(" ")}
      disabled={disabled}
      {...whileBusy(busy)}
    >
      {busy ? <Spinner /> : icon}
      <span className={styles.label}>{children}</span>
    </button>
  );
}

type IconButtonProps = Omit<ButtonProps, "children" | "icon"> & {
  /** What it does: for screen readers, and shown in a tooltip. */
  label: string;
  icon: ReactNode;
};

/** A button with an icon only. */
export function IconButton({
  label,
  icon,
  variant = "ghost",
  size = "medium",
  busy = false,
  ...rest
}: IconButtonProps) {
  const { className, disabled, ...button } = rest;
  return (
    <Tooltip text={label}>
      <button
        type="button"
        {...button}
        aria-label={label}
        className={[styles.button, styles.square, styles[variant], styles[size], className]
          .filter(Boolean)
          .join(" ")}
        disabled={disabled}
        {...whileBusy(busy)}
      >
        {busy ? <Spinner /> : icon}
      </button>
    </Tooltip>
  );
}

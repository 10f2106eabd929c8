import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import styles from "./Button.module.css";
import { Spinner } from "./Spinner";
import { Tooltip } from "./Tooltip";

export type ButtonVariant = "primary" | "secondary" | "ghost" | "danger";

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  variant?: ButtonVariant;
  size?: "small" | "medium";
  icon?: ReactNode;
  /** Work is going on that this button started: it can't be pressed again meanwhile. */
  busy?: boolean;
  ref?: Ref<HTMLButtonElement>;
};

/** A button with a text. */
export function Button({ variant = "secondary", size = "medium", icon, busy = false, ...rest }: ButtonProps) {
  const { children, className, disabled, ...button } = rest;
  return (
    <button
      type="button"
      {...button}
      className={[styles.button, styles[variant], styles[size], className].filter(Boolean).join(" ")}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
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
        disabled={disabled || busy}
        aria-busy={busy || undefined}
      >
        {busy ? <Spinner /> : icon}
      </button>
    </Tooltip>
  );
}

import type { HTMLAttributes } from "react";
import styles from "./Box.module.css";

type BoxProps = HTMLAttributes<HTMLElement> & {
  as?: "div" | "section" | "article";
  /** For a few lines, not for a group of fields. */
  compact?: boolean;
};

/** What belongs together, with a line around it. */
export function Box({ as: Tag = "div", compact = false, className, ...rest }: BoxProps) {
  const names = [styles.box, compact && styles.compact, className];
  return <Tag {...rest} className={names.filter(Boolean).join(" ")} />;
}

import type { ReactNode } from "react";
import { Box } from "@/ui/Box";
import styles from "./Card.module.css";
import { useKeptFocus } from "./useKeptFocus";

type CardProps = {
  title?: string;
  text?: ReactNode;
  /** Buttons beside the title. */
  actions?: ReactNode;
  /** Fields are as wide as what they hold, not as the card. */
  narrow?: boolean;
  children?: ReactNode;
};

/** A group of settings that belong together. */
export function Card({ title, text, actions, narrow = false, children }: CardProps) {
  return (
    <Box as="section" className={narrow ? styles.narrow : undefined} aria-label={title}>
      {(title !== undefined || actions !== undefined) && (
        <div className={styles.head}>
          <div className={styles.words}>
            {title !== undefined && <h2>{title}</h2>}
            {text !== undefined && <p className={styles.text}>{text}</p>}
          </div>
          {actions !== undefined && <div className={styles.actions}>{actions}</div>}
        </div>
      )}
      {children}
    </Box>
  );
}

/** Things one below the other, with lines between them. */
export function Rows({ label, children }: { label: string; children: ReactNode }) {
  const keepFocus = useKeptFocus();
  return (
    <ul className={styles.rows} aria-label={label} {...keepFocus}>
      {children}
    </ul>
  );
}

type RowProps = {
  title: ReactNode;
  badges?: ReactNode;
  details?: ReactNode;
  actions?: ReactNode;
  children?: ReactNode;
};

export function Row({ title, badges, details, actions, children }: RowProps) {
  return (
    <li className={styles.row}>
      <div className={styles.line}>
        <div className={styles.words}>
          <p className={styles.title}>
            {title}
            {badges}
          </p>
          {details !== undefined && <p className={styles.details}>{details}</p>}
        </div>
        {actions !== undefined && <div className={styles.actions}>{actions}</div>}
      </div>
      {children}
    </li>
  );
}

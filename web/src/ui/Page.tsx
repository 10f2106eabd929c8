import { type ReactNode, useEffect } from "react";
import styles from "./Page.module.css";

type PageProps = {
  /** The page's only <h1>, and the title of the window. */
  title: string;
  /** What stands in the place of the plain heading, for instance one that can be edited; it must hold the <h1>. */
  heading?: ReactNode;
  /** Buttons at the end of the heading's line. */
  actions?: ReactNode;
  /** The content takes the whole width; otherwise it is as wide as can be read well. */
  wide?: boolean;
  children: ReactNode;
};

/** The frame of a page's content: the heading with its buttons, and one measure for all pages. */
export function Page({ title, heading, actions, wide = false, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · RecordRoute`;
  }, [title]);
  return (
    <div className={wide ? `${styles.page} ${styles.wide}` : styles.page}>
      <header className={styles.header}>
        {heading ?? <h1>{title}</h1>}
        {actions !== undefined && <div className={styles.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

import { Link, type LinkProps } from "wouter";
import styles from "./QuietLink.module.css";

type QuietLinkProps = Extract<LinkProps, { href: string }> & { className?: string | undefined };

/** A way to another page that stands in a list of them, or beside a heading: an icon and a word. */
export function QuietLink({ className, ...link }: QuietLinkProps) {
  return <Link {...link} className={[styles.link, className].filter(Boolean).join(" ")} />;
}

import type { Ref } from "react";
import { Link, type LinkProps } from "wouter";
import styles from "./TitleLink.module.css";

type TitleLinkProps = Extract<LinkProps, { href: string }> & { ref?: Ref<HTMLAnchorElement> };

/** The title of a recording in a line of its own, cut off where there is no room, and the way to it. */
export function TitleLink(link: TitleLinkProps) {
  return <Link {...link} className={styles.title} />;
}

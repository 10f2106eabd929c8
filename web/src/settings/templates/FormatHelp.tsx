import { useTranslation } from "react-i18next";
import styles from "./Templates.module.css";

const EXAMPLE = `# Weekly sync

## Decisions {decisions}
What was decided.

## Budget
Every amount of money that is spoken of, and for what.
- who: person
- sum: amount
- until: date`;
const KINDS = "topics, key_points, decisions, action_items, risks, next_steps, custom";
const TYPES = "text, person, date, amount";

/** How templates are written. */
export function FormatHelp() {
  const { t } = useTranslation("settings");
  return (
    <details className={styles.help}>
      <summary>{t("formatHelp")}</summary>
      <ul>
        <li>{t("formatName")}</li>
        <li>{t("formatSection", { kinds: KINDS })}</li>
        <li>{t("formatLine")}</li>
        <li>{t("formatFields", { types: TYPES })}</li>
        <li>{t("formatLimits")}</li>
      </ul>
      <pre lang="en">{EXAMPLE}</pre>
    </details>
  );
}

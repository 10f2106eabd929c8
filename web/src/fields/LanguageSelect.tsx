import { currentLanguage } from "@/i18n";
import { speechLanguages } from "@/lib/languages";
import { Select } from "@/ui/Field";

type LanguageSelectProps = {
  label: string;
  /** What no choice means. */
  none: string;
  /** BCP 47 primary subtag; empty: no choice. */
  value: string;
  onChange: (language: string) => void;
};

/** A language that people speak. */
export function LanguageSelect({ label, none, value, onChange }: LanguageSelectProps) {
  return (
    <Select label={label} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      <option value="">{none}</option>
      {speechLanguages(currentLanguage()).map(({ code, name }) => (
        <option key={code} value={code}>
          {name}
        </option>
      ))}
    </Select>
  );
}

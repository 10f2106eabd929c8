import { useTemplates } from "@/api/templates";
import { Select } from "@/ui/Field";

/** The server's default. */
export const DEFAULT_TEMPLATE = "meeting";

type TemplateSelectProps = {
  label: string;
  /** What no choice means: the server's default then. Without it there is always one. */
  none?: string;
  /** Name of a template that `none` says already. */
  without?: string;
  /** Name of the template; empty: no choice. */
  value: string;
  onChange: (template: string) => void;
};

/** A template of minutes. */
export function TemplateSelect({ label, none, without, value, onChange }: TemplateSelectProps) {
  const list = useTemplates();
  const known = (list.data?.templates ?? []).filter(({ name }) => name !== without);
  // One that is deleted, or not listed yet, is seen for what it is.
  const isMissing = value !== "" && known.every(({ name }) => name !== value);
  return (
    <Select
      label={label}
      value={value}
      disabled={none === undefined && list.isPending}
      onChange={(event) => onChange(event.currentTarget.value)}
    >
      {none !== undefined && <option value="">{none}</option>}
      {isMissing && <option value={value}>{value}</option>}
      {known.map(({ name, title }) => (
        <option key={name} value={name}>
          {title || name}
        </option>
      ))}
    </Select>
  );
}

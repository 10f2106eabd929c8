import { type ReactNode, useId } from "react";
import { useFacets } from "@/api/facets";
import { TextField } from "@/ui/Field";

type FolderFieldProps = {
  label: string;
  hideLabel?: boolean;
  hint: ReactNode;
  error?: string | undefined;
  disabled?: boolean;
  /** As it is written: names between slashes. */
  value: string;
  onChange: (folder: string) => void;
  onBlur?: () => void;
};

/** A folder of the library, with those that are in use already to choose from. */
export function FolderField({ value, onChange, ...field }: FolderFieldProps) {
  const listId = useId();
  const facets = useFacets();
  return (
    <>
      <TextField
        {...field}
        value={value}
        maxLength={300}
        list={listId}
        autoComplete="off"
        onChange={(event) => onChange(event.currentTarget.value)}
      />
      <datalist id={listId}>
        {facets.data?.folders.map((folder) => (
          <option key={folder.value} value={folder.value} />
        ))}
      </datalist>
    </>
  );
}

import { type ReactElement, useState } from "react";
import { useTranslation } from "react-i18next";
import { Popover } from "@/ui/Popover";
import { FilterForm } from "./FilterForm";
import type { Filter } from "./filter";

type FilterPopoverProps = {
  filter: Filter;
  trigger: ReactElement;
  onChange: (change: Partial<Filter>) => void;
};

export default function FilterPopover({ filter, trigger, onChange }: FilterPopoverProps) {
  const { t } = useTranslation("library");
  const [isOpen, setIsOpen] = useState(true);
  return (
    <Popover label={t("filters")} align="end" trigger={trigger} open={isOpen} onOpenChange={setIsOpen}>
      <FilterForm filter={filter} onChange={onChange} />
    </Popover>
  );
}

import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Menu, MenuChoice, MenuLabel, MenuSeparator } from "@/ui/Menu";
import { type Filter, SORTS } from "./filter";

type SortMenuProps = { filter: Filter; trigger: ReactElement; onChange: (change: Partial<Filter>) => void };

/** In which order the list is. */
export default function SortMenu({ filter, trigger, onChange }: SortMenuProps) {
  const { t } = useTranslation("library");
  return (
    <Menu trigger={trigger} defaultOpen>
      <MenuLabel>{t("sort")}</MenuLabel>
      {SORTS.map((sort) => (
        <MenuChoice
          key={sort}
          checked={filter.sort === sort}
          onSelect={() => onChange({ sort, isAscending: sort === "title" })}
        >
          {t(`sort_${sort}`)}
        </MenuChoice>
      ))}
      <MenuSeparator />
      <MenuChoice checked={!filter.isAscending} onSelect={() => onChange({ isAscending: false })}>
        {t(filter.sort === "title" ? "titleDescending" : "descending")}
      </MenuChoice>
      <MenuChoice checked={filter.isAscending} onSelect={() => onChange({ isAscending: true })}>
        {t(filter.sort === "title" ? "titleAscending" : "ascending")}
      </MenuChoice>
    </Menu>
  );
}

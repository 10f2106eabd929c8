import { ArrowDownToLine, ArrowUpToLine, Copy, Ellipsis, Link, Pencil, UserPlus } from "lucide-react";
import { useTranslation } from "react-i18next";
import { clock } from "@/lib/time";
import { Menu, MenuChoice, MenuItem, MenuLabel, MenuSeparator } from "@/ui/Menu";
import type { Segment } from "./model";

/** What can be done with segments. The object stays the same, so that rows are not rendered for nothing. */
export type SegmentActions = {
  /** Null where there is nothing to hear. */
  play: ((seconds: number) => void) | null;
  edit: (index: number) => void;
  merge: (first: number) => void;
  assign: (index: number, label: string) => void;
  assignNew: (index: number) => void;
  nameSpeaker: (label: string) => void;
  copy: (index: number) => void;
  copyLink: (index: number) => void;
};

export type SpeakerChoice = { label: string; name: string };

export type SegmentMenuProps = {
  segment: Segment;
  index: number;
  isLast: boolean;
  canEdit: boolean;
  speakers: readonly SpeakerChoice[];
  actions: SegmentActions;
  onClose: () => void;
};

export function SegmentMenu({
  segment,
  index,
  isLast,
  canEdit,
  speakers,
  actions,
  onClose,
}: SegmentMenuProps) {
  const { t } = useTranslation("recording");
  return (
    <Menu
      defaultOpen
      onOpenChange={(isOpen) => {
        // After the menu has given the focus back.
        if (!isOpen) setTimeout(onClose, 200);
      }}
      trigger={
        <button type="button" aria-label={t("segmentMenu", { time: clock(segment.start) })} title={t("more")}>
          <Ellipsis aria-hidden />
        </button>
      }
    >
      {canEdit && (
        <>
          <MenuItem icon={<Pencil />} onSelect={() => actions.edit(index)}>
            {t("edit")}
          </MenuItem>
          <MenuItem icon={<ArrowUpToLine />} disabled={index === 0} onSelect={() => actions.merge(index - 1)}>
            {t("mergePrevious")}
          </MenuItem>
          <MenuItem icon={<ArrowDownToLine />} disabled={isLast} onSelect={() => actions.merge(index)}>
            {t("mergeNext")}
          </MenuItem>
          <MenuSeparator />
          <MenuLabel>{t("speakerOfSegment")}</MenuLabel>
          {speakers.map(({ label, name }) => (
            <MenuChoice
              key={label}
              checked={label === segment.speaker}
              onSelect={() => actions.assign(index, label)}
            >
              {name}
            </MenuChoice>
          ))}
          <MenuItem icon={<UserPlus />} onSelect={() => actions.assignNew(index)}>
            {t("newSpeaker")}
          </MenuItem>
          <MenuSeparator />
        </>
      )}
      <MenuItem icon={<Copy />} onSelect={() => actions.copy(index)}>
        {t("copySegment")}
      </MenuItem>
      {actions.play !== null && (
        <MenuItem icon={<Link />} onSelect={() => actions.copyLink(index)}>
          {t("copyLink")}
        </MenuItem>
      )}
    </Menu>
  );
}

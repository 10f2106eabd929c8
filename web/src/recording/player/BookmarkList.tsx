import { BookmarkPlus, Bookmark as Icon, Trash2 } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Bookmark } from "@/gen/recordroute/gateway/v1/library_pb";
import { clock, secondsOf } from "@/lib/time";
import { Button, IconButton } from "@/ui/Button";
import { Popover } from "@/ui/Popover";
import { useToasts } from "@/ui/Toast";
import styles from "./BookmarkList.module.css";
import type { Player } from "./Player";
import type { Bookmarks } from "./useBookmarks";

type BookmarkListProps = {
  player: Player;
  bookmarks: readonly Bookmark[];
  canEdit: boolean;
  actions: Bookmarks;
  isOpen: boolean;
  onOpenChange: (isOpen: boolean) => void;
};

/** The marked places: to jump to, to name, to take away. */
export function BookmarkList({
  player,
  bookmarks,
  canEdit,
  actions,
  isOpen,
  onOpenChange,
}: BookmarkListProps) {
  const { t } = useTranslation("recording");
  const [hasKeys] = useState(() => window.matchMedia("(pointer: fine)").matches);
  return (
    <Popover
      label={t("bookmarks")}
      open={isOpen}
      onOpenChange={onOpenChange}
      trigger={<IconButton label={t("bookmarksCount", { count: bookmarks.length })} icon={<Icon />} />}
    >
      <div className={styles.top}>
        <h2 className={styles.heading}>{t("bookmarks")}</h2>
        {canEdit && (
          <Button size="small" icon={<BookmarkPlus />} onClick={() => void actions.add(player.time)}>
            {t("addBookmark")}
          </Button>
        )}
      </div>
      {bookmarks.length === 0 && (
        <p className={styles.empty}>{t(hasKeys ? "noBookmarksKey" : "noBookmarks")}</p>
      )}
      <ul className={styles.list}>
        {bookmarks.map((bookmark) => (
          <Entry
            key={secondsOf(bookmark.position)}
            bookmark={bookmark}
            canEdit={canEdit}
            actions={actions}
            onJump={() => player.playFrom(secondsOf(bookmark.position))}
          />
        ))}
      </ul>
    </Popover>
  );
}

type EntryProps = { bookmark: Bookmark; canEdit: boolean; actions: Bookmarks; onJump: () => void };

function Entry({ bookmark, canEdit, actions, onJump }: EntryProps) {
  const { t } = useTranslation("recording");
  const toasts = useToasts();
  const time = clock(secondsOf(bookmark.position));
  const [label, setLabel] = useState(bookmark.label);
  const saved = useRef(bookmark.label);
  useEffect(() => {
    saved.current = bookmark.label;
    setLabel(bookmark.label);
  }, [bookmark.label]);
  const save = () => {
    const wanted = label.trim();
    if (wanted === saved.current) return;
    saved.current = wanted;
    void actions.rename(bookmark, wanted);
  };
  const remove = async () => {
    if (!(await actions.remove(bookmark))) return;
    toasts.show(t("bookmarkRemoved", { time }), {
      label: t("undo"),
      onAction: () => void actions.restore(bookmark),
    });
  };
  return (
    <li className={styles.entry}>
      <button type="button" className={styles.time} aria-label={t("playFrom", { time })} onClick={onJump}>
        {time}
      </button>
      {canEdit ? (
        <input
          className={styles.label}
          aria-label={t("bookmarkLabel", { time })}
          placeholder={t("bookmarkPlaceholder")}
          value={label}
          maxLength={200}
          onChange={(event) => setLabel(event.currentTarget.value)}
          onBlur={save}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.nativeEvent.isComposing) save();
          }}
        />
      ) : (
        <span className={styles.text}>{bookmark.label}</span>
      )}
      {canEdit && (
        <IconButton
          size="small"
          label={t("removeBookmark", { time })}
          icon={<Trash2 />}
          onClick={() => void remove()}
        />
      )}
    </li>
  );
}

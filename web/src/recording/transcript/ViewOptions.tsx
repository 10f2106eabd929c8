import { Settings2 } from "lucide-react";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import { currentLanguage } from "@/i18n";
import { IconButton } from "@/ui/Button";
import { Popover } from "@/ui/Popover";
import { Switch } from "@/ui/Switch";
import styles from "./ViewOptions.module.css";
import type { ViewPreferences } from "./viewPreferences";

type ViewOptionsProps = {
  preferences: ViewPreferences;
  onPreferences: (change: Partial<ViewPreferences>) => void;
  showsRemoved: boolean;
  onShowRemoved: (shows: boolean) => void;
};

/** How the transcript is shown, with what its marks mean. */
export function ViewOptions({ preferences, onPreferences, showsRemoved, onShowRemoved }: ViewOptionsProps) {
  const { t } = useTranslation("recording");
  const id = useId();
  const { marksUncertain, threshold } = preferences;
  const percent = new Intl.NumberFormat(currentLanguage(), { style: "percent" }).format(threshold);
  return (
    <Popover label={t("view")} trigger={<IconButton size="small" label={t("view")} icon={<Settings2 />} />}>
      <Switch
        label={t("markUncertain")}
        checked={marksUncertain}
        onChange={(isOn) => onPreferences({ marksUncertain: isOn })}
      />
      {marksUncertain && (
        <div className={styles.legend}>
          <p>
            <span className={styles.sample}>{t("uncertainSample")}</span> {t("uncertainLegend", { percent })}
          </p>
          <label htmlFor={id}>{t("threshold")}</label>
          <input
            id={id}
            type="range"
            min={0.1}
            max={0.9}
            step={0.05}
            value={threshold}
            aria-valuetext={percent}
            onChange={(event) => onPreferences({ threshold: event.currentTarget.valueAsNumber })}
          />
        </div>
      )}
      <Switch
        label={t("showRemoved")}
        hint={t("showRemovedHint")}
        checked={showsRemoved}
        onChange={onShowRemoved}
      />
    </Popover>
  );
}

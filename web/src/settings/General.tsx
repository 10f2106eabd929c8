import { useState } from "react";
import { useTranslation } from "react-i18next";
import { THEMES, useTheme } from "@/app/theme";
import { currentLanguage, LANGUAGES, type Language, setLanguage } from "@/i18n";
import { PROCESSING, storedMicrophone, storeMicrophone } from "@/live/microphone";
import { Select } from "@/ui/Field";
import { Switch } from "@/ui/Switch";
import { Card } from "./Card";

/** What belongs to this browser: language, theme, microphone. */
export function General() {
  const { t } = useTranslation("settings");
  const [theme, setTheme] = useTheme();
  const [microphone, setMicrophone] = useState(storedMicrophone);
  const codes = Object.keys(LANGUAGES) as Language[];
  return (
    <>
      <Card title={t("appearance")} text={t("appearanceText")} narrow>
        <Select
          label={t("language")}
          value={currentLanguage()}
          onChange={(event) => {
            const chosen = codes.find((code) => code === event.target.value);
            if (chosen !== undefined) void setLanguage(chosen);
          }}
        >
          {codes.map((code) => (
            <option key={code} value={code} lang={code}>
              {LANGUAGES[code]}
            </option>
          ))}
        </Select>
        <Select
          label={t("theme")}
          value={theme}
          onChange={(event) => {
            const chosen = THEMES.find((one) => one === event.target.value);
            if (chosen !== undefined) setTheme(chosen);
          }}
        >
          {THEMES.map((one) => (
            <option key={one} value={one}>
              {t(`theme_${one}`)}
            </option>
          ))}
        </Select>
      </Card>
      <Card title={t("microphone")} text={t("microphoneText")}>
        {PROCESSING.map((name) => (
          <Switch
            key={name}
            label={t(name)}
            hint={t(`${name}Hint`)}
            checked={microphone[name]}
            onChange={(checked) => {
              // The live page may have changed another part of it meanwhile.
              const next = { ...storedMicrophone(), [name]: checked };
              storeMicrophone(next);
              setMicrophone(next);
            }}
          />
        ))}
      </Card>
    </>
  );
}

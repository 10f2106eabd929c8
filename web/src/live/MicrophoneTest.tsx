import { Check, Ear, Mic, MicOff, TriangleAlert } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { useObservable } from "@/lib/observable";
import { Button } from "@/ui/Button";
import { Failure } from "./Failure";
import type { Hearing } from "./hearing";
import { Meter } from "./Meter";
import styles from "./MicrophoneTest.module.css";
import type { MicrophoneTester } from "./MicrophoneTester";
import type { MicrophoneChoice } from "./microphone";

const ICONS = {
  listening: Ear,
  nothing: MicOff,
  quiet: TriangleAlert,
  loud: TriangleAlert,
  good: Check,
} as const satisfies Record<Hearing, unknown>;

function HearingText({ hearing }: { hearing: Hearing }) {
  const { t } = useTranslation("live");
  const Icon = ICONS[hearing];
  return (
    <p className={[styles.hearing, styles[hearing]].filter(Boolean).join(" ")}>
      <Icon aria-hidden />
      <span>{hearing === "nothing" ? t("hearsNothing") : t(`test_${hearing}`)}</span>
    </p>
  );
}

type MicrophoneTestProps = {
  tester: MicrophoneTester;
  choice: MicrophoneChoice;
  /** The browser names microphones only to who may listen. */
  onAllowed: () => void;
};

/** Shows how well the microphone hears, before anything is recorded. It is asked for by the button only. */
export function MicrophoneTest({ tester, choice, onAllowed }: MicrophoneTestProps) {
  const { t } = useTranslation("live");
  const { phase, deviceName, hearing, failure } = useObservable(tester.state);
  useEffect(() => () => tester.stop(), [tester]);
  useEffect(() => {
    if (tester.state.get().phase !== "off") void tester.start(choice);
  }, [tester, choice]);
  useEffect(() => {
    if (phase === "on") onAllowed();
  }, [phase, onAllowed]);
  const isOff = phase === "off";
  return (
    <div className={styles.test}>
      <div className={styles.row}>
        <Button
          icon={<Mic aria-hidden />}
          onClick={() => (isOff ? void tester.start(choice) : tester.stop())}
        >
          {isOff ? t("test") : t("testEnd")}
        </Button>
        {!isOff && <Meter level={tester.level} />}
      </div>
      <div role="status">
        {phase === "opening" && <p className={styles.hearing}>{t("testOpening")}</p>}
        {phase === "on" && <HearingText hearing={hearing} />}
      </div>
      {phase === "on" && deviceName !== "" && (
        <p className={styles.device}>{t("testDevice", { name: deviceName })}</p>
      )}
      {failure !== undefined && <Failure failure={failure} />}
    </div>
  );
}

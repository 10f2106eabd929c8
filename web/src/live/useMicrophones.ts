import { useCallback, useEffect, useState } from "react";
import { listMicrophones, type MicrophoneChoice, storedMicrophone, storeMicrophone } from "./microphone";

/** The microphones that there are now, and which one is wanted. */
export function useMicrophones() {
  const [microphones, setMicrophones] = useState<MediaDeviceInfo[]>([]);
  const [choice, setChoice] = useState(storedMicrophone);
  const look = useCallback(async () => {
    const found = await listMicrophones();
    // The browser lists the default one a second time under a name of its own.
    setMicrophones(found.filter(({ deviceId }) => deviceId !== "default"));
  }, []);
  useEffect(() => {
    const lookAgain = () => void look();
    lookAgain();
    navigator.mediaDevices?.addEventListener("devicechange", lookAgain);
    return () => navigator.mediaDevices?.removeEventListener("devicechange", lookAgain);
  }, [look]);
  const choose = (chosen: MicrophoneChoice) => {
    storeMicrophone(chosen);
    setChoice(chosen);
  };
  return { microphones, choice, choose, look };
}
